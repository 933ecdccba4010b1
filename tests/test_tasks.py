"""Tasks at the three grains, and what supervises them."""

from typing import Optional

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.tasks import Task, make_tasks

LABEL_DATA = {"NCBI": ["DISEASE"], "CDR": {"DISEASE", "CHEMICAL"}}


def test_one_task_a_type() -> None:
    assert make_tasks(LABEL_DATA, "type") == [Task("CHEMICAL", ("CHEMICAL",)), Task("DISEASE", ("DISEASE",))]


def test_one_task_a_corpus() -> None:
    assert make_tasks(LABEL_DATA, "corpus") == [
        Task("CDR", ("CHEMICAL", "DISEASE"), "CDR"),
        Task("NCBI", ("DISEASE",), "NCBI"),
    ]


def test_one_task_a_guideline() -> None:
    assert make_tasks(LABEL_DATA, "guideline") == [
        Task("CDR$CHEMICAL", ("CHEMICAL",), "CDR"),
        Task("CDR$DISEASE", ("DISEASE",), "CDR"),
        Task("NCBI$DISEASE", ("DISEASE",), "NCBI"),
    ]


@pytest.mark.parametrize("grain", ["type", "corpus", "guideline"])
def test_order_of_the_label_data_does_not_matter(grain: str) -> None:
    assert make_tasks({"CDR": ["CHEMICAL", "DISEASE"], "NCBI": ["DISEASE"]}, grain) == make_tasks(LABEL_DATA, grain)


def test_unknown_grain() -> None:
    with pytest.raises(BionerError, match="grain is 'word'; allowed: type, corpus, guideline"):
        make_tasks(LABEL_DATA, "word")


@pytest.mark.parametrize(
    "task, corpus, scope, expected",
    [
        (Task("DISEASE", ("DISEASE",)), "CDR", {"DISEASE", "CHEMICAL"}, True),
        (Task("DISEASE", ("DISEASE",)), "", {"DISEASE"}, True),
        (Task("DISEASE", ("DISEASE",)), "CDR", {"CHEMICAL"}, False),
        (Task("DISEASE", ("DISEASE",)), "CDR", set(), False),
        (Task("DISEASE", ("DISEASE",)), "", None, True),
        (Task("CDR", ("CHEMICAL", "DISEASE"), "CDR"), "CDR", {"DISEASE", "CHEMICAL"}, True),
        (Task("CDR", ("CHEMICAL", "DISEASE"), "CDR"), "CDR", {"DISEASE"}, False),
        (Task("CDR$DISEASE", ("DISEASE",), "CDR"), "NCBI", {"DISEASE"}, False),
        (Task("CDR$DISEASE", ("DISEASE",), "CDR"), "CDR", None, True),
        (Task("CDR$DISEASE", ("DISEASE",), "CDR"), "", None, False),
        (Task("$DISEASE", ("DISEASE",), ""), "", {"DISEASE"}, True),
    ],
)
def test_supervision_needs_the_whole_task_and_its_corpus(
    task: Task, corpus: str, scope: Optional[set[str]], expected: bool
) -> None:
    assert task.supervised_by(corpus, scope) is expected
