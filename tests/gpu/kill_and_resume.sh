#!/usr/bin/env bash
# One job killed at random steps, again and again: the file it ends with must be that of a calm run, byte for byte.
#   tests/gpu/kill_and_resume.sh [BIN_FOLDER]                  (default: build/host/bin)
# Settings, from the environment:
#   DEVICE=cuda:0 DTYPE=bfloat16    where and how; DEVICE=cpu DTYPE=float32 needs no GPU
#   MODEL=resources/practice/video  a diffusers folder; its scheduler is replaced by each of SCHEDULERS="euler unipc"
#   SIZE=256x256 FRAMES=65 STEPS=400 GUIDANCE=3.5
#   TIMES=10                        kills per scheduler; the worker and the command in turn
#   SEED=…                          of the steps at which to kill; printed, so that a run can be done again
# Needs bash and coreutils alone. Exit code 0: all files are equal and every job that had a checkpoint went on from it; 77: there is no GPU.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$(cd "${1:-$root/build/host/bin}" && pwd)
device=${DEVICE:-cuda:0} dtype=${DTYPE:-bfloat16} model=$(cd "${MODEL:-$root/resources/practice/video}" && pwd)
size=${SIZE:-256x256} frames=${FRAMES:-65} steps=${STEPS:-400} guidance=${GUIDANCE:-3.5} times=${TIMES:-10}
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$((seed % 32768))

