from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.corpora import READERS, SPLITS, Catalogue, load_catalogue
from bioner_spacy.errors import BionerError

Load = Callable[[Any], Catalogue]

SHIPPED = Path(__file__).parents[2] / "configs" / "catalogue.yml"


def test_entry(data: dict[str, Any], load: Load) -> None:
    data["corpora"]["abstracts"].update(options={"mismatch": "offsets"}, folder="mine/here")
    catalogue = load(data)
    corpus = catalogue["abstracts"]
    assert corpus.types == ("DISEASE",)
    assert corpus.labels == {"Dis": "DISEASE", "Taxon": None}
    assert corpus.path("devel", Path("assets")) == Path("assets/mine/here/devel.txt")
    assert corpus.url == "https://example.org/abstracts/{file}"
    assert catalogue["genes"].path("test", Path("a")) == Path("a/real/genes/test.tsv")
    assert catalogue.sets["small"].epochs == 2


def test_options_reach_the_reader(data: dict[str, Any], load: Load, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("a\tB\n")
    with pytest.raises(BionerError, match="default_label"):
        list(load(data)["genes"].read(path))
    data["corpora"]["genes"]["options"] = {"default_label": "gene"}
    (document,) = load(data)["genes"].read(path)
    assert document.mentions[0].label == "gene"


def test_selection(data: dict[str, Any], load: Load) -> None:
    catalogue = load(data)
    assert catalogue.select("small") == ["genes", "abstracts", "nested"]
    assert catalogue.select("nested, genes,") == ["nested", "genes"]
    assert catalogue.select("nested,small") == ["nested", "genes", "abstracts"]
    for text in ("", " , ", "genes,BC2GM"):
        with pytest.raises(BionerError, match="known: small"):
            catalogue.select(text)
    with pytest.raises(BionerError, match="'BC2GM'.* known: genes, abstracts, nested"):
        catalogue["BC2GM"]


def _break(data: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A copy of the catalogue data with another value at a place; `...` takes the key away."""
    data = deepcopy(data)
    *parents, key = place.split("/")
    inner = data
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[key]
    else:
        inner[key] = value
    return data


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("types", ..., "file: has no key types"),
        ("kinds", {}, "file: has the unknown key kinds"),
        ("types", {}, "types: must be a mapping"),
        ("types/Gene", "gene", "types: Gene: must be written in capitals"),
        ("types/GE_NE", "gene", "GE_NE: is the same standard type as GENE"),
        ("types/RNA", "", "types: RNA: must be a text"),
        ("sources/public", "https://example.org", "sources: public: must hold {file}"),
        ("corpora", [], "corpora: must be a mapping"),
        ("corpora/..", {}, "corpora: ..: a name has letters"),
        ("corpora/genes", "x", "corpora: genes: must be a mapping"),
        ("corpora/genes/format", "xml", "unknown format xml; known: iob, jsonlines, pubtator"),
        ("corpora/genes/label", {}, "unknown key label;"),
        ("corpora/genes/licence", ..., "corpora: genes: has no key licence"),
        ("corpora/genes/homepage", 5, "homepage: must be a text"),
        ("corpora/genes/options", {"quote": 1}, "options: has the unknown key quote; known: scheme, tag_columns"),
        ("corpora/genes/options", {"path": "x"}, "unknown key path"),
        ("corpora/genes/source", "github", "neither a known one"),
        ("corpora/genes/folder", "../up", "relative to the assets folder"),
        ("corpora/genes/folder", "/abs", "relative to the assets folder"),
        ("corpora/genes/files/test", ..., "files: has no key test"),
        ("corpora/genes/files/dev", {}, "files: has the unknown key dev"),
        ("corpora/genes/files/test/name", ..., "files: test: has no key name"),
        ("corpora/genes/files/test/sha256", ..., "files: test: has no key sha256"),
        ("corpora/genes/files/test/sha256", "abc", "must be a hexadecimal digest or null"),
        ("corpora/genes/files/test/md5", 5, "must be a hexadecimal digest or null"),
        ("corpora/genes/files/test/name", "a/b.tsv", "must be a plain name"),
        ("corpora/genes/labels", {}, "labels: must be a mapping"),
        ("corpora/genes/labels", {True: "GENE"}, "which must be a string"),
        ("corpora/genes/labels/gene", "GENES", "maps the label gene to 'GENES'"),
        ("corpora/genes/labels/gene", None, "maps none of its labels"),
        ("sets/genes", {}, "sets: genes: has the name of a corpus"),
        ("sets/small/epochs", 0, "whole number of epochs"),
        ("sets/small/epochs", True, "whole number of epochs"),
        ("sets/small/batch_words", 0, "whole number of batch_words"),
        ("sets/small/corpora", [], "must list corpora"),
        ("sets/small/corpora", ["gen"], "lists 'gen', which is not among the corpora"),
    ],
)
def test_mistakes_are_named(data: dict[str, Any], load: Load, place: str, value: Any, message: str) -> None:
    with pytest.raises(BionerError) as caught:
        load(_break(data, place, value))
    assert "catalogue.yml" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "", "- a\n"])
def test_file_that_is_no_catalogue(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalogue.yml"
    path.write_text(text)
    with pytest.raises(BionerError, match=r"catalogue\.yml, file: "):
        load_catalogue(path)
    with pytest.raises(BionerError, match="not there"):
        load_catalogue(tmp_path / "other.yml")


def test_shipped_catalogue_is_complete() -> None:
    catalogue = load_catalogue(SHIPPED)
    assert {corpus.format for corpus in catalogue.corpora.values()} == set(READERS)
    assert set(catalogue.sets) == {"sample", "benchmark", "all"}
    used = {name for corpus in catalogue.corpora.values() for name in corpus.types}
    assert used == set(catalogue.types)  # no type without a corpus
    unchecked = set()
    for corpus in catalogue.corpora.values():
        for split in SPLITS:
            file = corpus.files[split]
            if file.sha256 is None or (corpus.url and file.md5 is None):
                unchecked.add(corpus.name)
    assert unchecked == {"BC4CHEMD"}
    assert "BC4CHEMD" not in catalogue.sets["all"].corpora
    for corpus in catalogue.corpora.values():
        assert (corpus.url is None) == corpus.name.startswith("sample-")
        assert corpus.url is None or "{corpus}" not in corpus.url
    digests = [file.sha256 for corpus in catalogue.corpora.values() for file in corpus.files.values() if file.sha256]
    assert len(set(digests)) == len(digests)


def test_settings_to_train_with(data: dict[str, Any], load: Load) -> None:
    catalogue = load(data)
    whole = catalogue.training_set("small")
    assert (whole.corpora, whole.epochs, whole.batch_words) == (catalogue.sets["small"].corpora, 2, 50)
    one = catalogue.training_set(whole.corpora[0])
    assert (one.corpora, one.epochs, one.batch_words) == (whole.corpora[:1], 2, 50)
