#!/usr/bin/env bash
# Makes the pictures of the studio in the README anew: real clips of the practice model in the real window.
set -euo pipefail
cd "$(dirname "$0")/.."
packaging/build.sh rubato_test_gui rubato-worker rubato-media
RUBATO_PICTURES=$PWD/resources/readme build/ci/bin/rubato_test_gui --gtest_brief=1 --gtest_also_run_disabled_tests \
  --gtest_filter='Readme.DISABLED_Pictures'
ls -l resources/readme/studio-*.png
