# shellcheck shell=bash
# Shared by every script: where things are, and how a script speaks. Sourced, never run.
# shellcheck disable=SC2034  # read by those who source this

UNBRAID_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
UNBRAID_BUILD=$UNBRAID_ROOT/build
# What shipping binaries are built with; the stack and the tests run these, or those of another folder.
UNBRAID_BIN=${UNBRAID_BIN:-$UNBRAID_BUILD/release/bin}
# The catalogue of a stack, which may be another than the one that the build makes.
UNBRAID_MODELS=${UNBRAID_MODELS:-$UNBRAID_BUILD/models}
# Tools that no Debian package carries.
UNBRAID_TOOLS=$UNBRAID_BUILD/tools

# Messages go to standard error, so that standard output stays free for what a script is asked for.
say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# run_logged FILE COMMAND...: runs a long command with its output in FILE, and shows the end of it when it fails.
run_logged() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    say "error: '$*' failed; all of its output is in $log"
    return 1
  fi
}
