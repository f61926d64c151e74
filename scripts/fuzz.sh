#!/usr/bin/env bash
# Fuzzes every parser of foreign bytes: builds the targets, makes what they begin with, and runs each for a while, as many side by
# side as there are cores. Prints one line per target; its status is 0 when none of them crashed, leaked, hung or ran out of memory.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]    default: 60 s, all targets (files in tests/fuzz)
#
# What the fuzzer has learned stays in build/fuzz/corpus, so that another run goes on from there. An input that does harm is kept in
# build/fuzz/found; `build/fuzz/bin/fuzz_TARGET FILE` runs it alone.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"
. "$UNBRAID_ROOT/scripts/lib/build.sh"

TREE=$UNBRAID_BUILD/fuzz
# No parser needs a second for one input.
INPUT_SECONDS=10
# Of one allocation; and of the process, which keeps what it has freed for a while.
ALLOCATION_MIB=1024
MEMORY_MIB=2048

all_targets() {
  local source
  for source in "$UNBRAID_ROOT"/tests/fuzz/*_fuzz.cc; do basename "$source" _fuzz.cc; done
}

build_targets() {
  say "building the fuzz targets"
  build_cmake fuzz "${@/#/fuzz_}"
}

make_seeds() {
  local messages=$TREE/python
  rm -rf "$messages" "$TREE/seeds"
  mkdir -p "$messages"
  (cd "$UNBRAID_ROOT/proto" && protoc -I . --python_out="$messages" unbraid/internal/v1/{decoder,work}.proto)
  run_logged "$UNBRAID_BUILD/logs/fuzz-seeds.log" /usr/bin/python3 "$UNBRAID_ROOT/tests/fuzz/seeds.py" "$TREE/seeds" "$messages"
}

# last_number TEXT PATTERN: the number that follows the last match of the pattern, or 0.
last_number() { grep -oE "$2[0-9]+" <<<"$1" | tail -n 1 | grep -oE '[0-9]+$' || printf '0\n'; }

# fuzz_one TARGET SECONDS: runs one target and prints its line.
fuzz_one() {
  local target=$1 log=$UNBRAID_BUILD/logs/fuzz-$1.log verdict=passed end
  local options=(-max_total_time="$2" -timeout="$INPUT_SECONDS" -malloc_limit_mb="$ALLOCATION_MIB"
    -rss_limit_mb="$MEMORY_MIB" -print_final_stats=1 -artifact_prefix="$TREE/found/$target-")
  mkdir -p "$TREE/corpus/$target" "$TREE/found"
  LSAN_OPTIONS=suppressions=$UNBRAID_ROOT/tests/fuzz/lsan.supp:print_suppressions=0 \
    "$TREE/bin/fuzz_$target" "${options[@]}" "$TREE/corpus/$target" "$TREE/seeds/$target" >"$log" 2>&1 || verdict=FAILED
  end=$(tail -n 400 "$log")
  printf 'fuzz %s: %s (%d inputs, %d places of code, %d features)\n' "$target" "$verdict" \
    "$(last_number "$end" 'number_of_executed_units: *')" "$(last_number "$end" 'cov: ')" "$(last_number "$end" 'ft: ')"
  [[ $verdict == passed ]] && return 0
  tail -n 40 "$log" >&2
  say "fuzz $target: all of its output is in $log, the input in $TREE/found"
  return 1
}

main() {
  local seconds=${1:-60} target failed=0 running=0
  [[ $seconds =~ ^[0-9]+$ ]] || die "usage: scripts/fuzz.sh [SECONDS [TARGET...]]"
  shift || true
  local targets=("$@")
  ((${#targets[@]} > 0)) || mapfile -t targets < <(all_targets)
  packages_install build test
  mkdir -p "$UNBRAID_BUILD/logs"
  build_targets "${targets[@]}"
  make_seeds
  say "fuzzing ${#targets[@]} targets for $seconds s each"
  for target in "${targets[@]}"; do
    if ((running == $(nproc))); then
      wait -n || failed=1
      running=$((running - 1))
    fi
    fuzz_one "$target" "$seconds" &
    running=$((running + 1))
  done
  for ((; running > 0; --running)); do wait -n || failed=1; done
  return "$failed"
}

main "$@"
