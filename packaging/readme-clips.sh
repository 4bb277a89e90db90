#!/usr/bin/env bash
# Renders the clips that README shows, with the practice model, and joins them into resources/readme/clips.webp.
#   packaging/readme-clips.sh [BIN_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:-build/ci/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prompts=(
  "a small cyan ring circles around in a forest"
  "a big red star waits, then shrinks on a checkered floor"
  "a big yellow heart grows at sunset"
  "a small red square waits, then moves left by the sea"
)
inputs=()
for i in "${!prompts[@]}"; do
  "$bin/rubato-cli" gen video -p "${prompts[$i]}" --seed 3 -o "$work/$i.mp4" --no-metadata -q
  inputs+=(-i "$work/$i.mp4")
done
mkdir -p resources/readme
ffmpeg -v error -y "${inputs[@]}" -filter_complex "[0][1][2][3]hstack=4,fps=12" -c:v libwebp_anim -quality 70 -loop 0 resources/readme/clips.webp
ls -l resources/readme/clips.webp
