#!/usr/bin/env bash
# Memory and disk of every part while a long track is taken apart, as a Markdown table. It fails when the gateway, the
# splitter or the assembler needs 200 MB or more: their memory must not depend on the length of the song. Both are looked at
# every two seconds: memory is the resident set, of which the median tells what a part keeps, and the peak, which the kernel
# remembers, what it needed for a moment; disk is what the part's folder occupies.
#
#   bench/memory.sh [MINUTES [MODEL]]        60 minutes and passthrough by default
#
# Needs a build (scripts/test.sh or scripts/separate.sh), and about 250 MB of disk per minute.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

LIMIT_MB=200

# A chord that drifts: never silent, never the same twice, written in blocks so that this script needs no memory either.
make_track() {
  /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import sys
import numpy as np
import soundfile

path, minutes = sys.argv[1], int(sys.argv[2])
rate, block = 44100, 44100 * 10
with soundfile.SoundFile(path, "w", rate, 2, subtype="PCM_16") as out:
    for start in range(0, minutes * 60 * rate, block):
        t = np.arange(start, start + block) / rate
        left = 0.2 * np.sin(2 * np.pi * 220 * t) + 0.2 * np.sin(2 * np.pi * (330 + 5 * np.sin(t / 7)) * t)
        right = 0.2 * np.sin(2 * np.pi * 277 * t) + 0.2 * np.sin(2 * np.pi * 55 * t)
        out.write(np.stack([left, right], axis=1).astype(np.float32))
PYTHON
}

# peak_mb PID: the largest resident set so far.
peak_mb() { awk '/^VmHWM:/ { printf "%d\n", $2 / 1024 }' "/proc/$1/status"; }

# folder_of NAME: where the part keeps what it keeps; fails for a part that keeps nothing.
folder_of() {
  case $1 in
    splitter | assembler) printf '%s\n' "$UNBRAID_STACK_DIR/data/$1" ;;
    rabbitmq) printf '%s\n' "$UNBRAID_STACK_DIR/broker/mnesia" ;;
    *) return 1 ;;
  esac
}

# Keeps the largest size of each folder so far, in MB, in $FOLDER/disk-NAME, and every resident set, in MB, in $FOLDER/memory-NAME.
watch() {
  local name pid now largest
  while sleep 2; do
    while read -r name pid; do
      awk '/^VmRSS:/ { printf "%d\n", $2 / 1024 }' "/proc/$pid/status" >>"$FOLDER/memory-$name"
    done <"$FOLDER/pids"
    for name in splitter assembler rabbitmq; do
      now=$(du -s -B 1000000 "$(folder_of "$name")" 2>/dev/null | cut -f 1) || true # files come and go meanwhile
      largest=$(cat "$FOLDER/disk-$name" 2>/dev/null || echo 0)
      ((${now:-0} <= largest)) || printf '%d\n' "$now" >"$FOLDER/disk-$name"
    done
  done
}

# median_of FILE: of its numbers, one to a line.
median_of() { sort -n "$1" | awk '{ number[NR] = $1 } END { print number[int((NR + 1) / 2)] }'; }

# shellcheck disable=SC2317  # called by the trap
finish() {
  [[ -z ${WATCHER:-} ]] || kill "$WATCHER" 2>/dev/null || true
  "$UNBRAID_ROOT/scripts/stack.sh" down || true
  rm -rf -- "$FOLDER"
}

# Prints the table; fails when a part is over its limit.
report() {
  local name pid peak limit disk over=0
  printf '| part | memory, median, MB | memory, peak, MB | limit, MB | peak disk, MB |\n|---|---:|---:|---:|---:|\n'
  while read -r name pid; do
    [[ $name == epmd ]] && continue
    peak=$(peak_mb "$pid")
    limit=-
    case $name in
      gateway | splitter | assembler)
        limit=$LIMIT_MB
        ((peak < LIMIT_MB)) || over=1
        ;;
    esac
    disk=-
    folder_of "$name" >/dev/null && disk=$(<"$FOLDER/disk-$name")
    printf '| %s | %d | %d | %s | %s |\n' "$name" "$(median_of "$FOLDER/memory-$name")" "$peak" "$limit" "$disk"
  done <"$FOLDER/pids"
  return "$over"
}

main() {
  local minutes=${1:-60} model=${2:-passthrough}
  [[ $minutes =~ ^[1-9][0-9]{0,3}$ ]] || die "usage: bench/memory.sh [MINUTES [MODEL]]"
  mkdir -p "$UNBRAID_BUILD"
  FOLDER=$(mktemp -d "$UNBRAID_BUILD/memory.XXXXXX")
  export UNBRAID_STACK_DIR=$FOLDER/stack
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  say "making a track of $minutes minutes"
  make_track "$FOLDER/track.wav" "$minutes"
  "$UNBRAID_ROOT/scripts/stack.sh" up --model "$model" >/dev/null
  eval "$("$UNBRAID_ROOT/scripts/stack.sh" env)"
  "$UNBRAID_ROOT/scripts/stack.sh" pids >"$FOLDER/pids"
  watch &
  WATCHER=$!
  local begin=$SECONDS
  unbraid separate "$FOLDER/track.wav" -o "$FOLDER/out" --model "$model" >&2
  printf 'A track of %d minutes, model %s, %d s.\n\n' "$minutes" "$model" $((SECONDS - begin))
  report
}

main "$@"
