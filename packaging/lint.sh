#!/usr/bin/env bash
# clang-format and the clang-tidy subset over the C++ files changed since a revision (default: origin/main, else the last commit).
#   packaging/lint.sh [REVISION | --all] [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."
fix=no base=""
for argument in "$@"; do
  case $argument in
    --fix) fix=yes ;;
    *) base=$argument ;;
  esac
done
command -v clang-format-19 >/dev/null || { echo "lint needs: apt-get install clang-format-19 clang-tidy-19" >&2; exit 2; }
if [ "$base" = --all ]; then
  files=$(git ls-files '*.h' '*.cpp')
else
  base=${base:-$(git rev-parse -q --verify origin/main || git rev-parse HEAD~1)}
  files=$(git diff --name-only --diff-filter=d "$base" -- '*.h' '*.cpp')
fi
[ -n "$files" ] || { echo "nothing to lint"; exit 0; }
if [ $fix = yes ]; then
  clang-format-19 -i $files
else
  clang-format-19 --dry-run --Werror $files
fi
[ -f build/dev/compile_commands.json ] || cmake --preset dev >/dev/null
# Precompiled headers are the compiler's own; clang-tidy reads the plain includes instead.
sources=$(printf '%s\n' $files | grep '\.cpp$' || true)
[ -z "$sources" ] || clang-tidy-19 -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-gch $sources
