"""Trains the VAE on drawn pictures, half of them windows of about half the width, so that 128 pixels show fine detail.

usage: train_vae.py OUT SECONDS [--decoder-only]
Goes on from OUT/vae, if that is there; a pipeline's folder is such a folder. --decoder-only leaves the latents what they
are, so that a transformer that knows them stays as it is. Writes OUT/vae (as diffusers does), every 30 s.
"""
import argparse
import os
import random
import shutil
import time

import torch

from draw import pack, render
from scenes import draw_scene

VAE = dict(
    in_channels=3, out_channels=3, latent_channels=8, block_out_channels=(32, 64, 128), layers_per_block=1,
    down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3, norm_num_groups=8,
    mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False, sample_size=256, force_upcast=False,
    scaling_factor=1.0, shift_factor=0.0,
)  # fmt: skip
LR, DECODER_LR, WARM_UP_STEPS, LAST_LR = 2e-3, 1e-3, 100, 0.01
KL = 1e-3
EMA = 0.998
SAVE_SECONDS = 30


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, help="stop after so many steps, if the time is not over before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=12)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


class Scenes(torch.utils.data.IterableDataset):
    """Endless batches of packed scenes."""

    def __init__(self, seed, batch):
        self.seed, self.batch = seed, batch

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = random.Random(self.seed * 1000 + (worker.id if worker else 0))
        while True:
            yield pack([draw_scene(rng) for _ in range(self.batch)])


def windows(count, device):
    """x, y and width [count, 3]: half of them the whole picture."""
    whole = torch.rand(count, device=device) < 0.5
    width = torch.where(whole, 1.0, 0.4 + 0.2 * torch.rand(count, device=device))
    return torch.stack([torch.rand(count, device=device) * (1 - width), torch.rand(count, device=device) * (1 - width), width], 1)


def loss_of(vae, x):
    """L1 + L1 of the gradients + KL."""
    mean, log_variance = vae.encoder(x).float().chunk(2, 1)
    log_variance = log_variance.clamp(-20, 10)
    y = vae.decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)).float()
    gradients = sum((y - x).diff(dim=d).abs().mean() for d in (2, 3))
    kl = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).mean()
    return (y - x).abs().mean() + gradients + KL * kl


@torch.no_grad()
def set_statistics(vae, batches, device):
    """shift_factor and scaling_factor, so that the transformer sees latents of mean 0 and deviation 1."""
    z = []
    for _ in range(4):
        for size in (128, 256):
            for part in zip(*(p.to(device).split(16) for p in next(batches))):
                z.append(vae.encode(render(*part, size)).latent_dist.sample().flatten())
    z = torch.cat(z)
    vae.register_to_config(scaling_factor=round(1 / z.std().item(), 5), shift_factor=round(z.mean().item(), 5))


def save(vae, weights, folder):
    live = {k: v.clone() for k, v in vae.state_dict().items()}
    vae.load_state_dict(weights)
    vae.save_pretrained(f"{folder}.part", safe_serialization=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(f"{folder}.part", folder)
    vae.load_state_dict(live)


def main():
    from diffusers import AutoencoderKL

    args = arguments()
    folder = f"{args.out}/vae"
    again = os.path.exists(f"{folder}/config.json")
    vae = AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32) if again else AutoencoderKL(**VAE)
    vae = vae.to(args.device, memory_format=torch.channels_last)
    vae.encoder.requires_grad_(not args.decoder_only)
    trained = [p for p in vae.parameters() if p.requires_grad]
    peak = DECODER_LR if again else LR
    optimizer = torch.optim.AdamW(trained, peak, betas=(0.9, 0.98), weight_decay=1e-3, fused=args.device == "cuda")
    average = {k: v.detach().clone() for k, v in vae.state_dict().items()}
    workers = dict(num_workers=args.workers, prefetch_factor=6) if args.workers else {}
    batches = iter(torch.utils.data.DataLoader(Scenes(args.seed, args.batch), batch_size=None, **workers))
    begin, saved, step, losses = time.time(), time.time(), 0, []
    while (left := 1 - (time.time() - begin) / args.seconds) > 0 and (args.steps is None or step < args.steps):
        packed = [p.to(args.device) for p in next(batches)]
        x = render(*packed, args.size, windows(args.batch, args.device)).to(memory_format=torch.channels_last)
        for group in optimizer.param_groups:
            group["lr"] = peak * min(1, (step + 1) / WARM_UP_STEPS) * min(1, max(left, LAST_LR) / (0.9 if again else 0.5))
        with torch.autocast(torch.device(args.device).type, torch.bfloat16):
            loss = loss_of(vae, x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(list(average.values()), list(vae.state_dict().values()), 1 - min(EMA, step / (step + 10)))
        losses.append(loss.detach())
        if step % 100 == 0:
            print(f"[{time.time() - begin:.0f}s] step {step} loss {torch.stack(losses).mean().item():.4f}", flush=True)
            losses = []
        if time.time() - saved > SAVE_SECONDS:
            save(vae, average, folder)
            saved = time.time()
    vae.load_state_dict(average)
    if not args.decoder_only:
        set_statistics(vae, batches, args.device)
    save(vae, average, folder)
    print(f"{step} steps; evaluate.py vae tells how good it is")


if __name__ == "__main__":
    main()
