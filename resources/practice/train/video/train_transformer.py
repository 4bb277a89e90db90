"""Trains the text encoder and the diffusion transformer together, on cached latents.

Flow matching: x_u = (1 - u) x + u noise, the model learns noise - x. Two batches of long clips, then one of short
ones, of about the same number of tokens. Matrices are stepped by Muon, the rest by AdamW; the result is a moving
average of the weights.

usage: train_transformer.py OUT SECONDS --vae DIR --tokenizer DIR [--init DIR] [--optimizer muon|adamw] [--lr X]
SECONDS counts from the start of the process; drawing and encoding the clips is included, sampling at the end is not.
Writes OUT/transformer.safetensors and OUT/text.safetensors (float16), OUT/training.json, and with --samples
OUT/latents.safetensors (of the held-out prompts, for evaluate.py) and OUT/samples.png.
"""
import argparse
import json
import multiprocessing
import os
import random
import time

import torch
from safetensors.torch import load_file, save_file

import scenes
import text
import whole_vae
from draw import pack, render
from muon import Muon
from pictures import save_sheet

TRANSFORMER = dict(
    patch_size=(1, 2, 2),
    num_attention_heads=5,
    attention_head_dim=64,
    in_channels=8,
    out_channels=8,
    text_dim=192,
    freq_dim=256,
    ffn_dim=1280,
    num_layers=8,
    cross_attn_norm=True,
    qk_norm="rms_norm_across_heads",
    eps=1e-6,
    rope_max_seq_len=1024,
)
CAPTIONS = 4  # written for each clip
EMPTY_CAPTIONS = 0.1
WARM_UP_STEPS = 200
LAST_LR = 0.02
EMA = 0.998
START = time.time()


