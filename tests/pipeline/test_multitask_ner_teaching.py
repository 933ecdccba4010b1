"""What teachers teach in the component: heads of other corpora, by how much, and nothing at all."""

from pathlib import Path
from typing import Any

import numpy
import pytest
from spacy.language import Language
from spacy.training import Example
from thinc.api import set_dropout_rate
from toy_corpora import (
    HEADS,
    blank_nlp,
    component,
    make_nlp,
    output_names,
    train,
    update,
    write_corpora,
)
from toy_teachers import write_teacher

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.training.corpora import MultiCorpus
from bioner_spacy.training.distillation import write_soft_targets
from bioner_spacy.training.soft_targets import TARGETS_KEY


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora that teachers of two of the three have read."""
    folder = write_corpora(tmp_path_factory.mktemp("taught") / "corpus")
    teachers = {}
    for corpus in ("diseases", "genes"):
        teachers[corpus] = write_teacher(folder.parent / corpus, corpus)
    write_soft_targets(teachers, folder)
    return folder


def student(
    corpora: Path, teachers: Any = "auto", *, heads: str = "cnn", **settings: Any
) -> tuple[Language, list[Example]]:
    nlp = make_nlp(heads, **settings)
    examples = list(MultiCorpus(corpora, soft_targets=teachers)(nlp))
    train(nlp, examples, steps=0)
    set_dropout_rate(component(nlp).model, 0.0)
    return nlp, examples


def gradient(nlp: Language, examples: list[Example], task: str) -> Any:
    """Gradient of the scores of a task."""
    ner = component(nlp)
    batch = ner.make_batch(examples)
    _, d_scores = ner._loss(ner.model.predict(batch), batch)
    return d_scores[:, [i for i, name in enumerate(output_names(nlp)) if name[0] == task]]


def of_corpus(examples: list[Example], corpus: str) -> list[Example]:
    return [example for example in examples if example.predicted._.guideline == corpus]


def test_settings_at_0_change_nothing_at_all(corpora: Path) -> None:
    taught = student(corpora)
    plain = student(corpora, None)
    for task in ("CHEMICAL", "DISEASE", "GENE"):
        assert (gradient(*taught, task) == gradient(*plain, task)).all()


def test_heads_learn_from_documents_that_do_not_annotate_their_task(corpora: Path) -> None:
    nlp, examples = student(corpora, teach_across=1.0)
    genes = of_corpus(examples, "genes")
    assert gradient(nlp, genes, "DISEASE").any()
    half, _ = student(corpora, teach_across=0.5)
    assert gradient(half, genes, "DISEASE") == pytest.approx(gradient(nlp, genes, "DISEASE") / 2, abs=1e-6)
    assert (gradient(half, genes, "GENE") == gradient(nlp, genes, "GENE")).all()
    without, _ = student(corpora)
    assert not gradient(without, genes, "DISEASE").any()
    assert (gradient(without, genes, "GENE") == gradient(nlp, genes, "GENE")).all()


def test_documents_that_no_teacher_has_read_teach_other_heads_nothing(corpora: Path) -> None:
    nlp, examples = student(corpora, teach_across=1.0, teach_scope=1.0)
    genes = of_corpus(examples, "genes")
    kept = [example.reference.user_data.pop(TARGETS_KEY) for example in genes]
    assert not gradient(nlp, genes, "DISEASE").any() and gradient(nlp, genes, "GENE").any()
    for example, taught in zip(genes, kept):
        example.reference.user_data[TARGETS_KEY] = taught
    other = blank_nlp()
    other.tokenizer.add_special_case("cancer", [{"ORTH": "can"}, {"ORTH": "cer"}])  # type: ignore[union-attr]
    again = [Example(other.make_doc(example.text), example.reference) for example in genes[:1]]
    assert not gradient(nlp, again, "DISEASE").any() and gradient(nlp, genes[:1], "DISEASE").any()


def test_in_the_scope_teachers_give_way_to_gold(corpora: Path) -> None:
    nlp, examples = student(corpora, teach_scope=1.0)
    plain, _ = student(corpora)
    diseases = of_corpus(examples, "diseases")
    of_gold, of_teachers = gradient(plain, diseases, "DISEASE"), gradient(nlp, diseases, "DISEASE")
    assert (of_gold != of_teachers).any()
    component(nlp).annealing = 0.25
    mixed = gradient(nlp, diseases, "DISEASE")
    assert mixed == pytest.approx(0.25 * of_gold + 0.75 * of_teachers, abs=1e-6)
    component(nlp).annealing = 1.0
    assert (gradient(nlp, diseases, "DISEASE") == of_gold).all()
    assert not gradient(nlp, diseases, "GENE").any()


def test_a_student_of_teachers_alone_finds_what_they_find(corpora: Path) -> None:
    """The gold of diseases is never shown: texts about genes are read with a teacher of diseases."""
    nlp = make_nlp(teach_across=1.0, types=["DISEASE", "GENE"])
    examples = of_corpus(list(MultiCorpus(corpora, soft_targets="diseases,genes")(nlp)), "genes")
    component(nlp).add_label("DISEASE", "diseases")
    optimizer = nlp.initialize(lambda: examples)
    update(nlp, examples, optimizer, steps=60)
    doc = nlp("The BRCA1 gene is mutated in breast cancer .")
    assert ("breast cancer", "DISEASE") in {(span.text, span.label_) for span in doc.spans["bioner"]}


def test_missing_teachers_are_reported(corpora: Path) -> None:
    with pytest.raises(BionerError, match="No training document has soft targets for the component multitask_ner"):
        student(corpora, None, teach_across=0.5)
    with pytest.warns(
        BionerWarning, match="No teacher knows the tasks CHEMICAL, DISEASE, so they learn from gold alone"
    ):
        student(corpora, "genes", teach_scope=0.5)


def test_heads_with_cross_sharing_are_taught_likewise(corpora: Path) -> None:
    nlp, examples = student(corpora, heads="cnn with cross sharing", teach_across=1.0)
    genes = of_corpus(examples, "genes")
    assert gradient(nlp, genes, "DISEASE").any() and component(nlp).has_tags
    assert not gradient(nlp, genes, "CHEMICAL").any()


@pytest.mark.parametrize("heads", [name for name in HEADS if "cross" not in name])
def test_other_heads_refuse_teachers_in_one_sentence(heads: str) -> None:
    for setting in ("teach_scope", "teach_across"):
        with pytest.raises(BionerError, match=f"Setting {setting} of the component multitask_ner is above 0"):
            make_nlp(heads, **{setting: 0.5})


@pytest.mark.parametrize("value", [-0.1, 1.1, "half"])
def test_settings_are_shares(value: Any) -> None:
    with pytest.raises((BionerError, ValueError)):
        make_nlp(teach_scope=value)


def test_transitions_of_nothing(corpora: Path) -> None:
    nlp, _ = student(corpora)
    assert component(nlp).transitions([], most=0.95) == []
    assert component(nlp).transitions([nlp.make_doc("")], most=0.95) == []
    assert numpy.concatenate([p for _, p in component(nlp).transitions([nlp.make_doc("a b")], most=1.1)]).shape == (
        6,
        3,
        3,
    )
