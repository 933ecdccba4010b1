"""The benchmarks of speed and of scale, and spaCy's own, run on invented corpora."""

import io
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from spacy.cli.benchmark_speed import benchmark
from toy_corpora import make_examples, make_nlp, train, write_corpora

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
Run = Callable[..., Path]
NUMBERS = re.compile(r"\| [\d,.]+ \| [\d,.]+–[\d,.]+ \| [\d,.]+ \|")


@pytest.fixture
def run(tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Function that runs a benchmark with some arguments and returns its folder of results."""
    write_corpora(tmp_path / "corpus", splits=("train", "devel", "test"))
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def run(name: str, **options: object) -> Path:
        given = {
            "encoder": tiny_bert,
            "corpus": tmp_path / "corpus",
            "tokens": 50,
            "steps": 1,
            "repeats": 2,
            **options,
        }
        pairs = [(f"--{option.replace('_', '-')}", str(value)) for option, value in given.items()]
        monkeypatch.setattr(sys, "argv", [name, str(tmp_path / "out"), *(part for pair in pairs for part in pair)])
        runpy.run_path(str(BENCHMARKS / name), run_name="__main__")
        return tmp_path / "out"

    return run


def table(page: Path, title: str) -> list[list[str]]:
    """Rows of the table of a page that stands below a title or some words."""
    lines = page.read_text(encoding="utf8").partition(title)[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


def test_sizes(tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    write_corpora(tmp_path / "corpus", splits=("train", "test"))
    nlp = make_nlp("transformer", tiny_bert)
    train(nlp, make_examples(nlp), steps=20)
    nlp.to_disk(tmp_path / "full")
    pipelines = [f"full={tmp_path / 'full'}", f"int8={tmp_path / 'full'}:int8"]
    monkeypatch.setattr(
        sys,
        "argv",
        ["sizes", str(tmp_path / "out"), *pipelines, "--corpus", str(tmp_path / "corpus"), "--repeats", "2"],
    )
    runpy.run_path(str(BENCHMARKS / "sizes.py"), run_name="__main__")
    rows = {row[0]: row[1:] for row in table(tmp_path / "out" / "sizes.md", "F1 and speed")}
    assert list(rows) == ["full", "int8"] and rows["full"][2] == "1.00"
    f1 = [float(cell) for cell in rows["full"][3:]]
    assert f1[0] == pytest.approx(sum(f1[1:]) / len(f1[1:]), abs=0.01)
    assert "int8" in (tmp_path / "out" / "sizes.svg").read_text(encoding="utf8")


def test_speed(run: Run) -> None:
    systems = ["ner", "spancat", "encoder", "hugging-face", "tags", "span-pairs"]
    out = run("speed.py", systems=",".join(systems))
    rows = {row[0]: row[1:] for row in table(out / "speed.md", "Medians")}
    measured = json.loads((out / "speed.json").read_text(encoding="utf8"))
    assert list(rows) == list(measured["prediction"])
    assert all(len(speeds) == 2 for part in measured.values() for speeds in part.values())
    assert rows["spaCy transformer + ner"][2] == rows["spaCy transformer + ner"][5] == "1.00"
    assert rows["encoder alone"][3:] == rows["Hugging Face pipeline"][3:] == ["–"] * 3
    assert {"spaCy transformer + spancat", "tags", "span-pairs"} < set(measured["training"])
    for name, numbers in rows.items():
        assert NUMBERS.match(f"| {' | '.join(numbers[:3])} |"), name
    assert {file.name for file in out.iterdir()} == {"speed.md", "speed.svg", "speed.png", "speed.json"}
    assert "tokens per second" in (out / "speed.svg").read_text(encoding="utf8")


def test_speed_beside_eds_nlp(run: Run) -> None:
    pytest.importorskip("edsnlp")
    out = run("speed.py", systems="eds-nlp,tags")
    rows = {row[0]: row[1:] for row in table(out / "speed.md", "Medians")}
    assert list(rows) == ["EDS-NLP transformer + ner_crf", "tags"]
    assert all(NUMBERS.match(f"| {' | '.join([*numbers[:2], '1.00'])} |") for numbers in rows.values())


def test_speed_of_an_unknown_system(run: Run) -> None:
    with pytest.raises(SystemExit, match="Unknown: mine. Systems are tags, "):
        run("speed.py", systems="tags,mine")


def test_scale(run: Run) -> None:
    out = run("scale.py", parts="types,batch,processes", types="1,8", batch_sizes="1,4", processes="1,2")
    page = out / "scale.md"
    tasks = {row[0]: row[1] for row in table(page, "Entity types")}
    # The documents of the invented corpora go to four corpora, each of which annotates a quarter of the types.
    of_corpora = {"8 types, 4 corpora": "8", "2 types, 4 corpora, guidelines": "8"}
    assert tasks == {"1 type": "1", "8 types": "8", "8 types, one task": "1", **of_corpora}
    assert [row[0] for row in table(page, "Batch size")] == ["1", "4"]
    assert [row[0] for row in table(page, "Processes")] == ["1", "2"]
    assert all(NUMBERS.search(f"| {' | '.join(row[1:4])} |") for row in table(page, "Batch size"))
    assert (out / "scale.svg").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_size_and_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_here(command: list[str], **_: object) -> CompletedProcess[str]:
        """Do without the processes of their own, which take long to start."""
        output = io.StringIO()
        with redirect_stdout(output):
            monkeypatch.setattr(sys, "argv", command[1:])
            runpy.run_path(command[1], run_name="__main__")
        return CompletedProcess(command, 0, stdout=output.getvalue())

    monkeypatch.setattr(subprocess, "run", run_here)
    out = run("scale.py", parts="length,size,memory", types="1,2", lengths="5,40", documents=20)
    lengths = {row[0]: row[1:] for row in table(out / "scale.md", "Document length")}
    assert list(lengths) == ["5", "40"]
    assert all(float(row[3].replace(",", "")) > 0 for row in lengths.values())
    sizes = {row[0]: row[1:] for row in table(out / "scale.md", "## Size")}
    assert list(sizes) == ["2 pipelines of 1 type", "1 type", "2 types"]
    disk = {name: float(row[0].replace(",", "")) for name, row in sizes.items()}
    assert disk["2 pipelines of 1 type"] == pytest.approx(2 * disk["1 type"], rel=0.1)
    assert all(NUMBERS.search(f"| {' | '.join(row[4:])} |") for row in sizes.values())
    memory = {row[0]: row[1:] for row in table(out / "scale.md", "Many documents")}
    assert [name.partition(",")[0] for name in memory] == ["with memory zones", "without", "with zones"]
    assert all(len(parts) == 11 for parts in memory.values())


def test_threads(tiny_bert: str, tmp_path: Path) -> None:
    nlp = make_nlp("transformer", tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "pipeline")
    (tmp_path / "texts.jsonl").write_text('"BRCA1 causes cancer."\n"Aspirin."\n', encoding="utf8")
    arguments = ["pipeline", "texts.jsonl", "--busy", "1", "--repeats", "1"]
    ran = subprocess.run(
        [sys.executable, BENCHMARKS / "threads.py", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r"^a pass for each thread .* 1\.00$", ran.stdout, re.MULTILINE)) == 2


def test_spacy_benchmark_speed() -> None:
    nlp = make_nlp()
    examples = make_examples(nlp)
    train(nlp, examples, steps=1)
    speeds = benchmark(nlp, [example.reference for example in examples], n_batches=3, batch_size=4, shuffle=True)
    assert len(speeds) == 3 and (speeds > 0).all()
