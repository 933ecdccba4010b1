"""Runs over shards: what they write, that they go on where they were ended, and what they refuse."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bioner_spacy
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.files import checksum
from bioner_spacy.formats import get_format
from bioner_spacy.serving import shards


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Three files of seven texts, of which one of each has a mention."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in "abc":
        lines = [{"text": f"text {number} of {name}" + " NOD2" * (number == 3)} for number in range(7)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def apply(pipeline: str, source: Path, output: Path, **settings: Any) -> Any:
    return bioner_spacy.apply(pipeline, source, output, **{"input_format": "textspans", "shard_size": 3, **settings})


def content(folder: Path) -> dict[str, str]:
    """Shards and what is in them."""
    return {file.name: file.read_text() for file in sorted(folder.iterdir()) if file.is_file()}


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for text in content(folder).values() for line in text.splitlines()]


@pytest.fixture
def one_part_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "PART_BYTES", 1)


def test_shards_manifest_and_ids(pipeline: str, texts: Path, tmp_path: Path, one_part_a_file: None) -> None:
    out = tmp_path / "out.jsonl"
    assert apply(pipeline, texts, out) == (21, 3, 0)
    assert list(content(out)) == [f"0000{part}-000{shard}.jsonl" for part in (1, 2, 3) for shard in (1, 2, 3)]
    assert [record["id"] for record in records(out)] == [f"{name}:{n}" for name in "abc" for n in range(1, 8)]
    manifest = json.loads((out / "_run/manifest.json").read_text())
    assert manifest["made_with"]["pipeline"]["checksum"] == checksum(Path(pipeline))
    assert manifest["inputs"][str(texts / "b.jsonl")]["part"] == 2
    journal = [json.loads(line) for line in (out / "_run/shards.jsonl").read_text().splitlines()]
    assert sum(line.get("documents", 0) for line in journal) == 21
    ends = {line["part"]: line for line in journal if "part" in line}
    assert ends[2]["checksums"] == {str(texts / "b.jsonl"): checksum(texts / "b.jsonl")}
    assert not (out / "_run/errors.jsonl").exists()


def test_small_files_share_a_part_and_one_file_keeps_its_numbers(pipeline: str, texts: Path, tmp_path: Path) -> None:
    apply(pipeline, texts, tmp_path / "out.jsonl.gz")
    assert [file.name for file in sorted((tmp_path / "out.jsonl.gz").glob("0*"))] == [
        f"00001-000{shard}.jsonl.gz" for shard in range(1, 8)
    ]
    apply(pipeline, texts / "a.jsonl", tmp_path / "one", format="textspans")
    assert [record["id"] for record in records(tmp_path / "one")] == [str(number) for number in range(1, 8)]
    bioner_spacy.apply(pipeline, texts / "a.jsonl", tmp_path / "plain.jsonl")
    assert "".join(content(tmp_path / "one").values()) == (tmp_path / "plain.jsonl").read_text()


def test_patterns_folders_and_runs_as_inputs(pipeline: str, texts: Path, tmp_path: Path) -> None:
    pattern = texts / "[ab].jsonl"
    assert apply(pipeline, pattern, tmp_path / "out.jsonl") == (14, 2, 0)
    assert apply(pipeline, tmp_path / "out.jsonl", tmp_path / "again.jsonl") == (14, 2, 0)
    (tmp_path / "notes").mkdir()
    for number in range(4):
        (tmp_path / f"notes/{number}.txt").write_text("NOD2")
    for source in (tmp_path / "notes", tmp_path / "notes/[12].txt"):
        out = tmp_path / f"notes{source.suffix}.jsonl"
        for _ in range(2):
            counts = apply(pipeline, source, out, input_format="text")
            assert counts == ((2, 2, 0) if source.suffix else (4, 4, 0))


def test_a_run_goes_on(
    pipeline: str, texts: Path, tmp_path: Path, one_part_a_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an end at any shard, with or without a torn line, what is missing is done, and nothing else."""
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    apply(pipeline, texts, whole)
    record = shards.Run.record
    for last in range(8):

        def record_some(self: shards.Run, name: str, done: Any, last: int = last) -> None:
            record(self, name, done)
            if len(self._shards) > last:
                raise KeyboardInterrupt

        monkeypatch.setattr(shards.Run, "record", record_some)
        with pytest.raises(KeyboardInterrupt):
            apply(pipeline, texts, out, overwrite=True)
        monkeypatch.setattr(shards.Run, "record", record)
        assert len(content(out)) == last + 1
        with (out / "_run/shards.jsonl").open("a") as journal:
            journal.write('{"shard": "00003-00')
        (out / ".00003-0001.jsonl.12ab.part").write_text("half of a sh")
        (out / "00003-0003.jsonl").write_text("of a killed process")
        before = {file: file.stat().st_mtime_ns for file in out.glob("0*") if file.name != "00003-0003.jsonl"}
        assert apply(pipeline, texts, out) == (21, 3, 0)
        assert content(out) == content(whole)
        assert {file: file.stat().st_mtime_ns for file in before} == before


