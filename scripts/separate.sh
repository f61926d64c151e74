#!/usr/bin/env bash
# Takes a song apart on this machine: installs what is missing, builds, starts everything, separates, stops everything.
#
#   scripts/separate.sh [SONG [OUT]] [-- OPTIONS OF `unbraid separate`...]
#
# Leaves OUT/{vocals,drums,bass,other,mix}.wav; OUT is stems/<name of the song> by default. Without SONG it takes a freely
# licensed one from a Debian package. The exit status is that of `unbraid separate`.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"
. "$UNBRAID_ROOT/scripts/lib/build.sh"

EXIT_BAD_INPUT=3

# Reads the arguments into SONG, OUT and OPTIONS.
parse() {
  local words=()
  while (($# > 0)) && [[ $1 != -- ]]; do
    words+=("$1")
    shift
  done
  (($# == 0)) || shift
  OPTIONS=("$@")
  ((${#words[@]} <= 2)) || die "usage: scripts/separate.sh [SONG [OUT]] [-- OPTIONS]"
  SONG=${words[0]:-}
  local name=demo
  if [[ -n $SONG ]]; then
    name=$(basename -- "$SONG")
    name=${name%.*}
  fi
  OUT=${words[1]:-stems/$name}
}

# What can go wrong for want of a file or a folder is found before anything is installed or built.
check() {
  if [[ -n $SONG && (! -f $SONG || ! -r $SONG) ]]; then
    say "error: there is no readable file $SONG"
    exit "$EXIT_BAD_INPUT"
  fi
  if ! mkdir -p -- "$OUT" || [[ ! -w $OUT ]]; then
    say "error: the folder $OUT cannot be written to"
    exit "$EXIT_BAD_INPUT"
  fi
}

# shellcheck disable=SC2317  # called by the trap
stop() {
  "$UNBRAID_ROOT/scripts/stack.sh" down || true
  rm -rf -- "$UNBRAID_STACK_DIR"
}

main() {
  parse "$@"
  check
  packages_install build run
  build_stack
  build_models
  [[ -n $SONG ]] || SONG=$("$UNBRAID_ROOT/scripts/demo-song.sh")
  UNBRAID_STACK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/unbraid-separate.XXXXXX")
  export UNBRAID_STACK_DIR
  # The broker's own user must get to its folder.
  chmod 711 "$UNBRAID_STACK_DIR"
  trap stop EXIT
  # Ctrl-C goes to `unbraid` as well, which cancels the separation; this script then cleans up.
  trap 'exit 130' INT TERM
  "$UNBRAID_ROOT/scripts/stack.sh" up >/dev/null
  eval "$("$UNBRAID_ROOT/scripts/stack.sh" env)"
  local status=0
  unbraid separate "$SONG" -o "$OUT" "${OPTIONS[@]}" || status=$?
  exit "$status"
}

main "$@"
