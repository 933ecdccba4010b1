"""Folders in which a killed conversion left files of two runs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language

from bioner_spacy.corpora import Catalogue, convert
from bioner_spacy.corpora.combine import combine
from bioner_spacy.corpora.leakage import find_leaks
from bioner_spacy.corpora.manifest import require_one_conversion
from bioner_spacy.docbin import write_docs
from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.search_space import _tasks
from bioner_spacy.reports.corpus_report import read_statistics
from bioner_spacy.scoring.evaluate import evaluate, read_gold
from bioner_spacy.training.corpora import MultiCorpus
from bioner_spacy.training.distillation import write_soft_targets

READERS: dict[str, Callable[[Path, Language], Any]] = {
    "train": lambda folder, nlp: list(MultiCorpus(folder, "genes")(nlp)),
    "evaluate": lambda folder, nlp: evaluate(nlp, folder, split="train"),
    "read_gold": lambda folder, nlp: read_gold(nlp, "genes", folder / "genes/train.spacy"),
    "describe": lambda folder, nlp: read_statistics(folder, ["genes"]),
    "leakage": lambda folder, nlp: find_leaks(folder, ["genes"], threshold=1),
    "combine": lambda folder, nlp: combine(folder, folder / "combined", ["genes"]),
    "tune": lambda folder, nlp: _tasks(["genes"], folder, {}),
    "teach": lambda folder, nlp: write_soft_targets([_teacher(folder, nlp)], folder, corpora=["genes"]),
}
"""What reads converted corpora."""


def _teacher(folder: Path, nlp: Language) -> Path:
    nlp.to_disk(folder / "teacher")
    return folder / "teacher"


@pytest.mark.parametrize("tokens", [1000, 4])
def test_splits_of_two_conversions_are_refused(
    data: dict[str, Any],
    load: Callable[[Any], Catalogue],
    published: Path,
    tmp_path: Path,
    nlp: Language,
    monkeypatch: pytest.MonkeyPatch,
    tokens: int,
) -> None:
    published.rename(tmp_path / "real")
    with (tmp_path / "real/genes/devel.tsv").open("a") as file:
        file.write("\nRats\tO\nsleep\tO\n.\tO\n")  # so that it is another file than that of train
    monkeypatch.setitem(write_docs.__kwdefaults__, "file_tokens", tokens)
    convert(load(data), ["genes"], assets=tmp_path, output=tmp_path, nlp=nlp)
    train = tmp_path / "genes/train.spacy"
    assert list(MultiCorpus(tmp_path, "genes")(nlp))
    devel = tmp_path / "genes/devel.spacy"
    if train.is_dir():
        shutil.rmtree(train)
        shutil.copytree(devel, train) if devel.is_dir() else shutil.copy(devel, train)
    else:
        shutil.copy(devel, train)
    with pytest.raises(BionerError, match="train.spacy is not the file that .*report.json was written for"):
        list(MultiCorpus(tmp_path, "genes")(nlp))
    require_one_conversion(devel)
    for content in ("{}", "[", '{"checksums": []}', None):
        report = tmp_path / "genes/report.json"
        report.unlink() if content is None else report.write_text(content)
        require_one_conversion(train)


def test_corpora_that_an_interrupted_conversion_has_not_replaced_are_refused(
    data: dict[str, Any], load: Callable[[Any], Catalogue], published: Path, tmp_path: Path, nlp: Language
) -> None:
    published.rename(tmp_path / "real")
    names, output = ["genes", "abstracts"], tmp_path / "out"
    convert(load(data), names, assets=tmp_path, output=output, nlp=nlp)
    before = {path.relative_to(output) for path in output.rglob("*")}
    hidden = tmp_path / "hidden"
    (tmp_path / "real/abstracts").rename(hidden)
    with pytest.raises(BionerError):
        convert(load(data), names, assets=tmp_path, output=output, nlp=nlp)
    assert list(MultiCorpus(output, "genes")(nlp))
    with pytest.raises(BionerError, match="did not finish, and has replaced other corpora, but not abstracts"):
        list(MultiCorpus(output, "abstracts")(nlp))
    hidden.rename(tmp_path / "real/abstracts")
    convert(load(data), ["abstracts"], assets=tmp_path, output=output, nlp=nlp)
    assert list(MultiCorpus(output, "abstracts")(nlp))
    assert {path.relative_to(output) for path in output.rglob("*")} == before


@pytest.mark.parametrize("reader", READERS)
def test_whatever_reads_them_refuses_corpora_of_an_unfinished_conversion(
    reader: str, tmp_path: Path, nlp: Language
) -> None:
    (tmp_path / "genes").mkdir()
    write_docs([nlp("Rats sleep.")], tmp_path / "genes/train.spacy", nlp.vocab)
    (tmp_path / ".unfinished.json").write_text('["genes"]')
    with pytest.raises(BionerError, match="E155.*did not finish"):
        READERS[reader](tmp_path, nlp)


@pytest.mark.parametrize("content", ["[", "{}", '"genes"', "[1]", "\x00"])
def test_a_damaged_list_is_no_list(tmp_path: Path, content: str) -> None:
    (tmp_path / ".unfinished.json").write_text(content)
    require_one_conversion(tmp_path / "genes/train.spacy")
