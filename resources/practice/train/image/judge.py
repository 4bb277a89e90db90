"""Samples held-out prompts with diffusers' pipeline and lets the detector say what came out.

usage: judge.py OUT --model PIPELINE_FOLDER [--prompts N] [--seed N] [--pairs held|seen] [--size N]
--pairs: held asks for a colour-shape pair that never occurs in the training, as each prompt's first object; seen for those
that do. Writes OUT/scores-PAIRS-SIZE.json (shares that are right, every prompt's result) and OUT/sheet-PAIRS-SIZE.png.
"""
import argparse
import json
import os

import torch
import torch.nn.functional as F

import detector
import text
from pictures import save_sheet
from scenes import test_scenes

STEPS, GUIDANCE = 28, 3.0  # as the model's card says
SHEET, SHEET_COLUMNS, SHEET_SIDE = 64, 8, 128


def load_pipeline(folder, device):
    from diffusers import FluxPipeline

    pipe = FluxPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)


@torch.no_grad()
def sample(pipe, prompts, size, batch, steps=STEPS, first_seed=0):
    """Pictures [N, 3, size, size] in 0..1 on the CPU; the noise of a prompt depends on its number alone."""
    out = []
    for b in range(0, len(prompts), batch):
        part = prompts[b : b + batch]
        pictures = pipe(
            part, negative_prompt=[""] * len(part), true_cfg_scale=GUIDANCE, height=size, width=size, num_inference_steps=steps,
            generator=[torch.Generator().manual_seed(first_seed + b + i) for i in range(len(part))],
            max_sequence_length=text.T5_TOKENS, output_type="pt",
        ).images  # fmt: skip
        out.append(pictures.float().cpu())
    return torch.cat(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompts", type=int, default=240)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--pairs", choices=("held", "seen"), default="held")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    tests = test_scenes(args.prompts, args.seed, args.pairs == "held")
    pictures = sample(load_pipeline(args.model, args.device), [s.caption for s in tests], args.size, args.batch, args.steps)
    found = detector.detect(detector.load(args.device), pictures)
    rows = [detector.compare(s, *seen) for s, seen in zip(tests, found)]
    result = {"seed": args.seed, "pairs": args.pairs, "size": args.size, "summary": detector.summary(tests, rows)}
    print(json.dumps(result), flush=True)
    name = f"{args.pairs}-{args.size}"
    pieces = [{"prompt": s.caption, "found": seen, "missed": [c for c, ok in r if not ok]} for s, seen, r in zip(tests, found, rows)]
    with open(f"{args.out}/scores-{name}.json.part", "w") as file:
        json.dump({**result, "prompts": pieces}, file)
    os.replace(f"{args.out}/scores-{name}.json.part", f"{args.out}/scores-{name}.json")
    save_sheet(F.interpolate(pictures[:SHEET], (SHEET_SIDE, SHEET_SIDE), mode="area"), f"{args.out}/sheet-{name}.png", SHEET_COLUMNS)


if __name__ == "__main__":
    main()
