#!/usr/bin/env bash
# Makes a song with a free licence (MIT) out of a Debian package, and prints its path.
#
#   scripts/demo-song.sh [SECONDS]
#
# The package fretsonfire-songs-sectoid holds songs with the guitar apart; their sum is the song.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

songs=/usr/share/games/fretsonfire/data/songs/sectoid
[ -d "$songs" ] || die "the Debian package fretsonfire-songs-sectoid is not installed"
target=$UNBRAID_BUILD/cache/demo${1:+-$1}.wav
if [ ! -e "$target" ]; then
  mkdir -p "$(dirname "$target")"
  /usr/bin/python3 - "$songs/Metal madness" "$target" "${1:-}" <<'PYTHON'
import os, sys
import soundfile
folder, target, seconds = sys.argv[1:]
song, rate = soundfile.read(f"{folder}/song.ogg", dtype="float32", always_2d=True)
guitar, _ = soundfile.read(f"{folder}/guitar.ogg", dtype="float32", always_2d=True)
frames = min(len(song), len(guitar))
if seconds:
    # From the middle, where everybody plays.
    wanted = int(float(seconds) * rate)
    begin = max(0, (frames - wanted) // 2)
    song, guitar = song[begin:begin + wanted], guitar[begin:begin + wanted]
    frames = len(song)
soundfile.write(target + ".tmp.wav", 0.5 * (song[:frames] + guitar[:frames]), rate, subtype="PCM_16")
os.rename(target + ".tmp.wav", target)
PYTHON
fi
echo "$target"
