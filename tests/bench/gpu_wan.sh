#!/usr/bin/env bash
# Wan 2.1 1.3B (random weights, 832x480, 81 frames) on one GPU in one run: a denoising step and a decode by Rubato, with
# diffusers' before and after it, so that a drift of the clocks shows. Needs a python3 with torch and diffusers.
#   tests/bench/gpu_wan.sh BIN_FOLDER RESULT_FOLDER
# About ten minutes on an H100, most of it torch.compile; a compiled VAE decoder that is not ready after COMPILE_LIMIT
# seconds (default 400) is left out.
set -euo pipefail
bin=$1 out=$2
here=$(dirname "$0")
mkdir -p "$out"
python3 "$here/gpu_wan_peer.py" --modes default --json "$out/peer_default.json"
"$bin/rubato-bench" wan-step --device cuda --json "$out/step.json"
python3 "$here/gpu_wan_peer.py" --modes cudnn --json "$out/peer_cudnn.json"
"$bin/rubato-bench" wan-vae --device cuda --json "$out/vae.json"
python3 "$here/gpu_wan_vae_peer.py" --modes eager,channels_last --json "$out/vae_peer_eager.json"
timeout "${COMPILE_LIMIT:-400}" python3 "$here/gpu_wan_vae_peer.py" --modes compile,compile_channels_last --json "$out/vae_peer_compile.json" \
  2> "$out/vae_peer_compile.log" ||
  echo "no compiled decoder within ${COMPILE_LIMIT:-400} s"
python3 - "$out" <<'PY'
import json, pathlib, sys

def read(name):
    file = pathlib.Path(sys.argv[1]) / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else {"results": []}

def line(peer, peer_ms, ours_ms):
    print(f"  diffusers, {peer}: {peer_ms:.1f} ms, {peer_ms / ours_ms:.3f} times Rubato's")

step = read("step")
ms = step["step"]["median_ms"]
print(f"step: Rubato {ms:.1f} ms; cuDNN attention and cuBLAS products alone {step['library']['whole']['median_ms']:.1f} ms")
for mode in ("default", "cudnn"):
    for row in read(f"peer_{mode}")["results"]:
        line(f"{row['attention']} attention, compile {row['compile']}", row["median_ms"], ms)
ms = read("vae")["decode"]["median_ms"]
print(f"decode: Rubato {ms:.1f} ms")
for mode in ("eager", "compile"):
    for row in read(f"vae_peer_{mode}")["results"]:
        line(row["mode"], row["median_ms"], ms)
PY
