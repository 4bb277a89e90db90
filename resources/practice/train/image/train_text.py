"""Trains both text encoders by themselves to say for every word whose it is (see parse_code.py). A GPU needs a minute.

usage: train_text.py OUT --tokenizers FOLDER [--init FOLDER] [--steps N] [--seconds S]
Runs again with the same OUT to go on; --init takes the encoders of an earlier output or pipeline to start from. Writes
OUT/text_encoder and OUT/text_encoder_2 (as transformers does), OUT/text.pt (the whole state, every 30 s) and OUT/text.json
(accuracy on captions of held-out pairs, and where it is wrong).
"""
import argparse
import json
import math
import multiprocessing
import os
import shutil
import time

import torch

import parse_code
import text
from scenes import scenes, test_scenes
from words import KINDS

WARM_UP_STEPS = 100
LR, LAST_LR = 1.5e-3, 0.02
SAVE_SECONDS = 30
# How often a caption is of each kind: those with several objects are the hard ones.
CAPTION_KINDS = {**KINDS, "pair": 40, "three": 20, "four": 18, "group": 12, "border": 10}
NEAR, FAR = 5.0, 0.25  # position biases at the start: of a neighbour's head; loss per step of a head that looks one way


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tokenizers", required=True, help="a folder that holds tokenizer and tokenizer_2")
    parser.add_argument("--init")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=1e9, help="the last step is made before that")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--captions", type=int, default=60000)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=300)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


@torch.no_grad()
def look_around(t5):
    """Starts T5's heads where order matters: the word before, the word after, near ones on either side, all on either."""
    attention = t5.encoder.block[0].layer[0].SelfAttention
    table = attention.relative_attention_bias.weight
    positions = torch.arange(-31, 32)
    buckets = attention._relative_position_bucket(positions)
    table.zero_()
    for head, wanted in ((0, -1), (1, 1)):
        table[buckets[positions == wanted], head] = NEAR
    for head, slope in ((2, FAR), (3, FAR), (4, 0.0), (5, 0.0)):
        toward = 1 if head % 2 else -1
        for position, bucket in zip(positions.tolist(), buckets.tolist()):
            table[bucket, head] = -slope * abs(position) if position * toward >= 0 else -2.0


def labelled(job):
    """Labelled captions of (tokenizers' folder, number, seed), as arrays."""
    folder, count, seed = job
    torch.set_num_threads(1)
    return [x.numpy() for x in parse_code.label_captions(text.load_tokenizers(folder), scenes(count, seed, CAPTION_KINDS))]


