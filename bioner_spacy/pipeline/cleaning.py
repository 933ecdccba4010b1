"""Component `trf_data_cleaner`: documents do not keep the encoder's output, some 1.5 kB a token.

spaCy's `doc_cleaner` does the same, and sets `doc.tensor` to None as well, after which `span.as_doc()`,
`Doc.from_docs()`, `token.vector` and others fail.
"""

from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc


@Language.factory("trf_data_cleaner", assigns=["doc._.trf_data"])
def make_trf_data_cleaner(nlp: Language, name: str) -> Callable[[Doc], Doc]:
    """Construct the component, which takes no settings and belongs behind all that listen to the transformer."""
    return clear_trf_data


def clear_trf_data(doc: Doc) -> Doc:
    """Take the output of the transformer off a document, in place."""
    if Doc.has_extension("trf_data"):
        doc._.trf_data = None
    return doc
