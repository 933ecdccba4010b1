"""Options that commands of experiments have in common."""

from pathlib import Path

import pytest
import typer

from bioner_spacy.cli.options import Converted, parse_seeds


def test_each_seed_counts_once() -> None:
    assert parse_seeds("3, 1,3,0") == [3, 1, 0]


@pytest.mark.parametrize("text", ["", "1,", "one", "1.5", "-1", "1;2"])
def test_what_is_no_seed(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="whole numbers of 0 or more"):
        parse_seeds(text)


def test_the_folder_of_converted_corpora(tmp_path: Path) -> None:
    """A folder that has them in one folder of it, as the project file writes them, stands for that one."""
    for name in ("sample-genes", "sample-cdr", "sample-diseases", "sample-nested"):
        (tmp_path / "sample" / name).mkdir(parents=True)
    assert Converted(corpus=tmp_path).corpus == tmp_path / "sample"
    assert Converted(corpora="sample-cdr", corpus=tmp_path).corpus == tmp_path / "sample"
    assert Converted(corpora="BC5CDR", corpus=tmp_path).corpus == tmp_path
    assert Converted(corpus=tmp_path / "sample").corpus == tmp_path / "sample"
    assert Converted(corpus=tmp_path / "none").corpus == tmp_path / "none"
    (tmp_path / "other" / "sample-cdr").mkdir(parents=True)
    assert Converted(corpora="sample-cdr", corpus=tmp_path).corpus == tmp_path  # it could be either
    assert Converted(corpus=tmp_path).corpus == tmp_path / "sample"
