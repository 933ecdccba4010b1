"""`spacy bioner apply` and `spacy bioner convert`: files of any format to files of any other."""

import csv
import gzip
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy.tokens import DocBin, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from bioner_spacy.cli.commands import app
from bioner_spacy.docbin import load_docs
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import read_documents
from bioner_spacy.formats.document import Passage
from bioner_spacy.formats.documents import input_formats, output_formats
from bioner_spacy.scope import get_corpus, get_doc_id, get_scope, set_gold
from bioner_spacy.serving import annotator
from bioner_spacy.serving.apply import apply
from bioner_spacy.serving.convert import convert_file

WRITTEN = sorted(set(output_formats()) & set(input_formats()))
"""Formats of annotated documents that are read and written."""

TEXT = "Gout in old mice"
MENTIONS = {(0, 4, "DISEASE"), (8, 16, "SPECIES"), (12, 16, "X")}
PUBTATOR = (
    "7|t|Gout in mice.\n7|a|Ataxia and BRCA1.\n"
    "7\t0\t4\tGout\tDisease\n7\t0\t4\tGout\tDisease\n7\t8\t12\tmice\tSpecies\n7\t25\t29\tBRCA\tGene\n\n"
    "8|t|Gout.\n8|a|\n\n"
)


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
    ruler: Any = nlp.add_pipe("span_ruler", config={"spans_key": "bioner", "annotate_ents": True})
    ruler.add_patterns([{"label": "DISEASE", "pattern": [{"LOWER": "gout"}]}])
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def read(path: Path, format: str) -> dict[str, tuple[str, set[tuple[int, int, str]]]]:
    """Texts and mentions of the documents of a file by their identifiers."""
    if format == "docbin":
        docs = load_docs(path, Vocab())
        return {
            get_doc_id(doc) or str(number): (
                doc.text,
                {(span.start_char, span.end_char, span.label_) for span in doc.spans["bioner"]},
            )
            for number, doc in enumerate(docs, start=1)
        }
    if format == "table":
        rows = list(csv.DictReader(path.open(encoding="utf8")))
        found = {row["document"]: {(int(r["start"]), int(r["end"]), r["type"]) for r in rows} for row in rows}
        assert {row["flat"] for row in rows} <= {"True", "False", ""}
        return {doc_id: (TEXT, places) for doc_id, places in found.items()}
    documents = read_documents(format, path)
    return {d.doc_id: (d.text, {(m.start, m.end, m.label) for m in d.mentions}) for d in documents}


