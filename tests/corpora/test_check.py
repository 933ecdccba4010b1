"""What the check of a corpus finds, in good and broken corpora of every format."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language

from bioner_spacy.corpora import Catalogue, tokenizing_pipeline
from bioner_spacy.corpora.check import LONG, MOST_PROBLEMS, CorpusCheck, check_corpus
from bioner_spacy.corpora.statistics import Usage

Load = Callable[[Any], Catalogue]
Check = Callable[..., CorpusCheck]


@pytest.fixture
def check(data: dict[str, Any], load: Load, tmp_path: Path, nlp: Language) -> Check:
    """Writes the files of a corpus named genes, one a split unless a path says otherwise, and checks it."""

    def check_files(format_: str, contents: dict[str, str | bytes], **entry: Any) -> CorpusCheck:
        folder = tmp_path / "real/genes"
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        keys = {"format": format_, "labels": {"gene": "GENE"}, "files": {name: {"name": name} for name in contents}}
        data["corpora"] = {"genes": keys | entry}
        data.pop("sets", None)
        corpus = load(data)["genes"]
        before = sorted(tmp_path.rglob("*"))
        found = check_corpus(corpus, assets=tmp_path, nlp=nlp)
        assert sorted(tmp_path.rglob("*")) == before  # nothing is written
        return found

    return check_files


def places(check: CorpusCheck, split: str, kind: str) -> list[tuple[int, str, str]]:
    return [(issue.line, issue.text, issue.reason) for issue in check.splits[split].found[kind].first]


def test_good_corpus(check: Check) -> None:
    found = check("iob", {"train": "FOX2\tB-gene\nbinds\tO\n.\tO\n", "test": "FOX3\tB-gene\n\n"})
    assert (found.problems, found.warnings, found.unused) == ([], [], [])
    assert [(file.path.name, file.splits, file.expected) for file in found.files] == [
        ("train", ("train",), None),
        ("test", ("test",), None),
    ]
    assert found.files[1].found == hashlib.sha256(b"FOX3\tB-gene\n\n").hexdigest()
    train = found.splits["train"]
    assert train.complete
    assert (train.report.mentions_in, train.report.mentions_out) == ({"gene": 1}, {"GENE": 1})
    assert (train.statistics.records, train.statistics.tokens, train.statistics.mentions) == (1, 3, {"GENE": 1})
    assert (train.boundaries, train.aligned) == (2, 2)
    assert [list(split.found) for split in found.splits.values()] == [[], ["one token"]]


BAD = {
    "iob": (
        "FOX1\tB-gene\nb\n\nFOX2\tI-gene\n\nc\tO\td\n\nFOX3\tB-gene\n\n-DOCSTART-\tB-gene\n\ne\tX-gene\n",
        [
            "line 2: 1 column where 2",
            "line 4: the tag I-gene begins",
            "line 6: 3 columns where 2",
            "line 10: a -DOCSTART- line",
            "line 12: 'X-gene' is no tag",
        ],
    ),
    "pubtator": (
        "7|x|Ataxia\n7\t0\t6\tAtaxia\tgene\n\n8|t|FOX2 binds\n8|a|\n8\t0\t4\tFOX3\tgene\n8\t0\t40\tFOX2\tgene\n"
        "8\tx\n8\t0\t4\tFOX2\tgene\n9|t|Gout\n8|a|Mice\n9\t0\t4\tGout\tgene\n10|t|FOX4\n10\t0\t4\tFOX4\tgene\n",
        [
            r"line 1: a record must open",
            r"line 6: the annotation 'FOX3'",
            r"line 7: characters 0 to 40",
            r"line 8: neither text nor",
            r"line 11: the abstract of 8",
        ],
    ),
    "jsonlines": (
        '{"tokens": ""}\n{"tokens": ["FOX2"], "entity_mentions": [{"start": 0, "end": 1, "entity_type": "gene"}]}\n{\n'
        '{"tokens": ["FOX2"], "entity_mentions": [{"start": 0, "end": 2, "entity_type": "gene"}]}\n'
        '{"tokens": ["FOX3"], "entity_mentions": [{"start": 0, "end": 1, "entity_type": "gene"}]}',
        [
            "line 1: the object has no list tokens",
            "line 3: not valid JSON",
            "line 4: a mention goes from token 0 to 2",
        ],
    ),
    "textspans": (
        '{"spans": []}\n{"text": "FOX2", "spans": [{"start": 0, "end": 4, "label": "gene"}]}\n{\n'
        '{"text": "FOX2", "label": [[0, 9, "gene"]]}\n{"text": "FOX3", "label": [[0, 4, "gene"]]}',
        ["line 1: the object has no string text", "line 3: not valid JSON", "line 4: characters 0 to 9"],
    ),
    "bioc": (
        json.dumps(
            {
                "documents": [
                    {"id": "1", "passages": [{"offset": 0, "text": "ab"}, {"offset": 1, "text": "c"}]},
                    {
                        "id": "2",
                        "passages": [{"offset": 0, "text": "FOX2 binds FOX3"}],
                        "annotations": [
                            {"text": "FOX2", "infons": {"type": "gene"}, "locations": [{"offset": 0, "length": 4}]},
                            {"text": "FOX9", "infons": {"type": "gene"}, "locations": [{"offset": 0, "length": 4}]},
                            {"text": "FOX2", "infons": {}, "locations": [{"offset": 0, "length": 4}]},
                            {"text": "FOX3", "infons": {"type": "gene"}, "locations": [{"offset": 11, "length": 4}]},
                        ],
                    },
                ]
            },
            indent=1,
        ),
        [
            "line 10: its offset is 1",
            "line 37: the annotation 'FOX9' is not",
            "line 49: the annotation has no infon 'type'",
        ],
    ),
}


@pytest.mark.parametrize("format_", BAD)
def test_all_problems_of_a_file_are_found(check: Check, format_: str) -> None:
    content, expected = BAD[format_]
    found = check(format_, {"train": content})
    assert len(found.problems) == len(expected), found.problems
    for problem, message in zip(found.problems, expected):
        assert f"train, {message}" in problem
    # What is right is counted all the same.
    assert found.splits["train"].report.mentions_out == {"GENE": 2 if format_ != "iob" else 1}
    assert found.splits["train"].complete


def test_all_problems_of_a_folder_are_found(check: Check) -> None:
    files = {
        "train/a.txt": "FOX2 binds",
        "train/a.ann": "T1\tgene 0 4\tFOX2\nX\nT2\tgene 0 4\tFOX3\nT3\tgene 0 90\tFOX2\nT4\tgene 0 4\tFOX2\n",
        "train/b.txt": "FOX3",
        "train/c.txt": b"\xff",
        "train/c.ann": "",
        "train/d.ann": "",
        "train/e.txt": "FOX4",
        "train/e.ann": "T1\tgene 0 4\tFOX4",
    }
    found = check("brat", files, files={"train": {"name": "train"}})
    messages = [
        "b.txt has no b.ann",
        "d.ann has no d.txt",
        "a.ann, line 2: 'X' is no identifier",
        "a.ann, line 3: the annotation 'FOX3'",
        "a.ann, line 4: characters 0 to 90",
        "c.txt, line 1: byte 1 is not valid UTF-8",
    ]
    assert len(found.problems) == len(messages), found.problems
    for problem, message in zip(found.problems, messages):
        assert message in problem
    train = found.splits["train"]
    assert (train.report.records, train.report.mentions_in, train.report.count("duplicate")) == (2, {"gene": 3}, 1)


def test_genia_ends_at_its_first_problem(check: Check) -> None:
    article = "<article><articleinfo><bibliomisc>MEDLINE:1</bibliomisc></articleinfo>"
    sentence = '<sentence><cons sem="G#gene">FOX2</cons> binds</sentence>'
    good = f"<set>\n{article}\n{sentence}\n</article>\n</set>"
    assert check("genia", {"train": good}).problems == []
    bad = f"<set>\n{article}\n{sentence}\n<sentence></sentence>\n<sentence></sentence></article>\n</set>"
    found = check("genia", {"train": bad})
    assert [problem.partition("train, ")[2][:30] for problem in found.problems] == ["line 4: a sentence without tex"]
    assert found.splits["train"].report.mentions_in == {"gene": 1}


def test_after_many_problems_the_file_is_left(check: Check) -> None:
    found = check("jsonlines", {"train": "{]\n" * 1000 + '{"tokens": ["a"], "entity_mentions": []}'})
    assert len(found.problems) == MOST_PROBLEMS
    assert not found.splits["train"].complete


def test_reading_stops_where_the_file_is_not_text(check: Check) -> None:
    found = check("iob", {"train": b"FOX2\tB-gene\n\na\xff\tO\n", "test": "FOX3\tB-gene\n.\tO\n"})
    [problem] = found.problems
    assert "line 3: byte 2 is not valid UTF-8" in problem
    assert [(split, part.complete) for split, part in found.splits.items()] == [("train", False), ("test", True)]


def test_files_missing_and_wrong(check: Check) -> None:
    text = "FOX2\tB-gene\n.\tO\n"
    files = {"train": {"name": "a.tsv"}, "devel": {"name": "b.tsv", "sha256": "0" * 64}, "test": {"name": "c.tsv"}}
    found = check("iob", {"b.tsv": text, "c.tsv": text}, files=files)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert [(file.splits, file.expected, file.found) for file in found.files] == [
        (("train",), None, None),
        (("devel",), "0" * 64, digest),
        (("test",), None, digest),
    ]
    missing, wrong = found.problems
    assert "a.tsv is not there" in missing
    assert f"b.tsv has the sha256 {digest} where the catalogue has {'0' * 64}" in wrong
    assert list(found.splits) == ["devel", "test"]  # what is there is read all the same


def test_labels_without_a_mapping_and_mappings_without_a_label(check: Check) -> None:
    train = "FOX2\tB-gene\n.\tB-mark\n\na\tB-word\nb\tB-word\n"
    labels = {"gene": "GENE", "dna": "DNA", "rna": None}
    found = check("iob", {"train": train, "test": "a\tB-word\nFOX2\tB-gene\n"}, labels=labels)
    assert found.unused == ["dna", "rna"]
    [problem] = found.problems
    assert "mark (1, first in train, line 2), word (3, first in train, line 4);" in problem
    assert [part.unmapped for part in found.splits.values()] == [{"mark": 1, "word": 2}, {"word": 1}]
    assert found.splits["train"].report.mentions_out == {"GENE": 1}


def test_what_is_in_two_splits(check: Check) -> None:
    def record(doc_id: str, text: str) -> str:
        return json.dumps({"tokens": text.split(), "doc_id": doc_id, "entity_mentions": []}) + "\n"

    same = "The very same sentence stands in both"
    files = {
        "train": record("1", same) + record("1", "FOX2") + record("2", "Methods") + record("", "a b"),
        "devel": record("1", "One more") + record("1", "two more") + record("3", "Methods") + record("", "c d"),
        "test": record("4", same.upper() + " .") + record("1", "three more"),
    }
    found = check("jsonlines", files)
    assert places(found, "devel", "id") == [(1, "1", "also in train")]
    assert places(found, "devel", "text") == []  # too short to be a surprise
    assert places(found, "test", "id") == [(2, "1", "also in devel")]
    assert places(found, "test", "text") == [(1, f"{same.upper()}.", "also in train")]
    assert found.problems == []


def test_splits_by_shares_and_by_lists(check: Check) -> None:
    text = "".join(f"-DOCSTART- (a{i}) O\n\nFOX{i} B-gene\nbinds O\n\n" for i in range(8))
    found = check("iob", {"train": text + "b\n"}, split={"devel": 0.25, "test": 0.25})
    assert [part.report.records for part in found.splits.values()] == [4, 2, 2]
    [problem] = found.problems  # once, though the file is read six times
    assert "line 41: 1 column" in problem
    listed = {"name": "train", "documents": {"name": "ids.txt", "sha256": "0" * 64}}
    found = check("iob", {"train": text, "ids.txt": "a0\na1\na2\na3\na4\na5\n"}, files={"train": listed})
    checksum, sixth, seventh = found.problems
    assert "ids.txt has the sha256" in checksum
    assert "the document 'a6' is in the list of no split" in sixth
    assert "the document 'a7' is in the list of no split" in seventh


def test_suspicious_documents_and_mentions(check: Check) -> None:
    text = "FOX2 (a and, b c [d e."
    spans = [(0, 5), (5, 7), (8, 12), (8, 14), (15, 19), (20, 22), (0, 4)]
    rows = "".join(f"7\t{start}\t{end}\t{text[start:end]}\tgene\n" for start, end in spans)
    train = f"7|t|{text}\n{rows}\n8|t|One\n\n9|t|{'word ' * LONG}end\n"
    found = check("pubtator", {"train": train})
    assert places(found, "train", "edges") == [
        (2, "FOX2 ", "begins or ends with a blank or punctuation"),
        (3, "(a", "a bracket is left open"),
        (4, "and,", "begins or ends with a blank or punctuation"),
        (6, "c [d", "a bracket is left open"),
        (7, "e.", "begins or ends with a blank or punctuation"),
    ]
    assert places(found, "train", "one token") == [(10, "One", "")]
    assert places(found, "train", "long") == [(12, f"{'word ' * LONG}"[:40], f"{LONG + 1:,} tokens")]
    train_check = found.splits["train"]
    assert (train_check.boundaries, train_check.aligned) == (14, 13)  # the end of the first is inside no token
    assert (train_check.report.count("expanded"), train_check.report.count("lost")) == (1, 1)


def test_nesting_crossing_and_mentions_of_several_parts(check: Check) -> None:
    files = {
        "train/a.txt": "Breast and ovarian cancers in mice",
        "train/a.ann": "T1\tgene 0 6;19 26\tBreast cancers\nT2\tgene 0 26\tBreast and ovarian cancers\n"
        "T3\tgene 11 18\tovarian\nT4\tdna 11 26\tovarian cancers\nT5\tdna 19 34\tcancers in mice\n",
    }
    labels = {"gene": "GENE", "dna": "DNA"}
    found = check("brat", files, files={"train": {"name": "train"}}, labels=labels)
    train = found.splits["train"]
    assert places(found, "train", "discontinuous") == [(1, "Breast and ovarian cancers", "")]
    assert train.report.count("lost") == 1
    # "ovarian" is in "ovarian cancers" and, as that, in the longest; "cancers in mice" crosses those two.
    assert train.statistics.depths == {0: 2, 1: 1, 2: 1}
    assert (train.statistics.nested_in_type, train.statistics.crossing) == (1, 3)


def test_names_that_are_annotated_in_some_places(check: Check) -> None:
    train = "FOX2\tB-gene\nand\tO\nFOX2\tO\nthe\tO\nFOX2\tB-gene\npromoter\tI-gene\n"
    found = check("iob", {"train": train, "test": "FOX2\tO\nFOX3\tB-gene\n"})
    assert found.names == Usage(5, 3)
    assert found.mixed == [("GENE", ("FOX2",), Usage(3, 1))]


def test_warnings_of_the_reader_are_kept(check: Check) -> None:
    content = "7|t|Ataxia in mice\n7\t0\t4\tAtax\tgene\n7\t0\t6\tGout\tgene\n"
    found = check("pubtator", {"train": content}, options={"mismatch": "offsets"})
    [message] = found.warnings
    assert "1 annotation has another text" in message
    assert found.problems == []


def test_tokenizing_pipeline_has_the_tokenizer_of_trained_ones() -> None:
    assert [token.text for token in tokenizing_pipeline().make_doc("IL-2")] == ["IL", "-", "2"]