def examples_of(args):
    """Labelled captions, written by several processes: this must come before the GPU is touched."""
    jobs = [(args.tokenizers, args.captions // 24, 1000 * args.seed + i) for i in range(24)]
    with multiprocessing.get_context("fork").Pool(args.workers) as pool:
        pieces = pool.map(labelled, jobs, chunksize=1)
    return [torch.cat([torch.from_numpy(p) for p in parts]) for parts in zip(*pieces)]


class Encoders(torch.nn.Module):
    def __init__(self, tokenizers, seed, init=None):
        super().__init__()
        torch.manual_seed(seed)
        self.clip, self.t5 = text.load_encoders(init, "cpu") if init else text.make_encoders(tokenizers)
        if not init:
            look_around(self.t5)
        self.train().requires_grad_(True)

    def forward(self, clip_tokens, t5_tokens):
        return self.clip(input_ids=clip_tokens).pooler_output, self.t5(input_ids=t5_tokens).last_hidden_state

    def save(self, folder):
        for name, encoder in (("text_encoder", self.clip), ("text_encoder_2", self.t5)):
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
            encoder.half().save_pretrained(f"{folder}/{name}.part")
            os.replace(f"{folder}/{name}.part", f"{folder}/{name}")
            encoder.float()


@torch.no_grad()
def accuracy(encoders, code, tests):
    """Shares of right tokens for every field, of captions that are right in every token and field, and of right and of
    wholly right vectors of CLIP; and which captions are right."""
    clip_tokens, t5_tokens, labels, present = tests
    out = [encoders(c, t) for c, t in zip(clip_tokens.split(250), t5_tokens.split(250))]
    right_codes = code.read_picture(torch.cat([pooled for pooled, _ in out])) == (present[:, code.picture_rows] > 0.5)
    said = labels != parse_code.UNSAID
    right = (torch.cat([code.read_words(words) for _, words in out]) == labels) | ~said
    result = {f: round(right[..., i][said[..., i]].float().mean().item(), 4) for i, f in enumerate(parse_code.FIELDS)}
    whole = right.all(-1).all(-1)
    result |= {"captions": round(whole.float().mean().item(), 4), "clip_codes": round(right_codes.float().mean().item(), 4)}
    return {**result, "clip_vectors": round(right_codes.all(-1).float().mean().item(), 4)}, whole


def save(path, value):
    torch.save(value, f"{path}.part")
    os.replace(f"{path}.part", path)


def main():
    args, begin = arguments(), time.time()
    torch.backends.cuda.matmul.allow_tf32 = True
    os.makedirs(args.out, exist_ok=True)
    tokenizers = text.load_tokenizers(args.tokenizers)
    examples = [x.to(args.device) for x in examples_of(args)]
    tests = [x.to(args.device) for x in parse_code.label_captions(tokenizers, test_scenes(args.tests, args.seed + 1))]
    empty_clip, empty_t5 = (t[0].to(args.device) for t in text.ids(tokenizers, [""]))
    code = parse_code.ParseCode(len(tokenizers[1]), args.device)
    print(f"[{time.time() - begin:.0f}s] {len(examples[0])} captions", flush=True)

    encoders = Encoders(tokenizers, args.seed, args.init).to(args.device)
    optimizer = torch.optim.AdamW(encoders.parameters(), LR, betas=(0.9, 0.98), weight_decay=0.01, fused=args.device == "cuda")
    live = encoders.state_dict()
    average, step = {k: v.clone() for k, v in live.items()}, 0
    if os.path.exists(f"{args.out}/text.pt"):
        state = torch.load(f"{args.out}/text.pt", weights_only=True, map_location=args.device)
        encoders.load_state_dict(state["encoders"])
        optimizer.load_state_dict(state["optimizer"])
        average, step = state["average"], state["step"]
    saved, losses = time.time(), []

    def keep():
        state = {"encoders": encoders.state_dict(), "optimizer": optimizer.state_dict(), "average": average, "step": step}
        save(f"{args.out}/text.pt", state)

    while step < args.steps and time.time() - begin < args.seconds:
        done = max(step / args.steps, (time.time() - begin) / args.seconds)
        scale = min(1, (step + 1) / WARM_UP_STEPS) * (LAST_LR + (1 - LAST_LR) * (1 + math.cos(math.pi * done)) / 2)
        chosen = torch.randint(0, len(examples[0]), (args.batch,), generator=torch.Generator().manual_seed(step)).to(args.device)
        clip_tokens, t5_tokens, labels, present = (x[chosen] for x in examples)
        # the empty caption belongs to guidance
        clip_tokens[0], t5_tokens[0], labels[0], present[0] = empty_clip, empty_t5, parse_code.UNSAID, 0.0
        pooled, words = encoders(clip_tokens, t5_tokens)
        words_loss = (words - code.words_target(t5_tokens, labels)).square().mean()
        picture_loss = (pooled - code.picture_target(present)).square().mean()
        optimizer.zero_grad(set_to_none=True)
        (words_loss + picture_loss).backward()
        for encoder in (encoders.clip, encoders.t5):
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = LR * scale
        optimizer.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(list(average.values()), list(live.values()), 1 - min(0.995, step / (step + 20)))
        losses.append(torch.stack([words_loss.detach(), picture_loss.detach()]))
        if step % 50 == 0:
            words_mean, picture_mean = torch.stack(losses).mean(0).tolist()
            print(f"[{time.time() - begin:.0f}s] step {step} loss of words {words_mean:.4f}, of the vector {picture_mean:.4f}", flush=True)
            losses = []
        if step % 500 == 0:
            print(json.dumps(accuracy(encoders, code, [x[:300] for x in tests])[0]), flush=True)
        if time.time() - saved > SAVE_SECONDS:
            keep()
            saved = time.time()
    keep()
    encoders.load_state_dict(average)
    encoders.save(args.out)
    result, whole = accuracy(encoders, code, tests)
    wrong = tokenizers[1].batch_decode(tests[1][~whole][:20], skip_special_tokens=True)
    with open(f"{args.out}/text.json.part", "w") as file:
        json.dump({"steps": step, **result, "wrong": wrong}, file, indent=1)
    os.replace(f"{args.out}/text.json.part", f"{args.out}/text.json")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
