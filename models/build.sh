#!/bin/sh
# Builds model packages into build/models. Usage: models/build.sh [--out DIR] [--cache DIR] [NAME...]
# Needs Debian's python3-torch, python3-numpy, python3-pip and libopenblas0-pthread.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
exec "${UNBRAID_PYTHON:-/usr/bin/python3}" -m unbraid_models.build "$@"
