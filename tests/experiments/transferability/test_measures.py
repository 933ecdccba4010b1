"""Measures between corpora, by hand."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from spacy.tokens import DocBin
from toy_corpora import excluding

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.transferability import measures as module
from bioner_spacy.experiments.transferability.gains import Gains
from bioner_spacy.experiments.transferability.measures import MEASURES, Measures, cosine, measure_corpora
from bioner_spacy.experiments.transferability.topics import TOPICS, topic_weights
from bioner_spacy.reports.transferability import measures_page
from bioner_spacy.scope import set_gold

CANCER = ["tumour growth invaded tissue", "carcinoma cells tumour", "tissue carcinoma growth cells"]
PLANTS = ["leaves roots photosynthesis", "chlorophyll leaves stem", "roots stem chlorophyll photosynthesis"]
# Corpus -> scope, sentences, tokens of each that are mentions of the type.
TEXTS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "one": ("DISEASE", [text + " in mice 12 ." for text in CANCER * 50], {"carcinoma": "DISEASE"}),
    "two": (
        "DISEASE",
        [text + " in rats 12 ." for text in CANCER * 50],
        {"tumour": "DISEASE", "carcinoma": "DISEASE"},
    ),
    "three": ("PLANT", [text + " in soil 12 ." for text in PLANTS * 50], {"leaves": "PLANT"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, nlp = tmp_path_factory.mktemp("corpora"), spacy.blank("en")
    for corpus, (scope, texts, names) in TEXTS.items():
        docs = DocBin()
        for text in texts:
            doc = nlp.make_doc(text)
            spans = [doc[i : i + 1] for i in range(len(doc)) if doc[i].text in names]
            for span in spans:
                span.label_ = names[span.text]
            set_gold(doc, spans, corpus=corpus, scope=[scope])
            docs.add(doc)
        (folder / corpus).mkdir()
        docs.to_disk(folder / corpus / "train.spacy")
    return folder


@pytest.fixture(scope="module")
def measures(folder: Path, tiny_bert: str) -> Measures:
    return measure_corpora(folder, list(TEXTS), encoder=tiny_bert)


def test_overlaps_are_those_counted_by_hand(measures: Measures) -> None:
    vocabulary, names, labels = (measures.values[name] for name in ("vocabulary", "names", "labels"))
    # Eight, eight and seven word types, of which seven, or "in" alone, are the same; 12 and the period are no tokens.
    assert vocabulary["one", "two"] == vocabulary["two", "one"] == pytest.approx(2 * 7 / (8 + 8))
    assert vocabulary["one", "three"] == pytest.approx(2 * 1 / (8 + 7))
    assert names["one", "two"] == pytest.approx(2 * 1 / 3)
    assert names["two", "three"] == 0
    # Each corpus has 100 places of either name; tumour is treated otherwise, in both.
    assert labels["one", "two"] == pytest.approx(0.5)
    assert labels["one", "three"] is labels["three", "two"] is None


def test_corpora_on_one_subject_have_the_same_topics(measures: Measures) -> None:
    topic = measures.values["topic"]
    assert topic["one", "two"] > topic["one", "three"]  # type: ignore[operator]
    rng = numpy.random.default_rng(0)
    subjects = {name: [f"{name}{a}{b}" for a in "abcdef" for b in "klmnop"] for name in ("clinic", "garden")}
    sentences = {
        corpus: [list(rng.choice(subjects[subject], 10)) for _ in range(500)]
        for corpus, subject in {"x": "clinic", "y": "clinic", "z": "garden"}.items()
    }
    weights = topic_weights(sentences)
    assert cosine(weights["x"], weights["y"]) > 0.9 > 0.1 > cosine(weights["x"], weights["z"])


def test_no_corpus_has_a_topic_of_its_own_for_being_one() -> None:
    """Three corpora of sentences drawn from one text are alike, although there are more topics than corpora."""
    rng = numpy.random.default_rng(0)
    tokens = [f"{a}{b}token" for a in "abcdefgh" for b in "klmnopqr"]
    sentences = {name: [list(rng.choice(tokens, 10)) for _ in range(500)] for name in "xyz"}
    weights = topic_weights(sentences)
    assert all(len(of_corpus) == TOPICS and (of_corpus >= 0).all() for of_corpus in weights.values())
    assert min(cosine(weights["x"], weights[name]) for name in "yz") > 0.9
    assert all((weights[name] == topic_weights(sentences)[name]).all() for name in "xyz")
    with pytest.raises(BionerError, match=r"No token occurs in two parts .*\(a, b\)"):
        topic_weights({"a": [["here"]], "b": [["there"]]})


def test_cosine() -> None:
    assert cosine(numpy.array([3.0, 4.0]), numpy.array([4.0, 3.0])) == pytest.approx(24 / 25)
    assert cosine(numpy.array([1.0, 0.0]), numpy.array([0.0, 2.0])) == 0
    assert cosine(numpy.zeros(2), numpy.ones(2)) == 0


def test_sentences_of_the_same_subject_are_close_to_the_encoder(measures: Measures) -> None:
    encoder = measures.values["encoder"]
    assert 1 > encoder["one", "two"] > encoder["one", "three"]  # type: ignore[operator]
    assert encoder["one", "three"] == encoder["three", "one"]


def test_the_curve_of_a_corpus_that_still_learns_is_a_promising_one(folder: Path, tiny_bert: str) -> None:
    """Losses of one are the same throughout, those of two fall to 0 in a line."""
    level = [(n, 2.0) for n in range(1, 101)]
    falling = [(n, 1 - (n - 0.5) / 100) for n in range(1, 101)]
    gains = Gains(
        corpora=["one", "two"],
        split="devel",
        seeds=[0],
        tokens={},
        budget=0,
        equal_steps=True,
        epochs=1,
        steps={"one": 100, "two": 100},
        joint_steps=200,
        rows={},
        curves={"one": [level], "two": [falling]},
        alpha=0.05,
    )
    found = measure_corpora(folder, ["one", "two"], encoder=tiny_bert, tokens=100, gains=gains)
    assert found.slopes["one"] == pytest.approx([0] * 5)
    assert found.slopes["two"] == pytest.approx([-1 / 0.95] * 5)
    assert found.values["curve"] == pytest.approx({("one", "two"): 1 / 0.95, ("two", "one"): -1 / 0.95})
    assert 100 <= found.tokens["one"] < 110
    # Without the curve of one of them there is no such measure.
    assert "curve" not in measure_corpora(folder, ["one", "three"], encoder=tiny_bert, tokens=100, gains=gains).values


def test_files(measures: Measures, tmp_path: Path) -> None:
    files = measures_page(measures).to_disk(tmp_path)
    names = [name for name in MEASURES if name != "curve"]
    pictures = [f"measure-{name}.{suffix}" for name in names for suffix in ("svg", "png")]
    assert [file.name for file in files] == ["measures.json", "measures.md", *pictures]
    found = Measures.from_disk(tmp_path)
    assert found == measures and list(found.values) == names
    page = files[1].read_text(encoding="utf8")
    assert "| one | – | 0.5000 | – |" in page
    (tmp_path / "measures.json").write_text('{"values": {"mass": []}}', encoding="utf8")
    with pytest.raises(BionerError, match="holds no measures .*unknown measures: mass"):
        Measures.from_disk(tmp_path)


def test_one_corpus_cannot_be_compared(folder: Path) -> None:
    with pytest.raises(BionerError, match="two corpora or more"):
        measure_corpora(folder, ["one", "one"], encoder="nowhere")


def test_without_scikit_learn_one_sentence_says_what_to_install(
    folder: Path, tiny_bert: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    with pytest.raises(BionerError, match="scikit-learn: pip install 'bioner_spacy.transfer"):
        measure_corpora(folder, list(TEXTS), encoder=tiny_bert)


def test_what_training_leaves_out_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    used: list[Any] = []
    reader = module.MultiCorpus

    def noting(*args: Any, **settings: Any) -> Any:
        used.append(settings["exclude"])
        return reader(*args, **settings)

    monkeypatch.setattr(module, "MultiCorpus", noting)
    (tmp_path / "one").symlink_to(folder / "one")
    module._read(tmp_path, ["one"], 0)
    exclude = tmp_path / "exclude.json"
    exclude.write_text(json.dumps({"one": excluding(folder, "one", [0, 1])}), encoding="utf8")
    statistics, _ = module._read(tmp_path, ["one"], 0)
    assert used == [None, exclude] and statistics["one"].records == 148
