"""Trains the VAE from drawn clips.

Most steps see small windows (64x64 pixels, 17 frames), three quarters of them near an object; the others see whole
clips of 33 or 65 frames. Convolutions are stepped by Muon, the rest by AdamW; the result is a moving average.

usage: train_vae.py OUT SECONDS [--init FOLDER] [--optimizer muon|adamw] [--lr X] [--device cuda|cpu]
Writes OUT/vae.safetensors (float16), OUT/vae.json (measures, latent statistics), OUT/vae.png (truth and reconstruction).
"""
import argparse
import json
import math
import os
import time

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import whole_vae
from draw import pack, render, track
from muon import Muon
from pictures import save_sheet
from scenes import NUMBERS, scenes

LONG, SHORT, WINDOW = 65, 33, 17  # frames
WARM_UP_STEPS = 100
LAST_LR = 0.02  # of the first
EMA = 0.998
KL_WEIGHT = 4e-5
DETAIL = 0.4  # distance from the mean of the pixels around it, in -1..1, above which a pixel counts as fine detail
MOVING = 0.05  # change between frames, in -1..1, above which a pixel counts as moving


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--init", help="an earlier OUT, or the folder vae of a pipeline, to start from")
    parser.add_argument("--optimizer", choices=["muon", "adamw"], default="muon")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64, help="windows of a step; whole clips are fewer, for equal work")
    parser.add_argument("--clips", type=int, default=5000, help="drawn once and kept in memory")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="stop after so many steps instead of by time")
    return parser.parse_args()


