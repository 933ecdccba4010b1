#!/usr/bin/env bash
# Everything that CI checks. Arguments go to pytest, such as: bash scripts/test.sh -m "not slow"
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
ruff check .
ruff format --check .
mypy
lint-imports
# One single-threaded process per core.
OMP_NUM_THREADS=1 python -m pytest --numprocesses auto --dist loadfile "$@"
echo "All checks passed in $VIRTUAL_ENV."
