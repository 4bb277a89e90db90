#!/usr/bin/env bash
# From a fresh clone to a clip: installs what is needed, builds, and renders one sentence with the practice model.
#   packaging/try.sh ["a big red star waits, then shrinks on a checkered floor"] [more flags of rubato-cli gen video]
# Prints the path of the clip. packaging/try.sh --gui opens the studio instead.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0"
  exit
fi
if [ "${1:-}" = --gui ]; then
  shift
  packaging/build.sh rubato rubato-cli rubato-worker rubato-media
  exec build/ci/bin/rubato "$@"
fi
prompt="a big red star waits, then shrinks on a checkered floor"
if [ $# -gt 0 ] && [[ $1 != -* ]]; then prompt=$1; shift; fi
packaging/build.sh rubato-cli rubato-worker rubato-media
mkdir -p clips
echo "[render] \"$prompt\""
exec build/ci/bin/rubato-cli gen video -p "$prompt" -o "$PWD/clips/try.mp4" --overwrite rename "$@"
