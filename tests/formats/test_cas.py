"""UIMA CAS as JSON and XMI."""

from pathlib import Path

import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats import read_documents, read_texts
from bioner_spacy.formats.document import SourceDocument, stop

cassis = pytest.importorskip("cassis", reason="extra cas")
ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
TEXT = "\U0001f42d Old gout."


@pytest.fixture(params=["json", "xmi"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    types = cassis.TypeSystem()
    entity = types.create_type(ENTITY, "uima.tcas.Annotation")
    other = types.create_type("custom.Remark", "uima.tcas.Annotation")
    about = types.create_type(
        "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData", "uima.tcas.Annotation"
    )
    for owner, feature in ((entity, "value"), (entity, "identifier"), (other, "label"), (about, "documentId")):
        types.create_feature(owner, feature, "uima.cas.String")
    types.create_feature(entity, "negated", "uima.cas.Boolean")
    cas = cassis.Cas(typesystem=types)
    cas.sofa_string = TEXT
    cas.sofa_mime = "text/plain"
    cas.add(about(begin=0, end=11, documentId="77"))
    cas.add(entity(begin=6, end=10, value="D", identifier="M:1", negated=True))
    cas.add(entity(begin=2, end=10, value="E"))
    cas.add(other(begin=2, end=5, label="x"))
    path = tmp_path / f"a.{request.param}"
    if request.param == "json":
        path.write_text(cas.to_json(), encoding="utf-8")
    else:
        path.write_text(cas.to_xmi(), encoding="utf-8")
        (tmp_path / "TypeSystem.xml").write_text(types.to_xml(), encoding="utf-8")
    return path


def found(document: SourceDocument) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(TEXT[m.start : m.end], m.label, m.identifiers) for m in document.mentions]


def test_mentions(file: Path) -> None:
    """With offsets that count characters as Java does; annotations of other types are counted."""
    with pytest.warns(BionerWarning, match="not read: 1 annotation Remark"):
        [document] = read_documents("cas", file)
    assert (document.text, document.doc_id) == (TEXT, "77")
    assert sorted(found(document)) == [("Old gout", "E", ()), ("gout", "D", ("M:1",))]
    assert {mention.label: mention.infons for mention in document.mentions} == {"E": {}, "D": {"negated": True}}
    with pytest.warns(BionerWarning, match="2 annotations NamedEntity"):
        [document] = read_documents("cas", file, type="custom.Remark", label="label")
    assert found(document) == [("Old", "x", ())]
    [document] = read_texts("cas", file, on_error=stop)
    assert (document.text, document.mentions) == (TEXT, ())


def test_wrong_types_and_features(file: Path) -> None:
    with pytest.raises(BionerError, match=f"no type of annotations 'Entity'.*: custom.Remark, {ENTITY}"):
        list(read_documents("cas", file, type="Entity"))
    with pytest.raises(BionerError, match=r"no text in its feature 'identifier' \(option label\)"):
        list(read_documents("cas", file, label="identifier"))


def test_broken_files(file: Path) -> None:
    content = file.read_text("utf-8")
    for wrong, message in [
        (content.replace("gout", ""), "of a text of 7 characters"),
        (content[: len(content) // 2], "no CAS that can be read"),
        ("[]", "looks like|no CAS that can be read|TypeSystem.xml is not there"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', "it declares entities or a DTD|TypeSystem.xml is not there"),
    ]:
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(BionerError, match=message):
            list(read_documents("cas", file))
