"""Draws pictures and encodes them with the VAE, file by file, while a training reads them.

usage: encode_pictures.py OUT --model PIPELINE_FOLDER [--small N] [--middle N] [--large N] [--seed N]
Of the folder it needs vae, tokenizer and tokenizer_2. OUT/middle-0000.safetensors and so on hold "latents" (normalised
and packed, [N, tokens, 32], float16), "clip" and "t5" (token ids) of FILE_PICTURES pictures; OUT/validation.safetensors
those of another seed. OUT/plan.json tells how many there will be.
"""
import argparse
import json
import multiprocessing
import os
import random
import time

import torch
from safetensors.torch import load_file, save_file

import text
from draw import pack, render
from scenes import draw_scene
from words import KINDS

SIZES = {"small": 128, "middle": 256, "large": 512, "validation": 256}  # pixels
# The small pictures come first in a training, and single objects are the way to learn shapes.
EARLY_KINDS = {**KINDS, "one": 50, "pair": 30}
FILE_PICTURES = {"small": 4096, "middle": 2048, "large": 512, "validation": 256}
BATCH = {"small": 512, "middle": 128, "large": 32, "validation": 128}
EMPTY_CAPTIONS = 0.1
PIXELS_OF_A_TOKEN = 8
START = time.time()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--model", required=True)
    parser.add_argument("--small", type=int, default=98304)
    parser.add_argument("--middle", type=int, default=163840)
    parser.add_argument("--large", type=int, default=12288)
    parser.add_argument("--file-pictures", type=int, help="of every file")
    parser.add_argument("--divide", type=int, default=1, help="draw pictures smaller by this factor, for a trial")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--workers", type=int, default=8)
    return parser.parse_args()


def write_captions(job):
    """Packed scenes and the token ids of their captions, as arrays, for one file."""
    name, kind, count, seed, folder = job
    torch.set_num_threads(1)
    rng = random.Random(seed)
    drawn = [draw_scene(rng, kinds=EARLY_KINDS if kind == "small" else KINDS) for _ in range(count)]
    captions = ["" if rng.random() < EMPTY_CAPTIONS else s.caption for s in drawn]
    grounds, primitives = pack(drawn)
    clip, t5 = text.ids(text.load_tokenizers(folder), captions)
    return name, kind, {k: v.numpy() for k, v in {"grounds": grounds, "primitives": primitives, "clip": clip.short(), "t5": t5.short()}.items()}


def jobs(args):
    counts = {"validation": 256, "small": args.small, "middle": args.middle, "large": args.large}
    out = []
    for kind, count in counts.items():
        each = min(args.file_pictures or FILE_PICTURES[kind], FILE_PICTURES[kind])
        names = [kind] if kind == "validation" else [f"{kind}-{i:04}" for i in range(-(-count // each))]
        out += [(name, kind, each) for name in names]
    return [(*job, 1_000_000 * args.seed + 1000 * i, args.model) for i, job in enumerate(out)]


def pack_latents(z):
    """[B, C, H, W] -> [B, H/2 * W/2, 4 C], as Flux packs them."""
    b, c, h, w = z.shape
    return z.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, c * 4)


class Encoder:
    """Packed scenes -> packed, normalised latents in float16."""

    def __init__(self, folder, device):
        from diffusers import AutoencoderKL

        vae = AutoencoderKL.from_pretrained(f"{folder}/vae", torch_dtype=torch.float32)
        self.vae = vae.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
        self.device = torch.device(device)

    @torch.no_grad()
    def __call__(self, grounds, primitives, size, batch):
        out, config = [], self.vae.config
        for part in zip(grounds.split(batch), primitives.split(batch)):
            x = render(*(p.to(self.device) for p in part), size).to(memory_format=torch.channels_last)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                mean = self.vae.encode(x).latent_dist.mean
            out.append(pack_latents((mean.float().contiguous() - config.shift_factor) * config.scaling_factor).half())
        return torch.cat(out)


class Pictures:
    """The pictures of one kind that are there so far, on the device, with the embeddings of their captions."""

    def __init__(self, folder, kind, embed, device):
        self.folder, self.kind, self.embed, self.device = folder, kind, embed, device
        self.known, self.count, self.latents, self.words, self.pooled = set(), 0, None, None, None

    def make_room(self, latents):
        with open(f"{self.folder}/plan.json") as file:
            room = json.load(file)[self.kind]
        self.latents = torch.empty(room, *latents.shape[1:], dtype=torch.float16, device=self.device)
        self.words = torch.empty(room, text.T5_TOKENS, text.T5_WIDTH, dtype=torch.float16, device=self.device)
        self.pooled = torch.empty(room, text.CLIP_WIDTH, dtype=torch.float16, device=self.device)

    def refresh(self, most=1000):
        """Reads what is new, at most so many files; returns the number of pictures."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        new = sorted(n for n in names if n.startswith(self.kind) and n.endswith(".safetensors") and n not in self.known)
        for name in new[:most]:
            tensors = load_file(f"{self.folder}/{name}", device=str(self.device))
            if self.latents is None:
                self.make_room(tensors["latents"])
            end = self.count + len(tensors["latents"])
            self.latents[self.count : end] = tensors["latents"]
            self.words[self.count : end], self.pooled[self.count : end] = self.embed(tensors["clip"].long(), tensors["t5"].long())
            self.known.add(name)
            self.count = end
        return self.count

    def __len__(self):
        return self.count


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    planned = jobs(args)
    with open(f"{args.out}/plan.json.part", "w") as file:
        json.dump({kind: sum(count for _, k, count, *_ in planned if k == kind) for kind in SIZES}, file)
    os.replace(f"{args.out}/plan.json.part", f"{args.out}/plan.json")
    with multiprocessing.get_context("fork").Pool(args.workers) as pool:  # before the GPU is touched
        written = pool.imap(write_captions, [j for j in planned if not os.path.exists(f"{args.out}/{j[0]}.safetensors")])
        encode = Encoder(args.model, args.device)
        for name, kind, packed in written:
            grounds, primitives, clip, t5 = (torch.from_numpy(packed[k]) for k in ("grounds", "primitives", "clip", "t5"))
            latents = encode(grounds, primitives, SIZES[kind] // args.divide, BATCH[kind])
            part = f"{args.out}/{name}.part"
            save_file({"latents": latents.cpu(), "clip": clip, "t5": t5}, part)
            os.replace(part, f"{args.out}/{name}.safetensors")
            if name.endswith(("0", "validation")):
                print(f"[{time.time() - START:.0f}s] {name}", flush=True)
    print(f"[{time.time() - START:.0f}s] all pictures are encoded", flush=True)


if __name__ == "__main__":
    main()
