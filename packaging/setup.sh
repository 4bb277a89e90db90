#!/usr/bin/env bash
# Brings a Debian 12 machine to where Rubato builds: packages from Debian, libtorch into .deps.
#   packaging/setup.sh [--gpu | --no-gpu]
# Safe to run again: what is there stays, an interrupted download starts over, a wrong checksum is an error.
# Everything is listed in packaging/versions.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
versions=$root/packaging/versions.txt
deps=$root/.deps
say() { printf '[setup] %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

gpu=auto
for argument in "$@"; do
  case $argument in
    --gpu) gpu=yes ;;
    --no-gpu) gpu=no ;;
    *) die "unknown option $argument; use --gpu or --no-gpu" ;;
  esac
done
if [ $gpu = auto ]; then [ -e /dev/nvidiactl ] && gpu=yes || gpu=no; fi
[ "$(uname -m)" = x86_64 ] || die "Rubato is built for x86-64; this machine is $(uname -m)"

# --- Debian packages -------------------------------------------------------------------------------------------
command -v apt-get >/dev/null || die "this script needs apt-get (Debian 12 or a relative); see packaging/versions.txt for what to install by hand"
missing=()
while read -r _ package _; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done < <(grep '^apt ' "$versions")
if [ ${#missing[@]} -gt 0 ]; then
  say "installing from Debian: ${missing[*]}"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "run as root, or install sudo: packages are missing"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

# --- wheels: libtorch and the CUDA run-time libraries that it needs -----------------------------------------------
# A wheel is a zip; only its libraries, headers and licences are kept. libtorch's copy of the fmt headers would shadow
# Debian's, whose library we link, so it is left out. A stamp per wheel says that it is whole.
fetch_wheel() {
  local requirement=$1 sha256=$2 folder=$3
  local stamp=$deps/.stamps/$requirement-$sha256
  [ -e "$stamp" ] && return
  local work
  mkdir -p "$deps/.stamps" "$deps/.download"
  work=$(mktemp -d "$deps/.download/XXXXXX")
  say "fetching $requirement"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_25_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux1_x86_64 \
    --require-hashes -r <(echo "$requirement --hash=sha256:$sha256") -d "$work" >&2 \
    || die "$requirement could not be fetched; check the network and run this again"
  unzip -q -o "$work"/*.whl -x 'torch/bin/*' 'torch/include/fmt/*' 'torch/test/*' 'functorch/*' 'torchgen/*' '*.py' '*.pyi' '*.a' -d "$work/tree" \
    2> >(grep -v '^caution: excluded' >&2)  # not every wheel has every excluded kind
  mkdir -p "$deps/$folder"
  cp -a "$work/tree/$folder/." "$deps/$folder/"
  rm -rf "$work"
  touch "$stamp"
}
while read -r _ requirement sha256 folder group; do
  if [ "$group" = cpu ] || [ $gpu = yes ]; then fetch_wheel "$requirement" "$sha256" "$folder"; fi
done < <(grep '^wheel ' "$versions")
rm -rf "$deps/.download"
say "ready"
