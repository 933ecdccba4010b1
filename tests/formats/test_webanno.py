"""WebAnno TSV 3, as INCEpTION exports it."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import read_documents, read_texts
from bioner_spacy.formats.document import SourceDocument
from bioner_spacy.formats.reading import looks_like

HEAD = """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_RL=de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency|DependencyType|BT_x.POS

"""
SHEET = (
    HEAD
    + """
#Text=\U0001f42d Old gout\\tand beta\\\\cells.
1-1\t0-2\t\U0001f42d\tN\t_\t_\t_\t_
1-2\t3-6\tOld\tA\t*[2]\tDIS\\_X[2]\tamod\t1-3
1-3\t7-11\tgout\tN\tM:1|*[2]\tD|DIS\\_X[2]\t_\t_
1-4\t12-15\tand\t_\t_\t_\t_\t_
1-5\t16-26\tbeta\\\\cells\tN\t*[3]\tG[3]\t_\t_
1-5.1\t16-20\tbeta\t_\t*[3]\tG[3]\t_\t_
1-6\t26-27\t.\t_\t_\t_\t_\t_

#Sentence.id=s2
#Text=Two
#Text=mice.
2-1\t29-32\tTwo\t_\t*[4]\ta\\|b\\[1\\][4]\t_\t_\t
2-2\t33-37\tmice\t_\t*[4]\ta\\|b\\[1\\][4]\t_\t_\t
2-3\t37-38\t.\t_\t_\t_\t_\t_\t
"""
)
TEXT = "\U0001f42d Old gout\tand beta\\cells.\n\nTwo\nmice."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt" / "anna.tsv"
    path.parent.mkdir()
    path.write_text(SHEET, encoding="utf-8")
    return path


def found(document: SourceDocument) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(document.text[m.start : m.end], m.label, m.identifiers) for m in document.mentions]


def test_mentions(file: Path) -> None:
    with pytest.warns(BionerWarning, match=r"4 annotations POS \(first in line 8\), 1 annotation Dependency"):
        [document] = read_documents("webanno", file)
    assert (document.text, document.doc_id) == (TEXT, "note.txt:anna")
    assert found(document) == [
        ("Old gout", "DIS_X", ()),
        ("gout", "D", ("M:1",)),
        ("beta", "G", ()),
        ("Two\nmice", "a|b[1]", ()),
    ]
    [text] = read_texts("webanno", file)
    assert (text.text, text.mentions) == (TEXT, ())
    assert looks_like(file) == ["webanno"]


def test_other_features_are_kept(file: Path) -> None:
    rows = ("#Text=No gout", "1-1\t0-2\tNo\t_\t_", "1-2\t3-7\tgout\tD\ttrue")
    file.write_text("\n".join(("#FORMAT=WebAnno TSV 3.3", "#T_SP=x.NamedEntity|value|negated", "", *rows, "")))
    [document] = read_documents("webanno", file)
    [mention] = document.mentions
    assert (mention.label, mention.infons) == ("D", {"negated": "true"})


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("#FORMAT=WebAnno TSV 3.3", "# layer", "line 1: it does not begin with"),
        (
            "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity",
            "#T_SP=x.Gene",
            r"'NamedEntity'.*POS, x.Gene",
        ),
        ("|value", "|label", r"line 9: the annotation has no text in its feature 'value' \(option label\)"),
        ("DIS\\_X", "*", "line 9: the annotation has no text"),
        ("7-11\tgout", "7-11\tgoat", "line 10: the token 'goat' is not at character 7"),
        ("7-11\tgout", "8-12\tgout", "line 10: the token 'gout' is not at character 8"),
        ("16-20", "16-20000", "line 12: characters 15 to -1 of a text"),
        ("29-32", "9-12", "line 19: the sentence begins before"),
        ("1-4\t12-15\tand\t_\t_\t_\t_\t_", "1-4\t12-15\tand\t_", "line 11: 1 columns of annotations .* 5 features"),
        ("1-4\t12-15\t", "1-4\t", "line 11: neither a row"),
    ],
)
@pytest.mark.filterwarnings("ignore::bioner_spacy.errors.BionerWarning")
def test_files_that_are_wrong(file: Path, before: str, after: str, message: str) -> None:
    file.write_text(SHEET.replace(before, after), encoding="utf-8")
    with pytest.raises(BionerError, match=message):
        list(read_documents("webanno", file))


Place = tuple[int, int]
TOKENS = st.text(alphabet="ab\\|_[]*;->1\U0001f42d\u03b2", min_size=1, max_size=4)
LABELS = st.text(alphabet="Ab\\|_[]*;->1\U0001f42d", min_size=1, max_size=3)


@given(data=st.data())
def test_what_is_written_is_read(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Against a writer for tests: any tokens and gaps, nested and overlapping mentions, of tokens and of parts of one."""
    sentences = data.draw(st.lists(st.lists(TOKENS, min_size=1, max_size=4), min_size=1, max_size=3))
    gap = st.sampled_from(["", " ", "\t", "\n"])
    text, places, lines = "", [], []
    for tokens in sentences:
        text += "\n" * data.draw(st.integers(min(1, len(text)), 2))
        begin = len(text)
        for number, token in enumerate(tokens):
            text += data.draw(gap) if number else ""
            places.append((len(text), len(text := text + token)))
        lines.append((text[begin:], len(tokens)))
    mentions = []
    for _ in range(data.draw(st.integers(0, 4))):
        first = data.draw(st.integers(0, len(places) - 1))
        last = data.draw(st.integers(first, len(places) - 1))
        cut = data.draw(st.integers(0, places[last][1] - places[last][0] - 1)) if data.draw(st.booleans()) else 0
        mentions.append((first, last, cut, data.draw(LABELS)))
    path = tmp_path_factory.getbasetemp() / "written.tsv"
    path.write_text("".join(written(text, places, lines, mentions)), encoding="utf-8")
    [document] = read_documents("webanno", path)
    assert document.text == text
    expected = [(places[first][0], places[last][1] - cut, label) for first, last, cut, label in mentions]
    assert sorted((m.start, m.end, m.label) for m in document.mentions) == sorted(
        (start, end, label.strip()) for start, end, label in expected
    )


