#!/usr/bin/env bash
# Makes a song with a free licence (MIT) out of a Debian package, and prints its path.
#
#   scripts/demo-song.sh [SECONDS]
#
# The package fretsonfire-songs-sectoid holds songs with the guitar apart; their sum is the song. With SECONDS, it is a cut
# from the middle, where everybody plays.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

SONG_FOLDER="/usr/share/games/fretsonfire/data/songs/sectoid/Metal madness"

# make_song TARGET SECONDS: the file appears whole or not at all, also when two do it at once.
make_song() {
  mkdir -p "$(dirname "$1")"
  /usr/bin/python3 - "$SONG_FOLDER" "$1" "$2" <<'PYTHON'
import os
import sys
import soundfile

folder, target, seconds = sys.argv[1:]
song, rate = soundfile.read(f"{folder}/song.ogg", dtype="float32", always_2d=True)
guitar, _ = soundfile.read(f"{folder}/guitar.ogg", dtype="float32", always_2d=True)
frames = min(len(song), len(guitar))
wanted = min(frames, int(float(seconds) * rate)) if seconds else frames
begin = (frames - wanted) // 2
whole = 0.5 * (song[begin:begin + wanted] + guitar[begin:begin + wanted])
part = f"{target}.{os.getpid()}.wav"
soundfile.write(part, whole, rate, subtype="PCM_16")
os.rename(part, target)
PYTHON
}

main() {
  local seconds=${1:-}
  local target=$UNBRAID_BUILD/cache/demo${seconds:+-$seconds}.wav
  [[ -z $seconds || $seconds =~ ^[0-9]+$ ]] || die "usage: scripts/demo-song.sh [SECONDS]"
  [[ -d $SONG_FOLDER ]] || die "the Debian package fretsonfire-songs-sectoid is not installed"
  [[ -e $target ]] || make_song "$target" "$seconds"
  printf '%s\n' "$target"
}

main "$@"
