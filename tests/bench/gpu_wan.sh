#!/usr/bin/env bash
# The Wan step of Rubato and of diffusers on one GPU in one run, Rubato before and after, so that a change of clocks
# shows. Needs a Python with torch and diffusers.
#   tests/bench/gpu_wan.sh BIN_FOLDER RESULT_FOLDER [peer options…]
set -euo pipefail
bin=$1 out=$2
shift 2
here=$(dirname "$0")
"$bin/rubato-bench" wan-step --device cuda --json "$out/wan_step_before.json"
python3 "$here/gpu_wan_peer.py" --json "$out/wan_peer.json" "$@"
"$bin/rubato-bench" wan-step --device cuda --json "$out/wan_step_after.json"
python3 - "$out" <<'PY'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
ours = [json.loads((out / f"wan_step_{when}.json").read_text())["step"]["median_ms"] for when in ("before", "after")]
slower = max(ours)
print(f"Rubato {ours[0]:.2f} ms before, {ours[1]:.2f} ms after")
for row in json.loads((out / "wan_peer.json").read_text())["results"]:
    print(f"diffusers {row['attention']} attention, compile {row['compile']}: {row['median_ms']:.2f} ms, "
          f"{row['median_ms'] / slower:.3f} of Rubato's slower run")
PY
