#!/usr/bin/env bash
# Set-up, then an optimised build in build/ci. packaging/build.sh [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/setup.sh
start=$SECONDS
cmake --preset ci >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 1; }
rm -f build-configure.log
ninja -C build/ci "$@" >&2
echo "[build] $((SECONDS - start)) s" >&2