def written(text: str, places: list[Place], lines: list[tuple[str, int]], mentions: list[Any]) -> list[str]:
    def escaped(value: str) -> str:
        return re.sub(r"(->|[\\\[\]|_;*])", r"\\\1", value)

    def plain(value: str) -> str:
        return value.replace("\\", "\\\\").replace("\t", "\\t")

    def units(place: Place) -> str:
        return "-".join(str(len(text[:end].encode("utf-16-le")) // 2) for end in place)

    parts = ["#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|value\n\n"]
    token = 0
    for sentence, count in lines:
        parts += [
            f"\n#Text={plain(line)}\n" if n == 0 else f"#Text={plain(line)}\n"
            for n, line in enumerate(sentence.split("\n"))
        ]
        for _ in range(count):
            start, end = places[token]
            inside = [(n, m) for n, m in enumerate(mentions, start=1) if m[0] <= token <= m[1]]
            whole = "|".join(f"{escaped(label)}[{n}]" for n, (*_, label) in inside)
            parts.append(f"1-{token + 1}\t{units((start, end))}\t{plain(text[start:end])}\t{whole or '_'}\n")
            for part, (n, (_, last, cut, label)) in enumerate(inside, start=1):
                if cut and last == token:
                    place = (start, end - cut)
                    cell = f"{escaped(label)}[{n}]"
                    parts.append(f"1-{token + 1}.{part}\t{units(place)}\t{plain(text[slice(*place)])}\t{cell}\n")
            token += 1
    return parts
