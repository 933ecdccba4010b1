"""Teachers that predict training documents, the reader that hands this on, and the way back to gold."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from spacy.tokens import DocBin
from toy_corpora import CORPORA, blank_nlp, component, make_examples, make_nlp, train, update, write_corpora
from toy_teachers import write_teacher

from bioner_spacy.docbin import load_docs
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.layers.encoder.shim import evenly_spaced
from bioner_spacy.tasks import Task
from bioner_spacy.training import distillation
from bioner_spacy.training.batching import MultiCorpusBatcher
from bioner_spacy.training.corpora import MultiCorpus
from bioner_spacy.training.distillation import (
    name_teachers,
    predict_targets,
    shrink,
    teacher_annealing,
    write_soft_targets,
)
from bioner_spacy.training.soft_targets import TARGETS_KEY

DISEASE, GENE = Task("DISEASE", ("DISEASE",)), Task("GENE", ("GENE",))


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pipelines for diseases and for genes, and one that cannot teach."""
    folder = tmp_path_factory.mktemp("single")
    for corpus in ("diseases", "genes"):
        write_teacher(folder / corpus / "model-last", corpus)
    without = make_nlp("cnn without crf")
    train(without, make_examples(without, ["genes"]), steps=0)
    without.to_disk(folder / "without")
    return folder


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    return write_corpora(tmp_path / "corpus")


def both(teachers: Path) -> list[Path]:
    return [teachers / "diseases" / "model-last", teachers / "genes" / "model-last"]


