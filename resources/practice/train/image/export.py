"""Puts the trained parts together as a diffusers FluxPipeline folder, in float16.

usage: export.py FOLDER --state DIR --text FOLDER --vae FOLDER --tokenizers FOLDER
--text: train_text.py's output; --vae: what holds `vae`; --tokenizers: what holds `tokenizer` and `tokenizer_2`. Any of
these may be a pipeline's folder, FOLDER itself too. README.md is not made here.
"""
import argparse
import json
import os
import pathlib
import shutil
import tempfile

import torch
from safetensors.torch import load_file, save_file

import text
from shared import state
from train_transformer import SCHEDULER, make_transformer

CLASSES = {
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "FluxTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def export(folder, state_folder, text_folder, vae_folder, tokenizers):
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler

    clip, t5 = text.load_encoders(text_folder, "cpu")
    transformer = make_transformer()
    transformer.load_state_dict({k: v.float() for k, v in state.average_weights(state_folder).items()})
    parts = {"text_encoder": clip, "text_encoder_2": t5, "transformer": transformer}
    parts["vae"] = AutoencoderKL.from_pretrained(f"{vae_folder}/vae")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = pathlib.Path(temporary) / "model"
        for name, part in parts.items():
            part.to(torch.float16).save_pretrained(made / name, safe_serialization=True)
        for name in ("tokenizer", "tokenizer_2"):
            shutil.copytree(f"{tokenizers}/{name}", made / name)
        # the published FLUX folders name CLIP's tensors with the prefix text_model.
        file = made / "text_encoder/model.safetensors"
        weights = {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in load_file(file).items()}
        save_file(weights, file, {"format": "pt"})
        FlowMatchEulerDiscreteScheduler(**SCHEDULER).save_pretrained(made / "scheduler")
        nothing = {"feature_extractor": [None, None], "image_encoder": [None, None]}
        index = {"_class_name": "FluxPipeline", "_diffusers_version": "0.42.1", **nothing, **CLASSES}
        (made / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
        for config in made.glob("*/config.json"):  # without the folder that a part was read from
            values = json.loads(config.read_text())
            values.pop("_name_or_path", None)
            config.write_text(json.dumps(values, indent=2) + "\n")
        shutil.copytree(made, folder, dirs_exist_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    for name in ("state", "text", "vae", "tokenizers"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    args.folder.parent.mkdir(parents=True, exist_ok=True)
    export(args.folder, args.state, args.text, args.vae, args.tokenizers)
    size = sum(os.path.getsize(p) for p in args.folder.rglob("*") if p.is_file())
    print(f"{args.folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
