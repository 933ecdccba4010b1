from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import srsly

from bioner_spacy.corpora import SPLITS, Catalogue, load_catalogue
from bioner_spacy.corpora.catalogue import type_pairs
from bioner_spacy.errors import BionerError
from bioner_spacy.formats.documents import input_formats

Load = Callable[[Any], Catalogue]

SHIPPED = Path(__file__).parents[2] / "configs" / "catalogue.yml"


def test_entry(data: dict[str, Any], load: Load) -> None:
    data["corpora"]["abstracts"].update(options={"mismatch": "offsets"}, folder="mine/here")
    catalogue = load(data)
    corpus = catalogue["abstracts"]
    assert corpus.types == ("DISEASE",)
    assert corpus.labels == {"Dis": "DISEASE", "Taxon": None}
    assert corpus.file_path(corpus.file("devel"), Path("assets")) == Path("assets/mine/here/devel.txt")
    assert corpus.url == "https://example.org/abstracts/{file}"
    assert catalogue["genes"].file_path(catalogue["genes"].file("test"), Path("a")) == Path("a/real/genes/test.tsv")
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
        ("corpora/genes/format", "xml", "unknown format xml; known: " + ", ".join(input_formats())),
        ("corpora/genes/label", {}, "unknown key label;"),
        ("corpora/genes/labels", ..., "corpora: genes: has no key labels"),
        (
            "corpora/genes",
            {"folders": "a", "format": "iob"},
            "has no key files, labels and has the unknown key folders;",
        ),
        ("corpora/genes/homepage", 5, "homepage: must be a text"),
        ("corpora/genes/options", {"quote": 1}, "options: has the unknown key quote; known: scheme, tag_columns"),
        ("corpora/genes/options", {"path": "x"}, "unknown key path"),
        ("corpora/genes/options", {"scheme": ["iob2"]}, "options: scheme: must be a text, not ['iob2']"),
        ("corpora/genes/options", {"invalid": None}, "options: invalid: must be a text, not None"),
        ("corpora/genes/options", {"tag_columns": "12"}, "tag_columns: must be a list of numbers, not '12'"),
        ("corpora/genes/options", {"tag_columns": ["1"]}, "tag_columns: must be a list of numbers"),
        ("corpora/genes/source", "github", "neither a known one"),
        ("corpora/genes/folder", "../up", "relative to the assets folder"),
        ("corpora/genes/folder", "/abs", "relative to the assets folder"),
        ("corpora/genes/files", {}, "files: must be a mapping"),
        ("corpora/genes/files/dev", {}, "files: has the unknown key dev"),
        ("corpora/genes/files/test/name", ..., "files: test: has no key name"),
        ("corpora/genes/files/test/sha", "0", "files: test: has the unknown key sha; known: name, sha256, documents"),
        ("corpora/genes/files/test/sha256", "abc", "must be a hexadecimal digest or null"),
        ("corpora/genes/files/test/sha256", 5, "must be a hexadecimal digest or null"),
        ("corpora/genes/files/test/name", "../b.tsv", "must be relative to the folder of the corpus"),
        ("corpora/genes/files/test/name", "/b.tsv", "must be relative to the folder of the corpus"),
        ("corpora/genes/files/test/name", "train.tsv", "files: train.tsv: must have the key documents in all"),
        ("corpora/genes/files/test/documents", {"name": "a"}, "test: documents: must have a sha256"),
        ("corpora/genes/files/test/documents", {"sha256": "0" * 64}, "test: documents: has no key name"),
        ("corpora/genes/files/test/documents", {"name": "a", "sha256": None}, "documents: must have a sha256"),
        ("corpora/genes/files/test/sentences", [0], "files: test: must have as sentences two whole numbers"),
        ("corpora/genes/files/test/sentences", [0, True], "must have as sentences two whole numbers"),
        ("corpora/genes/files/test/sentences", [3, 3], "the second above the first"),
        ("corpora/genes/files/test/sentences", [1, 3], "from sentence 1 to 3, which must begin at 0"),
        ("corpora/genes/split", {}, "split: must be a mapping"),
        ("corpora/genes/split", {"train": 0.5}, "split: has the unknown key train; known: devel, test"),
        ("corpora/genes/split", {"test": 0.5}, "split: has test, which has a file of its own"),
        ("corpora/genes/split", {"test": 1}, "must have as test a share above 0 and below 1"),
        ("corpora/genes/split", {"test": "0.1"}, "must have as test a share above 0"),
        ("corpora/genes/labels", {}, "labels: must be a mapping"),
        ("corpora/genes/labels", {True: "GENE"}, "which must be a string"),
        ("corpora/genes/labels/gene", "GENES", "maps the label gene to 'GENES'"),
        (
            "corpora/genes/labels",
            {"a": "A", "b": "DNA", "c": 1},
            "maps the label a to 'A', c to 1, which is not among",
        ),
        ("corpora/genes/options", {"on_error": 1}, "options: has the unknown key on_error"),
        ("corpora/genes/labels/gene", None, "maps none of its labels"),
        ("sets/genes", {}, "sets: genes: has the name of a corpus"),
        ("sets/small/epochs", 0, "whole number of epochs"),
        ("sets/small/epochs", True, "whole number of epochs"),
        ("sets/small/batch_tokens", 0, "whole number of batch_tokens"),
        ("corpora/genes/labels/gene", ["GENE"], "maps the label gene to ['GENE']"),
        ("sets/small/corpora", [], "must list corpora"),
        ("sets/small/corpora", [["genes"]], "lists ['genes'], which is not among the corpora"),
        ("sets/small/corpora", ["gen"], "lists 'gen', which is not among the corpora"),
    ],
)
def test_mistakes_are_named(data: dict[str, Any], load: Load, place: str, value: Any, message: str) -> None:
    with pytest.raises(BionerError) as caught:
        load(_break(data, place, value))
    assert "catalogue.yml" in str(caught.value)
    assert message in str(caught.value)


