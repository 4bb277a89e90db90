"""Trains the text encoder by itself to say for every word whose it is (see parse_code.py).

A CPU will do.

usage: train_text.py OUT --tokenizer DIR [--words ENCODER_FOLDER] [--steps N] [--seconds S]
--words: an earlier encoder whose embeddings stay recognisable, so that a transformer trained with it goes on from there.
Runs again with the same OUT to go on. Writes OUT/encoder (as transformers does), OUT/text.pt (the whole state, every
30 s) and OUT/text.json (accuracy on held-out pairs, and when it is wrong, where).
"""
import argparse
import json
import math
import os
import random
import shutil
import time

import torch

import parse_code
import text
from scenes import scenes, test_prompts

WARM_UP_STEPS = 100
LR, LAST_LR = 1.5e-3, 0.02
SAVE_SECONDS = 30
TWO_OBJECTS = 0.65
NEIGHBOURS = [-1, -2, 1, 2]  # of a word, each the start of one head of the first layer
NEAR, FAR = 5.0, 0.25  # position biases at the start: of a neighbour's head; loss per step of a head that looks one way


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--words")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop earlier, to go on another time")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--captions", type=int, default=40000)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=300)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


@torch.no_grad()
def look_around(encoder):
    """Starts the heads where order matters: in the first layer neighbours, later everything to the left or to the right."""
    for layer, block in enumerate(encoder.encoder.block):
        attention = block.layer[0].SelfAttention
        table = attention.relative_attention_bias.weight
        positions = torch.arange(-31, 32)
        buckets = attention._relative_position_bucket(positions)
        for head, wanted in enumerate(NEIGHBOURS if layer == 0 else []):
            table[buckets[positions == wanted], head] = NEAR
        for head in range(len(NEIGHBOURS) if layer == 0 else 0, table.shape[1]):
            toward = 1 if head % 2 else -1
            for position, bucket in zip(positions.tolist(), buckets.tolist()):
                table[bucket, head] = -FAR * abs(position) if position * toward >= 0 else -2.0


def make_encoder(tokenizer, seed):
    from transformers import UMT5EncoderModel

    torch.manual_seed(seed)
    encoder = UMT5EncoderModel(text.text_config(len(tokenizer)))
    look_around(encoder)
    return encoder


class Words:
    """The embeddings that tell which word a token is: an earlier encoder's, or fixed random ones."""

    def __init__(self, folder, pieces, device):
        self.encoder = self.table = None
        if folder:
            from transformers import UMT5EncoderModel

            self.encoder = UMT5EncoderModel.from_pretrained(folder, dtype=torch.float32).to(device).eval().requires_grad_(False)
        else:
            basis = torch.randn(parse_code.WORD_DIRECTIONS, parse_code.WIDTH, generator=torch.Generator().manual_seed(2))
            mixture = torch.randn(pieces, len(basis), generator=torch.Generator().manual_seed(3))
            self.table = (mixture @ basis / len(basis) ** 0.5).to(device)

    @torch.no_grad()
    def __call__(self, tokens):
        return text.embed(self.encoder, tokens) if self.encoder else self.table[tokens] * tokens.ne(0)[..., None]


def trimmed(tokens, labels):
    """Without the columns that are padding in every row; positions are relative, so nothing else changes."""
    width = int(tokens.ne(0).sum(1).max())
    return tokens[:, :width], labels[:, :width]


@torch.no_grad()
def accuracy(encoder, code, tokens, labels):
    """Shares of right tokens for every field, of objects that are right in every token and field, and of whole captions."""
    said = labels != parse_code.UNSAID
    read = torch.cat([code.read(text.embed(encoder, t)) for t in tokens.split(250)])
    right = (read == labels) | ~said
    result = {f: round(right[..., i][said[..., i]].float().mean().item(), 4) for i, f in enumerate(parse_code.FIELDS)}
    count = said[..., 0].any(-1)
    two = (labels[..., list(parse_code.FIELDS).index("place")] > 0).any(-1)
    whole = right.all(-1).all(-1)
    result["whole_one"], result["whole_two"] = (round(whole[count & m].float().mean().item(), 4) for m in (~two, two))
    result["captions"] = [int((count & ~two).sum()), int((count & two).sum())]
    return result, whole


