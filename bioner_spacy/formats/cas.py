"""Documents of UIMA: CAS as JSON, or as XMI with its types in TypeSystem.xml beside it, as INCEpTION and WebAnno
export them.

They are read by dkpro-cassis (extra `cas`), which also converts the offsets of Java.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Optional

from ..errors import BionerError, Errors, import_extra, reason
from ..files import whole_text
from .document import Mention, OnError, SourceDocument, each_readable, fail, stop
from .format import Format
from .standoff import MentionBuilder

TYPES_FILE = "TypeSystem.xml"

_LEFT_ALONE = ("uima.", ".segmentation.", ".metadata.", "CASMetadata", "LayerDefinition", "FeatureDefinition")
"""Parts of names of types that annotate no mention: tokens, sentences, and what tools say about themselves."""


def read(
    path: Path,
    *,
    type: str = "NamedEntity",
    label: str = "value",
    identifier: str = "identifier",
    mismatch: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a file, which is one document. Other features of a mention that are strings, numbers or booleans, such as
    its negation, are kept for the output.

    All else is as for `Format.read`.

    Args:
        type: the type (layer) of annotations that are mentions, by its full name or the last part of it.
        label: its feature with the label of a mention.
        identifier: its feature with the identifier of a concept, if it has one.
        mismatch: what to do with an annotation outside of the text: "error", or else leave it out, which a warning
            counts.

    Raises:
        BionerError: the file is missing or no CAS, its types are missing, or it has no such type or feature.
    """
    cas, text = _load(path)
    names = {one.name for one in cas.typesystem.get_types()}
    chosen = {name for name in names if name == type or name.endswith(f".{type}")}
    if not chosen:
        known = ", ".join(sorted(name for name in names if not any(part in name for part in _LEFT_ALONE))) or "none"
        raise BionerError(Errors.E180.format(path=path, type=type, known=known))
    builder = MentionBuilder(path, mismatch)

    def make(one: Any) -> Optional[Mention]:
        if one.type.name not in chosen:
            if not any(part in one.type.name for part in _LEFT_ALONE):
                layer = one.type.name.rpartition(".")[2]
                builder.add(f"annotation {layer}|annotations {layer}", 1)
            return None
        value = getattr(one, label, None)
        if not isinstance(value, str) or not value.strip():
            where = f"characters {one.begin} to {one.end}"
            fail(path, 1, f"the annotation of {where} has no text in its feature {label!r} (option label)")
        concepts = [concept] if isinstance(concept := getattr(one, identifier, None), str) and concept else []
        others = {
            feature.name: kept
            for feature in one.type.all_features
            if feature.name not in ("begin", "end", label, identifier)
            and isinstance(kept := getattr(one, feature.name), str | int | float)
        }
        places, name = [(one.begin, one.end)], value.strip()
        return builder.mention(
            path, 1, text, label=name, fragments=places, claimed="", identifiers=concepts, infons=others
        )

    mentions = tuple(each_readable(cas.select_all_annotations(), make, on_error))
    builder.finish()
    yield _document(path, cas, text, mentions)


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the text of a file, ignoring annotation; see `read`. A file that cannot be read always raises."""
    cas, text = _load(path)
    yield _document(path, cas, text, ())


def _document(path: Path, cas: Any, text: str, mentions: tuple[Mention, ...]) -> SourceDocument:
    about = next((one for one in cas.select_all_annotations() if one.type.name.endswith(".DocumentMetaData")), None)
    doc_id = getattr(about, "documentId", None) or getattr(about, "documentTitle", None) or path.stem
    return SourceDocument("document", text, mentions, path, 1, str(doc_id))


def _load(path: Path) -> tuple[Any, str]:
    """A CAS and its text."""
    cassis = import_extra("cassis", "cas", "dkpro-cassis")
    content = whole_text(path).removeprefix("\ufeff")
    try:
        if content.lstrip().startswith(("{", "[")):
            cas = cassis.load_cas_from_json(content, lenient=True)
        else:
            types_file = path.with_name(TYPES_FILE)
            types = cassis.load_typesystem(_xml(whole_text(types_file), types_file))
            cas = cassis.load_cas_from_xmi(_xml(content, path), typesystem=types, lenient=True)
        text = cas.sofa_string
    except BionerError:
        raise
    except Exception as error:  # any exception of cassis and lxml
        problem = f"no CAS that can be read ({reason(error)})"
        raise BionerError(Errors.E106.format(path=path, line=1, reason=problem)) from None
    if not isinstance(text, str):
        fail(path, 1, "the CAS has no text")
    return cas, text


def _xml(content: str, path: Path) -> BytesIO:
    if "<!DOCTYPE" in content or "<!ENTITY" in content:  # which can fill the memory
        fail(path, 1, "it declares entities or a DTD")
    return BytesIO(content.encode())


def _recognises(head: str) -> bool:
    return "http://www.omg.org/XMI" in head or '"%TYPES"' in head or '"%FEATURE_STRUCTURES"' in head


FORMAT = Format(
    name="cas",
    description="UIMA CAS, as JSON or XMI (INCEpTION, WebAnno)",
    read=read,
    read_texts=read_texts,
    endings=(".xmi",),
    usual_endings=(".json",),
    holds=frozenset({"overlaps", "identifiers", "infons"}),
    recognises=_recognises,
)
