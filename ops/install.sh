#!/bin/sh
# Makes .venv from the hash-pinned lock. Usage: install.sh PYTHON LOCK STAMP
set -eu
python=$1 lock=$2 stamp=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Guoyuan needs Python 3.11 or later; \`$python\` is $("$python" --version 2>&1)." >&2
    echo "Name another one: make run PYTHON=/path/to/python3.12" >&2
    exit 1
}
digest=$(cksum "$lock" | cut -d ' ' -f 1)
if [ "$(cat .venv/.installed-lock 2>/dev/null || true)" != "$digest" ] || [ ! -x .venv/bin/python ]; then
    echo "Installing the pinned dependencies into .venv (once; a minute or two) …"
    "$python" -m venv .venv || {
        echo "Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv" >&2
        exit 1
    }
    (while sleep 2; do printf . >&2; done) &
    ticker=$!
    trap 'kill "$ticker" 2>/dev/null || true' EXIT INT TERM
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$lock"
    kill "$ticker"
    echo " done." >&2
    echo "$digest" > .venv/.installed-lock
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
touch "$stamp"
