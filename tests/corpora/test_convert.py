import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from bioner_spacy.corpora import SPLITS, Catalogue, SplitReport, convert, load_catalogue, summary
from bioner_spacy.corpora.convert import SUMMARY
from bioner_spacy.corpora.to_doc import KINDS
from bioner_spacy.docbin import load_docs, write_docs
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.scope import SPANS_KEY, get_corpus, get_scope

Load = Callable[[Any], Catalogue]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def assets(published: Path, tmp_path: Path) -> Path:
    published.rename(tmp_path / "real")
    return tmp_path


def test_converted_documents(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    output = assets / "out"
    convert(load(data), ["genes", "abstracts", "nested"], assets=assets, output=output, nlp=nlp)
    assert sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()) == sorted(
        f"{name}/{file}"
        for name in data["corpora"]
        for file in ("train.spacy", "devel.spacy", "test.spacy", "report.json")
    )
    found = {}
    for name in data["corpora"]:
        docs = list(DocBin().from_disk(output / name / "devel.spacy").get_docs(Vocab()))
        assert {get_corpus(doc) for doc in docs} == {name}
        found[name] = [
            (
                doc.text,
                sorted((span.text, span.label_) for span in doc.spans[SPANS_KEY]),
                doc.spans[SPANS_KEY].attrs["doc_id"],
                sorted(get_scope(doc) or ()),
            )
            for doc in docs
        ]
    assert found["genes"] == [
        ("Mice with FOX2 kinase.", [("FOX2 kinase", "GENE")], "", ["GENE"]),
        ("FOX2 FOX3.", [("FOX2", "GENE"), ("FOX3", "GENE")], "", ["GENE"]),
    ]
    assert found["abstracts"] == [("Ataxia in mice. Mice had gout.", [("Ataxia", "DISEASE")], "7", ["DISEASE"])]
    assert found["nested"] == [
        ("FOX2 promoter binds.", [("FOX2", "DNA"), ("FOX2", "GENE"), ("FOX2 promoter", "DNA")], "d1", ["DNA", "GENE"])
    ]


def test_paths_may_be_text_and_the_tokenizer_is_that_of_trained_pipelines(
    data: dict[str, Any], load: Load, assets: Path
) -> None:
    [*_, report] = convert(load(data), ["genes"], assets=str(assets), output=str(assets / "out"))
    assert (report.split, (assets / "out" / "genes" / "test.spacy").is_file()) == ("test", True)
    with pytest.raises(BionerError, match="Setting names is 'genes'; allowed: a list of corpora"):
        convert(load(data), "genes", assets=assets, output=assets / "out")