def test_new_and_changed_files(pipeline: str, texts: Path, tmp_path: Path, one_part_a_file: None) -> None:
    out = tmp_path / "out.jsonl"
    apply(pipeline, texts, out)
    (texts / "a0.jsonl").write_text('{"text": "new NOD2"}\n')
    (texts / "b.jsonl").write_text('{"text": "changed"}\n')
    os.utime(texts / "c.jsonl")
    before = (out / "00003-0001.jsonl").stat().st_mtime_ns
    assert apply(pipeline, texts, out) == (16, 3, 0)
    assert (out / "00003-0001.jsonl").stat().st_mtime_ns == before
    assert {record["id"][: -len(":1")] for record in records(out)} == {"a", "a0", "b", "c"}
    assert [record["text"] for record in records(out) if record["id"][0] == "b"] == ["changed"]
    (texts / "a.jsonl").unlink()  # what is finished is kept
    (out / "00001-0002.jsonl").unlink()
    (texts / "a.jsonl").write_text("")
    with pytest.warns(BionerWarning, match=r"1 document or file could not be read .*a.jsonl: .*holds no document"):
        assert apply(pipeline, texts, out) == (9, 2, 1)


def test_what_fails_is_named_and_ends_nothing(
    pipeline: str, texts: Path, tmp_path: Path, one_part_a_file: None
) -> None:
    out = tmp_path / "out.jsonl"
    lines = (texts / "a.jsonl").read_text().splitlines(keepends=True)
    (texts / "a.jsonl").write_text("".join([*lines[:4], '{"text": "boom", "id": "bad"}\n', *lines[5:], "{\n"]))
    for _ in range(2):  # a second start does not try again, and says it again
        with pytest.warns(
            BionerWarning, match=r"2 documents or files .*_run/errors.jsonl names .*line 5, document bad"
        ):
            assert apply(pipeline, texts, out) == (20, 3, 2)
        bad, file = map(json.loads, (out / "_run/errors.jsonl").read_text().splitlines())
        assert (bad["document"], bad["line"], bad["text"]) == ("bad", 5, "boom")
        assert bad["reason"] == "RuntimeError: a fault of the pipeline"
        assert (file["file"], file["document"], file["line"]) == (str(texts / "a.jsonl"), "", None)
        journal = out / "_run/shards.jsonl"
        journal.write_text(journal.read_text().replace('"line": null', '"line": 0'))  # as older runs have it
    with pytest.raises(BionerError, match="document bad cannot be annotated .*a fault of the pipeline"):
        apply(pipeline, texts, tmp_path / "strict.jsonl", strict=True)
    (texts / "a.jsonl").write_text("{\n")
    with pytest.raises(BionerError, match="line 2: not valid JSON"):
        apply(pipeline, texts, tmp_path / "strict.jsonl", strict=True)
    one = tmp_path / "one.jsonl"
    one.write_text('{"text": "boom"}\n{"text": "NOD2"}\n')
    with pytest.warns(BionerWarning, match="1 document or file"):
        assert apply(pipeline, one, tmp_path / "file.jsonl", shard_size=None) == (1, 1, 1)
    assert json.loads((tmp_path / "file.jsonl").read_text())["id"] == "2"  # whatever became of the first
    assert json.loads((tmp_path / "file.jsonl.errors.jsonl").read_text())["text"] == "boom"
    one.write_text('{"text": "NOD2"}\n')
    assert apply(pipeline, one, tmp_path / "file.jsonl", shard_size=None) == (1, 1, 0)
    assert not (tmp_path / "file.jsonl.errors.jsonl").exists()
    one.write_text('{"text": "boom"}\n')
    for settings in ({"shard_size": None}, {}):
        with pytest.raises(BionerError, match="None of 1 document or file could be .* a fault of the pipeline"):
            apply(pipeline, one, tmp_path / f"none{len(settings)}.jsonl", **settings)
    assert not (tmp_path / "none1.jsonl").exists()


