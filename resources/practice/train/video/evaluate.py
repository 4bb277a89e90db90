"""Measures a finished pipeline folder.

evaluate.py vae    FOLDER                       PSNR of the VAE on held-out clips: whole picture, moving pixels
evaluate.py sample FOLDER LATENTS N KIND        samples N test prompts with the pipeline and keeps the latents
evaluate.py score  FOLDER LATENTS OUT.json KIND decodes such latents and scores them with the detector
evaluate.py sheet  FOLDER OUT.png [N]           N prompts (8) x 9 frames by the pipeline itself; two films; seconds a clip

KIND: held (held-out colour-shape pairs), seen (pairs of the training), tempo (one object that rests before or after a move).
"""
import argparse
import json
import math
import pathlib
import time

import torch
from safetensors.torch import load_file, save_file

import detector
import scenes
import whole_vae
from draw import pack, render
from pictures import save_film, save_sheet
from train_vae import moving

SHEET_PROMPTS = [
    "a small red circle rests, then moves right over a starry sky",
    "a big blue square bounces while a green star stays still, on sand",
    "a big yellow heart grows, then rests at sunset",
    "a small cyan ring circles around in a forest",
    "two objects: a big purple triangle moving left and a small white star moving right, over the sea",
    "a big orange cross falls, then stops on a grey wall",
    "a big red star waits, then shrinks on a checkered floor",
    "a small green heart rises while a big white circle does not move, at night",
]
CLIP = dict(height=128, width=128, num_frames=65, num_inference_steps=30, guidance_scale=3.5, max_sequence_length=32)


def tests_of(kind, count):
    if kind != "tempo":
        return scenes.test_prompts(count, held=kind == "held")

    def rests(scene):
        return len(scene["objects"]) == 1 and scene["objects"][0]["tempo"] != "steady"

    return [test for test in scenes.test_prompts(512) if rests(test[0])][:count]


def load(folder):
    from diffusers import WanPipeline

    pipe = WanPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def measure_vae(args):
    vae = load(args.folder).vae
    all_error = all_count = moving_error = moving_count = 0
    clips = scenes.scenes(args.count or 24, 31337)
    for scene in clips:
        x = render(pack([scene]), 65, 128)
        y = vae.decode(vae.encode(x).latent_dist.mean).sample
        error, moves = ((x - y) / 2).square(), moving(x).expand(-1, 3, -1, -1, -1)
        all_error, all_count = all_error + error.sum().item(), all_count + error.numel()
        moving_error, moving_count = moving_error + error[:, :, 1:][moves].sum().item(), moving_count + moves.sum().item()
    result = {"psnr": -10 * math.log10(all_error / all_count), "psnr_moving": -10 * math.log10(moving_error / moving_count), "clips": len(clips)}
    print(json.dumps(result))


def sample(args):
    pipe = load(args.folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipe.to(device)
    torch.backends.cuda.matmul.allow_tf32 = True
    tests, out, begin = tests_of(args.kind, args.count), [], time.time()
    batch = 64 if device == "cuda" else 4
    for b in range(0, len(tests), batch):
        prompts = [c for _, c in tests[b : b + batch]]
        latents = pipe(prompts, **CLIP, generator=torch.Generator().manual_seed(b), output_type="latent").frames
        out.append(latents.half().cpu())
        print(f"{b + len(prompts)} of {len(tests)}, {time.time() - begin:.1f} s", flush=True)
    save_file({"latents": torch.cat(out).contiguous()}, args.latents)


def score(args):
    vae = load(args.folder).vae
    mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1)
    latents = load_file(args.latents)["latents"].float()
    results, details = [], []
    for i, (scene, prompt) in enumerate(tests_of(args.kind, len(latents))):
        clip = whole_vae.decode(vae, latents[i : i + 1] * std + mean).clamp(-1, 1)[0]
        found = detector.analyse(clip.permute(1, 2, 3, 0).numpy() / 2 + 0.5)
        results.append(detector.compare(found, scene))
        details.append({"prompt": prompt, "wanted": scenes.attributes(scene), "found": found, "hits": results[-1]})
        if i % 16 == 15:
            print(i + 1, json.dumps(detector.summary(results)), flush=True)
    print(json.dumps(detector.summary(results)))
    with open(args.out, "w") as file:
        json.dump({"summary": detector.summary(results), "clips": details}, file, indent=1)


def sheet(args):
    pipe, rows, seconds = load(args.folder), [], []
    out = pathlib.Path(args.out)
    for i, prompt in enumerate(SHEET_PROMPTS[: args.count or len(SHEET_PROMPTS)]):
        begin = time.time()
        video = pipe(prompt, **CLIP, generator=torch.Generator().manual_seed(100 + i), output_type="np").frames[0]
        seconds.append(round(time.time() - begin, 1))
        print(f"{seconds[-1]} s", prompt, json.dumps(detector.analyse(video)["objects"]), flush=True)
        rows.append(torch.from_numpy(video[::8]).permute(0, 3, 1, 2))
        if i < 2:
            save_film(video, out.with_name(f"{out.stem}_{i}.mp4"), scenes.FPS)
    save_sheet(torch.cat(rows), out, len(rows[0]))
    print("seconds a clip", seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)

    def mode(name, run, *positional):
        sub = modes.add_parser(name)
        sub.set_defaults(run=run, count=None)
        for argument in positional:
            optional = {"nargs": "?"} if argument == "[count]" else {}
            kind = int if "count" in argument else str
            sub.add_argument(argument.strip("[]"), type=kind, **optional)

    mode("vae", measure_vae, "folder", "[count]")
    mode("sample", sample, "folder", "latents", "count", "kind")
    mode("score", score, "folder", "latents", "out", "kind")
    mode("sheet", sheet, "folder", "out", "[count]")
    args = parser.parse_args()
    with torch.no_grad():
        args.run(args)


if __name__ == "__main__":
    main()
