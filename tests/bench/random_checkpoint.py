#!/usr/bin/env python3
"""A diffusers folder of Wan 2.1 T2V 1.3B with its UMT5-XXL, full size, bfloat16 (14.5 GB), random weights.

For what depends on sizes alone: what offload costs, what a job takes of the memory, whether a resumed one ends with the
same bytes. Two steps, since a GPU host may lack diffusers:
  random_checkpoint.py list wan.json.gz            names and shapes; needs diffusers and transformers, no memory
  random_checkpoint.py make wan.json.gz FOLDER     the weights; needs torch and safetensors, uses a GPU if there is one
The tokenizer is that of the practice model. By default a clip has 4 steps.
"""
import gzip
import json
import math
import pathlib
import shutil
import sys

import torch

PRACTICE = pathlib.Path(__file__).resolve().parents[2] / "resources/practice/video"
WEIGHTS = {"text_encoder": "model.safetensors"}  # the others: diffusion_pytorch_model.safetensors


def list_parts(file: str) -> None:
    from diffusers import AutoencoderKLWan, WanTransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    with torch.device("meta"):
        modules = {
            "transformer": WanTransformer3DModel(
                num_attention_heads=12, attention_head_dim=128, in_channels=16, out_channels=16, text_dim=4096,
                freq_dim=256, ffn_dim=8960, num_layers=30),
            "vae": AutoencoderKLWan(),
            "text_encoder": UMT5EncoderModel(UMT5Config(
                vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
                feed_forward_proj="gated-gelu", tie_word_embeddings=True))}
    parts = {}
    for name, module in modules.items():
        shapes = {key: list(value.shape) for key, value in module.state_dict().items()}
        shapes.pop("encoder.embed_tokens.weight", None)  # tied to shared.weight
        if name == "text_encoder":
            config = {**module.config.to_dict(), "architectures": ["UMT5EncoderModel"]}
        else:
            config = {"_class_name": type(module).__name__, "_diffusers_version": "0.42.1",
                      **{k: v for k, v in module.config.items() if not k.startswith("_")}}
        parts[name] = {"config": config, "shapes": shapes}
    with gzip.open(file, "wt") as out:
        json.dump(parts, out, default=str)


def make(file: str, folder: pathlib.Path) -> None:
    from safetensors.torch import save_file

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    for name, part in json.load(gzip.open(file, "rt")).items():
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text(json.dumps(part["config"], indent=1))
        tensors = {}
        for key, shape in part["shapes"].items():
            value = torch.randn(shape, device=device)
            inputs = math.prod(shape[1:])
            # Matrices keep the size of what goes through them; vectors stay near one (weights) or zero (biases).
            value = value / math.sqrt(inputs) if inputs > 1 else 0.02 * value + (0.0 if key.endswith("bias") else 1.0)
            tensors[key] = value.to(torch.bfloat16).cpu()
        save_file(tensors, folder / name / WEIGHTS.get(name, "diffusion_pytorch_model.safetensors"))
    shutil.copytree(PRACTICE / "tokenizer", folder / "tokenizer")
    scheduler = {"_class_name": "UniPCMultistepScheduler", "num_train_timesteps": 1000, "flow_shift": 3.0,
                 "prediction_type": "flow_prediction", "use_flow_sigmas": True, "solver_order": 2, "solver_type": "bh2"}
    (folder / "scheduler").mkdir()
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps(scheduler))
    defaults = {"size": "832x480", "frames": 81, "fps": 16, "steps": 4, "guidance": 5, "max_sequence_length": 512}
    (folder / "rubato.json").write_text(json.dumps({"version": 1, "name": "random-wan-1.3b", "defaults": defaults}))
    index = json.loads((PRACTICE / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", "UniPCMultistepScheduler"]
    (folder / "model_index.json").write_text(json.dumps(index, indent=1))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "list":
        list_parts(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "make":
        make(sys.argv[2], pathlib.Path(sys.argv[3]))
    else:
        sys.exit(__doc__)
