"""Options that commands of experiments have in common."""

import pytest
import typer

from bioner_spacy.cli.options import parse_seeds


def test_each_seed_counts_once() -> None:
    assert parse_seeds("3, 1,3,0") == [3, 1, 0]


@pytest.mark.parametrize("text", ["", "1,", "one", "1.5", "-1", "1;2"])
def test_what_is_no_seed(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="whole numbers of 0 or more"):
        parse_seeds(text)
