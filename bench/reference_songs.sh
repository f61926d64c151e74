#!/usr/bin/env bash
# Takes three whole real songs apart twice, with a stack of services and with unbraid-reference in one process, and
# compares every file byte for byte. Prints a Markdown table; fails when a file differs.
#
#   bench/reference_songs.sh [WORKERS [MODEL]]        2 workers and unbraid-4 by default
#
# Needs a build (scripts/test.sh) and the Debian package fretsonfire-songs-sectoid; about 1.5 GB of disk.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"

SONGS=("/usr/share/games/fretsonfire/data/songs/sectoid/Escape from chaosland"
  "/usr/share/games/fretsonfire/data/songs/sectoid/Feelings"
  "/usr/share/games/fretsonfire/data/songs/sectoid/War of freedom")

# make_song FOLDER TARGET: the sum of its tracks, at half level; prints its length in seconds.
make_song() {
  /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import sys
import soundfile

folder, target = sys.argv[1:]
song, rate = soundfile.read(f"{folder}/song.ogg", dtype="float32", always_2d=True)
guitar, _ = soundfile.read(f"{folder}/guitar.ogg", dtype="float32", always_2d=True)
frames = min(len(song), len(guitar))
soundfile.write(target, 0.5 * (song[:frames] + guitar[:frames]), rate, subtype="PCM_16")
print(frames // rate)
PYTHON
}

# shellcheck disable=SC2317  # called by the trap
finish() {
  "$UNBRAID_ROOT/scripts/stack.sh" down || true
  rm -rf -- "$FOLDER"
}

# compare_outputs: prints how many files of the reference there are, and names those that differ.
compare_outputs() {
  local file name same=0 all=0 different=''
  for file in "$FOLDER"/reference/*.wav; do
    name=$(basename "$file" .wav)
    all=$((all + 1))
    if cmp -s "$file" "$FOLDER/distributed/$name.wav"; then same=$((same + 1)); else different+=" $name"; fi
  done
  printf '%d of %d%s' "$same" "$all" "${different:+, not$different}"
  ((same == all && all > 0))
}

# compare_song FOLDER MODEL: prints a row of the table; fails when a file differs.
compare_song() {
  local seconds begin distributed reference result status=0
  local options=(--format wav --sample-format f32 --residual)
  rm -rf -- "$FOLDER/distributed" "$FOLDER/reference"
  seconds=$(make_song "$1" "$FOLDER/song.wav")
  begin=$SECONDS
  unbraid separate "$FOLDER/song.wav" -o "$FOLDER/distributed" --model "$2" "${options[@]}" >&2
  distributed=$((SECONDS - begin)) begin=$SECONDS
  "$UNBRAID_BIN/unbraid-reference" --model "$UNBRAID_MODELS/$2" "${options[@]}" "$FOLDER/song.wav" "$FOLDER/reference"
  reference=$((SECONDS - begin))
  result=$(compare_outputs) || status=1
  printf '| %s | %d | %d | %d | %s |\n' "$(basename "$1")" "$seconds" "$distributed" "$reference" "$result"
  return "$status"
}

main() {
  local workers=${1:-2} model=${2:-unbraid-4} song status=0
  [[ $workers =~ ^[1-9][0-9]{0,2}$ ]] || die "usage: bench/reference_songs.sh [WORKERS [MODEL]]"
  [[ -d ${SONGS[0]} ]] || die "the Debian package fretsonfire-songs-sectoid is not installed"
  [[ -x $UNBRAID_BIN/unbraid-reference ]] || die "unbraid-reference is not built; scripts/test.sh builds it"
  mkdir -p "$UNBRAID_BUILD"
  FOLDER=$(mktemp -d "$UNBRAID_BUILD/reference.XXXXXX")
  export UNBRAID_STACK_DIR=$FOLDER/stack
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  "$UNBRAID_ROOT/scripts/stack.sh" up --workers "$workers" --model "$model" >/dev/null
  eval "$("$UNBRAID_ROOT/scripts/stack.sh" env)"
  printf '| song | length, s | %d workers, s | one process, s | files with the same bytes |\n' "$workers"
  printf '|---|---:|---:|---:|---|\n'
  for song in "${SONGS[@]}"; do compare_song "$song" "$model" || status=1; done
  return "$status"
}

main "$@"
