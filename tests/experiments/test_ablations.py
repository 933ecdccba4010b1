"""What annotation scopes are worth, measured."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from command_line import bioner
from toy_corpora import excluding, write_corpora

from bioner_spacy.docbin import load_docs
from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.ablations import ablate_annotation, ablate_scope
from bioner_spacy.scope import SPANS_KEY, get_scope

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "small.cfg"
CORPORA = ("diseases", "genes")


@pytest.fixture
def make(make: Any) -> Any:
    """The settings of the commands have a fraction."""
    return partial(make, settings={"fraction": 1.0})


def trained_on(runs: list[Any]) -> list[tuple[tuple[str, ...], Path]]:
    """Corpora of each training run and their folder."""
    return [(run.corpora, Path(run.settings["corpus_folder"])) for run in runs]


def test_systems_differ_in_nothing_but_scope_and_grain(make: Any, trained: Any, tmp_path: Path) -> None:
    found = ablate_scope(make(), CORPORA, [0, 1], resamples=99)
    assert set(trained_on(trained)) == {(CORPORA, tmp_path / "corpus")}
    settings = [tuple(run.overrides.values()) for run in trained]
    assert settings == 2 * [("type", False), ("type", True), ("corpus", False)]
    assert [comparison.names for comparison in found.comparisons] == [
        ("scope masking", "naive merge"),
        ("scope masking", "one head per corpus"),
    ]
    assert found.comparisons[0].runs == 2
    ablate_scope(make(), CORPORA, [0, 1], resamples=99)
    assert len(trained) == 6


def test_settings_of_the_systems_are_not_the_users(make: Any) -> None:
    with pytest.raises(BionerError, match="components.multitask_ner.grain itself"):
        ablate_scope(make(overrides={"components.multitask_ner.grain": "guideline"}), CORPORA, [0])
    with pytest.raises(BionerError, match="corpora.train.limit itself"):
        ablate_annotation(make(overrides={"corpora.train.limit": 1}), ["drugs"], [0])


def test_parts_train_on_what_the_corpus_trains_on(make: Any, trained: Any, tmp_path: Path) -> None:
    found = ablate_annotation(make(), ["drugs"], [0, 1], resamples=99)
    parts = ("drugs-CHEMICAL", "drugs-DISEASE")
    folders = [tmp_path / "out/parts" / f"seed-{seed}" for seed in (0, 1)]
    assert trained_on(trained) == [
        run for folder in folders for run in ((parts, folder), (("drugs",), tmp_path / "corpus"), (parts, folder))
    ]
    ignoring = [run.overrides["components.multitask_ner.ignore_scope"] for run in trained]
    assert ignoring == 2 * [False, False, True]
    nlp = spacy.blank("en")
    everything = {doc.text for doc in load_docs(tmp_path / "corpus/drugs/train.spacy", nlp.vocab)}
    dealt = [doc.text for part in parts for doc in load_docs(folders[0] / part / "train.spacy", nlp.vocab)]
    assert sorted(dealt) == sorted(everything)
    # Scored on the corpus itself, on both types.
    for comparison in found.comparisons:
        assert [row.entity_type for row in comparison.rows] == ["CHEMICAL", "DISEASE", "all types"]
        assert {row.corpus for row in comparison.rows} == {"drugs"}
    ablate_annotation(make(), ["drugs"], [0, 1], resamples=99)
    assert len(trained) == 6


def test_sentences_left_out_are_in_no_part(make: Any, trained: Any, tmp_path: Path) -> None:
    for split in ("train", "devel"):  # twice as many sentences
        file = tmp_path / "corpus/drugs" / f"{split}.spacy"
        vocab = spacy.blank("en").vocab
        docs = load_docs(file, vocab)
        spacy.tokens.DocBin(docs=docs + docs).to_disk(file)
    exclude = srsly.read_json(tmp_path / "corpus/exclude.json")
    srsly.write_json(
        tmp_path / "corpus/exclude.json", {**exclude, "drugs": excluding(tmp_path / "corpus", "drugs", [1, 3])}
    )
    ablate_annotation(make(), ["drugs"], [0], resamples=99)
    vocab = spacy.blank("en").vocab
    folder = tmp_path / "out/parts/seed-0"
    texts = [doc.text for part in folder.iterdir() for doc in load_docs(part / "train.spacy", vocab)]
    assert texts == ["Aspirin-induced asthma is rare ."] * 2
    devel = [doc for part in folder.iterdir() for doc in load_docs(part / "devel.spacy", vocab)]
    assert len(devel) == 8
    for doc in devel:
        assert {span.label_ for span in doc.spans[SPANS_KEY]} <= (get_scope(doc) or set())


def test_only_one_corpus_of_several_types_can_be_split(make: Any) -> None:
    with pytest.raises(BionerError, match="genes annotates GENE"):
        ablate_annotation(make(), ["genes"], [0])
    with pytest.raises(BionerError, match="not drugs, genes"):
        ablate_annotation(make(), ["drugs", "genes"], [0])


def test_commands(tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    write_corpora(tmp_path / "corpus", ["drugs"])
    entry = {"format": "iob", "files": {"train": {"name": "x.tsv"}}, "labels": {"A": "CHEMICAL", "B": "DISEASE"}}
    catalogue = {"base": "default", "corpora": {"drugs": entry}}
    srsly.write_yaml(tmp_path / "mine.yml", catalogue)
    monkeypatch.chdir(ROOT)
    options = ["--catalogue", tmp_path / "mine.yml", "--corpus", tmp_path / "corpus", "--encoder", tiny_bert]
    options += ["--split", "devel", "--seeds", "0", "--epochs", "1", "--resamples", "99", "--corpora"]

    def command(name: str, corpora: str, *further: str) -> int:
        arguments = [name, tmp_path / name, *options, corpora, *further]
        return bioner("experiment", "ablations", *arguments)

    for name, system in (("scope", "one head per corpus"), ("split", "full annotation")):
        assert command(name, "drugs", "--training.dropout", "0.2") == 0
        title = f"{system[:1].upper()}{system[1:]} against scope masking"
        assert title in capsys.readouterr().out
        assert srsly.read_json(tmp_path / name / f"{name}.json")["f"][system]["drugs"]
        assert f"## {title}" in (tmp_path / name / f"{name}.md").read_text(encoding="utf8")
    assert command("split", "drugs") == 1  # another dropout
    assert command("split", "sample") == 1  # several corpora
