"""Looks at a finished pipeline folder through diffusers' own classes, in float32; judge.py counts what its pictures show.

evaluate.py vae   FOLDER [COUNT]                PSNR of the VAE on pictures of another seed (64), at 128, 256 and 512 pixels
evaluate.py sheet FOLDER OUT.webp [--size N]    SHEET_PROMPTS, eight to a row, and seconds a picture
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F

from draw import pack, render
from judge import load_pipeline, sample
from pictures import save_sheet
from scenes import scenes

SHEET_PROMPTS = [
    "a large red circle in the middle on a white background",
    "a yellow star above a blue square on a black background",
    "three green hearts in a row on a pink background",
    "a house with a red roof under a yellow sun",
    "a green tree on a hill under an orange sun",
    "a red boat with a white sail on the sea under a yellow sun",
    "a city skyline at night under a full yellow moon",
    "a small purple moon to the right of a large orange circle",
    "a striped red square on a gray background",
    "a dotted blue heart in the night sky",
    "a checkered green circle over the sea",
    "two yellow moons in a column in front of a brick wall",
    "four white stars in the four corners in the night sky",
    "a large pink heart with stripes over green hills",
    "a yellow circle framed by red hearts on white",
    "a green triangle and its mirror image on a black background",
    "from left to right, a red square, a yellow circle and a blue triangle",
    "a cyan ring below two purple crosses on a white background",
    "a big orange star in the top left corner on a gradient from purple to black",
    "a red ring and a blue moon at the top, a green star and a pink circle at the bottom",
    "a brown heart on a white background",
    "a purple triangle to the left of a gray star",
    "a blue house with a brown roof",
    "a pointed tree with red leaves on a hill",
]
SHEET_COLUMNS, SHEET_SIDE, SHEET_SEED, VAE_SEED = 8, 160, 9000, 31337


def measure_vae(args):
    vae = load_pipeline(args.folder, args.device).vae
    result, drawn = {"pictures": args.count}, scenes(args.count, VAE_SEED)
    for size in (128, 256, 512):
        psnr = []
        for scene in drawn:
            x = render(*(p.to(args.device) for p in pack([scene])), size)
            y = vae.decode(vae.encode(x).latent_dist.mean).sample.clamp(-1, 1)
            psnr.append(-10 * torch.log10(((x - y) / 2).square().mean()).item())
        result[f"psnr_{size}"] = round(sum(psnr) / len(psnr), 2)
    print(json.dumps(result))


def sheet(args):
    pipe, begin = load_pipeline(args.folder, args.device), time.time()
    out = []
    for i, prompt in enumerate(SHEET_PROMPTS[: args.count]):
        out.append(sample(pipe, [prompt], args.size, 1, first_seed=SHEET_SEED + i))
    print(f"{(time.time() - begin) / len(out):.1f} s a picture of {args.size} pixels")
    save_sheet(F.interpolate(torch.cat(out), (SHEET_SIDE, SHEET_SIDE), mode="area"), args.out, SHEET_COLUMNS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    modes = parser.add_subparsers(required=True)
    vae = modes.add_parser("vae")
    vae.set_defaults(run=measure_vae)
    vae.add_argument("folder")
    vae.add_argument("count", type=int, nargs="?", default=64)
    pictures = modes.add_parser("sheet")
    pictures.set_defaults(run=sheet)
    pictures.add_argument("folder")
    pictures.add_argument("out")
    pictures.add_argument("--size", type=int, default=256)
    pictures.add_argument("--count", type=int, default=len(SHEET_PROMPTS))
    args = parser.parse_args()
    with torch.no_grad():
        args.run(args)


if __name__ == "__main__":
    main()
