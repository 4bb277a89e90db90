"""Decoding a clip by a Wan 2.1 VAE (random weights) in diffusers: the peer of `rubato-bench wan-vae`.

    python gpu_wan_vae_peer.py --modes eager,channels_last,compile --json vae_peer.json

modes: eager (as WanPipeline runs it), channels_last (weights in channels-last memory), compile (torch.compile of the
decoder, which is called once per latent frame), compile_channels_last (both). The compiled modes change one thing in
diffusers, without which the decoder falls apart into some thirty graphs: its `tensor == "Rep"` cannot be traced;
`isinstance(tensor, str)` says the same, and then there is one graph each for the first, the second and every further
latent frame.
"""

import argparse
import inspect
import json
import statistics
import time

import diffusers
import torch
import torch._dynamo
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders import autoencoder_kl_wan


def make_decoder_traceable() -> None:
    """Before the first compile only: the change stays for the rest of the process."""
    source = inspect.getsource(autoencoder_kl_wan.WanResample)
    for operator, test in (("!=", "not isinstance"), ("==", "isinstance")):
        source = source.replace(f'feat_cache[idx] {operator} "Rep"', f"{test}(feat_cache[idx], str)")
    if '"Rep":' in source:
        raise SystemExit("this diffusers compares its cache in another way; look at WanResample.forward")
    scope = dict(vars(autoencoder_kl_wan))
    exec(compile(source, "WanResample, traceable", "exec"), scope)
    autoencoder_kl_wan.WanResample.forward = scope["WanResample"].forward


@torch.no_grad()
def measure(mode: str, args) -> dict:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    torch.manual_seed(0)
    with torch.device("cuda"):
        vae = AutoencoderKLWan()
    vae = vae.to(getattr(torch, args.dtype)).eval().requires_grad_(False)
    if mode.endswith("channels_last"):
        for parameter in vae.parameters():
            if parameter.dim() == 5:
                parameter.data = parameter.data.to(memory_format=torch.channels_last_3d)
    if mode.startswith("compile"):
        make_decoder_traceable()
        vae.decoder = torch.compile(vae.decoder, fullgraph=True, dynamic=False)
    latents = torch.randn(1, 16, (args.frames - 1) // 4 + 1, args.height // 8, args.width // 8, device="cuda", dtype=vae.dtype)
    started = time.time()
    for _ in range(2):
        frames = vae.decode(latents, return_dict=False)[0]
    torch.cuda.synchronize()
    warm_up_s = time.time() - started
    if frames.shape[2] != args.frames or not torch.isfinite(frames).all():
        raise SystemExit(f"unexpected frames {tuple(frames.shape)}")
    del frames
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(args.repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        vae.decode(latents, return_dict=False)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return {
        "mode": mode, "median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times), "all_ms": times,
        "graphs": torch._dynamo.utils.counters["stats"]["unique_graphs"], "warm_up_s": warm_up_s, "peak_bytes": torch.cuda.max_memory_allocated(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", default="eager,channels_last,compile,compile_channels_last")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--width", type=int, default=832)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--frames", type=int, default=81)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json")
    args = parser.parse_args()
    report = {
        "bench": "wan-vae peer", "diffusers": diffusers.__version__, "torch": torch.__version__,
        "cudnn": torch.backends.cudnn.version(), "device": torch.cuda.get_device_name(), "dtype": args.dtype, "results": [],
    }
    for mode in args.modes.split(","):
        result = measure(mode, args)
        report["results"].append(result)
        print(f"diffusers VAE decode, {mode}: {result['median_ms']:.1f} ms ({result['min_ms']:.1f} to "
              f"{result['max_ms']:.1f}), warm-up {result['warm_up_s']:.0f} s, "
              f"peak memory {result['peak_bytes'] * 1e-9:.2f} GB", flush=True)
        torch.cuda.empty_cache()
        if args.json:
            with open(args.json, "w") as file:
                json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