def test_entry_of_a_user_is_short(data: dict[str, Any], load: Load) -> None:
    data["corpora"]["mine"] = {"format": "iob", "files": {"train": {"name": "a.tsv"}}, "labels": {"gene": "GENE"}}
    del data["sets"]
    corpus = load(data)["mine"]
    assert (corpus.licence, corpus.homepage, corpus.description, corpus.notes) == ("not stated", "not stated", "", "")
    assert corpus.files["train"].sha256 is None
    assert load(data).select("mine,genes") == ["mine", "genes"]


def write_own(folder: Path, **sections: Any) -> Path:
    """A catalogue of a user, in another folder than its base."""
    (folder / "own").mkdir(exist_ok=True)
    srsly.write_yaml(folder / "own/mine.yml", {"base": "../catalogue.yml", **sections})
    return folder / "own/mine.yml"


def test_file_of_a_user_adds_to_its_base(data: dict[str, Any], load: Load, tmp_path: Path) -> None:
    base = load(data)
    entry = {"format": "iob", "files": {"train": {"name": "a.tsv"}}, "labels": {"gene": "GENE", "toe": "TOE"}}
    own = load_catalogue(write_own(tmp_path, corpora={"mine": entry}, types={"TOE": "a toe"}))
    assert {**base.corpora, "mine": own["mine"]} == own.corpora
    assert (own["mine"].types, own.types["TOE"]) == (("GENE", "TOE"), "a toe")
    assert own.select("small,mine") == [*base.select("small"), "mine"]
    assert own.path == tmp_path / "own/mine.yml"
    both = write_own(tmp_path, sets={"both": data["sets"]["small"]})
    assert load_catalogue(both).select("both") == base.select("small")


