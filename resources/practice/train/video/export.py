"""Puts the trained parts together as a diffusers WanPipeline folder, with a README and Rubato's card.

usage: export.py FOLDER --state DIR --text ENCODER_FOLDER --vae DIR --tokenizer DIR
The card's preview map is fitted afterwards by preview.py.
"""
import argparse
import json
import os
import pathlib

import torch

import card
import state
import text
import whole_vae
import words
from evaluate import SHEET_PROMPTS
from train_transformer import load_text_encoder, make_transformer

README = """---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-video
---
# Rubato practice video model

A tiny text-to-video model in the Wan layout (`WanPipeline` of diffusers), small enough to run on a CPU. It is meant
for trying out a video studio before any large model is downloaded, and for tests. It was trained from scratch on
procedurally drawn, captioned clips of simple shapes **only**; it knows nothing of the real world.

| part | class | parameters |
| --- | --- | --- |
| text encoder | UMT5EncoderModel, 3 layers, width 192 | {text:.2f} M |
| transformer | WanTransformer3DModel, 8 layers, width 320, 5 heads | {transformer:.2f} M |
| VAE | AutoencoderKLWan, 8x8 spatial, 4x temporal, 8 channels | {vae:.2f} M |

Weights are float16 (moving averages of the training weights). Trained at 128x128 pixels with 65 and 33 frames, 16
frames per second. How: `resources/practice/train/video`.

## Use
```sh
rubato-cli gen video --model practice-video -p "a big red star waits, then shrinks on a checkered floor" -o clip.mp4
```
or with diffusers
```python
import torch
from diffusers import WanPipeline
from diffusers.utils import export_to_video
pipe = WanPipeline.from_pretrained("resources/practice/video", torch_dtype=torch.float32)
v = pipe("a big red star waits, then shrinks on a checkered floor", height=128, width=128, num_frames=65,
         num_inference_steps=30, guidance_scale=3.5, max_sequence_length=32).frames[0]
export_to_video(v, "clip.mp4", fps=16)
```
`max_sequence_length=32` is required: the model was trained with exactly 32 text positions. Guidance 3.5, 30 steps,
shift 3. These settings and prompts that work are also in `rubato.json`.

## What it understands
One or two objects, a motion for each, a background:
- colours: {colors}; shapes: {shapes} (also ball, disc, box, hoop, plus sign)
- sizes: small (little, tiny), big (large, huge)
- motions: stays still; moves left, right, up (rises), down (falls); bounces; circles around; grows; shrinks
- tempo: nothing (steady), "waits, then ..." or "..., then stops" (also rests, pauses, stays still)
- two objects: "... while ...", "... and ...", "two objects: ... and ..."
- backgrounds: at night, on sand, in a forest, on a grey wall, at sunset, on a checkered floor, over a starry sky, over
  the sea
- "the camera pans left/right" (weak)

Prompts that work:
{prompts}

`rubato.json` lists every word that it knows. Others are split into letters and mean nothing to the model. Write prompts
in lower case.

![Sixteen prompts, eight frames of each](../../readme/practice.png)

Rows from top to bottom, one object on the left and two on the right:
{sheet}

## Limits
{limits}
"""


def parameters(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


def load_parts(args):
    """(tokenizer, text encoder, transformer, VAE) in float16."""
    trained, mean, std = whole_vae.load(args.vae, "cpu")
    vae = whole_vae.make(latents_mean=list(mean), latents_std=list(std))
    vae.load_state_dict(trained.state_dict())
    transformer = make_transformer()
    transformer.load_state_dict({k: v.float() for k, v in state.average_weights(args.state).items()})
    tokenizer = text.load_tokenizer(args.tokenizer)
    tokenizer.model_max_length = text.MAX_TOKENS
    encoder = load_text_encoder(args.text, "cpu")
    assert torch.equal(encoder.encoder.embed_tokens.weight, encoder.shared.weight)
    return tokenizer, encoder.half(), transformer.half(), vae.half()


def tidy(folder):
    """Names the tokenizer's class as older transformers know it, and drops keys that only describe this machine."""
    config = folder / "tokenizer/tokenizer_config.json"
    values = json.loads(config.read_text())
    for key in ("is_local", "local_files_only"):
        values.pop(key, None)
    config.write_text(json.dumps({**values, "tokenizer_class": "T5TokenizerFast"}, indent=2))
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "tokenizer": ["transformers", "T5TokenizerFast"]}, indent=2))


def sheet_rows():
    """The prompts of the contact sheet, two to a row."""
    return zip(SHEET_PROMPTS[::2], SHEET_PROMPTS[1::2])


def bullets(lines):
    return "\n".join(f"- {line}" for line in lines)


def readme(text_m, transformer_m, vae_m):
    return README.format(
        text=text_m, transformer=transformer_m, vae=vae_m, colors=", ".join(words.COLORS), shapes=", ".join(words.SHAPES),
        prompts=bullets(card.PROMPTS), limits=bullets(card.LIMITS), sheet=bullets(" · ".join(row) for row in sheet_rows()),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    for name in ("state", "text", "vae", "tokenizer"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    from diffusers import FlowMatchEulerDiscreteScheduler, WanPipeline

    tokenizer, encoder, transformer, vae = load_parts(args)
    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0)
    pipe = WanPipeline(tokenizer=tokenizer, text_encoder=encoder, vae=vae, transformer=transformer, scheduler=scheduler)
    pipe.save_pretrained(args.folder, safe_serialization=True)
    tidy(args.folder)
    (args.folder / "README.md").write_text(readme(parameters(encoder), parameters(transformer), parameters(vae)))
    card.write(args.folder)
    size = sum(os.path.getsize(p) for p in args.folder.rglob("*") if p.is_file())
    print(f"{args.folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
