#!/bin/sh
# Builds .venv from the hash-pinned lock. Usage: deploy/bootstrap.sh runtime|dev [VENV] [PYTHON]
# Needs python3 and pip only: uv is taken from PATH or from .uv/, or installed there; where uv cannot reach the
# package registry, pip does the same work more slowly.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-dev} venv=${2:-.venv} python=${3:-python3}
ls "$venv"/.installed-dev-* >/dev/null 2>&1 && kind=dev   # never take a developer's tools away
case $kind in
runtime) lock=deploy/requirements.txt ;;
dev) lock=deploy/requirements-dev.txt ;;
*) echo "usage: $0 runtime|dev [VENV] [PYTHON]" >&2; exit 2 ;;
esac
# The lock, and what an editable install takes from pyproject.toml: not the settings of linters.
fingerprint=$( (cat "$lock"; sed -n '/^\[build-system\]/,/^\[dependency-groups\]/p' pyproject.toml) | cksum | tr ' ' -)
[ -f "$venv/.installed-$kind-$fingerprint" ] && exit 0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
export UV_SYSTEM_CERTS=1
unset VIRTUAL_ENV
find_uv() {
    if [ -x .uv/bin/uv ]; then echo .uv/bin/uv; return; fi
    if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
    "$python" -m pip install --quiet --disable-pip-version-check --target .uv uv >/dev/null 2>&1 && [ -x .uv/bin/uv ] && echo .uv/bin/uv
}
with_uv() {
    uv=$(find_uv) && [ -n "$uv" ] || return 1
    "$uv" venv --quiet --allow-existing --python "$python" "$venv" &&
        "$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes "$lock" &&
        "$uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable .
}
with_pip() {
    echo "uv is not usable here; installing with pip, which takes about a minute ..." >&2
    "$python" -m venv --without-pip --clear "$venv" &&
        "$python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check --require-hashes -r "$lock" &&
        "$python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check --no-deps --editable .
}
echo "Preparing $venv ($kind) ..." >&2
with_uv || with_pip
rm -f "$venv"/.installed-*
: >"$venv/.installed-$kind-$fingerprint"