def command(*arguments: object) -> tuple[int, str]:
    """Run a command of `spacy bioner`; its exit status and what it printed, in one line and without colours."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, " ".join(re.sub(r"\x1b\[[0-9;]*m", "", result.output).split())


@pytest.mark.parametrize("input_format", WRITTEN)
@pytest.mark.parametrize("format", [*WRITTEN, "table"])
def test_every_format_becomes_every_other(input_format: str, format: str, gold: Path, tmp_path: Path) -> None:
    source = gold
    if input_format != "docbin":
        source = tmp_path / "in"
        convert_file(gold, source, format=input_format, columns=2 if input_format == "iob" else None)
    columns = 2 if format == "iob" else None
    counts = convert_file(source, tmp_path / "out", input_format=input_format, format=format, columns=columns)
    assert counts[:2] == (2, 3)
    found = read(tmp_path / "out", format)
    assert found.pop("d7") == (TEXT, MENTIONS)
    assert list(found.values()) == ([] if format == "table" else [("Mice", set())])


@pytest.mark.parametrize("input_format", WRITTEN)
@pytest.mark.parametrize("format", sorted({*WRITTEN, "table"} - {"jsonlines"}))
def test_texts_of_every_format_are_annotated(
    input_format: str, format: str, gold: Path, pipeline: Path, tmp_path: Path
) -> None:
    """Annotated again, under their identifiers."""
    source = gold
    if input_format != "docbin":
        source = tmp_path / "in"
        convert_file(gold, source, format=input_format, columns=2 if input_format == "iob" else None)
    counts = apply(str(pipeline), source, tmp_path / "out", input_format=input_format, format=format)
    assert counts == (2, 1, 0)
    without = {} if format == "table" else {"2": ("Mice", set())}
    assert read(tmp_path / "out", format) == {"d7": (TEXT, {(0, 4, "DISEASE")}), **without}


@pytest.mark.parametrize("input_format", ["pubtator", "docbin"])
def test_title_and_abstract_stay_apart(input_format: str, pipeline: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.pubtator"
    source.write_text(PUBTATOR)
    if input_format == "docbin":
        convert_file(source, tmp_path / "in.spacy", input_format="pubtator")
        source = tmp_path / "in.spacy"
    apply(str(pipeline), source, tmp_path / "out", input_format=input_format, format="pubtator")
    assert (tmp_path / "out").read_text() == (
        "7|t|Gout in mice.\n7|a|Ataxia and BRCA1.\n7\t0\t4\tGout\tDISEASE\n\n"
        "8|t|Gout.\n8|a|\n8\t0\t4\tGout\tDISEASE\n\n"
    )
    settings: dict[str, Any] = {"input_format": input_format, "format": "bioc", "n_process": 2}
    apply(str(pipeline), source, tmp_path / "out.xml", **settings)
    first, second = read_documents("bioc", tmp_path / "out.xml")
    assert (first.passages, second.passages) == (
        (Passage(0, 13, "title"), Passage(14, 31, "abstract")),
        (Passage(0, 5, "title"),),
    )


def test_gold_of_a_file(tmp_path: Path) -> None:
    """What becomes of its mentions is reported, and its labels are its annotation scope."""
    source = tmp_path / "mine.pubtator"
    source.write_text(PUBTATOR)
    labels = "Disease=DISEASE, Species=null"
    status, printed = command(
        "convert", source, tmp_path / "out.spacy", "--input-format", "pubtator", "--labels", labels
    )
    assert status == 0
    assert "1 of 4 mentions duplicate: mine.pubtator, line 4: 'Gout' (Disease): line 3 has the same" in printed
    assert "1 of 4 mentions expanded: mine.pubtator, line 6: 'BRCA' (Gene)" in printed
    assert "1 of 4 mentions left out: Species" in printed
    assert "Annotation scope: DISEASE, Gene" in printed
    assert f"Wrote {tmp_path / 'out.spacy'}: 2 documents, 2 spans" in printed
    first, second = load_docs(tmp_path / "out.spacy", Vocab())
    assert [(span.text, span.label_) for span in first.spans["bioner"]] == [("Gout", "DISEASE"), ("BRCA1", "Gene")]
    for doc in (first, second):
        assert (get_corpus(doc), get_scope(doc)) == ("mine", {"DISEASE", "Gene"})
    assert (get_doc_id(second), list(second.spans["bioner"])) == ("8", [])
    content = (tmp_path / "out.spacy").read_bytes()
    convert_file(str(source), str(tmp_path / "out.spacy"), labels={"Disease": "DISEASE", "Species": None})
    assert (tmp_path / "out.spacy").read_bytes() == content
    settings: dict[str, Any] = {"input_format": "pubtator", "format": "docbin"}
    *counts, report = convert_file(source, tmp_path / "out.spacy", alignment="drop", **settings)
    assert (counts, report and report.count("lost")) == ([2, 2], 1)
    with pytest.raises(BionerError, match=r"line 6: .*'BRCA'"):
        convert_file(source, tmp_path / "out.spacy", alignment="error", **settings)
    assert len(load_docs(tmp_path / "out.spacy", Vocab())) == 2
    for setting in ("alignment", "discontinuous"):
        with pytest.raises(BionerError, match=f"Setting {setting} is 'zz'; allowed: "):
            convert_file(tmp_path / "out.spacy", tmp_path / "out.jsonl", **{setting: "zz"})  # type: ignore[arg-type]


def test_options_of_the_reader(pipeline: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.tsv", tmp_path / "out.jsonl"
    source.write_text("Gout\tO\tB-A\tO\nin\tO\tO\tO\nmice\tO\tO\tB-B\n\n")
    convert_file(source, out, input_format="iob", options="tag_columns=2 3")
    assert read(out, "textspans") == {"1": ("Gout in mice", {(0, 4, "A"), (8, 12, "B")})}
    wrong = tmp_path / "in.pubtator"
    wrong.write_text("7|t|Gout in mice.\n7|a|\n7\t8\t12\tmouse\tSpecies\n")
    with pytest.raises(BionerError, match="line 3: the annotation 'mouse' is not the text at its offsets"):
        convert_file(wrong, out, input_format="pubtator")
    with pytest.warns(BionerWarning, match="1 annotation has"):
        convert_file(wrong, out, input_format="pubtator", options="mismatch=offsets")
    assert read(out, "textspans") == {"7": ("Gout in mice.", {(8, 12, "Species")})}
    with warnings.catch_warnings():  # of texts to annotate this is no mistake
        warnings.simplefilter("error")
        apply(str(pipeline), wrong, out, input_format="pubtator")
    assert read(out, "textspans") == {"7": ("Gout in mice.", {(0, 4, "DISEASE")})}


def test_the_standard_input_and_patterns(pipeline: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    run = ["apply", str(pipeline), "-", str(out), "--input-format", "text"]
    for content in ("Gout.\nMice.\n", gzip.compress(b"Gout.\nMice.\n")):
        result = CliRunner().invoke(app, run, input=content)
        assert result.exit_code == 0 and "2 documents, 1 span" in " ".join(result.output.split())
    result = CliRunner().invoke(app, run[:-2], input="Gout.\n")
    assert result.exit_code == 1 and "name of the standard input does not show" in " ".join(result.output.split())
    result = CliRunner().invoke(app, ["convert", "-", str(out), "--input-format", "textspans"], input="5\n")
    assert result.exit_code == 1 and "[E106] standard input, line 1: a JSON object" in " ".join(result.output.split())
    for number in (1, 2):
        (tmp_path / f"in{number}.pubtator").write_text(PUBTATOR.replace("7", f"7{number}"))
    status, printed = command("convert", tmp_path / "in*.pubtator", tmp_path / "all.spacy.gz")
    assert (status, "4 documents" in printed) == (0, True)
    assert (tmp_path / "all.spacy.gz").read_bytes().startswith(b"\x1f\x8b")
    status, printed = command("convert", tmp_path / "all.spacy.*", tmp_path / "in1.jsonl")
    assert (status, "4 documents" in printed) == (0, True)
    status, printed = command("convert", tmp_path / "*.jsonl", tmp_path / "in1.jsonl")
    assert (status, "is the input" in printed) == (1, True)


def test_warnings_of_a_reader_come_once(tmp_path: Path) -> None:
    rows = [{"text": "Gout", "spans": [], "answer": "reject"}, {"text": "Gout", "spans": [[0, 4, "D"]]}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.warns(BionerWarning) as warned:
        assert convert_file(tmp_path / "in.jsonl", tmp_path / "out.spacy")[:2] == (1, 1)
    assert len(warned) == 1


def test_scores_of_a_docbin_stay(gold: Path, tmp_path: Path) -> None:
    [doc, _] = load_docs(gold, vocab := Vocab())
    doc.spans["bioner"].attrs["scores"] = [0.25, 0.5, 1.0]
    DocBin(docs=[doc]).to_disk(tmp_path / "scored.spacy")
    convert_file(tmp_path / "scored.spacy", tmp_path / "out.spacy")
    [again] = load_docs(tmp_path / "out.spacy", vocab)
    assert again.spans["bioner"].attrs == doc.spans["bioner"].attrs
    status, printed = command("convert", gold, tmp_path / "out.tsv", "--format", "iob")
    assert (status, "1 of 3 spans overlaps others" in printed) == (0, True)


def test_texts_by_lines(pipeline: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("mice\n\nmice with gout\u2028gout\r\n", encoding="utf8")
    status, printed = command("apply", pipeline, texts, tmp_path / "out", "--format", "brat", "--batch-size", 2)
    assert (status, "3 documents, 2 spans" in printed) == (0, True)
    assert read(tmp_path / "out", "brat") == {
        "1": ("mice", set()),
        "2": ("", set()),
        "3": ("mice with gout\u2028gout", {(10, 14, "DISEASE"), (15, 19, "DISEASE")}),
    }


@pytest.mark.parametrize("n_process", [1, 2])
@pytest.mark.parametrize("format", ["textspans", "docbin"])
def test_documents_of_many_memory_zones(
    format: str, n_process: int, pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that are new in each document, and more documents in a batch than in a zone."""
    monkeypatch.setattr(annotator, "ZONE_DOCUMENTS", 3)
    monkeypatch.setattr("bioner_spacy.serving.apply.CHUNK", 3)
    texts = [f"gout{number} gout word{number}" for number in range(20)]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    before = torch.get_num_threads()
    counts = apply(str(pipeline), tmp_path / "texts.txt", tmp_path / "out", format=format, n_process=n_process)
    assert counts == (20, 20, 0) and torch.get_num_threads() == before
    found = list(read(tmp_path / "out", format).values())
    assert [text for text, _ in found] == texts
    assert all(mentions == {(text.index(" ") + 1, text.index(" ") + 5, "DISEASE")} for text, mentions in found)


