"""Draws clips, writes their captions and encodes them with the trained VAE, file by file, while a training reads them.

usage: encode_clips.py OUT --vae DIR --tokenizer DIR [--long N] [--short N] [--seed N]
Processes write scenes and captions while the VAE may still be in training: it is waited for. OUT/long-0000.safetensors
and so on hold "latents" (normalised) and "tokens" [N, CAPTIONS, 32] of FILE_CLIPS clips; OUT/validation.safetensors
those of another seed.
"""
import argparse
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

CAPTIONS = 4  # written for each clip
FILE_CLIPS = 512
TWO_OBJECTS = 0.6
LONG, SHORT = 65, 33  # frames
START = time.time()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--vae", required=True, help="the output of train_vae.py, or the folder vae of a pipeline")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--long", type=int, default=20480, help=f"clips of {LONG} frames")
    parser.add_argument("--short", type=int, default=8192, help=f"clips of {SHORT} frames")
    parser.add_argument("--file-clips", type=int, default=FILE_CLIPS)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--workers", type=int, default=12)
    return parser.parse_args()


def write_captions(job):
    """Packed scenes and the token ids of their captions, as arrays, for one file."""
    name, count, frames, seed, tokenizer_folder = job
    torch.set_num_threads(1)
    tokenizer, rng = text.load_tokenizer(tokenizer_folder), random.Random(seed + 1)
    scene_list = scenes.scenes(count, seed, TWO_OBJECTS)
    tokens = text.ids(tokenizer, [scenes.caption(s, rng) for s in scene_list for _ in range(CAPTIONS)]).view(count, CAPTIONS, -1)
    return name, frames, {k: v.numpy() for k, v in {**pack(scene_list), "tokens": tokens.short()}.items()}


def jobs(args):
    """Long and short files in turn, so that a training can begin with the first of them."""
    long = [(f"long-{i:04}", args.file_clips, LONG) for i in range(-(-args.long // args.file_clips))]
    short = [(f"short-{i:04}", args.file_clips, SHORT) for i in range(-(-args.short // args.file_clips))]
    mixed = sorted(long + short, key=lambda job: (int(job[0][-4:]) + 0.5) / len(long if job[0][0] == "l" else short))
    mixed.insert(min(3, len(mixed)), ("validation", min(256, args.file_clips), LONG))
    return [(*job, 1_000_000 * args.seed + 1000 * i, args.tokenizer) for i, job in enumerate(mixed)]


class LatentCodec:
    """The trained VAE: clips to normalised latents and back."""

    def __init__(self, folder, device):
        self.vae, mean, std = whole_vae.load(folder, device)
        self.mean, self.std = (torch.tensor(v, device=device).view(1, -1, 1, 1, 1) for v in (mean, std))
        self.device = str(device)
        self.encode, self.decode = whole_vae.codec(device)

    def autocast(self):
        cuda = self.device.startswith("cuda")
        return torch.autocast("cuda" if cuda else "cpu", torch.bfloat16, enabled=cuda)

    @torch.no_grad()
    def latents(self, packed, frames, size, batch=32):
        out = []
        for i in range(0, len(packed["bg"]), batch):
            part = {k: torch.as_tensor(v[i : i + batch]).to(self.device) for k, v in packed.items() if k != "tokens"}
            with self.autocast():
                mean = self.encode(self.vae, render(part, frames, size))[0]
            out.append(((mean.float() - self.mean) / self.std).bfloat16())
        return torch.cat(out)

    @torch.no_grad()
    def frames(self, latents, batch=8):
        """Normalised latents -> bytes [N, T, H, W, 3] on the CPU."""
        out = []
        for part in latents.split(batch):
            with self.autocast():
                clip = self.decode(self.vae, part.to(self.device).float() * self.std + self.mean)
            out.append(((clip.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 4, 1).cpu())
        return torch.cat(out)


class Clips:
    """The files of one kind that are there so far, on the device, with the embeddings of their captions."""

    def __init__(self, folder, kind, embed, device):
        self.folder, self.kind, self.embed, self.device = folder, kind, embed, device
        self.known, self.latents, self.embeddings = set(), None, None

    def refresh(self):
        """Reads what is new; returns the number of clips."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        new = sorted(n for n in names if n.startswith(self.kind) and n.endswith(".safetensors") and n not in self.known)
        for name in new:
            tensors = load_file(f"{self.folder}/{name}")
            latents = tensors["latents"].to(self.device)
            embeddings = self.embed(tensors["tokens"].long().to(self.device).flatten(0, 1)).unflatten(0, tensors["tokens"].shape[:2])
            self.latents = latents if self.latents is None else torch.cat([self.latents, latents])
            self.embeddings = embeddings if self.embeddings is None else torch.cat([self.embeddings, embeddings])
            self.known.add(name)
        return len(self)

    def __len__(self):
        return 0 if self.latents is None else len(self.latents)


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    with multiprocessing.get_context("fork").Pool(args.workers) as pool:  # before the GPU is touched
        written = pool.imap(write_captions, [j for j in jobs(args) if not os.path.exists(f"{args.out}/{j[0]}.safetensors")])
        while not whole_vae.is_there(args.vae):
            time.sleep(0.2)
        codec = LatentCodec(args.vae, args.device)
        for name, frames, packed in written:
            part = f"{args.out}/{name}.part"
            latents = codec.latents(packed, frames, args.size).cpu().contiguous()  # the VAE's memory is channels-last
            save_file({"latents": latents, "tokens": torch.from_numpy(packed["tokens"])}, part)
            os.replace(part, f"{args.out}/{name}.safetensors")
            if name.endswith("7") or name == "validation":
                print(f"[{time.time() - START:.0f}s] {name}", flush=True)
    print(f"[{time.time() - START:.0f}s] all clips are encoded", flush=True)


if __name__ == "__main__":
    main()
