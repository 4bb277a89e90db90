#!/usr/bin/env bash
# The window opens in a moment and survives its engine because it links neither libtorch, CUDA nor FFmpeg.
set -euo pipefail
needed=$(readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
[ -n "$needed" ] || { echo "$1 has no dynamic section"; exit 1; }
if grep -E '^lib(torch|c10|cuda|cudart|cudnn|nccl|av|sw|opencv)' <<<"$needed"; then
  echo "$1 links what belongs into other processes"
  exit 1
fi
