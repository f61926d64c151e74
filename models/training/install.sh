#!/usr/bin/env bash
# Installs what rendering and training need beside the packages of the build: the sounds that models/training/sources.py lists,
# FluidSynth and SciPy, and a torch that trains in bfloat16 in a virtual environment. Usage: models/training/install.sh [VENV]
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
. "$UNBRAID_ROOT/scripts/lib/packages.sh"

main() {
  local venv=${1:-$UNBRAID_BUILD/training/venv}
  packages_install build training
  if [[ ! -x $venv/bin/python ]]; then
    say "making the virtual environment $venv"
    /usr/bin/python3 -m venv "$venv"
  fi
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-virtualenv \
    -r "$UNBRAID_ROOT/models/training/requirements.txt"
  say "ready: $venv/bin/python"
}

main "$@"