def test_wrong_settings_and_inputs(gold: Path, pipeline: Path, tmp_path: Path) -> None:
    broken, texts, folder = tmp_path / "broken.spacy", tmp_path / "texts.txt", tmp_path / "folder.spacy"
    broken.write_bytes(b"no DocBin")
    texts.write_text("Gout")
    mine = tmp_path / "mine.pubtator"
    mine.write_text(PUBTATOR)
    folder.mkdir()
    (folder / "notes.txt").touch()
    unknown = tmp_path / "mine.dat"
    unknown.write_text(PUBTATOR)
    out = tmp_path / "out"
    before = sorted(tmp_path.rglob("*"))
    conversions: list[tuple[Path, Path, dict[str, Any], str]] = [
        (gold, out, {"format": "conllu"}, "Setting format is 'conllu'; allowed: bioc, brat"),
        (gold, out, {}, "The name of .*out does not show its format: set format to one of bioc, brat"),
        (
            texts,
            out,
            {"format": "brat"},
            "txt is of the format text, whose texts have no annotation: annotate them by .spacy bioner apply.",
        ),
        (gold, out, {"format": "brat", "columns": 2}, "only with the format iob"),
        (gold, out, {"format": "brat", "labels": "A=B"}, "Setting labels is 'A=B'; allowed: only with other formats"),
        (gold, out, {"format": "brat", "spans_key": "sc"}, "Document number 1 is not annotated"),
        (gold, out, {"format": "docbin", "spans_key": "sc"}, "number 1 is not annotated.*keys: bioner"),
        (gold, gold, {}, "is the input, and is not replaced"),
        (gold, folder, {}, "is a folder and cannot be written"),
        (tmp_path / "none.spacy", out, {"format": "brat"}, "is not there"),
        (broken, out, {"format": "brat"}, "is not a readable DocBin"),
        (mine, out, {"input_format": "pubtator", "format": "brat", "spans_key": "sc"}, "Setting spans_key"),
        (mine, out, {"input_format": "pubtator", "format": "brat", "labels": "Gene"}, "allowed: NAME=VALUE"),
        (mine, out, {"input_format": "pubtator", "format": "brat", "labels": "Gene=A,Gene=B"}, "with each name once"),
        (mine, out, {"input_format": "pubtator", "format": "brat", "labels": "=A"}, "allowed: NAME=VALUE"),
        (
            mine,
            out,
            {"input_format": "pubtator", "format": "brat", "labels": "Gen=GENE"},
            "label Gen .*: Disease, Gene",
        ),
        (
            gold,
            out,
            {"format": "brat", "options": "mismatch=offsets"},
            "options is .mismatch., and the format docbin has no such option",
        ),
        (
            mine,
            out,
            {"input_format": "pubtator", "format": "brat", "options": "unit=x"},
            "options is .unit.* it has: mismatch",
        ),
        (
            mine,
            out,
            {"input_format": "pubtator", "format": "brat", "options": "mismatch=x"},
            "Setting mismatch is 'x'",
        ),
        (mine, out, {"input_format": "iob", "format": "brat", "options": "tag_columns=x"}, "tag_columns"),
        (mine, out, {"input_format": "bioc", "format": "brat"}, "line 1: neither XML nor JSON"),
    ]
    for source, output, settings, message in conversions:
        with pytest.raises(BionerError, match=message):
            convert_file(source, output, **settings)
        assert sorted(tmp_path.rglob("*")) == before
    spacy.blank("en").to_disk(tmp_path / "blank")
    before = sorted(tmp_path.rglob("*"))
    for nlp, source, output, message in [
        (tmp_path / "none", texts, out, "cannot be loaded"),
        (tmp_path / "blank", texts, out, r"does not set doc.spans\['bioner'\]; keys that it sets: none"),
        (pipeline, unknown, out, "set input_format to one of "),
        (pipeline, texts, texts, "is the input"),
        (pipeline, texts.with_name("none.txt"), out, "is not there"),
    ]:
        for format in ("textspans", "docbin"):
            with pytest.raises(BionerError, match=message):
                apply(str(nlp), source, output, format=format)
            assert sorted(tmp_path.rglob("*")) == before
    for settings in ({"threshold": 60}, {"n_process": 0}, {"batch_size": 0}, {"shard_size": 0}, {"types": "GENE"}):
        with pytest.raises(BionerError, match=f"Setting {next(iter(settings))} is .*; allowed: a "):
            apply(pipeline, str(texts), str(out), format="docbin", **settings)
    with pytest.raises(BionerError, match="Setting pipeline is .*; allowed: the folder or package name"):
        apply(spacy.blank("en"), texts, out, format="docbin")  # type: ignore[arg-type]
    with pytest.raises(BionerError, match="n_process is 2; allowed: 1 on a GPU"):
        apply(str(pipeline), texts, out, format="docbin", n_process=2, gpu_id=0)
    texts.write_text("")
    gold_before = gold.read_bytes()
    for output in (out, gold):
        with pytest.raises(BionerError, match="There is no document to write"):
            apply(str(pipeline), texts, output, format="docbin")
    assert not out.exists() and gold.read_bytes() == gold_before
    status, printed = command("apply", pipeline, texts, out)
    assert (status, "set --format to one of " in printed) == (1, True)


