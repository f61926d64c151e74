#!/usr/bin/env bash
# Makes the package of a published model. Usage: models/export.sh NAME [--weights FILE...] [--out DIR]; see models/README.md.
# Installs the Debian packages that it needs, unless UNBRAID_PYTHON names a Python that has torch and torchaudio.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$UNBRAID_ROOT/scripts/lib/packages.sh"

[[ -n ${UNBRAID_PYTHON:-} ]] || packages_install export
export PYTHONPATH=$UNBRAID_ROOT/models${PYTHONPATH:+:$PYTHONPATH}
exec "${UNBRAID_PYTHON:-/usr/bin/python3}" -m unbraid_models.export "$@"