def test_mistakes_with_a_base(data: dict[str, Any], load: Load, tmp_path: Path) -> None:
    load(data)
    with pytest.raises(BionerError, match=r"mine\.yml, corpora: genes: is already in .*catalogue\.yml"):
        load_catalogue(write_own(tmp_path, corpora={"genes": data["corpora"]["genes"]}))
    with pytest.raises(BionerError, match=r"mine\.yml, corpora: mine: has no key"):
        load_catalogue(write_own(tmp_path, corpora={"mine": {"format": "iob"}}))
    with pytest.raises(BionerError, match=r"mine\.yml, corpora: must be a mapping"):
        load_catalogue(write_own(tmp_path, corpora=[]))
    with pytest.raises(BionerError, match="nowhere.yml is not there"):
        load_catalogue(write_own(tmp_path, base="nowhere.yml"))
    with pytest.raises(BionerError, match=r"mine\.yml, base: names .*mine\.yml, which has a base itself"):
        load_catalogue(write_own(tmp_path, base="mine.yml"))
    with pytest.raises(BionerError, match="base: must be a text"):
        load_catalogue(write_own(tmp_path, base=1))


def test_merged_types(data: dict[str, Any], load: Load) -> None:
    catalogue = load(data)
    merged = catalogue.merge_types(" DNA = GENE,DISEASE=GENE")
    assert merged["nested"].labels == {"DNA": "GENE", "protein": "GENE"}
    assert merged["abstracts"].labels == {"Dis": "GENE", "Taxon": None}
    assert merged["nested"].types == ("GENE",)
    assert catalogue["nested"].types == ("DNA", "GENE")
    assert catalogue.merge_types("") == catalogue


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DNA=RNA", "'RNA' is none of GENE, DNA, DISEASE"),
        ("DNA", "'' is none of"),
        ("=DNA", "'' is none of"),
        ("DNA=GENE,GENE=DISEASE", "once only"),
        ("DNA=GENE,DNA=DISEASE", "once only"),
        ("DNA=DNA", "once only"),
    ],
)
def test_types_that_cannot_be_merged(data: dict[str, Any], load: Load, text: str, message: str) -> None:
    with pytest.raises(BionerError, match=message):
        load(data).merge_types(text)


@pytest.mark.parametrize("text", ["A=B=C", "A", "=A", "A=B,A=C"])
def test_pairs_of_any_types(text: str) -> None:
    assert type_pairs("A=X, B=X", "map") == {"A": "X", "B": "X"}
    with pytest.raises(BionerError, match="Setting map is .*pairs of types such as PROTEIN=GENE"):
        type_pairs(text, "map")


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
    formats = {corpus.format for corpus in catalogue.corpora.values()}
    assert formats <= set(input_formats())
    assert set(catalogue.sets) == {"sample", "benchmark", "published", "all"}
    used = {name for corpus in catalogue.corpora.values() for name in corpus.types}
    assert used == set(catalogue.types)  # no type without a corpus
    unchecked = set()
    for corpus in catalogue.corpora.values():
        for file, _ in corpus.distinct_files:
            if file.sha256 is None:
                unchecked.add(corpus.name)
    assert unchecked == {"BC4CHEMD"}
    assert "BC4CHEMD" not in catalogue.sets["all"].corpora
    for corpus in catalogue.corpora.values():
        assert corpus.notes or corpus.name.startswith("sample-")  # why its labels mean what they do
        assert "not stated" not in (corpus.licence, corpus.homepage, corpus.redistributable)
        # A corpus whose files are not fetched says where they are.
        assert (corpus.url is None) == (corpus.name.startswith("sample-") or "Not fetched:" in corpus.description)
        assert corpus.url is None or "{corpus}" not in corpus.url
    places = {(c.folder, file.name): file.sha256 for c in catalogue.corpora.values() for file, _ in c.distinct_files}
    digests = [digest for digest in places.values() if digest]
    assert len(set(digests)) == len(digests)


