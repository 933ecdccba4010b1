"""From a DocBin, or from texts and a pipeline, to a file of another format."""

import runpy
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin, Span

from bioner_spacy.cli.export import export
from bioner_spacy.corpora import READERS
from bioner_spacy.corpora.writers import WRITERS
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import set_gold

SCRIPT = Path(__file__).parents[2] / "scripts" / "export.py"


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """A DocBin of two gold documents, one with nested mentions."""
    nlp = spacy.blank("en")
    first, second = nlp("Gout in old mice"), nlp("Mice")
    spans = [Span(first, 0, 1, label="DISEASE"), Span(first, 2, 4, label="SPECIES"), Span(first, 3, 4, label="X")]
    set_gold(first, spans, corpus="c", scope=["DISEASE"], doc_id="d7")
    set_gold(second, [], corpus="c", scope=["DISEASE"])
    path = tmp_path / "gold.spacy"
    DocBin(docs=[first, second]).to_disk(path)
    return path


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A pipeline on disk that knows one word."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "DISEASE", "pattern": [{"LOWER": "gout"}]}])  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the script with arguments; its exit status."""
    monkeypatch.setattr(sys, "argv", ["export.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return int(ended.value.code or 0)


@pytest.mark.parametrize("format", WRITERS)
def test_gold(format: str, gold: Path, tmp_path: Path) -> None:
    export(gold, tmp_path / "out", format=format, columns=2 if format == "iob" else None)
    second, first = sorted(READERS[format](tmp_path / "out"), key=lambda document: document.doc_id)
    assert (first.text, first.doc_id) == ("Gout in old mice", "d7")
    assert {(m.start, m.end, m.label) for m in first.mentions} == {
        (0, 4, "DISEASE"),
        (8, 16, "SPECIES"),
        (12, 16, "X"),
    }
    assert (second.text, second.doc_id, second.mentions) == ("Mice", "2", ())


@pytest.mark.parametrize("input_format", sorted(set(READERS) - {"genia"}))
@pytest.mark.parametrize("format", sorted(set(WRITERS) - {"jsonlines"}))
def test_texts_of_a_corpus(input_format: str, format: str, gold: Path, pipeline: Path, tmp_path: Path) -> None:
    """Annotated anew, under their identifiers."""
    export(gold, tmp_path / "in", format=input_format, columns=2 if input_format == "iob" else None)
    export(tmp_path / "in", tmp_path / "out", format=format, pipeline=str(pipeline), input_format=input_format)
    texts = {document.doc_id: document for document in READERS[format](tmp_path / "out")}
    assert {name: document.text for name, document in texts.items()} == {"d7": "Gout in old mice", "2": "Mice"}
    assert [(m.start, m.end, m.label) for m in texts["d7"].mentions] == [(0, 4, "DISEASE")]
    assert texts["2"].mentions == ()


def test_script_on_gold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gold: Path) -> None:
    output = gold.with_name("out.tsv")
    assert command(monkeypatch, gold, output, "--format", "iob") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 of 3 spans overlap others" in printed
    assert f"Wrote {output}" in printed
    assert command(monkeypatch, gold, output, "--format", "iob", "--spans-key", "sc") == 1
    assert "Document number 1 is not annotated" in " ".join(capsys.readouterr().out.split())


def test_script_on_texts(monkeypatch: pytest.MonkeyPatch, pipeline: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("mice\n\nmice with gout\u2028gout\r\n", encoding="utf8")
    assert command(monkeypatch, texts, tmp_path / "out", "--format", "brat", "--pipeline", pipeline) == 0
    documents = list(READERS["brat"](tmp_path / "out"))
    assert [(document.id, document.text) for document in documents] == [
        ("1", "mice"),
        ("2", ""),
        ("3", "mice with gout\u2028gout"),
    ]
    assert [(m.start, m.end, m.label) for m in documents[2].mentions] == [(10, 14, "DISEASE"), (15, 19, "DISEASE")]


def test_wrong_settings_and_inputs(gold: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.spacy"
    broken.write_bytes(b"no DocBin")
    cases = [
        (gold, {"format": "conllu"}, "Setting format is 'conllu'; allowed: bioc, brat"),
        (gold, {"format": "brat", "columns": 2}, "only with the format iob"),
        (gold, {"format": "brat", "pipeline": "x"}, "without a pipeline it must be a .spacy file"),
        (tmp_path / "texts.txt", {"format": "brat"}, "without a pipeline it must be a .spacy file"),
        (tmp_path / "none.spacy", {"format": "brat"}, "is not there"),
        (broken, {"format": "brat"}, "is not a readable DocBin"),
        (tmp_path / "texts.txt", {"format": "brat", "pipeline": str(tmp_path / "none")}, "cannot be loaded"),
    ]
    for source, settings, message in cases:
        with pytest.raises(BionerError, match=message):
            export(source, tmp_path / "out", **settings)  # type: ignore[arg-type]
        assert not (tmp_path / "out").exists()