if [[ $device = cuda* ]] && [ ! -e /dev/nvidiactl ] && [ ! -e /dev/dxg ]; then
  echo "kill_and_resume: skipped, no NVIDIA driver is loaded on this machine"
  exit 77
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/rubato-kill-XXXXXX")
command_pid=
# Nothing is left running; what was rendered is left to look at only when something is wrong.
leave() {
  local status=$?
  [ -z "$command_pid" ] || kill -9 "$command_pid" 2> /dev/null || true
  if [ $status = 0 ]; then rm -rf "$work"; else echo "FAILED; what was rendered is in $work"; fi
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fail() {
  echo "kill_and_resume: $*" >&2
  exit 1
}
# Its own memory of times and hashes, so that nothing of the user's is touched.
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"

# A folder of links to the model's parts, with a scheduler of its own.
with_scheduler() {
  local folder=$work/model-$1
  mkdir -p "$folder/scheduler"
  for part in "$model"/*; do
    [ "$(basename "$part")" = scheduler ] || ln -s "$part" "$folder/"
  done
  rm -f "$folder/model_index.json"
  case $1 in
    euler)
      local class=FlowMatchEulerDiscreteScheduler
      echo '{"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}'
      ;;
    unipc)
      local class=UniPCMultistepScheduler
      echo '{"_class_name": "UniPCMultistepScheduler", "num_train_timesteps": 1000, "flow_shift": 3.0,
             "prediction_type": "flow_prediction", "use_flow_sigmas": true, "solver_order": 2, "solver_type": "bh2"}'
      ;;
    *) fail "unknown scheduler '$1'; use euler or unipc" ;;
  esac > "$folder/scheduler/scheduler_config.json"
  sed -E "s/\"(FlowMatchEulerDiscrete|UniPCMultistep)Scheduler\"/\"$class\"/" "$model/model_index.json" \
    > "$folder/model_index.json"
  echo "$folder"
}

# The jobs of a folder: the one that is killed, between two that must not suffer from it.
write_jobs() {  # MODEL FILE
  local name shape
  : > "$2"
  for name in before job after; do
    shape="\"size\": \"$size\", \"frames\": $frames, \"steps\": $steps"
    [ $name = job ] || shape='"size": "128x128", "frames": 17, "steps": 4'
    printf '{"id": "%s", "model": "%s", "prompt": "a big red circle moves right at night", %s, "guidance": %s, ' \
      "$name" "$1" "$shape" "$guidance" >> "$2"
    printf '"seed": 7, "device": "%s", "dtype": "%s", "metadata": false, "out": "%s.safetensors"}\n' \
      "$device" "$dtype" "$name" >> "$2"
  done
}

# A process whose parent is the given one.
child_of() {
  local stat pid fields
  for stat in /proc/[0-9]*/stat; do
    { read -r fields < "$stat"; } 2> /dev/null || continue
    pid=${fields%% *}
    fields=${fields##*) }  # the name may hold blanks
    set -- "$1" $fields
    [ "$3" = "$1" ] && [ "$2" != Z ] && { echo "$pid"; return; }
  done
  return 1
}

# Renders; at step $3 of the long job, the worker or the command ($4) dies. Sets
# `killed` to the step that was seen then and `had_state` to the checkpoint that was there.
render() {  # JOBS OUT [STEP WHOM]
  local line step=0 now='' status=0
  killed= had_state=
  mkfifo "$work/events"
  "$bin/rubato-cli" run "$1" --out "$2" --progress json > "$work/events" 2>> "$work/log" &
  command_pid=$!
  while IFS= read -r line; do
    echo "$line" >> "$work/events.log"
    case $line in
      *'"ev":"job.start"'*) now=${line#*\"job\":\"} now=${now%%\"*} ;;
      *'"ev":"job.progress"'*'"phase":"denoise"'*)
        [ "$now" = job ] && [ -n "${3:-}" ] && [ -z "$killed" ] || continue
        step=${line#*\"i\":} step=${step%%[,\}]*}
        [ "$step" -ge "$3" ] || continue
        if [ "$4" = worker ]; then
          kill -9 "$(child_of "$command_pid")"
        else
          kill -9 "$command_pid"
        fi
        killed=$step
        had_state=$(find "$2" -path '*.rubato-partial/*' -name latents.safetensors | head -1)
        ;;
    esac
  done < "$work/events"
  wait "$command_pid" 2> /dev/null || status=$?
  command_pid=
  rm "$work/events"
  return $status
}

compare() {  # CALM OTHER
  for name in before job after; do
    cmp "$1/$name.safetensors" "$2/$name.safetensors" || fail "$name.safetensors differs from that of the calm run"
  done
}

echo "kill_and_resume: $device, $dtype, $size, $frames frames, $steps steps, guidance $guidance, seed $seed"
total=0 resumed=0
for scheduler in ${SCHEDULERS:-euler unipc}; do
  folder=$(with_scheduler "$scheduler")
  write_jobs "$folder" "$work/$scheduler.jsonl"
  calm=$work/$scheduler-calm out=$work/$scheduler-killed
  start=$SECONDS
  render "$work/$scheduler.jsonl" "$calm" || { cat "$work/log" >&2; fail "the calm run failed"; }
  echo "$scheduler: calm run in $((SECONDS - start)) s, $(sha256sum "$calm/job.safetensors" | cut -c 1-16)…"
  for ((i = 1; i <= times; ++i)); do
    rm -rf "$out"
    : > "$work/events.log"
    whom=$([ $((i % 2)) = 1 ] && echo worker || echo command)
    at=$((2 + RANDOM % (steps - 2)))
    status=0 start=$SECONDS
    render "$work/$scheduler.jsonl" "$out" $at $whom || status=$?
    [ -n "$killed" ] || { cat "$work/log" >&2; fail "$scheduler $i: step $at never came"; }
    seen=$killed state=$had_state
    if [ $whom = command ]; then
      [ $status = 137 ] || fail "$scheduler $i: the killed command ended with $status"
      status=0
      render "$work/$scheduler.jsonl" "$out" || status=$?
    fi
    [ $status = 0 ] || { cat "$work/log" >&2; fail "$scheduler $i: exit code $status after the kill"; }
    compare "$calm" "$out"
    # A kill before the first checkpoint starts the job anew; any other goes on.
    went_on=$(grep -o 'going on after step [0-9]* of' "$work/events.log" | tail -1 || true)
    if [ -n "$went_on" ]; then
      resumed=$((resumed + 1))
    elif [ -n "$state" ]; then
      fail "$scheduler $i: there was a checkpoint, and the job began anew"
    fi
    left=$(find "$out" -name '*.rubato-partial*' -o -name '*.tmp*' -o -path '*/.rubato/work/*/*' | head -3)
    [ -z "$left" ] || fail "$scheduler $i: left over: $left"
    total=$((total + 1))
    echo "$scheduler $i: $whom killed at step $seen, ${went_on:-begun anew}${went_on:+ $steps}, same bytes, $((SECONDS - start)) s"
  done
done
echo "kill_and_resume: $total kills, $resumed gone on from a checkpoint, $total files equal to those of calm runs"
[ "$resumed" -gt 0 ] || fail "no kill came after a checkpoint; take more STEPS"
