"""Reading and writing `DocBin` files that hold span groups, without srsly's slow path."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Union

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from srsly.msgpack import msgpack_decoders, msgpack_encoders


@contextmanager
def fast_msgpack() -> Iterator[None]:
    """Within the block, let srsly look up its msgpack extensions once and not for every span group.

    srsly walks through all registered functions of all libraries for each message, and a document holds two (0.7 ms
    each, measured: a minute for the 40,000 sentences of five corpora).
    """
    # Blocks may be nested: the outermost one restores.
    registries = [registry for registry in (msgpack_decoders, msgpack_encoders) if "get_all" not in vars(registry)]
    for registry in registries:
        registry.get_all = functools.cache(registry.get_all)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for registry in registries:
            del registry.get_all


def load_docs(file: Union[str, Path], vocab: Vocab) -> list[Doc]:
    """Documents of a `DocBin` file, in order.

    Args:
        file: the file.
        vocab: vocabulary that the documents share.
    """
    with fast_msgpack():
        return list(DocBin().from_disk(file).get_docs(vocab))
