import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.corpora import SPLITS, Catalogue, fetch, load_catalogue, verify
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.files import checksum

Load = Callable[[Any], Catalogue]

SHIPPED = Path(__file__).parents[2] / "configs" / "catalogue.yml"


@pytest.fixture
def checked(data: dict[str, Any], published: Path) -> dict[str, Any]:
    """The small catalogue with checksums."""
    for name, entry in data["corpora"].items():
        for file in entry["files"].values():
            file["sha256"] = hashlib.sha256((published / name / file["name"]).read_bytes()).hexdigest()
    return data


@pytest.fixture
def server(published: Path) -> Iterator[str]:
    """Address of a local web server for the published files."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(published))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_fetch_from_folder(checked: dict[str, Any], load: Load, published: Path, tmp_path: Path) -> None:
    catalogue, folder = load(checked), tmp_path / "assets"
    (published / "nested").rename(published / "nested-IOB")
    found = fetch(catalogue, ["genes", "nested"], folder=folder, source=str(published))
    assert files(folder) == [
        *(f"real/genes/{split}.tsv" for split in sorted(SPLITS)),
        *(f"real/nested/{split}.jsonl" for split in sorted(SPLITS)),
    ]
    assert [asset.status for asset in found] == ["fetched"] * 6
    assert [asset.path for asset in found][:1] == [folder / "real/genes/train.tsv"]
    assert (folder / "real/genes/test.tsv").read_bytes() == (published / "genes/test.tsv").read_bytes()
    verify(catalogue, ["genes", "nested"], folder=str(folder))
    for function in (fetch, verify):
        with pytest.raises(BionerError, match="Setting names is 'genes'; allowed: a list of corpora"):
            function(catalogue, "genes", folder=folder)
        with pytest.raises(BionerError, match="Setting catalogue is 'genes'; allowed: what load_catalogue returns"):
            function("genes", ["genes"], folder=folder)  # type: ignore[arg-type]


def test_right_files_are_left_alone_and_wrong_ones_replaced(
    checked: dict[str, Any], load: Load, published: Path, tmp_path: Path
) -> None:
    catalogue, folder = load(checked), tmp_path / "assets"
    fetch(catalogue, ["genes"], folder=folder, source=str(published))
    (folder / "real/genes/test.tsv").write_text("spoilt")
    (folder / "real/genes/devel.tsv").unlink()
    with pytest.raises(BionerError, match=r"2 corpus files .*devel\.tsv \(missing\), .*test\.tsv \(sha256"):
        verify(catalogue, ["genes"], folder=folder)
    found = fetch(catalogue, ["genes"], folder=folder, source=str(published))
    assert [asset.status for asset in found] == ["present", "fetched", "fetched"]
    verify(catalogue, ["genes"], folder=folder)


def test_wrong_checksum_leaves_nothing(checked: dict[str, Any], load: Load, published: Path, tmp_path: Path) -> None:
    catalogue, folder = load(checked), tmp_path / "assets"
    (published / "genes/train.tsv").write_text("a\tO\n")
    with pytest.raises(BionerError, match=r"genes, train: .*sha256 .* was not kept"):
        fetch(catalogue, ["genes"], folder=folder, source=str(published))
    assert files(folder) == []
    (folder / "real/genes").mkdir(parents=True, exist_ok=True)
    (folder / "real/genes/train.tsv").write_text("older")
    with pytest.raises(BionerError, match="was not kept"):
        fetch(catalogue, ["genes"], folder=folder, source=str(published))
    assert (folder / "real/genes/train.tsv").read_text() == "older"


def test_a_corpus_may_be_a_folder(data: dict[str, Any], load: Load, tmp_path: Path) -> None:
    """As in the format brat; its checksum covers every file in it."""
    folder, published = tmp_path / "assets", tmp_path / "published"
    train = published / "notes" / "train"
    train.mkdir(parents=True)
    (train / "1.txt").write_text("BRCA1 .", encoding="utf8")
    (train / "1.ann").write_text("T1\tGENE 0 5\tBRCA1\n", encoding="utf8")
    listed = [f"{checksum(train / name)}  {name}\n" for name in ("1.ann", "1.txt")]
    entry = {**data["corpora"]["genes"], "format": "brat", "options": {}}
    entry["files"] = {"train": {"name": "train", "sha256": hashlib.sha256("".join(listed).encode()).hexdigest()}}
    data["corpora"]["notes"] = entry
    catalogue = load(data)
    for status in ("fetched", "present"):
        [asset] = fetch(catalogue, ["notes"], folder=folder, source=str(published))
        assert asset.status == status
    verify(catalogue, ["notes"], folder=folder)
    assert files(folder) == ["real/notes/train/1.ann", "real/notes/train/1.txt"]
    (folder / "real/notes/train/2.txt").write_text("more", encoding="utf8")
    with pytest.raises(BionerError, match="train"):
        verify(catalogue, ["notes"], folder=folder)
    fetch(catalogue, ["notes"], folder=folder, source=str(published))
    assert files(folder) == ["real/notes/train/1.ann", "real/notes/train/1.txt"]


def test_fetch_from_web(checked: dict[str, Any], load: Load, server: str, published: Path, tmp_path: Path) -> None:
    checked["sources"]["public"] = server + "/{corpus}/{file}"
    catalogue = load(checked)
    for source, folder in ((None, tmp_path / "a"), (server + "/", tmp_path / "b")):
        found = fetch(catalogue, ["genes"], folder=folder, source=source)
        assert {asset.status for asset in found} == {"fetched"}
        verify(catalogue, ["genes"], folder=folder)
    (published / "genes/devel.tsv").unlink()
    with pytest.raises(BionerError, match=r"Cannot fetch http://.*/genes/devel\.tsv: there is no such file"):
        fetch(catalogue, ["genes"], folder=tmp_path / "c")
    assert files(tmp_path / "c") == ["real/genes/train.tsv"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "gopher://x", "http://"])
def test_unreachable_source(checked: dict[str, Any], load: Load, tmp_path: Path, address: str) -> None:
    with pytest.raises(BionerError, match="Cannot fetch"):
        fetch(load(checked), ["genes"], folder=tmp_path / "assets", source=address)
    assert files(tmp_path / "assets") == []


def test_cut_download_is_refused(data: dict[str, Any], load: Load, tmp_path: Path) -> None:
    """Without a checksum, only the announced length shows that a file is cut."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"a\tO\n")

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        with pytest.raises(BionerError, match="Cannot fetch"):
            address = f"http://127.0.0.1:{running.server_port}"
            fetch(load(data), ["genes"], folder=tmp_path / "assets", source=address)
        running.shutdown()
    assert files(tmp_path / "assets") == []


