#!/usr/bin/env bash
# The link lists are the architecture; this checks that #include lines keep to them as well.
# A folder may include its own headers and those of the folders named in its row.
set -euo pipefail
cd "$1"
declare -A allowed=(
  [engine/base]=""
  [engine/files]="engine/base"
  [kernels]="engine/base"
  [engine]="engine/base engine/files kernels"
  [pipelines/job]="engine/base engine/files"
  [pipelines/media]="engine/base"
  [pipelines/text_to_video]="engine engine/base engine/files kernels pipelines/job"
  [pipelines/runner]="engine engine/base engine/files kernels pipelines/job pipelines/media pipelines/text_to_video"
  [ui]="engine/base engine/files pipelines/job"
  [app/gui]="ui engine/base engine/files pipelines/job"
  [app/cli]="engine/base engine/files pipelines/job"
  [app/media]="engine/base pipelines/job pipelines/media"
  [app/worker]="engine/base pipelines/job pipelines/runner kernels"
  [app/bench]="engine engine/base engine/files kernels pipelines/job pipelines/text_to_video"
)
# The row of a path: the longest matching key.
row_of() {
  local path=$1 best=""
  for key in "${!allowed[@]}"; do
    if [[ $path == "$key"/* && ${#key} -gt ${#best} ]]; then best=$key; fi
  done
  echo "$best"
}
status=0
fail() { echo "layering: $*"; status=1; }
while IFS= read -r file; do
  row=$(row_of "$file")
  [ -n "$row" ] || continue
  while IFS= read -r include; do
    to=$(row_of "$include")
    [ -z "$to" ] || [ "$to" = "$row" ] && continue
    [[ " ${allowed[$row]} " == *" $to "* ]] || fail "$file includes $include ($row may not know $to)"
  done < <(sed -nE 's/^#include "([^"]+)".*/\1/p' "$file")
  if grep -qE '#include *<torch/(torch|extension|all)\.h>' "$file"; then fail "$file includes torch/torch.h; use torch/types.h"; fi
  case $row in
    engine/base|engine/files|pipelines/job|pipelines/media|ui|app/gui|app/cli|app/media)
      if grep -qE '#include *<(torch|ATen|c10)/' "$file"; then fail "$file includes libtorch, which $row does not know"; fi ;;
  esac
  if [[ $row != ui && $row != app/gui ]] && grep -qE '#include *<Q[A-Z]' "$file"; then fail "$file includes Qt, which $row does not know"; fi
  if [[ $row != pipelines/media ]] && grep -qE '#include *<(libav|libsw|opencv)' "$file"; then fail "$file includes FFmpeg or OpenCV, which $row does not know"; fi
done < <(find engine kernels pipelines ui app -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) 2>/dev/null | sort)
[ $status -eq 0 ] && echo "layering holds"
exit $status
