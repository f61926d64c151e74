#!/usr/bin/env bash
# Builds with the sanitizers and runs the unit and the component ring, and one test of the whole stack, under them. Fails on any
# report. Not part of scripts/test.sh: on two cores each takes most of an hour from scratch.
#
#   scripts/sanitize.sh [asan|tsan]...       both by default: address and undefined behaviour, threads
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"
. "$UNBRAID_ROOT/scripts/lib/build.sh"

# Two clients at once, Ctrl-C, a killed assembler, SIGTERM for everybody.
STACK_TEST=tests/integration/stack/test_clients.py

# run_stack_test PRESET: every process of the stack writes its report into a file of its own, which must not be there afterwards.
run_stack_test() {
  local reports=$UNBRAID_BUILD/logs/$1-reports status=0
  rm -rf "$reports"
  mkdir -p "$reports"
  UNBRAID_BIN=$UNBRAID_BUILD/$1/bin \
    ASAN_OPTIONS=log_path=$reports/asan UBSAN_OPTIONS=log_path=$reports/ubsan \
    TSAN_OPTIONS=log_path=$reports/tsan:ignore_noninstrumented_modules=1:suppressions=$UNBRAID_ROOT/tests/support/tsan.supp \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider "$UNBRAID_ROOT/$STACK_TEST" || status=1
  local report
  for report in "$reports"/*; do
    [[ -e $report ]] || continue
    head -n 60 "$report" >&2
    status=1
  done
  return "$status"
}

# sanitize PRESET: all of it under one kind of sanitizer.
sanitize() {
  local preset=$1 status=0
  say "building with $preset"
  build_cmake "$preset" || return 1  # whoever asks for the status has switched errexit off
  ctest --test-dir "$UNBRAID_BUILD/$preset" -L '^(unit|component)$' -j "$(nproc)" --no-tests=error --output-on-failure || status=1
  run_stack_test "$preset" || status=1
  return "$status"
}

main() {
  local presets=("$@") preset status=0
  ((${#presets[@]} > 0)) || presets=(asan tsan)
  for preset in "${presets[@]}"; do
    [[ $preset == asan || $preset == tsan ]] || die "there is no sanitizer preset '$preset'; see the head of this script"
  done
  packages_install build run test export
  build_models
  for preset in "${presets[@]}"; do
    if sanitize "$preset"; then say "$preset: clean"; else
      say "$preset: NOT CLEAN"
      status=1
    fi
  done
  return "$status"
}

main "$@"
