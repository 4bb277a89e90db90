"""The practice clip by diffusers' WanPipeline on the CPU: the peer of `rubato-bench practice`.

Same folder, same prompt, float32, the same number of threads. Start-up, imports and loading are not timed: after one
warm-up clip, each of --runs clips is timed in three phases.

    text      both prompts cleaned, tokenized and encoded
    denoise   all steps with guidance, from noise to latents
    decode    latents to frames, as floats in 0..1

    python peer_diffusers_cpu.py MODEL_FOLDER [--threads 2] [--runs 3] [--profile] [--json OUT.json]

Wall seconds say what a user waits for; CPU seconds say what was computed, and change less on a busy machine.
"""

import argparse
import json
import pathlib
import platform
import resource
import statistics
import time

import diffusers
import torch
import transformers
from diffusers import WanPipeline

PROMPT = "a small red square waits, then moves left by the sea"
PHASES = ("text", "denoise", "decode")


class Phases:
    """Wall and CPU seconds of named phases."""

    def __init__(self):
        self.wall, self.cpu = {}, {}

    def measure(self, name, work):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.wall[name], self.cpu[name] = time.perf_counter() - wall, time.process_time() - cpu
        return result


def decode(pipe, latents):
    """What WanPipeline does after its last step."""
    config = pipe.vae.config
    mean = torch.tensor(config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(config.latents_std).view(1, -1, 1, 1, 1)
    video = pipe.vae.decode(latents * std + mean, return_dict=False)[0]
    return pipe.video_processor.postprocess_video(video, output_type="np")


@torch.no_grad()
def render(pipe, args, steps=None):
    phases = Phases()
    length = args.max_sequence_length
    embeds = phases.measure("text", lambda: pipe.encode_prompt(args.prompt, "", True, max_sequence_length=length, device="cpu"))
    latents = phases.measure(
        "denoise",
        lambda: pipe(
            prompt_embeds=embeds[0], negative_prompt_embeds=embeds[1], height=args.height, width=args.width, num_frames=args.frames,
            num_inference_steps=steps or args.steps, guidance_scale=args.guidance, max_sequence_length=length,
            generator=torch.Generator().manual_seed(1), output_type="latent",
        ).frames,
    )
    frames = phases.measure("decode", lambda: decode(pipe, latents))
    assert frames.shape == (1, args.frames, args.height, args.width, 3)
    return phases


@torch.no_grad()
def profile(pipe, args):
    """The operations that one transformer call and one VAE decode spend their time in."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    latent_frames = (args.frames - 1) // 4 + 1
    shape = (1, pipe.transformer.config.in_channels, latent_frames, args.height // 8, args.width // 8)
    text = torch.randn(1, args.max_sequence_length, pipe.transformer.config.text_dim)
    latents = torch.randn(shape)
    works = {
        "transformer, one call": lambda: pipe.transformer(latents, torch.tensor([500.0]), text, return_dict=False),
        "VAE decode": lambda: decode(pipe, latents),
    }
    for name, work in works.items():
        work()
        with record(activities=[ProfilerActivity.CPU]) as recorded:
            work()
        print(f"\n{name}")
        print(recorded.key_averages().table(sort_by="self_cpu_time_total", row_limit=14, max_name_column_width=48))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--frames", type=int, default=65)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--guidance", type=float, default=3.5)
    parser.add_argument("--max-sequence-length", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="also print where the time goes")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    pipe = WanPipeline.from_pretrained(args.folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    render(pipe, args, steps=2)
    runs = [render(pipe, args) for _ in range(args.runs)]
    report = {
        "what": "diffusers WanPipeline, float32, CPU",
        "versions": {"diffusers": diffusers.__version__, "transformers": transformers.__version__, "torch": torch.__version__, "python": platform.python_version()},
        "clip": {"size": f"{args.width}x{args.height}", "frames": args.frames, "steps": args.steps, "guidance": args.guidance},
        "threads": args.threads,
        "runs": args.runs,
        "wall_s": {p: round(statistics.median(r.wall[p] for r in runs), 4) for p in PHASES},
        "cpu_s": {p: round(statistics.median(r.cpu[p] for r in runs), 4) for p in PHASES},
        "total_wall_s": round(statistics.median(sum(r.wall.values()) for r in runs), 4),
        "total_cpu_s": round(statistics.median(sum(r.cpu.values()) for r in runs), 4),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(report, indent=1))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    if args.profile:
        profile(pipe, args)


if __name__ == "__main__":
    main()
