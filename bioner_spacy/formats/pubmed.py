"""PubMed's XML (MEDLINE): titles and abstracts of citations, as in its yearly files, daily updates and answers."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ..errors import BionerError, Errors
from .document import OnError, SourceDocument, join_passages, stop
from .format import Format
from .ledger import Ledger, RepeatedIds
from .xml_parser import text_of, xml_records

_RECORDS = ("PubmedArticle", "PubmedBookArticle", "MedlineCitation")
_NOT_READ = {
    "OtherAbstract": "abstract in another language, or for laypeople|abstracts in other languages, or for laypeople",
    "VernacularTitle": "title in the original language|titles in the original language",
}


def read(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read a file of citations; each is a document, and one at a time is in memory.

    Its passages are the title and the sections of the abstract, whose labels are infons (`section`). Formatting is
    left out, and so are the numbers of deleted citations in daily updates. The identifier is the PMID; of several
    versions of a citation, all are read, with a warning. All else is as for `Format.read`.

    Args:
        on_error: what to do about a citation that cannot be read: raise the error, or collect it and leave the part
            out. XML that is not valid always raises.
    """
    ledger, ids = Ledger(path), RepeatedIds(path)
    for line, record in xml_records(path, _RECORDS):
        pmid = text_of(next(record.iter("PMID"), None))
        if not pmid:
            on_error(BionerError(Errors.E106.format(path=path, line=line, reason="a citation without a PMID")))
            continue
        ids.add(pmid, line)
        for tag, kind in _NOT_READ.items():
            for _ in record.iter(tag):
                ledger.add(kind, line)
        text, passages = join_passages(_passages(record))
        yield SourceDocument(pmid, text, (), path, line, pmid, passages)
    ids.finish()
    ledger.finish()


def _passages(record: Element) -> Iterator[tuple[str, str, dict[str, str]]]:
    title = next((element for tag in ("ArticleTitle", "BookTitle") for element in record.iter(tag)), None)
    yield "title", text_of(title), {}
    for abstract in record.iter("Abstract"):
        for section in abstract.iter("AbstractText"):
            label = section.get("Label", "")
            yield "abstract", text_of(section), {"section": label} if label else {}


def _recognises(head: str) -> bool:
    return head.lstrip().startswith("<") and any(f"<{tag}" in head for tag in (*_RECORDS, "PubmedArticleSet"))


FORMAT = Format(
    name="pubmed",
    description="PubMed's XML to annotate: titles and abstracts",
    read=read,
    usual_endings=(".xml",),
    is_annotated=False,
    recognises=_recognises,
)