def log(*parts):
    print(f"[{time.time() - START:.0f}s]", *parts, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--init", help="the output folder of an earlier run; its averaged weights are the start")
    parser.add_argument("--optimizer", choices=["muon", "adamw"], default="muon")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--long-clips", type=int, default=12000)
    parser.add_argument("--short-clips", type=int, default=6000)
    parser.add_argument("--long", type=int, default=65, help="frames of a long clip")
    parser.add_argument("--short", type=int, default=33)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--samples", type=int, default=128, help="held-out prompts to sample at the end")
    parser.add_argument("--sample-steps", type=int, default=30)
    parser.add_argument("--guidance", type=float, default=3.5)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--workers", type=int, default=16, help="processes that write captions")
    return parser.parse_args()


# ---- data -----------------------------------------------------------------------------------------------------------


def write_captions(job):
    """Scenes, packed numbers and the token ids of their captions, for one slice of the data set."""
    count, seed, tokenizer_folder = job
    torch.set_num_threads(1)
    tokenizer, rng = text.load_tokenizer(tokenizer_folder), random.Random(seed + 1)
    scene_list = scenes.scenes(count, seed)
    ids = text.ids(tokenizer, [scenes.caption(s, rng) for s in scene_list for _ in range(CAPTIONS)]).view(count, CAPTIONS, -1)
    return {k: v.numpy() for k, v in {**pack(scene_list), "ids": ids}.items()}


def dataset(count, seed, args):
    """Packed scenes with "ids" [N, CAPTIONS, tokens], written by several processes before the GPU is touched."""
    workers = max(1, min(args.workers, count // 16))
    jobs = [(-(-count // workers), seed + 17 * i, args.tokenizer) for i in range(workers)]
    if workers == 1:
        parts = [write_captions(jobs[0])]
    else:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            parts = pool.map(write_captions, jobs)
    return {k: torch.cat([torch.from_numpy(p[k]) for p in parts]) for k in parts[0]}


class LatentCodec:
    """The trained VAE: clips to normalised latents and back."""

    def __init__(self, folder, device, autocast):
        with open(f"{folder}/vae.json") as file:
            statistics = json.load(file)
        self.vae = whole_vae.make().to(device).eval().requires_grad_(False)
        self.vae.load_state_dict({k: v.float() for k, v in load_file(f"{folder}/vae.safetensors").items()})
        self.mean = torch.tensor(statistics["latents_mean"], device=device).view(1, -1, 1, 1, 1)
        self.std = torch.tensor(statistics["latents_std"], device=device).view(1, -1, 1, 1, 1)
        self.device, self.autocast = device, autocast
        self.encode, self.decode = whole_vae.codec(device)

    @torch.no_grad()
    def latents(self, packed, frames, size, dtype, batch=32):
        out = []
        for i in range(0, len(packed["bg"]), batch):
            part = {k: v[i : i + batch].to(self.device) for k, v in packed.items() if k != "ids"}
            with self.autocast():
                mean = self.encode(self.vae, render(part, frames, size))[0]
            out.append(((mean.float() - self.mean) / self.std).to(dtype))
        return torch.cat(out)

    @torch.no_grad()
    def frames(self, latents):
        with self.autocast():
            return whole_vae.decode(self.vae, latents * self.std + self.mean).float().clamp(-1, 1)


# ---- models ---------------------------------------------------------------------------------------------------------


def make_transformer(**changes):
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(**{**TRANSFORMER, **changes})
    for name, p in model.named_parameters():
        if name.startswith("blocks.") and p.ndim == 2:
            torch.nn.init.xavier_uniform_(p)
        elif name.startswith("condition_embedder") and p.ndim == 2:
            torch.nn.init.normal_(p, std=0.02)
        elif name.startswith("proj_out") or name.endswith(".bias"):
            torch.nn.init.zeros_(p)
    return model


class Models(torch.nn.Module):
    """The transformer and the text encoder; the residual stream and the time embedding stay in float32 under autocast."""

    def __init__(self, vocab, device):
        super().__init__()
        from transformers import UMT5EncoderModel

        self.transformer = make_transformer().to(device)
        self.text_encoder = UMT5EncoderModel(text.text_config(vocab)).to(device)
        self.transformer.patch_embedding.register_forward_hook(lambda module, args, out: out.float())
        embed_condition = self.transformer.condition_embedder.forward
        kind = "cuda" if str(device).startswith("cuda") else "cpu"

        def in_float32(*args, **kwargs):
            with torch.autocast(kind, enabled=False):
                return embed_condition(*args, **kwargs)

        self.transformer.condition_embedder.forward = in_float32

    def velocity(self, x, u, tokens):
        hidden = text.embed(self.text_encoder, tokens)
        return self.transformer(x, u * 1000, hidden.float(), return_dict=False)[0].float()

    def load(self, folder):
        self.transformer.load_state_dict({k: v.float() for k, v in load_file(f"{folder}/transformer.safetensors").items()})
        self.text_encoder.load_state_dict({k: v.float() for k, v in load_file(f"{folder}/text.safetensors").items()}, strict=False)

    def save(self, folder):
        def half(module, skip=()):
            return {k: v.half().cpu().contiguous() for k, v in module.state_dict().items() if not any(s in k for s in skip)}

        save_file(half(self.transformer), f"{folder}/transformer.safetensors")
        save_file(half(self.text_encoder, skip=["embed_tokens"]), f"{folder}/text.safetensors")  # tied to `shared`


class Optimizers:
    """Muon for the blocks' matrices, AdamW for everything else."""

    def __init__(self, models, kind, lr, fused):
        self.lr, self.params = lr, list(models.parameters())
        matrices = []
        if kind == "muon":
            matrices = [
                p
                for name, p in models.named_parameters()
                if p.ndim == 2 and ("blocks." in name or "block." in name) and min(p.shape) >= 64 and "relative" not in name
            ]
        chosen = {id(p) for p in matrices}
        self.muon = Muon(matrices) if matrices else None
        rest = [p for p in self.params if id(p) not in chosen]
        self.adamw = torch.optim.AdamW(rest, 1e-3, betas=(0.9, 0.99), weight_decay=0.01, fused=fused)

    def step(self, loss, scale):
        for p in self.params:
            p.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        for group in self.adamw.param_groups:
            group["lr"] = scale * (1e-3 if self.muon else self.lr)
        self.adamw.step()
        if self.muon:
            self.muon.step(scale * self.lr)


# ---- training -------------------------------------------------------------------------------------------------------


def mixed(x, noise, u):
    u = u.view(-1, 1, 1, 1, 1)
    return (1 - u) * x + u * noise


def sample_times(count, device):
    """sigmoid(N(0.7, 1)), and uniform for one in ten."""
    u = torch.sigmoid(torch.randn(count, device=device) + 0.7)
    return torch.where(torch.rand(count, device=device) < 0.1, torch.rand(count, device=device), u)


@torch.no_grad()
def validate(models, latents, tokens, autocast):
    """The loss on clips of another seed, with fixed noise and evenly spread times."""
    device = latents.device
    noise = torch.randn(latents.shape, device=device, generator=torch.Generator(device).manual_seed(5))
    u = (torch.arange(len(latents), device=device) + 0.5) / len(latents)
    total = 0.0
    for i in range(0, len(latents), 64):
        part = slice(i, i + 64)
        x = latents[part].float()
        with autocast():
            velocity = models.velocity(mixed(x, noise[part], u[part]), u[part], tokens[part])
        total += (velocity - (noise[part] - x)).square().mean((1, 2, 3, 4)).sum().item()
    return total / len(latents)


def train(models, average, latents, ids, empty, args, autocast):
    """Runs until args.seconds after START; returns the number of steps."""
    device, cuda = args.device, args.device.startswith("cuda")
    optimizers = Optimizers(models, args.optimizer, args.lr, fused=cuda)
    averaged = list(average.parameters())
    begin, i, losses = time.time(), 0, []
    total = args.seconds - (begin - START)
    while (elapsed := time.time() - begin) <= total:
        scale = min(1, (i + 1) / WARM_UP_STEPS) * max(LAST_LR, 1 - elapsed / total)
        frames = args.short if (args.short_clips and i % 3 == 2) else args.long
        count = args.batch if frames == args.long else args.batch * 15 // 8
        chosen = torch.randint(0, len(latents[frames]), (count,), device=device)
        x = latents[frames][chosen].float()
        tokens = ids[frames][chosen, torch.randint(0, CAPTIONS, (count,), device=device)]
        tokens = torch.where(torch.rand(count, 1, device=device) < EMPTY_CAPTIONS, empty, tokens)
        u, noise = sample_times(count, device), torch.randn_like(x)
        with autocast():
            velocity = models.velocity(mixed(x, noise, u), u, tokens)
        loss = (velocity - (noise - x)).square().mean()
        optimizers.step(loss, scale)
        i += 1
        with torch.no_grad():
            torch._foreach_lerp_(averaged, optimizers.params, 1 - min(EMA, i / (i + 30)))
        losses.append(loss.detach())
        if i % (250 if cuda else 3) == 0:
            log(f"step {i} loss {torch.stack(losses).mean().item():.4f} {(time.time() - begin) / i * 1e3:.1f} ms/step")
            losses = []
    return i


@torch.no_grad()
def sample(models, tokenizer, empty, latent_shape, args, autocast):
    """Latents of the held-out prompts, by the pipeline's scheduler, steps and guidance."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    prompts, out = scenes.test_prompts(args.samples), []
    for b in range(0, len(prompts), 64):
        tokens = text.ids(tokenizer, [c for _, c in prompts[b : b + 64]]).to(args.device)
        count = len(tokens)
        scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
        scheduler.set_timesteps(args.sample_steps, device=args.device)
        x = torch.randn(count, *latent_shape, device=args.device, generator=torch.Generator(args.device).manual_seed(b))
        with autocast():
            conditions = [text.embed(models.text_encoder, t).float() for t in (tokens, empty[None].expand(count, -1))]
            for t in scheduler.timesteps:
                with_prompt, without = (models.transformer(x, t.expand(count), c, return_dict=False)[0].float() for c in conditions)
                x = scheduler.step(without + args.guidance * (with_prompt - without), t, x, return_dict=False)[0]
        out.append(x.half().cpu())
    return torch.cat(out)


def main():
    args = arguments()
    device, cuda = args.device, args.device.startswith("cuda")
    os.makedirs(args.out, exist_ok=True)

    def autocast():
        return torch.autocast("cuda" if cuda else "cpu", torch.bfloat16, enabled=cuda)

    sets = {args.long: dataset(args.long_clips, 1000 * args.seed, args)}
    if args.short_clips:
        sets[args.short] = dataset(args.short_clips, 1000 * args.seed + 500, args)
    validation = dataset(256 if cuda else 16, 1000 * args.seed + 900, args)
    log("scenes", {k: len(v["bg"]) for k, v in sets.items()})

    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    codec, dtype = LatentCodec(args.vae, device, autocast), torch.bfloat16 if cuda else torch.float32
    latents = {frames: codec.latents(packed, frames, args.size, dtype) for frames, packed in sets.items()}
    validation_latents = codec.latents(validation, args.long, args.size, dtype)
    ids = {frames: packed["ids"].to(device) for frames, packed in sets.items()}
    log("encoded", {frames: tuple(x.shape) for frames, x in latents.items()})

    tokenizer = text.load_tokenizer(args.tokenizer)
    empty = text.ids(tokenizer, [""])[0].to(device)
    models, average = Models(len(tokenizer), device), Models(len(tokenizer), device)
    if args.init:
        models.load(args.init)
    average.load_state_dict(models.state_dict())
    average.eval().requires_grad_(False)
    if cuda:
        models.transformer.compile_repeated_blocks(dynamic=False)

    steps = train(models, average, latents, ids, empty, args, autocast)
    result = {
        "steps": steps,
        "validation_loss": validate(average, validation_latents, validation["ids"][:, 0].to(device), autocast),
        "optimizer": args.optimizer,
        "lr": args.lr,
        "batch": args.batch,
        "long_clips": args.long_clips,
        "short_clips": args.short_clips,
        "seconds": round(time.time() - START, 1),
    }
    log(json.dumps(result))
    average.save(args.out)
    with open(f"{args.out}/training.json", "w") as file:
        json.dump(result, file, indent=1)
    if args.samples:
        sampled = sample(average, tokenizer, empty, latents[args.long].shape[1:], args, autocast)
        save_file({"latents": sampled.contiguous()}, f"{args.out}/latents.safetensors")
        clips = codec.frames(sampled[:10].to(device).float())[:, :, ::8]
        save_sheet(clips.transpose(1, 2).flatten(0, 1) / 2 + 0.5, f"{args.out}/samples.png", clips.shape[2])
        log("sampled", len(sampled))


if __name__ == "__main__":
    main()
