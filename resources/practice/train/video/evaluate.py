"""Looks at a finished pipeline folder through diffusers' own classes, in float32; judge.py counts what its clips show.

evaluate.py vae   FOLDER [COUNT]     PSNR of the VAE on clips of another seed (24): whole picture, moving pixels
evaluate.py sheet FOLDER OUT.png     SHEET_PROMPTS in two columns, one object left and two right; seconds a clip
"""
import argparse
import json
import math
import time

import torch
import torch.nn.functional as F

import detector
import scenes
from draw import pack, render
from pictures import save_sheet
from train_vae import moving

# Pairs of prompts, a row of the sheet each. Half of the colour-shape pairs never occur in the training.
SHEET_PROMPTS = [
    "a small red circle rests, then moves right over a starry sky",
    "a big blue square bounces while a green star stays still, on sand",
    "a big yellow star circles around under the stars",
    "a small white star moves right and a big purple triangle moves left, in space",
    "a big red star waits, then shrinks on a checkered floor",
    "a small green heart rises while a big white circle does not move, at night",
    "a small cyan ring circles around in a forest",
    "a tiny yellow cross falls, then stops while a huge cyan circle grows, in a forest",
    "a large green heart jumps up and down at sunset",
    "two objects: a big white square shrinking and a small red star moving up, on the beach",
    "a little white square slides left, then pauses by the sea",
    "a big orange ring stands still and a little blue triangle hops, over the sea",
    "a big orange cross falls, then stops on a grey wall",
    "a small purple ring waits, then moves to the right while a big yellow heart sinks, against a gray wall",
    "a big blue triangle gets bigger in the night",
    "a big red square goes up, then stops while a small cyan star stays still, on a checkerboard",
]
CLIP = dict(height=128, width=128, num_frames=65, num_inference_steps=30, guidance_scale=3.5, max_sequence_length=32)
SHEET_FRAMES, SHEET_SIDE, SHEET_SEED = 8, 64, 9000


def load(folder):
    from diffusers import WanPipeline

    pipe = WanPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to("cuda" if torch.cuda.is_available() else "cpu")


def measure_vae(args):
    vae = load(args.folder).vae
    all_error = all_count = moving_error = moving_count = 0
    for scene in scenes.scenes(args.count, 31337):
        x = render(pack([scene]), 65, 128)
        y = vae.decode(vae.encode(x.to(vae.device)).latent_dist.mean).sample.cpu()
        error, moves = ((x - y) / 2).square(), moving(x).expand(-1, 3, -1, -1, -1)
        all_error, all_count = all_error + error.sum().item(), all_count + error.numel()
        moving_error, moving_count = moving_error + error[:, :, 1:][moves].sum().item(), moving_count + moves.sum().item()
    result = {"psnr": -10 * math.log10(all_error / all_count), "psnr_moving": -10 * math.log10(moving_error / moving_count), "clips": args.count}
    print(json.dumps(result))


def sheet(args):
    pipe, rows, seconds = load(args.folder), [], []
    for i, prompt in enumerate(SHEET_PROMPTS):
        begin = time.time()
        video = pipe(prompt, **CLIP, generator=torch.Generator().manual_seed(SHEET_SEED + i), output_type="np").frames[0]
        seconds.append(round(time.time() - begin, 1))
        print(f"{seconds[-1]} s", prompt, json.dumps(detector.analyse(video)), flush=True)
        shown = torch.linspace(0, len(video) - 1, SHEET_FRAMES).round().long()
        rows.append(F.interpolate(torch.from_numpy(video)[shown].permute(0, 3, 1, 2), (SHEET_SIDE, SHEET_SIDE), mode="area"))
    save_sheet(torch.cat(rows), args.out, 2 * SHEET_FRAMES)
    print("seconds a clip", seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)
    vae = modes.add_parser("vae")
    vae.set_defaults(run=measure_vae)
    vae.add_argument("folder")
    vae.add_argument("count", type=int, nargs="?", default=24)
    pictures = modes.add_parser("sheet")
    pictures.set_defaults(run=sheet)
    pictures.add_argument("folder")
    pictures.add_argument("out")
    args = parser.parse_args()
    with torch.no_grad():
        args.run(args)


if __name__ == "__main__":
    main()
