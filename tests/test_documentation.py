"""README, documentation and project file: commands exist with these options, links lead somewhere, the site builds."""

import re
import shlex
import subprocess
import sys
import warnings
from importlib.metadata import distribution
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import click
import pandas
import pytest
import spacy
import typer
from command_line import bioner
from spacy.tokens import DocBin, Span

from bioner_spacy.cli.app import group
from bioner_spacy.errors import BionerWarning, Errors, Warnings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BIONER = typer.main.get_command(group("bioner", "bioner_spacy.cli.commands"))
COMMAND = re.compile(r"python -m spacy bioner ((?:[^\n`\\]|\\\n)+)")
FURTHER = re.compile(r"--(vars|components|training|corpora|nlp|initialize|pretraining|paths|system)\.")
"""Arguments that change the config."""


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command of a command line, and the arguments that follow."""
    found: Any = BIONER
    while words and hasattr(found, "get_command") and words[0][0] not in "-.":
        name, *words = words
        found = found.get_command(click.Context(found), name)
        assert found is not None, f"no command {name}"
    return found, words


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "project.yml", ROOT / "bioner_spacy" / "project.md"], ids=lambda page: page.name
)
def test_commands_exist_with_these_options(page: Path) -> None:
    for line in COMMAND.findall(page.read_text(encoding="utf8")):
        words = shlex.split(re.sub(r"\$\{[^}]*\}", "value", line.replace("\\\n", " ").rstrip('"\\')), comments=True)
        command, arguments = find_command(words)
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        used = [word.split("=")[0] for word in arguments if word.startswith("--") and not FURTHER.match(word)]
        assert set(used) <= known | {"--help"}, line


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text("utf8")], ids=lambda page: page.name
)
def test_python_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the published pipeline for any; a comment such as `# [...]` is what the block prints."""
    published = next((ROOT / "models" / "en_bioner_mtl" / "en_bioner_mtl").glob("en_bioner_mtl-*"))
    load = spacy.load
    monkeypatch.setattr(spacy, "load", lambda name, **settings: load(published, **settings))
    monkeypatch.setattr(spacy.displacy, "serve", lambda *args, **settings: None)
    (tmp_path / "training" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    texts = ["Aspirin inhibits PTGS1.", "It rains."]
    doc = spacy.blank("en")(texts[0])
    names: dict[str, Any] = {
        "texts": texts,
        "doc": doc,
        "spans": [Span(doc, 2, 3, label="GENE")],
        "read": lambda path: (),
    }
    names["spark"] = SimpleNamespace(createDataFrame=lambda *args: SimpleNamespace(mapInPandas=lambda *args: None))
    names["frame"] = pandas.DataFrame({"abstract": texts, "pmid": [7, 8]})
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf8"), flags=re.DOTALL):
        needed = set(re.findall(r"^(?:from|import) (\w+)", block, flags=re.MULTILINE)) & {
            "scispacy",
            "spacy_streamlit",
        }
        if any(find_spec(name) is None for name in needed):
            continue
        exec(block, names)
        printed = capsys.readouterr().out.splitlines()
        assert [line for line in re.findall(r"^# (\[.*)", block, flags=re.MULTILINE) if line not in printed] == []


TOOLS = (ROOT / "docs" / "annotation-tools.md").read_text("utf8").split("\n## ")


@pytest.mark.parametrize("section", [one for one in TOOLS if "title=" in one], ids=lambda one: one.splitlines()[0])
def test_examples_of_annotation_tools(section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that a section shows are written and converted by the commands of the page."""
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r'```\w+ title="(.*?)"\n(.*?)```', section, flags=re.DOTALL):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BionerWarning)  # a rejected record
        assert [bioner(*shlex.split(command)) for command in COMMAND.findall(TOOLS[0])] == [0, 0]
    docs = DocBin().from_disk("corpus/mine/my-corpus/train.spacy").get_docs(spacy.blank("en").vocab)
    found = [(span.text, span.label_) for doc in docs for span in doc.spans["bioner"]]
    assert found == [("Imatinib", "CHEMICAL"), ("KIT", "GENE")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf8"), flags=re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in anchors, target


def test_the_readme_names_every_command() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf8").partition("## Commands")[2].partition("\n## ")[0]
    for name in BIONER.list_commands(click.Context(BIONER)):
        assert f"`{name}" in table or f"{name}`" in table, name


def test_the_readme_is_short_and_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf8")
    assert len(text.splitlines()) <= 150
    assert all(f"    bash scripts/{name}.sh" in text for name in ("quickstart", "test"))


def test_every_page_is_reachable_from_the_start_page() -> None:
    start = (ROOT / "docs" / "index.md").read_text(encoding="utf8")
    assert [page.name for page in PAGES[2:] if page.name != "index.md" and f"({page.name})" not in start] == []


def load_script(name: str) -> Any:
    spec = spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_shows_text_and_entities() -> None:
    doc = spacy.blank("en")("Gout & mice\nAspirin, " + "which eases gout, " * 20)
    doc.ents = [Span(doc, 0, 1, label="DISEASE"), Span(doc, 4, 5, label="CHEMICAL")]
    drawn = ElementTree.fromstring(load_script("picture").draw(doc))
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:7] == ["DISEASE", "Gout", "&", "mice", "CHEMICAL", "Aspirin", ","]


def test_generated_pages_have_every_command_and_code() -> None:
    hooks = load_script("hooks")
    codes = {code for table in (Errors, Warnings) for code in vars(table) if code[0] in "EW"}
    assert {code for code in codes if f"| {code} |" not in hooks.errors_page()} == set()
    registered = distribution("bioner_spacy").entry_points
    names = {entry.name for group in hooks.GROUPS for entry in registered.select(group=group)}
    assert names and {name for name in names if f"### {name}\n" not in hooks.settings_page()} == set()
    assert all(f"## {name}\n" in hooks.commands_page() for name in ("train", "corpora check", "experiment seeds"))


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all((tmp_path / page / "index.html").is_file() for page in ("start", "settings", "errors", "contributing"))
