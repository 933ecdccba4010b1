"""The table of messages."""

import re
from collections import Counter
from pathlib import Path

from bioner_spacy import errors


def test_no_number_stands_for_two_messages() -> None:
    """The second would replace the first without a word."""
    numbers = Counter(re.findall(r"^    ([EW]\d{3}) =", Path(errors.__file__).read_text("utf8"), flags=re.MULTILINE))
    assert numbers
    assert [number for number, count in numbers.items() if count > 1] == []


def test_messages_begin_with_their_code() -> None:
    assert errors.Errors.E102.format(path="a.txt").startswith("[E102] File a.txt holds no document")
    assert errors.Warnings.W413.startswith("[W413] ")
