"""Fits the cheap preview of a video model: a linear map from one latent cell to one RGB pixel.

The map is fitted by least squares on *normalised* latents, (latent - latents_mean) / latents_std, as the sampler sees
them, of rendered clips; its target is the mean colour, 0..1, of the pixels and frames that the cell stands for (8x8
pixels; the first latent frame stands for one frame, every other for four). It is stored as `preview` in rubato.json:
rgb = bias + sum over channels c of latent[c] * matrix[c].

usage: preview.py MODEL_FOLDER [--clips N] [--picture OUT.png]
"""
import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F

from draw import pack, render
from scenes import scenes


def cell_colors(video, spatial, temporal):
    """[B, 3, 1+4k, H, W] in -1..1 -> mean colour in 0..1 of every latent cell, [B, 3, 1+k, h, w]."""
    small = F.avg_pool3d(video / 2 + 0.5, (1, spatial, spatial))
    rest = F.avg_pool3d(small[:, :, 1:], (temporal, 1, 1))
    return torch.cat([small[:, :, :1], rest], 2)


@torch.no_grad()
def pairs(vae, count, seed, frames=33, side=128):
    """Latent cells [N, C] and their colours [N, 3] of `count` clips, and the last clip's tensors for the picture."""
    config = vae.config
    mean = torch.tensor(config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(config.latents_std).view(1, -1, 1, 1, 1)
    xs, ys = [], []
    for scene in scenes(count, seed):
        video = render(pack([scene]), frames, side)
        latent = (vae.encode(video).latent_dist.mean - mean) / std
        color = cell_colors(video, config.scale_factor_spatial, config.scale_factor_temporal)
        xs.append(latent.movedim(1, -1).reshape(-1, latent.shape[1]))
        ys.append(color.movedim(1, -1).reshape(-1, 3))
    return torch.cat(xs), torch.cat(ys), latent, color


def fit(x, y):
    ones = torch.ones(len(x), 1)
    solution = torch.linalg.lstsq(torch.cat([x, ones], 1).double(), y.double()).solution
    return solution[:-1], solution[-1]


def quality(x, y, matrix, bias):
    error = (x.double() @ matrix + bias).clamp(0, 1) - y.double()
    r2 = 1 - error.square().sum() / (y - y.mean(0)).double().square().sum()
    return r2.item(), -10 * math.log10(error.square().mean().item())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--picture", help="shows the truth (top) and the preview (bottom) of one held-out clip")
    args = parser.parse_args()
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan.from_pretrained(args.folder / "vae", torch_dtype=torch.float32).eval()
    x, y, _, _ = pairs(vae, args.clips, seed=51)
    matrix, bias = fit(x, y)
    held_x, held_y, latent, color = pairs(vae, max(2, args.clips // 4), seed=52)
    r2, psnr = quality(held_x, held_y, matrix, bias)
    print(f"{len(x)} cells; held out: R^2 {r2:.4f}, PSNR {psnr:.2f} dB")
    card_file = args.folder / "rubato.json"
    card = json.loads(card_file.read_text()) if card_file.exists() else {}
    card["preview"] = {"matrix": [[round(v, 6) for v in row] for row in matrix.tolist()], "bias": [round(v, 6) for v in bias.tolist()]}
    card_file.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    if args.picture:
        from torchvision.utils import save_image

        guess = torch.einsum("bcthw,cr->brthw", latent.double(), matrix) + bias.view(1, 3, 1, 1, 1)
        rows = torch.cat([color.double(), guess.clamp(0, 1)])[:, :, ::2]
        big = F.interpolate(rows.transpose(1, 2).flatten(0, 1).float(), scale_factor=8, mode="nearest")
        save_image(big, args.picture, nrow=rows.shape[2])


if __name__ == "__main__":
    main()
