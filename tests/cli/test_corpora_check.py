"""The command that checks corpora, as a user sees it."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import srsly
from command_line import bioner

GOOD = "-DOCSTART- (a)\tO\n\nFOX2\tB-gene\nand\tO\nMice\tB-taxon\n\n-DOCSTART- (b)\tO\n\nFOX2\tO\nruns\tO\n"
NESTED = "FOX2\tB-gene\tB-gene\npromoter\tO\tI-gene\n"


@pytest.fixture
def entry(tmp_path: Path) -> dict[str, Any]:
    """The entry of a corpus `mine` with one file, which is good."""
    folder = tmp_path / "assets/real/mine"
    folder.mkdir(parents=True)
    (folder / "train.tsv").write_text(GOOD)
    labels = {"gene": "GENE", "taxon": None, "rna": "RNA"}
    return {"format": "iob", "files": {"train": {"name": "train.tsv"}}, "labels": labels, "notes": "Ours."}


def check(
    entry: dict[str, Any],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *options: str,
) -> tuple[int, str]:
    """Exit status and output."""
    catalogue = {
        "types": {"GENE": "gene", "RNA": "rna"},
        "corpora": {"mine": entry, "twin": entry | {"folder": "real/mine"}},
    }
    srsly.write_yaml(folder / "mine.yml", catalogue)
    arguments = [
        "--catalogue",
        folder / "mine.yml",
        "--assets",
        folder / "assets",
        *(options or ("--corpora", "mine")),
    ]
    return bioner("corpora", "check", *arguments), capsys.readouterr().out


def test_corpus_that_can_be_converted(
    entry: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, output = check(entry, tmp_path, capsys)
    assert status == 0
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert "format iob, annotation scope: GENE, RNA" in lines
    assert "notes: Ours." in lines
    assert f"sha256: {hashlib.sha256(GOOD.encode()).hexdigest()}" in lines
    assert "gene GENE 1 – –" in lines
    assert "taxon dropped on purpose 1 – –" in lines
    assert "train 2 2 5 1 0 1.00 100.00" in lines
    assert "- Labels of the entry that never occur: rna" in lines
    assert "- train, no mention of RNA, although all of them count as annotated there" in lines
    assert "With `split: {devel: 0.1, test: 0.15}` the entry takes documents" in output
    assert "2 places with text that is a mention elsewhere in the corpus, 50.0 % are not annotated" in output
    assert "FOX2 (GENE) in 1 of 2" in output
    assert "mine can be converted" in lines[-1]
    assert "Problems" not in output


def test_corpus_that_cannot(entry: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry["files"]["train"]["sha256"] = "0" * 64
    entry["files"]["test"] = {"name": "test.tsv"}
    (tmp_path / "assets/real/mine/train.tsv").write_text(f"{NESTED}\nb\tO\n\n{NESTED}c\tB-cell\tB-dna\n")
    status, output = check(entry, tmp_path, capsys)
    assert status == 1
    assert "train.tsv (train) is there, but is another one" in output
    assert "test.tsv (test) is missing" in output
    assert "train, mentions inside another one: 2, 2 of them inside one of their own type" in output
    assert "train.tsv, line 4: 2 columns where 3 are expected" in output
    assert "labels without a mapping in the catalogue: cell (1, first in train.tsv, line 8), dna (1," in output
    assert "mine cannot be converted as it is: 4 problems, see above" in output.splitlines()[-1]


def test_examples_are_few_and_all_are_counted(
    entry: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry |= {"format": "pubtator"}
    rows = "".join(f"1\t{start}\t{start + 2}\tFO\tgene\n" for start in range(0, 45, 5))
    (tmp_path / "assets/real/mine/train.tsv").write_text(f"1|t|{'FOX2 ' * 9}\n{rows}")
    status, output = check(entry, tmp_path, capsys)
    assert status == 0
    assert "expanded to whole tokens: 9\n" in output
    assert output.count("its boundaries are not token boundaries: now 'FOX2'") == 5
    assert "and 4 more" in output


def test_several_corpora_and_merged_types(
    entry: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--corpora", "mine,twin", "--merge-types", "RNA=GENE")
    status, output = check(entry, tmp_path, capsys, *options)
    assert status == 0
    assert output.count("annotation scope: GENE\n") == 2
    summary = output.partition("All corpora\n")[2].splitlines()
    assert [line.partition("twin")[1] for line in summary] == ["", "twin"]
