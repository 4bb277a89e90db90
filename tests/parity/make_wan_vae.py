"""Writes tiny random AutoencoderKLWan checkpoints with reference encodings and decodings by diffusers (CPU, float32).

usage: make_wan_vae.py OUT_FOLDER [--seed N]
Each case NAME gives OUT_FOLDER/wan_vae_NAME/{config.json, diffusion_pytorch_model.safetensors, reference.safetensors}.
reference.safetensors holds, for each clip i: video.i [B,3,F,H,W], mean.i, latent.i (a random one of the same shape),
frames.i = decode(latent.i), and bfloat16_rms.i: how far diffusers' own bfloat16 decoding is from that, relative.
Made with diffusers 0.42.1, torch 2.11.0.
"""
import argparse
import copy
import os

import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import save_file

# name: (config, stored dtype, clips as (batch, frames, height, width))
CASES = {
    # The layout of Wan 2.1: three halvings, time not in the first.
    "wan21": (dict(base_dim=3, z_dim=4, dim_mult=[1, 2, 4, 4], num_res_blocks=2, temperal_downsample=[False, True, True]),
              torch.float32, [(1, 1, 24, 40), (1, 5, 16, 24), (2, 9, 8, 24), (1, 17, 24, 8)]),
    # The practice model's layout: folded pixels without residual shortcuts, two halvings.
    "folded": (dict(base_dim=4, z_dim=3, dim_mult=[1, 2, 4], num_res_blocks=1, temperal_downsample=[True, True],
                    in_channels=12, out_channels=12, patch_size=2),
               torch.float16, [(1, 1, 8, 8), (1, 5, 24, 16), (1, 9, 40, 24), (1, 17, 16, 24)]),
    # The layout of Wan 2.2: folded pixels, shortcuts, a wider decoder.
    "wan22": (dict(base_dim=3, decoder_base_dim=4, z_dim=6, dim_mult=[1, 2, 4, 4], num_res_blocks=2,
                   temperal_downsample=[False, True, True], in_channels=12, out_channels=12, patch_size=2, is_residual=True),
              torch.bfloat16, [(1, 1, 16, 48), (1, 5, 48, 32), (2, 9, 16, 16), (1, 17, 16, 32)]),
    # Another ratio in time, and a level that is wider than its neighbours: its shortcut repeats more than the block holds.
    "bulging": (dict(base_dim=4, z_dim=2, dim_mult=[1, 2, 1], num_res_blocks=1, temperal_downsample=[True, False],
                    is_residual=True, scale_factor_temporal=2, scale_factor_spatial=4),
               torch.float32, [(1, 5, 28, 20), (1, 9, 12, 16)]),
}


def build(config, stored, seed):
    torch.manual_seed(seed)
    z = config["z_dim"]
    spatial = config.get("patch_size", 1) * 2 ** (len(config["dim_mult"]) - 1)
    config = dict(config, latents_mean=torch.randn(z).tolist(), latents_std=(torch.rand(z) + 0.5).tolist())
    config.setdefault("scale_factor_spatial", spatial)
    vae = AutoencoderKLWan(**config)
    with torch.no_grad():
        for name, p in vae.named_parameters():
            if name.endswith("gamma"):
                p.copy_(1 + 0.2 * torch.randn_like(p))
            elif name.endswith("bias"):
                p.copy_(0.5 * torch.randn_like(p))  # a pixel of few channels near zero would make its norm amplify any error
            else:  # keeps the size of activations, so that no layer's part vanishes in the sum
                p.copy_(torch.randn_like(p) * (1.0 / p[0].numel() ** 0.5))
            p.copy_(p.to(stored).float())  # what the file will hold
    return vae.eval()


def reference(vae, clips, seed):
    rounded = copy.deepcopy(vae).to(torch.bfloat16)
    rng = torch.Generator().manual_seed(seed + 1000)
    out = {}
    for i, (b, f, h, w) in enumerate(clips):
        video = torch.rand(b, 3, f, h, w, generator=rng) * 2 - 1
        with torch.no_grad():
            mean = vae.encode(video).latent_dist.mode()
            latent = torch.randn(mean.shape, generator=rng)
            frames = vae.decode(latent).sample
            rough = rounded.decode(latent.bfloat16()).sample.float()
        inside = (frames.abs() < 1).float().mean().item()
        print(f"  clip {i}: {inside:.0%} of the values inside -1..1")
        out |= {f"video.{i}": video, f"mean.{i}": mean, f"latent.{i}": latent, f"frames.{i}": frames,
                f"bfloat16_rms.{i}": ((rough - frames).square().mean() / frames.square().mean()).sqrt()}
    return {k: v.contiguous() for k, v in out.items()}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("out")
    arguments.add_argument("--seed", type=int, default=1)
    args = arguments.parse_args()
    for i, (name, (config, stored, clips)) in enumerate(CASES.items()):
        folder = os.path.join(args.out, "wan_vae_" + name)
        vae = build(config, stored, args.seed * 100 + i)
        values = reference(vae, clips, args.seed * 100 + i)
        vae.to(stored).save_pretrained(folder)
        save_file(values, os.path.join(folder, "reference.safetensors"))
        print(name, {f: os.path.getsize(os.path.join(folder, f)) for f in sorted(os.listdir(folder))})


if __name__ == "__main__":
    main()
