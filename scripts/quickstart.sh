#!/usr/bin/env bash
# The published pipeline on a few abstracts; then everything on the sample corpora: train, score, compare, package, draw.
# Arguments go to `spacy project run all`: bash scripts/quickstart.sh --vars.dataset benchmark
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
python -m pip install --quiet --constraint constraints.txt ./models/en_bioner_mtl
python -m spacy bioner show en_bioner_mtl assets/abstracts/abstracts.jsonl --output reports/abstracts.html
python -m spacy project run all . "$@"
echo "Done: entities of the abstracts are drawn in $(pwd)/reports/abstracts.html; scores, chart and page of the sample corpora"
echo "are in $(pwd)/reports, wheels in $(pwd)/packages, pipelines in $(pwd)/training."