@pytest.mark.parametrize("shard_size", [None, 3])
def test_a_file_that_is_cut_off_costs_no_other_document(
    shard_size: int | None, pipeline: str, texts: Path, tmp_path: Path
) -> None:
    cut, settings = texts / "b.jsonl.gz", {"shard_size": shard_size}
    cut.write_bytes(gzip.compress((texts / "b.jsonl").read_bytes(), 0)[:-60])
    (texts / "b.jsonl").unlink()
    for source, documents, spans in ((texts, 18, 3), (cut, 4, 1)):
        out = tmp_path / f"{documents}.jsonl"
        with pytest.warns(BionerWarning, match="1 document or file .*b.jsonl.gz is not a readable gzip file"):
            assert apply(pipeline, source, out, **settings) == (documents, spans, 1)
        with pytest.raises(BionerError, match="b.jsonl.gz is not a readable gzip file"):
            apply(pipeline, source, tmp_path / f"strict{documents}.jsonl", strict=True, **settings)
    cut.write_bytes(b"")
    with pytest.raises(BionerError, match=r"^\[E102\] File .*b.jsonl.gz holds no document"):
        apply(pipeline, cut, tmp_path / "none.jsonl", **settings)


def test_warnings_of_shards_come_once(pipeline: str, texts: Path, tmp_path: Path) -> None:
    with pytest.warns(BionerWarning) as warned:
        apply(pipeline, texts, tmp_path / "out.tsv", format="iob")
    messages = [str(warning.message)[:6] for warning in warned]
    assert messages == ["[W164]", "[W602]"]


