#!/usr/bin/env bash
# Takes a song apart on this machine: installs what is missing, builds, starts everything, separates, stops everything.
#
#   scripts/separate.sh [SONG [OUT]] [-- OPTIONS OF `unbraid separate`...]
#
# Leaves OUT/{vocals,drums,bass,other,mix}.wav; OUT is stems/<name of the song> by default. Without SONG it takes a freely licensed
# one from a Debian package. The exit status is that of `unbraid separate`.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$ROOT/scripts/lib/packages.sh"

arguments=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  arguments+=("$1")
  shift
done
[ $# -eq 0 ] || shift
[ "${#arguments[@]}" -le 2 ] || die "usage: scripts/separate.sh [SONG [OUT]] [-- OPTIONS]"
song=${arguments[0]:-}

# What can go wrong later for want of a file or a folder is found before anything is installed or built.
if [ -n "$song" ]; then
  [ -f "$song" ] && [ -r "$song" ] || { say "error: there is no readable file $song"; exit 3; }
  name=$(basename -- "$song")
  name=${name%.*}
else
  name=demo
fi
out=${arguments[1]:-stems/$name}
mkdir -p -- "$out" && [ -w "$out" ] || { say "error: the folder $out cannot be written to"; exit 3; }

export UNBRAID_STACK_DIR
UNBRAID_STACK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/unbraid-separate.XXXXXX")
stop() {
  "$ROOT/scripts/stack.sh" down || true
  rm -rf -- "$UNBRAID_STACK_DIR"
}
trap stop EXIT
# The command itself takes Ctrl-C, and cancels; this script then cleans up.
trap ':' INT TERM

"$ROOT/scripts/stack.sh" up
[ -n "$song" ] || song=$("$ROOT/scripts/demo-song.sh")
eval "$("$ROOT/scripts/stack.sh" env)"
status=0
unbraid separate "$song" -o "$out" "$@" || status=$?
exit "$status"
