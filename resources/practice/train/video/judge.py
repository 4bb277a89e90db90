"""Samples held-out prompts and lets the detector say what came out.

usage: judge.py OUT --model PIPELINE_FOLDER [--state DIR] [--prompts N] [--seed N] [--pairs held|seen]
--state: the state of a training, whose averaged weights are judged in place of the folder's transformer. --pairs: held
asks for colour-shape pairs that never occur in the training, seen for those that do. Writes OUT/scores.json (shares of right attributes and prompts, drift of colours, every prompt's result) and
OUT/sheet.png: one-object prompts left and two-object prompts right, nine frames of each.
"""
import argparse
import json
import multiprocessing
import os

import numpy as np
import torch
from safetensors.torch import load_file

import detector
import scenes
import text
from pictures import save_sheet

PROMPTS, SEED = 240, 20261124
STEPS, GUIDANCE, SHIFT = 30, 3.5, 3.0  # as the pipeline's card says
BATCH = 60
MIDDLE = 33  # frames of the short clips; nothing may change behind it
SHEET_ROWS = 10


@torch.no_grad()
def sample(transformer, embed, tokenizer, prompts, latent_shape, device):
    """Normalised latents of prompts, by the pipeline's scheduler; the noise of a prompt depends on its number alone."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(shift=SHIFT)
    scheduler.set_timesteps(STEPS)
    sigmas = scheduler.sigmas.tolist()
    noise = [torch.randn(latent_shape, generator=torch.Generator().manual_seed(i)) for i in range(len(prompts))]
    empty, out = embed(text.ids(tokenizer, [""]).to(device)), []
    for b in range(0, len(prompts), BATCH):
        x = torch.stack(noise[b : b + BATCH]).to(device)
        said = embed(text.ids(tokenizer, prompts[b : b + BATCH]).to(device))
        hidden = torch.cat([said, empty.expand_as(said)]).float()
        for sigma, following in zip(sigmas, sigmas[1:]):
            times = torch.full((2 * len(x),), 1000 * sigma, device=device)
            with_prompt, without = transformer(torch.cat([x, x]), times, hidden, return_dict=False)[0].float().chunk(2)
            x = x + (following - sigma) * (without + GUIDANCE * (with_prompt - without))
        out.append(x)
    return torch.cat(out)


def drift(video):
    """How much the background's and the objects' colours change, 0..1, from the middle to the end of a clip [T, H, W, 3]."""
    frames = video[[min(MIDDLE, len(video) - 1), -1]]
    _, labels = detector.color_labels(frames)
    both = (labels[0] == -1) & (labels[1] == -1)
    background = float(np.abs(frames[0][both] - frames[1][both]).mean()) if both.any() else 0.0
    objects = [
        float(np.abs(np.median(frames[0][labels[0] == i], 0) - np.median(frames[1][labels[1] == i], 0)).mean())
        for i in range(len(detector.COLOR_NAMES))
        if min((labels[0] == i).sum(), (labels[1] == i).sum()) >= detector.SMALLEST
    ]
    return {"background": background, "objects": float(np.mean(objects)) if objects else 0.0}


def look(job):
    """What is in one clip of bytes, compared with its scene."""
    pixels, scene, prompt = job
    torch.set_num_threads(1)
    video = pixels.astype(np.float32) / 255
    found = detector.analyse(video)
    return {"prompt": prompt, "wanted": scenes.attributes(scene), "found": found, "hits": detector.compare(found, scene), "drift": drift(video)}


class Judge:
    """Its processes start when it is made: make it before the GPU is touched."""

    def __init__(self, workers):
        self.pool = multiprocessing.get_context("fork").Pool(workers) if workers > 1 else None

    def tests(self, count, seed, held=True):
        return scenes.test_prompts(count, seed, held)

    def __call__(self, tests, videos, out, more):
        """tests: (scene, prompt) pairs; videos: bytes [N, T, H, W, 3]; more: numbers for the head of scores.json."""
        jobs = ((v.numpy(), s, p) for v, (s, p) in zip(videos, tests))
        seen = self.pool.map(look, list(jobs), chunksize=1) if self.pool else [look(job) for job in jobs]
        drifts = {k: round(float(np.mean([c["drift"][k] for c in seen])), 4) for k in ("background", "objects")}
        groups = {n: [c["hits"] for c in seen if len(c["wanted"]["objects"]) == n] for n in (1, 2)}
        result = {**more, "summary": detector.summary([c["hits"] for c in seen]), "drift": drifts}
        result |= {name: detector.summary(groups[n]) for n, name in ((1, "one_object"), (2, "two_objects")) if groups[n]}
        with open(f"{out}/scores.json.part", "w") as file:
            json.dump({**result, "sheet": self.sheet(tests, videos, f"{out}/sheet.png"), "clips": seen}, file)
        os.replace(f"{out}/scores.json.part", f"{out}/scores.json")
        return result

    def sheet(self, tests, videos, path):
        """Draws some of the clips; returns their prompts, row by row."""
        numbered = {n: [i for i, (s, _) in enumerate(tests) if len(s["objects"]) == n][:SHEET_ROWS] for n in (1, 2)}
        rows = [i for pair in zip(numbered[1], numbered[2]) for i in pair]
        if rows:
            frames = torch.from_numpy(np.linspace(0, videos.shape[1] - 1, 9).astype(int))
            save_sheet(videos[rows][:, frames].flatten(0, 1).permute(0, 3, 1, 2).float() / 255, path, 18)
        return [tests[i][1] for i in rows]


def transformer_weights(args):
    import state

    if args.state:
        return state.average_weights(args.state)
    return load_file(f"{args.model}/transformer/diffusion_pytorch_model.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--model", required=True)
    parser.add_argument("--state")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pairs", choices=("held", "seen"), default="held")
    parser.add_argument("--frames", type=int, default=65)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--workers", type=int, default=16)
    args = parser.parse_args()
    from encode_clips import LatentCodec
    from train_transformer import in_mixed_precision, load_text_encoder, make_transformer

    os.makedirs(args.out, exist_ok=True)
    judge, tokenizer = Judge(args.workers), text.load_tokenizer(f"{args.model}/tokenizer")
    transformer = in_mixed_precision(make_transformer().to(args.device)).eval().requires_grad_(False)
    transformer.load_state_dict({k: v.float() for k, v in transformer_weights(args).items()})
    codec, encoder = LatentCodec(f"{args.model}/vae", args.device), load_text_encoder(f"{args.model}/text_encoder", args.device)
    tests = judge.tests(args.prompts, args.seed, args.pairs == "held")
    shape = (transformer.config.in_channels, (args.frames - 1) // 4 + 1, args.size // 8, args.size // 8)
    with codec.autocast():
        latents = sample(transformer, lambda tokens: text.embed(encoder, tokens), tokenizer, [p for _, p in tests], shape, args.device)
    print(json.dumps(judge(tests, codec.frames(latents), args.out, {"seed": args.seed, "pairs": args.pairs})))


if __name__ == "__main__":
    main()