def test_every_teacher_reads_every_training_corpus_once(
    teachers: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_soft_targets(both(teachers), corpora)
    expected = {f"{corpus}/train.{name}.soft.safetensors" for corpus in CORPORA for name in ("diseases", "genes")}
    assert {file.relative_to(corpora).as_posix() for file in files} == expected
    assert not list(corpora.glob("*/devel.*.safetensors"))
    monkeypatch.setattr(distillation, "load_model", None)
    assert write_soft_targets(both(teachers), corpora) == files  # nothing is loaded, as nothing has changed
    monkeypatch.undo()
    (corpora / "genes" / "train.spacy").write_bytes((corpora / "drugs" / "train.spacy").read_bytes())
    with pytest.raises(BionerError, match="made for other documents"):
        list(MultiCorpus(corpora, "genes", soft_targets="auto", exclude=None)(blank_nlp()))
    write_soft_targets(both(teachers), corpora, ["genes"])
    list(MultiCorpus(corpora, "genes", soft_targets="auto", exclude=None)(blank_nlp()))


def test_what_is_stored_is_what_the_teacher_predicts(teachers: Path, corpora: Path) -> None:
    nlp = spacy.load(teachers / "diseases" / "model-last")
    docs = load_docs(corpora / "genes" / "train.spacy", nlp.vocab)
    targets = predict_targets(nlp, docs, "genes")
    assert targets.lengths.tolist() == [len(doc) for doc in docs] and targets.known.all()
    [task] = targets.tasks
    assert (task.types, task.corpora) == (("DISEASE",), ("diseases",))
    starts = task.transitions[:, :, 1].sum(axis=1)
    begins = {int(token) for token, p in zip(task.tokens, starts) if p > 0.5}
    base = numpy.cumsum(targets.lengths) - targets.lengths
    predicted = list(nlp.pipe([doc.text for doc in docs]))
    assert begins == {int(base[d]) + span.start for d, doc in enumerate(predicted) for span in doc.spans["bioner"]}
    assert 6 in begins  # breast cancer, in a sentence about a gene
    assert len(task.tokens) < targets.lengths.sum()


def test_batches_make_no_difference(teachers: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.load(teachers / "genes" / "model-last")
    docs = load_docs(corpora / "genes" / "train.spacy", nlp.vocab)
    whole = predict_targets(nlp, docs, "genes").tasks[0]
    monkeypatch.setattr(distillation, "_BATCH_TOKENS", 1)
    parts = predict_targets(nlp, docs, "genes").tasks[0]
    assert (whole.tokens == parts.tokens).all()
    numpy.testing.assert_allclose(whole.transitions.astype("f"), parts.transitions.astype("f"), atol=2e-3)


def test_records_that_are_tokenised_otherwise_are_not_taught(teachers: Path, corpora: Path) -> None:
    nlp = spacy.load(teachers / "genes" / "model-last")
    plain = spacy.blank("en")
    plain.tokenizer.add_special_case("BRCA1", [{"ORTH": "BR"}, {"ORTH": "CA1"}])  # type: ignore[union-attr]
    docs = [plain.make_doc(text) for text, _ in CORPORA["genes"][1]]
    with pytest.warns(BionerWarning, match="records of the corpus genes are tokenised differently"):
        targets = predict_targets(nlp, docs, "genes")
    assert not targets.known[0] and targets.lengths.tolist() == [len(doc) for doc in docs]


def test_mistakes_are_reported_in_one_sentence(teachers: Path, corpora: Path, tmp_path: Path) -> None:
    one = teachers / "genes" / "model-last"
    for arguments, message in (
        (([one], corpora, ["genes"], "devel"), "for the split train alone"),
        (([one], corpora, ["genes"], "test"), "for the split train alone"),
        (([teachers / "without"], corpora), "cannot teach"),
        (([tmp_path], corpora), "holds no trained pipeline"),
        (([one, one], corpora), "Two teachers have the name 'genes'"),
        (({"a/b": one}, corpora, ["genes"]), "The teacher's name 'a/b'"),
        (([one], corpora, ["planets"]), "Corpus planets has no converted split train"),
        (([one], tmp_path / "nowhere"), "holds no <corpus>/train.spacy"),
    ):
        split = {"split": arguments[3]} if len(arguments) > 3 else {}
        with pytest.raises(BionerError, match=message):
            write_soft_targets(*arguments[:3], **split)  # type: ignore[arg-type]
    assert not list(corpora.rglob("*.safetensors"))


def test_names_of_teachers() -> None:
    found = name_teachers(["single/genes/model-best", "single/drugs", "mine=other/genes/model-last", "model-last"])
    assert list(found)[:3] == ["genes", "drugs", "mine"] and found["mine"] == Path("other/genes/model-last")


def said(example: Any, task: Task, *, supervised: bool = False) -> Any:
    return example.reference.user_data[TARGETS_KEY].task(task, supervised=supervised)


def test_the_reader_hands_on_what_teachers_say(teachers: Path, corpora: Path) -> None:
    write_soft_targets(both(teachers), corpora)
    for reader in (MultiCorpus(corpora), MultiCorpus(corpora, soft_targets=[])):
        assert not any(TARGETS_KEY in example.reference.user_data for example in reader(blank_nlp()))
    examples = list(MultiCorpus(corpora, soft_targets="auto")(blank_nlp()))
    begins = {}
    for example in examples:
        for task in (DISEASE, GENE):
            tokens, p = said(example, task)
            sure = tokens[p[:, :, 1].sum(axis=1) > 0.5]
            begins[example.text, task.name] = [example.reference[int(token)].text for token in sure]
    assert begins["The BRCA1 gene is mutated in breast cancer .", "DISEASE"] == ["breast"]
    assert begins["The BRCA1 gene is mutated in breast cancer .", "GENE"] == ["BRCA1"]
    assert begins["Patients with breast cancer had fever .", "DISEASE"] == ["breast", "fever"]
    [gene] = [example for example in examples if "BRCA1" in example.text]
    assert said(gene, GENE, supervised=True) is not None and said(gene, DISEASE, supervised=True) is None
    only = list(MultiCorpus(corpora, soft_targets="genes")(blank_nlp()))
    assert said(only[0], DISEASE) is None and said(only[0], GENE) is not None
    with pytest.raises(BionerError, match="The soft targets .*train.nobody.soft.safetensors .* do not exist"):
        list(MultiCorpus(corpora, soft_targets="nobody")(blank_nlp()))
    with pytest.raises(BionerError, match="for the split train alone"):
        MultiCorpus(corpora, split="devel", soft_targets="auto")


@pytest.mark.parametrize("context", ["sentence", "group", "document"])
def test_what_is_said_follows_the_tokens_into_other_contexts(teachers: Path, tmp_path: Path, context: str) -> None:
    nlp = blank_nlp()
    records = [example.reference for example in make_examples(nlp, ["diseases"])]
    for number, record in enumerate(records):
        record.spans["bioner"].attrs["doc_id"] = "1" if number < 2 else "2"
    (tmp_path / "diseases").mkdir()
    DocBin(docs=records).to_disk(tmp_path / "diseases" / "train.spacy")
    write_soft_targets([teachers / "diseases" / "model-last"], tmp_path)
    examples = list(MultiCorpus(tmp_path, soft_targets="auto", context=context)(nlp))
    assert len(examples) == (3 if context == "sentence" else 2)
    found = []
    for example in examples:
        tokens, p = said(example, DISEASE)
        found += [example.reference[int(token)].text for token in tokens[p[:, :, 1].sum(axis=1) > 0.5]]
    assert found == ["breast", "fever", "Asthma"]


def test_gold_counts_more_and_more(corpora: Path) -> None:
    reader, batcher = MultiCorpus(corpora), MultiCorpusBatcher(12)
    anneal = teacher_annealing(3, reader, batcher)
    n_steps = 3 * batcher.batches_per_epoch(reader.lengths())
    nlp = make_nlp(teach_scope=0.5)
    shares = []
    for step in range(n_steps):
        anneal(nlp, {"step": step, "epoch": 0})
        shares.append(component(nlp).annealing)
    numpy.testing.assert_allclose(shares, numpy.linspace(0, 1, n_steps))


def test_without_teachers_the_corpora_are_not_looked_at() -> None:
    anneal: Any = teacher_annealing("${training.max_epochs}", "${corpora.train}", "${training.batcher}")
    nlp = make_nlp(teach_across=1.0)
    anneal(nlp, {"step": 5, "epoch": 0})
    assert component(nlp).annealing == 0.0
    with pytest.raises(BionerError, match="training.max_epochs"):
        anneal(make_nlp(teach_scope=1.0), {"step": 5, "epoch": 0})


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, tiny_bert: str) -> Path:
    nlp = make_nlp("transformer", tiny_bert)
    train(nlp, make_examples(nlp), steps=1)
    folder = tmp_path_factory.mktemp("full")
    nlp.to_disk(folder)
    return folder


def layers(nlp: Any) -> list[Any]:
    [shim] = [shim for node in nlp.get_pipe("transformer").model.walk() for shim in node.shims]
    return [layer.state_dict() for layer in shim.transformer.encoder.layer]


def test_a_student_starts_with_some_of_the_layers(full: Path, tmp_path: Path) -> None:
    n_all = len(layers(spacy.load(full)))
    kept = shrink(full, tmp_path / "start", 1)
    assert kept == [n_all - 1]
    start = spacy.load(tmp_path / "start")
    [found], expected = layers(start), layers(spacy.load(full))[n_all - 1]
    assert found.keys() == expected.keys() and all(found[name].equal(expected[name]) for name in found)
    # A pipeline with the same encoder in its config starts from it, and is saved with fewer layers.
    student = make_nlp("transformer", spacy.load(full).config["components"]["transformer"]["model"]["name"])
    callback = {"@callbacks": "bioner_spacy.init_from.v1", "path": str(tmp_path / "start")}
    student.config["initialize"]["after_init"] = callback
    student.initialize(lambda: make_examples(student))
    update(student, make_examples(student), student.resume_training(), steps=1)
    student.to_disk(tmp_path / "student")
    assert len(layers(spacy.load(tmp_path / "student"))) == 1
    assert [len(doc) for doc in student.pipe(["BRCA1 causes cancer."])]


@pytest.mark.parametrize("n_layers, kept", [(2, [0, 5]), (3, [0, 2, 5]), (5, [0, 1, 2, 4, 5])])
def test_layers_are_evenly_spaced(n_layers: int, kept: list[int]) -> None:
    assert evenly_spaced(6, n_layers) == kept
    assert evenly_spaced(12, 6) == [0, 2, 4, 7, 9, 11]  # those of DistilBERT


def test_what_cannot_be_shrunk(full: Path, teachers: Path, tmp_path: Path, tiny_electra: str) -> None:
    electra = make_nlp("transformer", tiny_electra)
    electra.initialize(lambda: make_examples(electra))
    electra.to_disk(tmp_path / "electra")
    for pipeline, n_layers, message in (
        (full, 0, "layers and 0 are to be kept"),
        (full, 99, "layers and 99 are to be kept"),
        (tmp_path / "electra", 1, "The encoder is ElectraModel"),
        (teachers / "genes" / "model-last", 1, "has no transformer encoder"),
        (tmp_path / "nowhere", 1, "cannot be loaded"),
    ):
        with pytest.raises(BionerError, match=message):
            shrink(pipeline, tmp_path / "start", n_layers)
    assert not (tmp_path / "start").exists()
