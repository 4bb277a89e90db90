#!/usr/bin/env bash
# Reads the texts of the window out of its sources into ui/languages: new ones come in as unfinished, those that are gone
# are taken out. Then translate what is unfinished, with Qt Linguist or an editor.
set -euo pipefail
cd "$(dirname "$0")/.."
lupdate=$(PATH="/usr/lib/qt6/bin:$PATH" command -v lupdate) || { echo "lupdate is missing: Debian package qt6-l10n-tools" >&2; exit 1; }
for file in ui/languages/*.ts; do
  language=$(basename "$file" .ts)
  language=${language#rubato_}
  plural=()
  [ "$language" = en ] && plural=(-pluralonly)  # the sources are English
  "$lupdate" ui -I . -silent -no-obsolete -locations none -source-language en -target-language "$language" "${plural[@]}" -ts "$file"
done
