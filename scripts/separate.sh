#!/usr/bin/env bash
# Takes a song apart on this machine: installs what is missing, builds, starts everything, separates, stops everything.
#
#   scripts/separate.sh [SONG [OUT]] [-- OPTIONS OF `unbraid separate`...]
#
# Leaves OUT/{vocals,drums,bass,other,mix}.wav, or the format of `--format`; OUT is stems/<name of the song> by default.
# Without SONG it takes a freely licensed one from a Debian package. The exit status is that of `unbraid separate`.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"
. "$UNBRAID_ROOT/scripts/lib/build.sh"

EXIT_USAGE=2
EXIT_BAD_INPUT=3

# Reads the arguments into SONG, OUT, OPTIONS, and into MODELS what the workers must be able to compute.
parse() {
  local words=()
  while (($# > 0)) && [[ $1 != -- ]]; do
    if [[ $1 == -h || $1 == --help ]]; then
      sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
    fi
    words+=("$1")
    shift
  done
  (($# == 0)) || shift
  OPTIONS=("$@")
  if ((${#words[@]} > 2)); then
    say "usage: scripts/separate.sh [SONG [OUT]] [-- OPTIONS OF 'unbraid separate'...]"
    exit "$EXIT_USAGE"
  fi
  SONG=${words[0]:-}
  local name=demo
  if [[ -n $SONG ]]; then
    name=$(basename -- "$SONG")
    # A name that is all extension keeps it: the folder needs a name.
    [[ ${name%.*} == '' ]] || name=${name%.*}
  fi
  OUT=${words[1]:-stems/$name}
  parse_models "$@"
}

parse_models() {
  MODELS=()
  while (($# > 0)); do
    case $1 in
      --model) [[ -z ${2:-} ]] || MODELS=(--model "$2") ;;
      --model=*) MODELS=(--model "${1#--model=}") ;;
    esac
    shift
  done
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

# Stops everything, whatever has happened. What the services wrote is kept where something failed.
finish() {
  local status=$?
  trap '' INT TERM HUP
  "$UNBRAID_ROOT/scripts/stack.sh" down || true
  if ((status == 0 || status == EXIT_BAD_INPUT || status == 130 || status == 143)); then
    rm -rf -- "$UNBRAID_STACK_DIR"
  else
    say "the services' logs are in $UNBRAID_STACK_DIR/log"
  fi
  exit "$status"
}

# Runs `unbraid separate` so that a signal to this script reaches it at once: bash handles a signal only between
# commands, or in `wait`. A background command would ignore Ctrl-C, hence `env`.
separate() {
  local child status=0
  env --default-signal=INT unbraid separate "$SONG" -o "$OUT" "${OPTIONS[@]}" &
  child=$!
  trap 'kill -INT "$child" 2>/dev/null || true' INT
  trap 'kill -TERM "$child" 2>/dev/null || true' TERM HUP
  wait "$child" || status=$?
  while kill -0 "$child" 2>/dev/null; do
    status=0
    wait "$child" || status=$?
  done
  return "$status"
}

main() {
  parse "$@"
  check
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  packages_install build run
  build_stack
  build_models
  [[ -n $SONG ]] || SONG=$("$UNBRAID_ROOT/scripts/demo-song.sh")
  UNBRAID_STACK_DIR=$(mktemp -d "$UNBRAID_BUILD/separate.XXXXXX")
  export UNBRAID_STACK_DIR
  trap finish EXIT
  say "starting the services"
  "$UNBRAID_ROOT/scripts/stack.sh" up "${MODELS[@]}" >/dev/null
  eval "$("$UNBRAID_ROOT/scripts/stack.sh" env)"
  separate
}

main "$@"