def test_only_some_mentions_are_written(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    rules = [
        {"label": label, "pattern": text} for label, text in (("DISEASE", "old gout"), ("X", "gout"), ("X", "mice"))
    ]
    nlp.add_pipe("span_ruler", config={"spans_key": "bioner", "annotate_ents": True}).add_patterns(rules)  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "rules")
    (tmp_path / "in.txt").write_text("old gout in mice\n")

    def found(*options: str) -> set[tuple[int, int, str]]:
        status, printed = command("apply", tmp_path / "rules", tmp_path / "in.txt", tmp_path / "out.jsonl", *options)
        assert status == 0, printed
        return read(tmp_path / "out.jsonl", "textspans")["1"][1]

    assert found() == {(0, 8, "DISEASE"), (4, 8, "X"), (12, 16, "X")}
    assert found("--flat") == {(0, 8, "DISEASE"), (12, 16, "X")}
    assert found("--types", "X") == {(4, 8, "X"), (12, 16, "X")}
    assert found("--flat", "--types", "X", "--threshold", "0.5") == {(12, 16, "X")}  # rules have no scores
    status, printed = command(
        "apply", tmp_path / "rules", tmp_path / "in.txt", tmp_path / "out.jsonl", "--types", "X,GNE"
    )
    assert (status, "Option --types is 'GNE'; allowed: DISEASE, X" in printed) == (1, True)


