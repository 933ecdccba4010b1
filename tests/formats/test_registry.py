"""A format that is declared in one place is known to all commands."""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from bioner_spacy.corpora import Catalogue
from bioner_spacy.corpora.check import check_corpus
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import (
    Format,
    Mention,
    SourceDocument,
    all_formats,
    get_format,
    read_documents,
    read_texts,
    register,
)
from bioner_spacy.formats import registry as formats_registry
from bioner_spacy.formats.document import OnError, stop
from bioner_spacy.formats.documents import known_endings, output_formats
from bioner_spacy.formats.format import HOLDS
from bioner_spacy.serving.apply import apply
from bioner_spacy.serving.convert import convert_file


def read(path: Path, *, sign: str = "*", names: bool = False, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Texts with one mention between two signs."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        before, name, after = line.split(sign)
        mention = Mention(len(before), len(before) + len(name), name if names else "GENE", number)
        yield SourceDocument(str(number), before + name + after, (mention,), path, number)


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = "bioner", columns: int = 0) -> tuple[int, int]:
    rows = [f"{doc.text}|{[span.text for span in doc.spans[spans_key]]}|{columns}\n" for doc in docs]
    path.write_text("".join(rows))
    return len(rows), len(rows)


def old(path: Path) -> Iterator[SourceDocument]:
    return read(path)


STARS = Format(
    name="stars",
    description="texts with stars around mentions",
    read=read,
    write=write,
    endings=(".stars",),
    keeps_sentences=True,
    holds=frozenset({"overlaps"}),
)


@pytest.fixture
def stars(monkeypatch: pytest.MonkeyPatch) -> Format:
    all_formats()
    monkeypatch.setattr(formats_registry, "_formats", dict(formats_registry._formats))
    register(STARS)
    return STARS


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.stars"
    path.write_text("*FOX2* binds.\nIn *FOX3*.\n")
    return path


def test_commands_know_it(stars: Format, source: Path, tmp_path: Path) -> None:
    assert convert_file(source, tmp_path / "out.jsonl")[:2] == (2, 2)
    assert [d.text for d in read_documents("textspans", tmp_path / "out.jsonl")] == ["FOX2 binds.", "In FOX3."]
    assert convert_file(source, tmp_path / "out.stars", options="sign=*,names=true", columns=3)[:2] == (2, 2)
    assert (tmp_path / "out.stars").read_text() == "FOX2 binds.|['FOX2']|3\nIn FOX3.|['FOX3']|3\n"
    with pytest.raises(BionerError, match="options is 'sing', and the format stars .* it has: sign, names"):
        convert_file(source, tmp_path / "out.jsonl", options="sing=*")
    with pytest.raises(BionerError, match="Option names of the format stars is 'x': it must be true or false"):
        convert_file(source, tmp_path / "out.jsonl", options="names=x")
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "G", "pattern": "FOX3"}])  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "nlp")
    apply(str(tmp_path / "nlp"), source, tmp_path / "again.stars", spans_key="ents")
    assert (tmp_path / "again.stars").read_text() == "FOX2 binds.|[]|0\nIn FOX3.|['FOX3']|0\n"


def test_texts_are_read_where_mentions_cannot_be(stars: Format, tmp_path: Path) -> None:
    """With the reader itself, which may have no other way."""

    def broken(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
        on_error(BionerError("no star in line 1"))
        yield SourceDocument("2", "text", (), path, 2)

    formats_registry._formats["broken"] = Format("broken", "", broken)
    with pytest.warns(
        BionerWarning, match="1 part cannot be read and is left out: correct it. The first: no star in line 1"
    ):
        [document] = read_texts("broken", tmp_path / "file")
    assert document.text == "text"


def test_catalogue_and_check_know_it(
    stars: Format, data: dict[str, Any], load: Callable[[Any], Catalogue], nlp: Language, source: Path
) -> None:
    entry = {**data["corpora"]["genes"], "format": "stars", "options": {"names": False}, "labels": {"GENE": "GENE"}}
    data["corpora"]["genes"] = entry | {"files": {"train": {"name": source.name}}, "folder": "x"}
    (source.parent / "x").mkdir()
    source.rename(source.parent / "x" / source.name)
    corpus = load(data)["genes"]
    assert corpus.keeps_sentences
    found = check_corpus(corpus, assets=source.parent, nlp=nlp)
    assert (found.problems, found.splits["train"].statistics.records) == ([], 2)
    entry["options"] = {"names": "yes"}
    data["corpora"]["genes"] = entry
    with pytest.raises(BionerError, match="genes: options: names: must be true or false, not 'yes'"):
        load(data)


def test_two_formats_of_one_name(stars: Format) -> None:
    register(STARS)  # the same once more
    with pytest.raises(BionerError, match="wo formats have the name 'stars'"):
        register(Format("stars", "", read))
    with pytest.raises(BionerError, match="declared by an object of function"):
        register(read)  # type: ignore[arg-type]
    with pytest.raises(BionerError, match="The format moons cannot be used: its reader old has no argument on_error"):
        register(Format("moons", "", read, read_texts=old))
    with pytest.raises(BionerError, match="format is 'moons'; allowed: .* stars"):
        get_format("moons")


def test_formats_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be loaded gives a warning, once, and ends nothing."""
    points = [
        EntryPoint("stars", "test_registry:STARS", formats_registry.ENTRY_POINTS),
        EntryPoint("broken", "no_such_module:FORMAT", formats_registry.ENTRY_POINTS),
        EntryPoint("wrong", "test_registry:read", formats_registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(formats_registry, "entry_points", lambda group: points)
    monkeypatch.setattr(formats_registry, "_formats", {})
    monkeypatch.setattr(formats_registry, "_loaded", [])
    with pytest.warns(BionerWarning, match="cannot be loaded, and is left out") as warned:
        names = list(all_formats())
        all_formats()
    assert len(warned) == 2 and "no_such_module:FORMAT" in str(warned[0].message)
    assert {"stars", "bioc", "docbin", "pubtator"} <= set(names) and names == sorted(names)


def test_declarations() -> None:
    for name, format in all_formats().items():
        assert format.name == name and format.description
        assert format.holds <= set(HOLDS)
        assert all(ending.startswith(".") for ending in (*format.endings, *format.usual_endings))
        assert set(format.text_options) <= set(format.reader_options)
    assert (
        known_endings(all_formats())[".txt"] == "text"
        and known_endings(all_formats())[".nxml"] == "jats"
        and ".xml" not in known_endings(all_formats())
    )
    assert (
        known_endings(output_formats()).items()
        >= {
            ".bio": "iob",
            ".conll": "iob",
            ".csv": "table",
            ".iob": "iob",
            ".iob2": "iob",
            ".jsonl": "textspans",
            ".jsonlines": "jsonlines",
            ".parquet": "table",
            ".pubtator": "pubtator",
            ".spacy": "docbin",
            ".tsv": "table",
            ".xml": "bioc",
        }.items()
    )


def test_the_page_of_formats_knows_all_of_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf8")
    rows = {row.split("|")[1].strip(" `"): row.split("|")[3] for row in page.splitlines() if row.startswith("| `")}
    declared = {
        name: ", ".join(f"`{option}`" for option in format.reader_options) for name, format in all_formats().items()
    }
    assert {name: options.strip() for name, options in rows.items()} == declared
