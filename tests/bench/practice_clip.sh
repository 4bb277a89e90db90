#!/usr/bin/env bash
# The practice clip by diffusers and by Rubato on the same folder, the same machine and the same number of threads,
# both without start-up; prints both and their ratios. Diffusers runs before and after Rubato, and its faster run
# counts, so that a change of the machine's clocks does not flatter us.
#   tests/bench/practice_clip.sh [BIN_FOLDER] [MODEL_FOLDER]          default: build/ci/bin, resources/practice/video
# The first run makes a virtual environment in build/peer-venv (about 6 GB); PEER_PYTHON=… uses one that is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${1:-build/ci/bin}
model=${2:-resources/practice/video}
out=build/practice-clip
threads=${THREADS:-2}
runs=${RUNS:-3}
mkdir -p "$out"

python=${PEER_PYTHON:-build/peer-venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv build/peer-venv
  build/peer-venv/bin/pip install --quiet --requirement tests/bench/requirements.txt
fi

peer() { "$python" tests/bench/peer_diffusers_cpu.py "$model" --threads "$threads" --runs "$runs" --json "$out/$1.json" > /dev/null; }

peer peer_before
"$bin/rubato-bench" clip --model "$model" --threads "$threads" --repeats "$runs" --json "$out/rubato.json" > /dev/null
peer peer_after

"$python" - "$out" <<'PY'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
peers = [json.loads((out / f"peer_{when}.json").read_text()) for when in ("before", "after")]
peer = min(peers, key=lambda p: p["total_wall_s"])
ours = json.loads((out / "rubato.json").read_text())
print(f"{'':10} {'diffusers':>10} {'Rubato':>10} {'ratio':>7}")
for phase in ("text", "denoise", "decode"):
    a, b = peer["wall_s"][phase], ours["wall_s"][phase]
    print(f"{phase:10} {a:9.3f}s {b:9.3f}s {a / b:6.2f}x")
a, b = peer["total_wall_s"], ours["total_wall_s"]
print(f"{'all':10} {a:9.3f}s {b:9.3f}s {a / b:6.2f}x")
a, b = peer["peak_rss_mb"], ours["peak_rss_mb"]
print(f"{'memory':10} {a:7.0f} MB {b:7.0f} MB {a / b:6.2f}x")
PY
