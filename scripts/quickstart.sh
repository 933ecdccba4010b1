#!/usr/bin/env bash
# The main job, end to end, on the sample corpora: train, score, compare, package, draw.
# Arguments go to `spacy project run all`, such as: bash scripts/quickstart.sh --vars.dataset benchmark
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
python -m spacy project run all . "$@"
echo "Done: scores, chart and page are in $(pwd)/reports, wheels in $(pwd)/packages, pipelines in $(pwd)/training."