class Clips:
    """Drawn clips of one length, kept as bytes with the objects' tracks."""

    def __init__(self, frames, count, size, device):
        video, tracks, two = [], [], []
        for k in range(0, count, 64):
            packed = pack(scenes(min(64, count - k), frames * 100000 + k), device)
            video.append(((render(packed, frames, size) + 1) * 127.5).round().byte())
            tracks.append(torch.stack(track(packed["num"], frames)[:2], -1))
            two.append(packed["num"][:, 1, NUMBERS.index("x")] < 5)
        self.video, self.tracks, self.two, self.device = torch.cat(video), torch.cat(tracks), torch.cat(two), device

    def windows(self, count, frames, side):
        """`count` windows [count, 3, frames, side, side] as bytes."""
        dev, height = self.device, self.video.shape[-1]

        def random_below(n):
            return torch.randint(0, n, (count,), device=dev)

        def along(index, dim):
            return index.view(count, *[1 if d != dim else -1 for d in range(1, 5)])

        clip = random_below(len(self.video))
        start = random_below(self.video.shape[2] - frames + 1)
        second = (random_below(2) == 1) & self.two[clip]
        centre = self.tracks[clip, second.long(), start + frames // 2] * height
        corner = centre - side / 2 + (torch.rand(count, 2, device=dev) - 0.5) * side * 0.6
        anywhere = torch.rand(count, 2, device=dev) * (height - side)
        corner = torch.where(torch.rand(count, 1, device=dev) < 0.25, anywhere, corner).round().long().clamp(0, height - side)
        pixels = torch.arange(side, device=dev)
        times = along(start, 0) + torch.arange(frames, device=dev).view(1, 1, frames, 1, 1)
        rows = along(corner[:, 1], 0) + pixels.view(1, 1, 1, side, 1)
        columns = along(corner[:, 0], 0) + pixels.view(1, 1, 1, 1, side)
        return self.video[along(clip, 0), torch.arange(3, device=dev).view(1, 3, 1, 1, 1), times, rows, columns]


def batch(k, long, short, args):
    """Step k's clips [B, 3, T, H, W] in -1..1: of eight steps five see windows, two whole clips of 33 frames, one of 65."""
    pool = long if k % 3 else short
    if k % 8 == 3:
        x = long.windows(max(1, args.batch // 16), LONG, args.size)
    elif k % 8 in (1, 6):
        x = pool.windows(max(1, args.batch // 8), SHORT, args.size)
    else:
        x = pool.windows(args.batch, WINDOW, args.crop)
    x = x.float() / 127.5 - 1
    if torch.rand(()) < 0.5:
        x = x.flip(-1)
    if torch.rand(()) < 0.3:
        x = x.flip(2)
    return x.contiguous()


def moving(x):
    """Which pixels [B, 1, T-1, H, W] differ from the frame before."""
    return (x[:, :, 1:] - x[:, :, :-1]).abs().amax(1, keepdim=True) > MOVING


def detail(x):
    """Which pixels [B, 1, T, H, W] stand out from their surroundings: stars, edges."""
    return (x - F.avg_pool3d(x, (1, 7, 7), 1, (0, 3, 3))).abs().amax(1, keepdim=True) > DETAIL


def losses(x, y, mean, log_variance):
    """The loss, and L1, MSE and KL for the log. Pixels that move, or are about to, and fine details count four times."""
    difference = y - x
    with torch.no_grad():
        motion = moving(x).float()
        weight = F.pad(motion, (0, 0, 0, 0, 1, 0)).maximum(F.pad(motion, (0, 0, 0, 0, 0, 1)))
        weight = 1 + 3 * weight.maximum(detail(x).float())
        weight = weight / weight.mean()
    l1 = (weight * difference.abs()).mean()
    edges = (difference[..., 1:] - difference[..., :-1]).abs().mean() + (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    loss = l1 + 0.5 * edges + 2.0 * (weight * difference.square()).mean() + KL_WEIGHT * kl
    return loss, torch.stack([l1, difference.square().mean(), kl]).detach()


class Trainer:
    def __init__(self, vae, args):
        self.args, self.device, self.cuda = args, args.device, args.device.startswith("cuda")
        self.vae, self.model = vae, whole_vae.Autoencoder(vae)
        self.params = list(vae.parameters())
        self.use(args.optimizer)
        self.average = {k: v.detach().clone() for k, v in vae.state_dict().items()}

    def use(self, optimizer):
        matrices = []
        if optimizer == "muon":
            matrices = [p for p in self.params if p.ndim >= 4 and min(p.shape[0], p[0].numel()) >= 16]
        chosen = {id(p) for p in matrices}
        self.muon = Muon(matrices, weight_decay=0.0) if matrices else None
        rest = [p for p in self.params if id(p) not in chosen]
        self.adamw = torch.optim.AdamW(rest, 1e-3, betas=(0.9, 0.99), weight_decay=0.0, fused=self.cuda)

    def autocast(self):
        return torch.autocast("cuda" if self.cuda else "cpu", torch.bfloat16, enabled=self.cuda)

    def step(self, x, scale, lr):
        with self.autocast():
            y, mean, log_variance = self.model(x)
        loss, parts = losses(x, y.float(), mean.float(), log_variance.float().clamp(-20, 5))
        for p in self.params:
            p.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        for group in self.adamw.param_groups:
            group["lr"] = scale * (1e-3 if self.muon else lr)
        self.adamw.step()
        if self.muon:
            self.muon.step(scale * lr)
        return parts

    @torch.no_grad()
    def update_average(self, i):
        averaged = [self.average[k] for k, _ in self.vae.named_parameters()]
        torch._foreach_lerp_(averaged, self.params, 1 - min(EMA, i / (i + 20)))


def psnr(mse):
    return -10 * math.log10(mse / 4)  # pixels are -1..1


def train(trainer, long, short, args):
    """Runs until the time is over (or --steps). Returns the number of steps and the seconds."""
    for k in range(8):  # warm the kernels
        trainer.step(batch(k, long, short, args), 0.0, 0.0)
    begin = time.time()
    first_weights = {k: v.clone() for k, v in trainer.vae.state_dict().items()}
    seconds, lr, checked, i, log = args.seconds, args.lr, trainer.muon is None, 0, []
    while args.steps is None or i < args.steps:
        elapsed = time.time() - begin
        if elapsed > seconds:
            break
        done = min(1.0, elapsed / seconds) if args.steps is None else i / args.steps
        scale = min(1, (i + 1) / WARM_UP_STEPS) * (1 - (1 - LAST_LR) * done)
        log.append(trainer.step(batch(i, long, short, args), scale, lr))
        i += 1
        trainer.update_average(i)
        if not checked and elapsed > 20:  # if the matrices ran away, start again with AdamW
            checked = True
            if not psnr(torch.stack(log[-100:]).mean(0)[1].item()) > 15:
                print("switching to AdamW", flush=True)
                trainer.vae.load_state_dict(first_weights)
                trainer.use("adamw")
                lr, seconds, begin = 2e-3, seconds - elapsed, time.time()
        if i % (400 if trainer.cuda else 8) == 0:
            l1, mse, kl = torch.stack(log).mean(0).tolist()
            log = []
            print(f"step {i} l1 {l1:.4f} psnr {psnr(mse):.2f} kl {kl:.2f} {(time.time() - begin) / i * 1e3:.1f} ms/step", flush=True)
    if trainer.cuda:
        torch.cuda.synchronize()
    return i, time.time() - begin


@torch.no_grad()
def evaluate(trainer, args):
    """PSNR on held-out clips, in all and in moving pixels, the latents' statistics, and pictures to look at."""
    encode, decode = whole_vae.codec(args.device)
    result, means = {}, []
    for frames in (SHORT, LONG) if trainer.cuda else (9,):
        held_out = pack(scenes(64 if trainer.cuda else 2, 999 + frames), args.device)
        all_error = all_count = moving_error = moving_count = 0.0
        for b in range(0, len(held_out["bg"]), 4):
            x = render({k: v[b : b + 4] for k, v in held_out.items()}, frames, args.size)
            with trainer.autocast():
                mean, _ = encode(trainer.vae, x)
                y = decode(trainer.vae, mean).float().clamp(-1, 1)
            means.append(mean.float().movedim(1, -1).reshape(-1, mean.shape[1]))
            error, moves = (y - x).square(), moving(x).expand_as(x[:, :, 1:])
            all_error, all_count = all_error + error.sum().item(), all_count + error.numel()
            moving_error, moving_count = moving_error + error[:, :, 1:][moves].sum().item(), moving_count + moves.sum().item()
        result[f"psnr_{frames}"] = psnr(all_error / all_count)
        result[f"psnr_moving_{frames}"] = psnr(moving_error / max(moving_count, 1))
    means = torch.cat(means)
    result["latents_mean"], result["latents_std"] = means.mean(0).tolist(), means.std(0).tolist()
    pictures = torch.cat([v[:4, :, ::8].transpose(1, 2).flatten(0, 1) for v in (x, y)])
    return result, pictures / 2 + 0.5, len(range(0, x.shape[2], 8))


def main():
    args = arguments()
    cuda = args.device.startswith("cuda")
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark, torch.backends.cudnn.benchmark_limit = cuda, 4
    os.makedirs(args.out, exist_ok=True)
    vae = whole_vae.load(args.init, args.device)[0].requires_grad_(True) if args.init else whole_vae.make().to(args.device)
    long = Clips(LONG, max(1, args.clips * 2 // 3), args.size, args.device)
    short = Clips(SHORT, max(1, args.clips // 3), args.size, args.device)
    print(f"clips: {len(long.video)} of {LONG} frames, {len(short.video)} of {SHORT}", flush=True)

    trainer = Trainer(vae, args)
    steps, seconds = train(trainer, long, short, args)
    vae.load_state_dict(trainer.average)
    vae.eval()
    measures, pictures, columns = evaluate(trainer, args)
    result = {"steps": steps, "seconds": round(seconds, 1), **measures}
    print(json.dumps(result), flush=True)
    save_file({k: v.half().cpu().contiguous() for k, v in vae.state_dict().items()}, f"{args.out}/vae.safetensors")
    with open(f"{args.out}/vae.json.part", "w") as file:
        json.dump(result, file, indent=1)
    os.replace(f"{args.out}/vae.json.part", f"{args.out}/vae.json")  # others wait for it
    save_sheet(pictures, f"{args.out}/vae.png", columns)


if __name__ == "__main__":
    main()