def _shared(data: dict[str, Any], **keys: list[Any]) -> dict[str, Any]:
    """The catalogue data with one file for all splits of genes; each has its value of every key."""
    entry = data["corpora"]["genes"]
    for i, split in enumerate(SPLITS):
        entry["files"][split] = {"name": "all.tsv", "sha256": None, **{key: values[i] for key, values in keys.items()}}
    return data


def test_splits_of_one_file(data: dict[str, Any], load: Load) -> None:
    lists = [{"name": f"ids/{split}.txt", "sha256": "0" * 64} for split in SPLITS]
    corpus = load(_shared(deepcopy(data), documents=lists))["genes"]
    assert [(file.name, splits) for file, splits in corpus.distinct_files] == [
        ("all.tsv", list(SPLITS)),
        *((f"ids/{split}.txt", [split]) for split in SPLITS),
    ]
    corpus = load(_shared(deepcopy(data), sentences=[[4, 6], [0, 4], [6, 7]]))["genes"]
    assert [corpus.files[split].sentences for split in SPLITS] == [(4, 6), (0, 4), (6, 7)]
    assert corpus.splits == SPLITS
    for sentences in ([[0, 4], [5, 6], [6, 7]], [[0, 4], [3, 6], [6, 7]]):
        with pytest.raises(BionerError, match=r"all\.tsv: has a split from sentence . to 6, which must begin at 4"):
            load(_shared(deepcopy(data), sentences=sentences))
    with pytest.raises(BionerError, match=r"all\.tsv: must have the key documents in all"):
        load(_shared(deepcopy(data), documents=lists, sentences=[[0, 4], [4, 6], [6, 7]]))
    digests = [None, None, "0" * 64]
    with pytest.raises(BionerError, match=r"all\.tsv: has several checksums"):
        load(_shared(deepcopy(data), documents=lists, sha256=digests))


def test_shares(data: dict[str, Any], load: Load) -> None:
    entry = data["corpora"]["genes"]
    entry["split"] = {"test": 0.25, "devel": 0.125}
    train = entry["files"]["train"]
    entry["files"] = {"train": train}
    corpus = load(data)["genes"]
    assert corpus.shares == {"train": 0.625, "devel": 0.125, "test": 0.25}
    assert list(corpus.shares) == list(corpus.splits) == list(SPLITS)
    assert {corpus.file(split).name for split in SPLITS} == {"train.tsv"}
    entry["split"]["test"] = 0.875
    with pytest.raises(BionerError, match="split: leaves nothing for train"):
        load(data)
    entry["split"] = {"test": 0.25}
    train["sentences"] = [0, 5]
    with pytest.raises(BionerError, match="split: divides the file of train"):
        load(data)
    entry["files"] = {"devel": {"name": "a", "sha256": None}}
    with pytest.raises(BionerError, match="split: divides the file of train"):
        load(data)


def test_corpus_without_all_splits(data: dict[str, Any], load: Load) -> None:
    del data["corpora"]["genes"]["files"]["train"]
    corpus = load(data)["genes"]
    assert corpus.splits == ("devel", "test")
    with pytest.raises(BionerError, match="Corpus genes has no split train in the catalogue; it has: devel, test"):
        list(corpus.documents("train", Path("assets")))


def test_settings_to_train_with(data: dict[str, Any], load: Load) -> None:
    catalogue = load(data)
    whole = catalogue.training_set("small")
    assert (whole.corpora, whole.epochs, whole.batch_tokens) == (catalogue.sets["small"].corpora, 2, 50)
    one = catalogue.training_set(whole.corpora[0])
    assert (one.corpora, one.epochs, one.batch_tokens) == (whole.corpora[:1], 2, 50)
    data["corpora"]["other"] = data["corpora"]["genes"]
    both, other = (load(data).training_set(text) for text in ("small,other", "other"))
    assert (both.corpora, both.epochs, both.batch_tokens) == ((*whole.corpora, "other"), 0, 50)
    assert (other.epochs, other.batch_tokens) == (0, 0)
