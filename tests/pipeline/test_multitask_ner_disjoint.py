"""What mentions of disjoint types teach in the component."""

from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from toy_corpora import CNN

from bioner_spacy.pipeline.gold import collect_gold
from bioner_spacy.scope import set_gold
from bioner_spacy.tasks import make_tasks

TOKENS = ["STAT3", "binds", "in", "mice"]
LABEL_DATA = {"genes": {"GENE"}, "drugs": {"CHEMICAL", "DISEASE"}}
DISJOINT = {"GENE": ["CHEMICAL", "SPECIES"]}


def example(corpus: str = "genes", *mentions: tuple[int, int, str]) -> Example:
    vocab = spacy.blank("en").vocab
    predicted, reference = Doc(vocab, words=TOKENS), Doc(vocab, words=TOKENS)
    spans = [Span(reference, *mention) for mention in mentions]
    set_gold(reference, spans, corpus=corpus, scope=LABEL_DATA[corpus])
    return Example(predicted, reference)


def barred(disjoint: Any, *examples: Example, grain: str = "type") -> Any:
    tasks = make_tasks(LABEL_DATA, grain)
    spans = collect_gold(examples, tasks, "bioner", disjoint=disjoint)[0].barred
    rows = zip(spans.starts, spans.ends, spans.tasks, spans.types)
    return [(start, end, tasks[k].name, tasks[k].types[i]) for start, end, k, i in rows]


def test_mentions_bar_disjoint_types_that_the_document_does_not_supervise() -> None:
    gene = example("genes", (0, 1, "GENE"))
    assert barred({}, gene) == []
    assert barred(DISJOINT, gene) == [(0, 1, "CHEMICAL", "CHEMICAL")]
    assert barred(DISJOINT, example("drugs", (0, 1, "CHEMICAL"))) == []
    assert barred(DISJOINT, gene, example("genes", (1, 3, "GENE")))[1][:2] == (5, 7)
    assert barred(DISJOINT, gene, grain="corpus") == [(0, 1, "drugs", "CHEMICAL")]


def test_a_supervised_type_is_not_barred() -> None:
    assert barred({"CHEMICAL": ["DISEASE"]}, example("drugs", (0, 1, "CHEMICAL"))) == []


def test_what_is_said_of_a_corpus_goes_before_what_is_said_of_the_type() -> None:
    gene = example("genes", (0, 1, "GENE"))
    assert barred({**DISJOINT, "genes$GENE": []}, gene) == []
    assert barred({**DISJOINT, "genes$GENE": ["DISEASE"]}, gene) == [(0, 1, "DISEASE", "DISEASE")]


@pytest.mark.parametrize("crf", [True, False])
def test_disjoint_types_lower_the_probability_of_wrong_mentions(crf: bool) -> None:
    nlp = spacy.blank("en")
    examples = [example("genes", (0, 1, "GENE")), example("drugs", (0, 1, "CHEMICAL"))]
    model = {"@architectures": "bioner_spacy.TagHeads.v1", "dropout": 0.0, "crf": crf, "tok2vec": CNN}
    losses = {}
    for name, disjoint in {"plain": {}, "disjoint": DISJOINT}.items():
        component: Any = nlp.add_pipe("multitask_ner", name, config={"model": model, "disjoint": disjoint})
        component.initialize(lambda: examples, nlp=nlp)
        scores, _ = component.model.begin_update(component.make_batch(examples[:1]))
        loss, gradient = component.get_loss(examples[:1], scores)
        chemical = [i for i, column in enumerate(component._formulation.columns) if column[0] == "CHEMICAL"]
        losses[name] = loss, gradient[:, chemical]
    assert not losses["plain"][1].any()
    assert losses["disjoint"][1][0].any()
    # O becomes more probable where the gene is.
    assert losses["disjoint"][1][0, 0] < 0