def test_long_texts(pipeline: str, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word " * 220_000 + "NOD2\n")
    assert bioner_spacy.apply(pipeline, tmp_path / "long.txt", tmp_path / "out.jsonl") == (1, 1, 0)


def test_a_run_in_which_nothing_was_done_takes_other_settings(pipeline: str, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(BionerError, match="guideline is 'misspelt'"):
        apply(pipeline, texts, out, guideline="misspelt")
    assert apply(pipeline, texts, out)[0] == 21


def test_what_is_refused(pipeline: str, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    apply(pipeline, texts, out)
    before = content(out)
    (tmp_path / "notes.jsonl").write_text("notes")
    for settings, message in [
        ({"shard_size": 4}, "out.jsonl holds a run with another value of setting shard_size"),
        ({"format": "bioc"}, "another value of setting format"),
        ({"spans_key": "ents"}, "another value of setting spans_key"),
        ({"source": texts / "a.jsonl"}, "another value of setting input"),
        ({"output": texts, "format": "textspans"}, "is inside the input"),
        ({"output": texts / "out", "format": "textspans"}, "is inside the input"),
        ({"output": texts.with_name("notes.jsonl")}, "is a file, or holds files and no run"),
        ({"progress": "loud"}, "progress is 'loud'; allowed: none, bar, log"),
        ({"engine": "spark"}, "engine is 'spark'"),
        ({"threshold": float("nan")}, "threshold is nan; allowed: a number from 0 to 1"),
        ({"address": "ray://a"}, "address is 'ray://a'; allowed: only with the setting engine at ray"),
        ({"n_process": 0}, "n_process is 0; allowed: a number of 1 or more"),
        ({"shard_size": None, "overwrite": True, "output": tmp_path / "f.jsonl"}, "only with the setting shard_size"),
    ]:
        given: dict[str, Any] = {"source": texts, "output": out, **settings}
        with pytest.raises(BionerError, match=message):
            apply(pipeline, **given)
    meta = Path(pipeline, "meta.json")
    meta.write_text(meta.read_text().replace("0.0.0", "0.0.1"))
    with pytest.raises(BionerError, match="setting pipeline.checksum, setting pipeline.version"):
        apply(pipeline, texts, out)
    assert content(out) == before
    manifest = out / "_run/manifest.json"
    manifest.write_text(manifest.read_text().replace('"thinc": "', '"thinc": "0'))
    assert apply(pipeline, texts, out, overwrite=True, shard_size=21) == (21, 3, 0)
    assert len(content(out)) == 1
    with shards.Run(
        out,
        shards.Source(texts, get_format("textspans"), {}),
        ending=".jsonl",
        made_with={**json.loads(manifest.read_text())["made_with"]},
    ):
        with pytest.raises(BionerError, match="Another process works in"):
            apply(pipeline, texts, out, shard_size=21)
    manifest.write_text("{")
    with pytest.raises(BionerError, match="manifest.json is damaged"):
        apply(pipeline, texts, out, shard_size=21)


@pytest.mark.parametrize("shard_size", [None, 3])
def test_documents_that_cannot_be_read_have_their_numbers(
    shard_size: int | None, pipeline: str, tmp_path: Path
) -> None:
    """For every format whose documents may have no identifier."""
    made = {
        "textspans": '{"text": "one"}\n{"txt": "two"}\nthree\n{"text": "four"}\n',
        "jsonlines": '{"tokens": ["one"]}\n{"tokens": ""}\n{}\n{"tokens": ["four"]}\n',
        "labelstudio": '[{"data": {"text": "one"}}, {"data": {}}, {}, {"data": {"text": "four"}}]',
        "iob": "one\tO\n\n\tO\n\ta\tO\n\n \tO\nthree\tO\n\nfour\tO\n",
        "table": "text,x\none,1\ntwo\nthree\nfour,1\n",
    }
    for name, text in made.items():
        source, out = tmp_path / f"in.{name}", tmp_path / f"out-{name}.jsonl"
        source.write_text(text)
        with pytest.warns(BionerWarning, match="W603"):
            counts = apply(pipeline, source, out, input_format=name, shard_size=shard_size)
        assert counts == (2, 0, 2), name
        lines = records(out) if shard_size else [json.loads(line) for line in out.read_text().splitlines()]
        assert [(line["id"], line["text"]) for line in lines] == [("1", "one"), ("4", "four")], name


@pytest.mark.slow
def test_a_document_that_kills_the_only_process(pipeline: str, tmp_path: Path) -> None:
    """The command ends; started again, it leaves the document out."""
    source, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("one\ntwo\nNOD2 killed\nfour\nfive NOD2\n")
    command = [sys.executable, "-m", "spacy", "bioner", "apply", pipeline, source, out, "--shard-size", "2"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert [record["id"] for record in records(out)] == ["1", "2"]
    assert subprocess.run(command, check=False).returncode == 3
    assert [record["id"] for record in records(out)] == ["1", "2", "4", "5"]
    [failure] = [json.loads(line) for line in (out / "_run/errors.jsonl").read_text().splitlines()]
    assert (failure["document"], failure["reason"]) == ("3", "every process that annotated it ended by SIGKILL")
    assert subprocess.run(command, check=False).returncode == 3