def test_missing_in_folder_and_without_address(checked: dict[str, Any], load: Load, tmp_path: Path) -> None:
    del checked["corpora"]["genes"]["source"]
    with pytest.raises(BionerError, match="Cannot fetch .*genes/train.tsv or .*genes-IOB/train.tsv: there is no"):
        fetch(load(checked), ["genes"], folder=tmp_path / "assets", source=str(tmp_path))
    with pytest.raises(BionerError, match="has no public address: .* About this corpus: a test"):
        fetch(load(checked), ["genes"], folder=tmp_path / "assets")


def test_without_checksum_the_format_is_checked(
    data: dict[str, Any], load: Load, published: Path, tmp_path: Path
) -> None:
    catalogue, folder = load(data), tmp_path / "assets"
    with pytest.warns(BionerWarning, match=r"genes: .* no checksum of train\.tsv, devel\.tsv, test\.tsv"):
        fetch(catalogue, ["genes"], folder=folder, source=str(published))
    with pytest.warns(BionerWarning, match="no checksum"):
        verify(catalogue, ["genes"], folder=folder)
    for content, message in (
        ("<html>\n", "1 column where"),
        ("a\tB-RNA\n", "label RNA, which is not in the catalogue"),
    ):
        (published / "genes/test.tsv").write_text(content)
        (folder / "real/genes/test.tsv").unlink(missing_ok=True)
        with pytest.raises(BionerError, match=message):
            fetch(catalogue, ["genes"], folder=folder, source=str(published))
        assert "real/genes/test.tsv" not in files(folder)


def test_file_of_several_splits_is_fetched_once(
    data: dict[str, Any], load: Load, published: Path, tmp_path: Path
) -> None:
    """From a folder that has the name of the corpus's own folder; the lists of documents come along."""
    entry = data["corpora"]["genes"]
    (published / "genes").rename(published / "gene-texts")
    (published / "gene-texts/ids").mkdir()
    entry["folder"] = "real/gene-texts"
    digest = hashlib.sha256((published / "gene-texts/train.tsv").read_bytes()).hexdigest()
    for split in SPLITS:
        (published / f"gene-texts/ids/{split}.txt").write_text(split)
        documents = {"name": f"ids/{split}.txt", "sha256": hashlib.sha256(split.encode()).hexdigest()}
        entry["files"][split] = {"name": "train.tsv", "sha256": digest, "documents": documents}
    catalogue, folder = load(data), tmp_path / "assets"
    found = fetch(catalogue, ["genes"], folder=folder, source=str(published))
    assert [(asset.splits, asset.path.name) for asset in found] == [
        ("train, devel, test", "train.tsv"),
        *((split, f"{split}.txt") for split in SPLITS),
    ]
    assert files(folder / "real/gene-texts") == ["ids/devel.txt", "ids/test.txt", "ids/train.txt", "train.tsv"]
    (folder / "real/gene-texts/ids/test.txt").write_text("other")
    with pytest.raises(BionerError, match=r"1 corpus file is .*ids/test\.txt \(sha256"):
        verify(catalogue, ["genes"], folder=folder)


def test_split_in_the_address(
    checked: dict[str, Any], load: Load, server: str, published: Path, tmp_path: Path
) -> None:
    checked["sources"]["public"] = server + "/{split}/{file}"
    for split in SPLITS:
        (published / split).mkdir()
        (published / f"genes/{split}.tsv").rename(published / split / f"{split}.tsv")
    catalogue = load(checked)
    fetch(catalogue, ["genes"], folder=tmp_path / "assets")
    verify(catalogue, ["genes"], folder=tmp_path / "assets")


def test_shipped_samples_are_right() -> None:
    catalogue = load_catalogue(SHIPPED)
    found = verify(catalogue, catalogue.select("sample"), folder=SHIPPED.parents[1] / "assets")
    assert len(found) == 12
