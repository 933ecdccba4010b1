#!/usr/bin/env bash
# Trains, calibrates, scores and packages the published pipeline, en_bioner_mtl: hours on two cores, minutes on a GPU.
#   bash scripts/published.sh [FOLDER OR MIRROR OF THE CORPORA]
# Run it again to continue after an interruption. SETH, RegEl and CellFinder are not fetched: put their files into assets/real
# as the catalogue says.
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
learnt="published"
tested="NLM-Chem,RegEl,CellFinder,BioID"
train=(--config configs/published.cfg --corpora "$learnt" --corpus corpus/published --gpu-id "${GPU_ID:--1}" --resume)
bioner() { python -m spacy bioner "$@"; }

bioner corpora fetch --corpora "$learnt,$tested" ${1:+--source "$1"}
bioner corpora convert --corpora "$learnt,$tested" --output corpus/all
# All training and development data without test sentences; some are held out, and large corpora are sampled.
bioner corpora combine corpus/published --corpora "$learnt" --corpus corpus/all --tested "$tested" \
    --shares CRAFT=0.5 --empty-shares linnaeus=0.4,JNLPBA=0.5,CRAFT=0.5

# First one head per guideline, so that the encoder learns every corpus by its own rules.
bioner train training/stage-one "${train[@]}" --epochs "${STAGE_ONE_EPOCHS:-1}" \
    --components.multitask_ner.grain guideline --components.multitask_ner.model.guideline_rank 0 \
    --components.multitask_ner.task_weights '{}'
# Then one head per type, with guideline corrections, on that encoder.
bioner train training/stage-two "${train[@]}" --epochs "${STAGE_TWO_EPOCHS:-3}" \
    --vars.init_from training/stage-one/model-last --initialize.after_init.components '["transformer"]' \
    --training.before_to_disk.weights int8

bioner calibrate training/stage-two/model-last training/published --corpora "$learnt" --corpus corpus/published \
    --ents-types VARIANT,GENE,PROTEIN,RNA,DNA,DISEASE,CHEMICAL,SPECIES,CELL_LINE,CELL_TYPE,ANATOMY
bioner evaluate training/published --corpora "$learnt" --corpus corpus/all --output reports/published/guideline.json
bioner evaluate training/published --corpora "$learnt,$tested" --corpus corpus/all --no-guideline \
    --output reports/published/plain.json
bioner package training/published --name bioner_mtl --version "${VERSION:-0.2.1}" --weights int8 --folder models \
    --results reports/published/guideline.json --unnamed reports/published/plain.json --notes models/limits.md
