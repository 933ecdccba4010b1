"""Read and write `DocBin` files with span groups, without srsly's slow path.

A large corpus is a folder of files: NAME.spacy/0001.spacy, 0002.spacy, ... spaCy's own reader of corpora takes such
folders too.
"""

import functools
import gzip
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Union

import numpy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from srsly.msgpack import msgpack_decoders, msgpack_encoders

from .errors import BionerError, Errors

FILE_TOKENS = 1_000_000
"""Tokens per file of `write_docs`; writing one takes about 0.6 GB of memory."""
_GZIP = b"\x1f\x8b"


@contextmanager
def fast_msgpack() -> Iterator[None]:
    """Within the block, srsly looks up its msgpack extensions once instead of for every span group.

    The lookup takes 0.7 ms per group: a minute for the 40,000 sentences of five corpora.
    """
    # Blocks may be nested; the outermost one restores.
    registries = [registry for registry in (msgpack_decoders, msgpack_encoders) if "get_all" not in vars(registry)]
    for registry in registries:
        registry.get_all = functools.cache(registry.get_all)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for registry in registries:
            del registry.get_all


def corpus_names(folder: Path, split: str = "*") -> list[str]:
    """Names of the corpora in a folder with `<corpus>/<split>.spacy`, sorted."""
    return sorted({path.parent.name for path in folder.glob(f"*/{split}.spacy")})


def docbin_files(path: Union[str, Path]) -> list[Path]:
    """The files of a corpus in order: the file itself, or those in the folder."""
    path = Path(path)
    files = sorted(path.glob("*.spacy")) if path.is_dir() else [path]
    if not files:
        raise BionerError(Errors.E152.format(path=path, reason="it is a folder without .spacy files"))
    return files


@contextmanager
def _wrap_docbin_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # each library raises its own exceptions for broken files
        raise BionerError(Errors.E152.format(path=file, reason=error)) from error


def _load(file: Path) -> DocBin:
    content = file.read_bytes()
    return DocBin().from_bytes(gzip.decompress(content) if content.startswith(_GZIP) else content)


def iter_docs(path: Union[str, Path], vocab: Vocab) -> Iterator[Doc]:
    """Read documents of a (gzipped) `DocBin` file, or of a folder of them; one file is in memory at a time.

    Args:
        vocab: vocabulary of the documents.

    Raises:
        FileNotFoundError: the path does not exist.
        BionerError: a file is no `DocBin` or has spans outside of its documents, or the folder holds none.
    """
    for file in docbin_files(path):
        with _wrap_docbin_errors(file), fast_msgpack():
            for doc in _load(file).get_docs(vocab):
                for group in doc.spans.values():
                    deque(group, maxlen=0)  # spaCy checks only here whether spans are in the document
                yield doc


def load_docs(path: Union[str, Path], vocab: Vocab) -> list[Doc]:
    """Read all documents of a `DocBin` file or folder; see `iter_docs`."""
    return list(iter_docs(path, vocab))


def doc_lengths(path: Union[str, Path]) -> numpy.ndarray:
    """(documents,) number of tokens of each document of a `DocBin` file or folder, without building documents."""
    lengths: list[int] = []
    for file in docbin_files(path):
        with _wrap_docbin_errors(file):
            lengths += map(len, _load(file).tokens)
    return numpy.array(lengths, dtype="int64")


def write_docs(
    docs: Iterable[Doc], path: Path, vocab: Vocab, *, file_tokens: int = FILE_TOKENS, compressed: bool = False
) -> None:
    """Write documents as a `DocBin` file or, if they are large, as a folder of files.

    Memory does not grow with the number of documents if they are made one at a time: from the second file on,
    documents are written in a memory zone of spaCy and cannot be used afterwards.

    Args:
        vocab: vocabulary of the documents.
        file_tokens: approximate number of tokens per file.
        compressed: whether a single file is gzipped.
    """
    rest = iter(docs)
    for number in count(1):
        with nullcontext() if number == 1 else vocab.memory_zone(), fast_msgpack():
            data, full = DocBin(), False
            tokens = 0
            for doc in rest:
                data.add(doc)
                tokens += len(doc)
                if full := tokens >= file_tokens:
                    break
            if full or number > 1:
                path.mkdir(exist_ok=True)
            if len(data) or number == 1:
                file = path / f"{number:04}.spacy" if path.is_dir() else path
                content = data.to_bytes()
                file.write_bytes(gzip.compress(content, mtime=0) if compressed and file == path else content)
        if not full:
            return
