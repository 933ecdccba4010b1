"""The reader of several converted corpora."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from toy_corpora import BRCA1, BREAST_CANCER, CORPORA, blank_nlp, write_corpora

from bioner_spacy.errors import BionerError
from bioner_spacy.scope import get_corpus, get_scope
from bioner_spacy.training.corpora import MultiCorpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpora(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one corpus of 50 numbered documents."""
    folder = tmp_path_factory.mktemp("large")
    nlp = blank_nlp()
    (folder / "numbers").mkdir()
    DocBin(docs=[nlp.make_doc(f"number {i}" + " ." * (i % 7)) for i in range(50)]).to_disk(
        folder / "numbers/train.spacy"
    )
    return folder


def corpora_of(reader: MultiCorpus) -> list[str]:
    """Corpus of each example."""
    return [get_corpus(example.reference) for example in reader(blank_nlp())]


def test_reads_every_corpus_of_the_folder(folder: Path) -> None:
    reader = MultiCorpus(folder)
    assert reader.corpora == sorted(CORPORA)
    examples = list(reader(blank_nlp()))
    assert [example.text for example in examples] == [text for _, sents in CORPORA.values() for text, _ in sents]
    assert get_scope(examples[0].reference) == {"DISEASE"}
    spans = examples[0].reference.spans["bioner"]
    assert [(span.text, span.label_) for span in spans] == BREAST_CANCER[1]


@pytest.mark.parametrize(
    "names", ["genes,diseases", " genes , diseases", ["genes", "diseases"], "genes,diseases,genes"]
)
def test_reads_named_corpora_in_their_order(folder: Path, names: object) -> None:
    reader = MultiCorpus(folder, names)  # type: ignore[arg-type]
    assert corpora_of(reader) == ["genes"] * 2 + ["diseases"] * 3
    assert list(reader.lengths()) == ["genes", "diseases"]


def test_the_predicted_side_is_raw_text_with_a_guideline(folder: Path) -> None:
    nlp = blank_nlp()
    nlp.tokenizer.add_special_case("BRCA1", [{"ORTH": "BR"}, {"ORTH": "CA1"}])  # type: ignore[union-attr]
    example = next(example for example in MultiCorpus(folder, "genes")(nlp) if example.text == BRCA1[0])
    assert len(example.predicted) == len(example.reference) + 1
    assert not example.predicted.spans and not example.predicted.has_annotation("ENT_IOB")
    assert example.predicted._.guideline == "genes"


def test_documents_are_read_once_and_examples_are_new(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp, reader = blank_nlp(), MultiCorpus(folder)
    first = list(reader(nlp))
    monkeypatch.setattr("bioner_spacy.training.corpora.load_docs", None)
    second = list(reader(nlp))
    assert all(a.reference is b.reference and a.predicted is not b.predicted for a, b in zip(first, second))
    monkeypatch.undo()
    other = blank_nlp()
    assert all(example.reference.vocab is other.vocab for example in reader(other))


def test_lengths_are_those_of_the_documents(large: Path, folder: Path) -> None:
    for reader in (MultiCorpus(folder), MultiCorpus(large, fraction=0.5, limit=20)):
        lengths = reader.lengths()
        examples = list(reader(blank_nlp()))
        assert sum(len(words) for words in lengths.values()) == len(examples)
        assert [n for words in lengths.values() for n in words] == [len(example.reference) for example in examples]


def texts(reader: MultiCorpus) -> list[str]:
    return [example.text for example in reader(blank_nlp())]


@given(fraction=st.floats(0.001, 1.0), limit=st.integers(0, 60))
def test_a_part_of_a_corpus_is_a_fixed_choice_in_order(large: Path, fraction: float, limit: int) -> None:
    lengths = MultiCorpus(large, fraction=fraction, limit=limit).lengths()["numbers"]
    expected = max(1, round(50 * fraction))
    assert len(lengths) == (min(expected, limit) if limit else expected)
    assert (lengths == MultiCorpus(large, fraction=fraction, limit=limit).lengths()["numbers"]).all()


def test_smaller_parts_are_inside_larger_ones_and_spread(large: Path) -> None:
    everything = texts(MultiCorpus(large))
    parts = [texts(MultiCorpus(large, fraction=fraction)) for fraction in (0.1, 0.2, 0.6)]
    assert [len(part) for part in parts] == [5, 10, 30]
    assert set(parts[0]) < set(parts[1]) < set(parts[2])
    assert parts[1] == [text for text in everything if text in parts[1]] != everything[:10]
    assert texts(MultiCorpus(large, limit=10)) == parts[1]
    assert texts(MultiCorpus(large, fraction=0.2, limit=5)) == parts[0]


@pytest.mark.parametrize(
    ("setting", "value"), [("fraction", 0.0), ("fraction", 1.5), ("fraction", -1.0), ("limit", -1)]
)
def test_wrong_settings(setting: str, value: float) -> None:
    with pytest.raises(BionerError, match=f"Setting {setting} is {value}"):
        MultiCorpus("anywhere", **{setting: value})  # type: ignore[arg-type]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    for reader in (MultiCorpus(tmp_path), MultiCorpus(tmp_path / "nowhere"), MultiCorpus(tmp_path, [])):
        with pytest.raises(BionerError, match=r"No corpora: the folder .* holds no <corpus>/train.spacy"):
            list(reader(blank_nlp()))
        with pytest.raises(BionerError, match="No corpora"):
            reader.lengths()


def test_a_missing_corpus_or_split_is_an_error(folder: Path) -> None:
    with pytest.raises(BionerError, match=r"Corpus planets has no converted split train: .*planets/train.spacy"):
        list(MultiCorpus(folder, "genes,planets")(blank_nlp()))
    with pytest.raises(BionerError, match="Corpus genes has no converted split test"):
        MultiCorpus(folder, "genes", split="test").lengths()


def test_a_file_without_documents_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "genes").mkdir()
    DocBin().to_disk(tmp_path / "genes" / "train.spacy")
    with pytest.raises(BionerError, match="Corpus genes is empty in split train"):
        list(MultiCorpus(tmp_path)(blank_nlp()))
