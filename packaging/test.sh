#!/usr/bin/env bash
# Builds and runs every test that needs no GPU. The test command of this repository; CI runs it as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/build.sh
start=$SECONDS
# Who ends this script, by whatever signal, ends the tests too.
tests() { setpriv --pdeathsig TERM ctest --preset "$1"; }
tests ci
echo "[test] suite: $((SECONDS - start)) s"

# The readers of outside data once more under the address and undefined-behaviour sanitizers.
cmake --preset asan >/dev/null
ninja -C build/asan >&2
tests asan