def save(path, value):
    torch.save(value, f"{path}.part")
    os.replace(f"{path}.part", path)


def main():
    args, begin = arguments(), time.time()
    os.makedirs(args.out, exist_ok=True)
    tokenizer = text.load_tokenizer(args.tokenizer)
    rng = random.Random(args.seed + 1)
    tokens, labels = parse_code.labelled_captions(tokenizer, scenes(args.captions, args.seed, TWO_OBJECTS), rng)
    tests = [s for s, _ in test_prompts(args.tests, seed=args.seed + 2)]
    test_tokens, test_labels = parse_code.labelled_captions(tokenizer, tests, rng, plain=True)
    tokens, labels, test_tokens, test_labels = (x.to(args.device) for x in (tokens, labels, test_tokens, test_labels))
    words = Words(args.words, len(tokenizer), args.device)
    seen = words(tokens[:1000])[tokens[:1000].ne(0)]  # thousands of words in context
    code = parse_code.ParseCode(seen, seen.square().mean().sqrt().item() if args.words else 1.0)
    empty = text.ids(tokenizer, [""]).to(args.device)
    print(f"[{time.time() - begin:.0f}s] {len(tokens)} captions", flush=True)

    encoder = make_encoder(tokenizer, args.seed).to(args.device)
    optimizer = torch.optim.AdamW(encoder.parameters(), LR, betas=(0.9, 0.98), weight_decay=0.01)
    average, step = {k: v.clone() for k, v in encoder.state_dict().items()}, 0
    if os.path.exists(f"{args.out}/text.pt"):
        state = torch.load(f"{args.out}/text.pt", weights_only=True, map_location=args.device)
        encoder.load_state_dict(state["encoder"])
        optimizer.load_state_dict(state["optimizer"])
        average, step = state["average"], state["step"]
    saved, losses = time.time(), []

    def keep():
        save(f"{args.out}/text.pt", {"encoder": encoder.state_dict(), "optimizer": optimizer.state_dict(), "average": average, "step": step})

    while step < args.steps and time.time() - begin < args.seconds:
        scale = min(1, (step + 1) / WARM_UP_STEPS) * (LAST_LR + (1 - LAST_LR) * (1 + math.cos(math.pi * step / args.steps)) / 2)
        chosen = torch.randint(0, len(tokens), (args.batch,), generator=torch.Generator().manual_seed(step))
        t, l = trimmed(tokens[chosen], labels[chosen])
        t[0] = empty[0, : t.shape[1]]  # the empty caption belongs to guidance
        l[0] = parse_code.UNSAID
        wanted, here = code.target(words(t), l), t.ne(0)
        loss = (text.embed(encoder, t) - wanted)[here].square().mean() / code.rms**2
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = LR * scale
        optimizer.step()
        step += 1
        with torch.no_grad():
            for k, v in encoder.state_dict().items():
                average[k].lerp_(v, 1 - min(0.995, step / (step + 20)))
        losses.append(loss.detach())
        if step % 50 == 0:
            print(f"[{time.time() - begin:.0f}s] step {step} loss {torch.stack(losses).mean().item():.4f}", flush=True)
            losses = []
        if step % 500 == 0:
            print(json.dumps(accuracy(encoder, code, test_tokens[:300], test_labels[:300])[0]), flush=True)
        if time.time() - saved > SAVE_SECONDS:
            keep()
            saved = time.time()
    keep()
    encoder.load_state_dict(average)
    shutil.rmtree(f"{args.out}/encoder", ignore_errors=True)
    encoder.half().save_pretrained(f"{args.out}/encoder.part")
    os.replace(f"{args.out}/encoder.part", f"{args.out}/encoder")
    result, whole = accuracy(encoder.float(), code, test_tokens, test_labels)
    wrong = [tokenizer.decode(t, skip_special_tokens=True) for t in test_tokens[~whole][:20].tolist()]
    with open(f"{args.out}/text.json", "w") as file:
        json.dump({"steps": step, **result, "wrong": wrong}, file, indent=1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