def test_a_text_that_is_too_long_is_named(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("X")  # type: ignore[attr-defined]
    nlp.initialize()
    nlp.to_disk(tmp_path / "ner")
    records = [{"text": "Gout", "id": "a"}, {"text": "x " * 600_000, "id": "b"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, records)))
    status, printed = command("apply", tmp_path / "ner", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert status == 1 and "does not set doc.spans['bioner']" in printed
    nlp = ["apply", tmp_path / "ner", tmp_path / "in.jsonl", tmp_path / "out.jsonl", "--spans-key", "ents"]
    status, printed = command(*nlp)
    assert status == 3 and "in.jsonl, line 2, document b: [E508] Document b has 1,200,000 characters" in printed
    assert list(read(tmp_path / "out.jsonl", "textspans")) == ["a"]


def test_spacy_finds_the_commands(pipeline: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Gout in mice", "id": 5}\n')
    run = [sys.executable, "-m", "spacy", "bioner", "apply", str(pipeline)]
    done = subprocess.run([*run, "in.jsonl", "out.spacy"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Wrote out.spacy: 1 document, 1 span" in done.stdout
    assert read(tmp_path / "out.spacy", "docbin") == {"5": ("Gout in mice", {(0, 4, "DISEASE")})}
    listed = subprocess.run([sys.executable, "-m", "spacy", "--help"], capture_output=True, text=True, check=True)
    assert "bioner" in listed.stdout
