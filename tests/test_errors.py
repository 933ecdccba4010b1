"""The table of messages."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

from bioner_spacy import errors

PACKAGE = Path(errors.__file__).parent
TABLES = {"Errors": vars(errors.Errors), "Warnings": vars(errors.Warnings)}
CODE = re.compile(r"[EW]\d{3}")


def test_no_number_is_that_of_two_messages() -> None:
    """The second would replace the first without a word."""
    numbers = Counter(re.findall(r"^    ([EW]\d{3}) =", Path(errors.__file__).read_text("utf8"), flags=re.MULTILINE))
    assert numbers
    assert [number for number, count in numbers.items() if count > 1] == []


def test_messages_begin_with_their_code() -> None:
    assert errors.Errors.E102.format(path="a.txt").startswith("[E102] File a.txt holds no document")
    assert errors.Warnings.W413.startswith("[W413] ")


def test_numbers_of_one_have_the_singular() -> None:
    assert [errors.counted(number, "step") for number in (1, 1200)] == ["1 step", "1,200 steps"]
    assert errors.counted(2, "corpus", "corpora") == "2 corpora"
    one, two = (errors.Errors.E120.format(count=count, files="a") for count in (1, 2))
    assert "1 corpus file is missing" in one and "2 corpus files are missing" in two


def test_every_code_is_used_and_every_used_code_is_there() -> None:
    used = {(node.value.id, node.attr) for _, node in walk() if is_code(node)}
    assert used == {(table, code) for table, messages in TABLES.items() for code in messages if CODE.fullmatch(code)}


def test_what_a_message_needs_is_given_and_nothing_else() -> None:
    for place, node in walk():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            code, given = node.func.value, [one.arg for one in node.keywords]
            if is_code(code) and None not in given:  # no **arguments
                assert set(given) == blanks(TABLES[code.value.id][code.attr]), place


def walk() -> Iterator[tuple[str, Any]]:
    """The nodes of all modules of the package, with their places."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            yield f"{path}, line {getattr(node, 'lineno', 0)}", node


def is_code(node: ast.AST) -> bool:
    """Whether this is an entry of the table, such as `Errors.E102`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in TABLES


def blanks(message: str) -> set[str]:
    """Names in braces."""
    return {name for _, name, _, _ in Formatter().parse(message) if name}
