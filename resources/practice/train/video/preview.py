"""Fits the cheap preview of a video model: a linear map from one latent cell to one RGB pixel.

The map is fitted by least squares on *normalised* latents, (latent - latents_mean) / latents_std, as the sampler sees
them, of rendered clips; its target is the mean colour, 0..1, of the pixels and frames that the cell stands for (8x8
pixels and four frames). The first latent frame stands for one frame only and is coded otherwise, so it has a map of
its own. Both are stored as `preview` in rubato.json: rgb = bias + sum over channels c of latent[c] * matrix[c].

usage: preview.py MODEL_FOLDER [--clips N] [--picture OUT.png]
"""
import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F

from draw import pack, render
from pictures import save_sheet
from scenes import scenes


def cell_colors(video, spatial, temporal):
    """[B, 3, 1+4k, H, W] in -1..1 -> mean colour in 0..1 of every latent cell, [B, 3, 1+k, h, w]."""
    small = F.avg_pool3d(video / 2 + 0.5, (1, spatial, spatial))
    rest = F.avg_pool3d(small[:, :, 1:], (temporal, 1, 1))
    return torch.cat([small[:, :, :1], rest], 2)


@torch.no_grad()
def encoded_clips(vae, count, seed, frames=33, side=128):
    """Normalised latents [N, C, 1+k, h, w] of rendered clips and the colours of their cells [N, 3, 1+k, h, w]."""
    config = vae.config
    mean = torch.tensor(config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(config.latents_std).view(1, -1, 1, 1, 1)
    latents, colors = [], []
    for scene in scenes(count, seed):
        video = render(pack([scene]), frames, side)
        latents.append((vae.encode(video).latent_dist.mean - mean) / std)
        colors.append(cell_colors(video, config.scale_factor_spatial, config.scale_factor_temporal))
    return torch.cat(latents).double(), torch.cat(colors).double()


def cells(x):
    return x.movedim(1, -1).reshape(-1, x.shape[1])


def fit(latents, colors):
    """matrix [C, 3] and bias [3] of the best linear map."""
    x = torch.cat([cells(latents), torch.ones(latents[:, 0].numel(), 1, dtype=torch.double)], 1)
    solution = torch.linalg.lstsq(x, cells(colors)).solution
    return solution[:-1], solution[-1]


def apply(latents, matrix, bias):
    return (torch.einsum("bcthw,cr->brthw", latents, matrix) + bias.view(1, 3, 1, 1, 1)).clamp(0, 1)


def quality(guess, colors):
    """R^2 over all cells and PSNR in dB."""
    error = cells(guess - colors).square()
    spread = (cells(colors) - cells(colors).mean(0)).square()
    return 1 - (error.sum() / spread.sum()).item(), -10 * math.log10(error.mean().item())


def rounded(matrix, bias):
    return {"matrix": [[round(v, 6) for v in row] for row in matrix.tolist()], "bias": [round(v, 6) for v in bias.tolist()]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--picture", help="shows the truth and below it the preview of some held-out clips")
    args = parser.parse_args()
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan.from_pretrained(args.folder / "vae", torch_dtype=torch.float32).eval()
    latents, colors = encoded_clips(vae, args.clips, seed=51)
    first, rest = fit(latents[:, :, :1], colors[:, :, :1]), fit(latents[:, :, 1:], colors[:, :, 1:])
    latents, colors = encoded_clips(vae, max(2, args.clips // 4), seed=52)
    guess = torch.cat([apply(latents[:, :, :1], *first), apply(latents[:, :, 1:], *rest)], 2)
    for name, part in (("first frame", slice(0, 1)), ("other frames", slice(1, None))):
        print("%s, held-out clips: R^2 %.4f, PSNR %.2f dB" % (name, *quality(guess[:, :, part], colors[:, :, part])))
    card_file = args.folder / "rubato.json"
    card = json.loads(card_file.read_text()) if card_file.exists() else {}
    card["preview"] = {**rounded(*rest), "first": rounded(*first)}
    card_file.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    if args.picture:
        rows = torch.stack([colors, guess], 1)[:4].flatten(0, 1)[:, :, ::2]
        big = F.interpolate(rows.transpose(1, 2).flatten(0, 1).float(), scale_factor=6, mode="nearest")
        save_sheet(big, args.picture, rows.shape[2])


if __name__ == "__main__":
    main()
