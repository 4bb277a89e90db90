"""One denoising step of Wan 2.1 1.3B (random weights) by diffusers: the peer of `rubato-bench wan-step`.

The model, shapes, dtype and number of calls are the same: both guidance branches one after the other, as WanPipeline
runs them, then guidance and a small update. Weights that diffusers keeps in float32 stay so.

    python gpu_wan_peer.py --modes default,cudnn --compile blocks --json peer.json

modes: default (scaled_dot_product_attention as torch chooses), cudnn and flash (every other implementation switched
off); put default first.
compile: none, blocks (compile_repeated_blocks, one block compiled and reused), full (torch.compile on the model).
"""

import argparse
import json
import statistics
import time

import diffusers
import torch
from diffusers import WanTransformer3DModel

GUIDANCE = 5.0
TEXT_TOKENS, PROMPT_TOKENS = 512, (80, 126)  # padded length, and those of the prompts: as in app/bench/wan_step_bench.cpp


def build(layers: int) -> WanTransformer3DModel:
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=12, attention_head_dim=128, in_channels=16, out_channels=16,
            text_dim=4096, freq_dim=256, ffn_dim=8960, num_layers=layers, cross_attn_norm=True,
            qk_norm="rms_norm_across_heads", eps=1e-6,
        )
    keep = set(WanTransformer3DModel._keep_in_fp32_modules)  # as from_pretrained(torch_dtype=bfloat16) leaves them
    for name, parameter in model.named_parameters():
        if not keep & set(name.split(".")):
            parameter.data = parameter.data.to(torch.bfloat16)
    return model.eval().requires_grad_(False)


def choose_attention(mode: str) -> None:
    """default touches nothing; cudnn and flash switch everything else off. Modes run in the order given."""
    if mode == "default":
        return
    torch.backends.cuda.enable_cudnn_sdp(mode == "cudnn")
    torch.backends.cuda.enable_flash_sdp(mode == "flash")
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.backends.cuda.enable_math_sdp(False)


def compiled(model, how: str):
    if how == "full":
        return torch.compile(model)
    if how == "blocks":
        model.compile_repeated_blocks(fullgraph=True)
    return model


@torch.no_grad()
def measure(mode: str, how: str, args) -> dict:
    torch._dynamo.reset()
    choose_attention(mode)
    model = compiled(build(args.layers), how)
    frames, rows, columns = (args.frames - 1) // 4 + 1, args.height // 8, args.width // 8
    latents = torch.randn(1, 16, frames, rows, columns, device="cuda")
    prompts = [torch.randn(1, TEXT_TOKENS, 4096, device="cuda", dtype=torch.bfloat16) for _ in PROMPT_TOKENS]
    for prompt, tokens in zip(prompts, PROMPT_TOKENS):
        prompt[:, tokens:] = 0  # as WanPipeline pads
    timestep = torch.full((1,), 500.0, device="cuda")

    def step(latents):
        conditional, unconditional = (
            model(latents.to(torch.bfloat16), timestep, prompt, return_dict=False)[0].float() for prompt in prompts
        )
        return latents - (unconditional + GUIDANCE * (conditional - unconditional)) * 0.01

    started = time.time()
    for _ in range(2):
        latents = step(latents)
    torch.cuda.synchronize()
    warm_up_s = time.time() - started
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(args.repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        latents = step(latents)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    if not torch.isfinite(latents).all():
        raise SystemExit("the latents are not finite")
    result = {
        "attention": mode, "compile": how, "median_ms": statistics.median(times), "min_ms": min(times),
        "max_ms": max(times), "all_ms": times, "warm_up_s": warm_up_s, "peak_bytes": torch.cuda.max_memory_allocated(),
    }
    if args.kernels:
        result["kernels"] = kernel_table(step, latents)
    return result


def kernel_table(step, latents) -> list:
    """Time by kernel of one step, so that it can be seen which attention really ran."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        step(latents)
        torch.cuda.synchronize()
    rows = [(e.key, e.self_device_time_total / 1000, e.count) for e in profile.key_averages()]
    rows = sorted((r for r in rows if r[1] > 0), key=lambda r: -r[1])[:25]
    return [{"kernel": key[:120], "ms": ms, "calls": count} for key, ms, count in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", default="default,cudnn")
    parser.add_argument("--compile", default="blocks", choices=["none", "blocks", "full"])
    parser.add_argument("--width", type=int, default=832)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--frames", type=int, default=81)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--kernels", action="store_true", help="also list where the time goes, by kernel")
    parser.add_argument("--json")
    args = parser.parse_args()
    report = {
        "bench": "wan-step peer", "diffusers": diffusers.__version__, "torch": torch.__version__,
        "cudnn": torch.backends.cudnn.version(), "device": torch.cuda.get_device_name(), "results": [],
    }
    for mode in args.modes.split(","):
        result = measure(mode, args.compile, args)
        report["results"].append(result)
        print(f"diffusers, {mode} attention, compile {args.compile}: {result['median_ms']:.2f} ms "
              f"({result['min_ms']:.2f} to {result['max_ms']:.2f}), warm-up {result['warm_up_s']:.0f} s", flush=True)
        for row in result.get("kernels", []):
            print(f"    {row['ms']:9.3f} ms {row['calls']:6d} x  {row['kernel'][:100]}")
        torch.cuda.empty_cache()
    if args.json:
        with open(args.json, "w") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