def test_report(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    reports = convert(load(data), ["abstracts", "genes"], assets=assets, output=assets / "out", nlp=nlp)
    assert [(report.corpus, report.split) for report in reports[:4]] == [
        ("abstracts", "train"),
        ("abstracts", "devel"),
        ("abstracts", "test"),
        ("genes", "train"),
    ]
    written = json.loads((assets / "out/abstracts/report.json").read_text())
    assert written["corpus"] == "abstracts"
    assert written["splits"]["test"] == {
        "types": ["DISEASE"],
        "records": 1,
        "documents": 1,
        "tokens": 8,
        "mentions_in": {"Dis": 1, "Taxon": 1},
        "mentions_out": {"DISEASE": 1},
        "dropped": {"Taxon": 1},
        "lost": {"count": 0, "mentions": [], "not_listed": 0},
        "duplicate": {"count": 0, "mentions": [], "not_listed": 0},
        "expanded": {"count": 0, "mentions": [], "not_listed": 0},
        "covered": {"count": 0, "mentions": [], "not_listed": 0},
    }
    assert written["labels"] == {"Dis": "DISEASE", "Taxon": None}
    rows = summary(reports)
    assert {len(row) for row in rows} == {len(SUMMARY)}
    assert rows[0][:-3] == ("abstracts", "train", "1", "8", "2", "1", "0", "0", "1", "0")
    assert rows[-1][:-3] == ("all", "", "9", "48", "15", "3", "0", "0", "12", "0")


def test_merged_types_are_one_in_documents_and_report(
    data: dict[str, Any], load: Load, assets: Path, nlp: Language
) -> None:
    catalogue = load(data).merge_types("DNA=GENE")
    reports = convert(catalogue, ["nested"], assets=assets, output=assets / "out", nlp=nlp)
    written = json.loads((assets / "out/nested/report.json").read_text())
    assert written["labels"] == {"DNA": "GENE", "protein": "GENE"}
    assert written["splits"]["test"]["types"] == ["GENE"]
    # The protein FOX2 and the DNA FOX2 are one mention now.
    assert (reports[0].mentions_in, reports[0].mentions_out) == ({"DNA": 2, "protein": 1}, {"GENE": 2})
    assert reports[0].count("duplicate") == 1
    [doc] = DocBin().from_disk(assets / "out/nested/test.spacy").get_docs(Vocab())
    assert get_scope(doc) == {"GENE"}


def test_lost_and_expanded_mentions_are_listed_and_warned_about(
    data: dict[str, Any], load: Load, assets: Path, nlp: Language
) -> None:
    data["corpora"]["abstracts"]["labels"]["Taxon"] = "DISEASE"
    path = assets / "real/abstracts/test.txt"
    path.write_text("7|t|Mice.\n7|a|\n7\t0\t4\tMice\tDis\n7\t0\t4\tMice\tTaxon\n7\t0\t3\tMic\tDis\n7\t4\t5\t.\tDis\n")
    blunt = Language()
    blunt.tokenizer = Tokenizer(blunt.vocab)
    with pytest.warns(BionerWarning, match=r"abstracts, test: 2 of 4 mentions .*test\.txt, line 5"):
        convert(load(data), ["abstracts"], assets=assets, output=assets / "out", nlp=blunt)
    test = json.loads((assets / "out/abstracts/report.json").read_text())["splits"]["test"]
    assert test["mentions_out"] == {"DISEASE": 1}
    lines = {kind: [m["line"] for m in test[kind]["mentions"]] for kind in ("expanded", "duplicate", "lost")}
    assert lines == {"expanded": [3], "duplicate": [4], "lost": [5, 6]}
    assert test["lost"]["mentions"][0] == {
        "file": "test.txt",
        "line": 5,
        "text": "Mic",
        "label": "Dis",
        "reason": "on token boundaries it equals the DISEASE of line 3: 'Mice.'",
    }
    with pytest.raises(BionerError, match="not token boundaries"):
        convert(load(data), ["abstracts"], assets=assets, output=assets / "out", nlp=blunt, alignment="error")


@pytest.mark.parametrize(
    ("discontinuous", "issues", "out"),
    [
        ("report", {"lost": [1, 2, 4], "duplicate": [], "expanded": [], "covered": []}, 2),
        ("cover", {"lost": [2], "duplicate": [4], "expanded": [], "covered": [1]}, 3),
    ],
)
def test_discontinuous_mentions_are_accounted_for(
    data: dict[str, Any],
    load: Load,
    tmp_path: Path,
    nlp: Language,
    discontinuous: str,
    issues: dict[str, Any],
    out: int,
) -> None:
    entry = data["corpora"]["genes"]
    entry |= {"format": "brat", "options": {"mismatch": "error"}, "labels": {"Dis": "DISEASE", "Odd": None}}
    rows = ["Dis 0 6;19 26\tBreast cancers", "Dis 0 6;11 18\tBreast ovarian", "Dis 0 18\tBreast and ovarian"]
    rows += ["Dis 0 6;19 26\tBreast cancers", "Dis 11 26\tovarian cancers", "Odd 0 6;11 18\tBreast ovarian"]
    for split in SPLITS:
        entry["files"][split]["name"] = split
        folder = tmp_path / "real/genes" / split
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text("Breast and ovarian cancers.")
        (folder / "a.ann").write_text("".join(f"T{line}\t{row}\n" for line, row in enumerate(rows, start=1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BionerWarning)
        reports = convert(
            load(data), ["genes"], assets=tmp_path, output=tmp_path / "out", nlp=nlp, discontinuous=discontinuous
        )
    written = json.loads((tmp_path / "out/genes/report.json").read_text())["splits"]["test"]
    assert {kind: [mention["line"] for mention in written[kind]["mentions"]] for kind in issues} == issues
    if discontinuous == "report":
        assert {mention["reason"] for mention in written["lost"]["mentions"]} == {"it is discontinuous"}
    assert written["lost"]["mentions"][0]["file"] == "a.ann"
    assert (written["mentions_in"], written["mentions_out"]) == ({"Dis": 5, "Odd": 1}, {"DISEASE": out})
    lost, duplicate = str(len(issues["lost"])), str(len(issues["duplicate"]))
    assert summary(reports)[-2][2:-3] == ("1", "5", "6", "1", duplicate, lost, str(out), "0")


def convert_genes(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> dict[str, list[str]]:
    """Convert the corpus genes; text of the documents of every split."""
    catalogue = load(data)
    reports = convert(catalogue, ["genes"], assets=assets, output=assets / "out", nlp=nlp)
    written = json.loads((assets / "out/genes/report.json").read_text())["splits"]
    assert {report.split for report in reports} == set(written) == set(catalogue["genes"].splits)
    files = sorted((assets / "out/genes").glob("*.spacy"))
    return {path.stem: [doc.text for doc in DocBin().from_disk(path).get_docs(Vocab())] for path in files}


def write_articles(path: Path, number: int) -> None:
    """Articles a0, a1, ... of two sentences in IOB2."""
    rows = (f"-DOCSTART- (a{i}) O\n\nSentence O\n{i} O\n\nFOX{i} B-gene\n\n" for i in range(number))
    path.write_text("".join(rows))


def test_missing_splits(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    assert sorted(convert_genes(data, load, assets, nlp)) == ["devel", "test", "train"]
    del data["corpora"]["genes"]["files"]["train"], data["corpora"]["genes"]["files"]["devel"]
    # Files of splits that the corpus had before would pass for those that it has.
    assert sorted(convert_genes(data, load, assets, nlp)) == ["test"]


def test_splits_by_list(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    folder = assets / "real/genes"
    write_articles(folder / "all.tsv", 3)
    lists = {"train": "a2\n", "devel": "a1\n", "test": "\na0\n"}
    for split, text in lists.items():
        (folder / f"{split}.txt").write_text(text)
        data["corpora"]["genes"]["files"][split] = {
            "name": "all.tsv",
            "sha256": None,
            "documents": {"name": f"{split}.txt", "sha256": "0" * 64},
        }
    found = convert_genes(data, load, assets, nlp)
    assert found == {"train": ["Sentence 2", "FOX2"], "devel": ["Sentence 1", "FOX1"], "test": ["Sentence 0", "FOX0"]}


def test_splits_by_count(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    write_articles(assets / "real/genes/all.tsv", 3)
    for split, sentences in (("train", [0, 3]), ("devel", [3, 4]), ("test", [4, 6])):
        data["corpora"]["genes"]["files"][split] = {"name": "all.tsv", "sha256": None, "sentences": sentences}
    found = convert_genes(data, load, assets, nlp)
    assert found == {"train": ["Sentence 0", "FOX0", "Sentence 1"], "devel": ["FOX1"], "test": ["Sentence 2", "FOX2"]}


def test_splits_by_share(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    entry = data["corpora"]["genes"]
    entry["files"], entry["split"] = {"train": entry["files"]["train"]}, {"devel": 0.2, "test": 0.3}
    write_articles(assets / "real/genes/train.tsv", 10)
    found = convert_genes(data, load, assets, nlp)
    assert {split: len(texts) for split, texts in found.items()} == {"train": 10, "devel": 4, "test": 6}
    assert len({text for texts in found.values() for text in texts}) == 20
    for texts in found.values():  # articles are whole
        assert {text.removeprefix("FOX") for text in texts[1::2]} == {
            text.removeprefix("Sentence ") for text in texts[::2]
        }


def test_failure_leaves_the_earlier_files(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    output = assets / "out"
    convert(load(data), ["genes"], assets=assets, output=output, nlp=nlp)
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    (assets / "real/genes/train.tsv").write_text("a\tO\n")
    (assets / "real/genes/test.tsv").write_text("a\tB-RNA\n")
    with pytest.raises(BionerError, match=r"test\.tsv, line 1: the label RNA has no mapping"):
        convert(load(data), ["genes"], assets=assets, output=output, nlp=nlp)
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def test_command_writes_equal_bytes(data: dict[str, Any], load: Load, assets: Path, nlp: Language) -> None:
    """Another process, in which Python orders its sets in another way, writes the same files."""
    catalogue = load(data)
    convert(catalogue, catalogue.select("small"), assets=assets, output=assets / "1", nlp=nlp)
    arguments = f"--corpora small --catalogue {catalogue.path} --assets {assets} --output {assets / '2'}"
    result = subprocess.run(
        [sys.executable, "-m", "spacy", "bioner", "corpora", "convert", *arguments.split()],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "tokens/s" in result.stdout
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (assets / "1", assets / "2")
    )
    assert len(first) == 12
    assert first == second


def test_samples_lose_nothing(tmp_path: Path, nlp: Language) -> None:
    catalogue = load_catalogue(ROOT / "configs/catalogue.yml")
    reports = convert(catalogue, catalogue.select("sample"), assets=ROOT / "assets", output=tmp_path, nlp=nlp)
    for report in reports:
        assert {kind: issues.count for kind, issues in report.issues.items()} == dict.fromkeys(KINDS, 0)
        assert report.mentions_in.total() == report.mentions_out.total() > 0
        assert set(report.mentions_out) == set(report.types)


def test_large_splits_are_folders_and_all_users_read_them(
    data: dict[str, Any], load: Load, assets: Path, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = load(data)
    convert(catalogue, ["genes"], assets=assets, output=assets / "one", nlp=nlp)
    # One after the other over what was there before, in both directions.
    for name, tokens in (("many", 4), ("one", 1000), ("one", 4), ("many", 1000), ("many", 4)):
        monkeypatch.setitem(write_docs.__kwdefaults__, "file_tokens", tokens)
        convert(catalogue, ["genes"], assets=assets, output=assets / name, nlp=nlp)
        assert (assets / name / "genes/train.spacy").is_dir() == (tokens == 4)
        assert [path.name for path in assets.rglob("*.part")] == []
    one, many = (
        [doc.to_json() for doc in load_docs(assets / n / "genes/train.spacy", Vocab())] for n in ("one", "many")
    )
    assert one == many
    del data["corpora"]["genes"]["files"]["train"]
    convert(load(data), ["genes"], assets=assets, output=assets / "many", nlp=nlp)
    assert not (assets / "many/genes/train.spacy").exists()


def test_issues_are_counted_and_the_first_ones_listed(
    data: dict[str, Any], load: Load, assets: Path, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[convert.__module__], "LISTED", 2)
    rows = "7\t0\t4\tMice\tDis\n" * 5
    (assets / "real/abstracts/test.txt").write_text(f"7|t|Mice.\n7|a|\n{rows}")
    convert(load(data), ["abstracts"], assets=assets, output=assets / "out", nlp=nlp)
    found = json.loads((assets / "out/abstracts/report.json").read_text())["splits"]["test"]["duplicate"]
    assert (found["count"], found["not_listed"]) == (4, 2)
    assert [mention["line"] for mention in found["mentions"]] == [4, 5]


def test_speed_is_reported_in_tokens_and_mebibytes() -> None:
    report = SplitReport("a", "train", ["X"], documents=1, tokens=1000, size=3 * 2**20, seconds=2.0)
    row, sums = summary([report, SplitReport("b", "test", ["X"], tokens=200, size=2**20, seconds=6.0)])[::2]
    cells = dict(zip(SUMMARY, row))
    assert (cells["tokens"], cells["text MiB"], cells["tokens/s"], cells["MiB/s"]) == ("1,000", "3.00", "500", "1.50")
    assert sums[-3:] == ("4.00", "150", "0.50")
