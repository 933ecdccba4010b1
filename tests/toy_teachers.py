"""Single-task pipelines of the toy corpora that know more than these annotate, to teach with."""

from pathlib import Path

from spacy.training import Example
from toy_corpora import BRCA1, gold_doc, make_examples, make_nlp, train


def write_teacher(folder: Path, corpus: str) -> Path:
    """Write a pipeline that has learnt a corpus by heart; that of diseases also knows breast cancer in a text about genes."""
    nlp = make_nlp()
    examples = make_examples(nlp, [corpus])
    if corpus == "diseases":
        reference = gold_doc(nlp, (BRCA1[0], [("breast cancer", "DISEASE")]), corpus, ["DISEASE"])
        examples.append(Example(nlp.make_doc(BRCA1[0]), reference))
    train(nlp, examples, steps=80, rate=0.005)
    folder.mkdir(parents=True)
    nlp.to_disk(folder)
    return folder
