#!/usr/bin/env bash
# Breaks a stack on purpose, once a run, for as many runs as one wants, and looks whether a song is lost, a byte is wrong, or
# somebody has to help. Prints a line per run, and at the end what docs/faults.md is made from: a table of the faults with the
# pauses that they caused, the memory of every part before and after, and what was left behind. Fails when any of that is bad.
#
#   bench/soak.sh [--beside] [RUNS [FIRST_SEED [FILE]]]    100 runs from seed 1 by default; FILE gets the tables as well
#   bench/soak.sh [--beside] --seed N                      the run of one seed once more
#
# Audio travels in the messages, or with --beside in a folder beside them.
#
# docs/faults.md holds the tables of many such runs, with notes on them; let FILE be another one.
#
# Needs a build (scripts/test.sh), the right to mount a small disk, and about 3 GB of memory. A run takes some 5 s.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

USAGE='usage: bench/soak.sh [--beside] [RUNS [FIRST_SEED [FILE]]], or bench/soak.sh [--beside] --seed N'

main() {
  local chaos=("$UNBRAID_ROOT/tests/integration/stack/chaos.py") number
  if [[ ${1:-} == --beside ]]; then
    chaos+=(--beside)
    shift
  fi
  if [[ ${1:-} == --seed ]]; then
    [[ ${2:-} =~ ^[0-9]+$ ]] || die "$USAGE"
    exec /usr/bin/python3 "${chaos[@]}" --seed "$2"
  fi
  for number in "${1:-100}" "${2:-1}"; do [[ $number =~ ^[0-9]+$ ]] || die "$USAGE"; done
  mkdir -p "$UNBRAID_BUILD/logs"
  chaos+=(--runs "${1:-100}" --seed "${2:-1}" --log "$UNBRAID_BUILD/logs/soak.jsonl")
  [[ -z ${3:-} ]] || chaos+=(--report "$3")
  exec /usr/bin/python3 "${chaos[@]}"
}

main "$@"
