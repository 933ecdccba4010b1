"""Damaged files and any others: every reader gives documents whose mentions are in their texts, or one clear error.

A few for each format by default; BIONER_FUZZ=10000 tries as many of each, as for a nightly run.
"""

import json
import os
import random
import warnings
from pathlib import Path

import pytest
from annotated_docs import make_doc
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.vocab import Vocab

from bioner_spacy.errors import BionerError
from bioner_spacy.formats import Format, all_formats, read_documents, read_texts

TIMES = int(os.environ.get("BIONER_FUZZ", 20))
PARTS = [
    part.encode() for part in ("\0", "\t", "\n", "\r", " ", *'"{}[]<>&;:|', "-1", "99999", "null", "1e9", "\U0001f600")
] + [b"\xff"]
READ_ONLY = {
    "bigbio": '[{"id": "1", "document_id": "d", "passages": [{"id": "p", "type": "t", "text": ["old gout"], "offsets": [[0, 8]]}],'
    ' "entities": [{"id": "e", "type": "D", "text": ["gout"], "offsets": [[4, 8]], "normalized": [{"db_name": "M", "db_id": "1"}]}]}]',
    "cas": '{"%TYPES": {"x.NamedEntity": {"%NAME": "x.NamedEntity", "%SUPER_TYPE": "uima.tcas.Annotation", "value": {"%NAME": "value",'
    ' "%RANGE": "uima.cas.String"}}}, "%FEATURE_STRUCTURES": [{"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView",'
    ' "mimeType": "text/plain", "sofaString": "old gout"}, {"%ID": 2, "%TYPE": "x.NamedEntity", "@sofa": 1, "begin": 4, "end": 8, "value":'
    ' "D"}], "%VIEWS": {"_InitialView": {"%SOFA": 1, "%MEMBERS": [2]}}}',
    "genia": '<?xml version="1.0"?><set><article><articleinfo><bibliomisc>MEDLINE:1</bibliomisc></articleinfo><title><sentence>'
    '<cons lex="gout" sem="G#protein">old gout</cons></sentence></title></article></set>',
    "jats": '<?xml version="1.0"?><article><front><article-meta><article-id pub-id-type="pmid">1</article-id><title-group>'
    "<article-title>Gout</article-title></title-group></article-meta></front><body><sec><title>A</title><p>Old gout</p></sec></body></article>",
    "pubmed": '<?xml version="1.0"?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>Gout'
    "</ArticleTitle><Abstract><AbstractText>Old gout</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>",
    "table": "id,text\n1,Old gout\n2,Mice\n",
    "text": "Old gout\nMice\n",
    "webanno": "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|identifier|value\n\n#Text=\U0001f42d Old gout\n1-1\t0-2\t\U0001f42d\t_\t_\n"
    "1-2\t3-6\tOld\t*[1]\tE[1]\n1-3\t7-11\tgout\t*[1]|M\tE[1]|D\n",
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Content with a few parts replaced, removed or repeated, or cut off."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(content) + 1)
        end = start + chance.choice((0, 1, 1, 2, 8, 64))
        rest = b"" if chance.random() < 0.05 else content[end:]
        content = content[:start] + chance.choice((chance.choice(PARTS), b"", content[start:end] * 2)) + rest
    return content


@pytest.mark.parametrize("name", all_formats())
def test_damaged_files(name: str, tmp_path: Path) -> None:
    declared = all_formats()[name]
    path = tmp_path / f"sample{(*declared.endings, '')[0]}"
    if name in READ_ONLY:
        path.write_text(READ_ONLY[name], encoding="utf-8")
    else:
        words = ["old", "gout", "\u03b2", "in", "\U0001f42d"]
        attrs = {"doc_id": "7", "scores": [0.5, 0.25], "identifiers": [["M:1"], []]}
        declared.written([make_doc(words, [(0, 2, "D"), (4, 5, "S")], **attrs)] * 2, path, spans_key="bioner")
    file = next(path.glob("*.ann")) if path.is_dir() else path
    content = file.read_bytes()
    for seed in range(TIMES):
        file.write_bytes(damaged(content, random.Random(seed)))
        read_all(declared, path, f"{name}, seed {seed}: {file.read_bytes()!r}")


def read_all(declared: Format, path: Path, about: str) -> None:
    """Read a file in every way."""
    for read in (read_texts, read_documents) if declared.is_annotated else (read_texts,):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if declared.read_docs and read is read_documents:
                    list(declared.read_docs(path, Vocab()))
                else:
                    for document in read(declared, path):
                        assert all(0 <= m.start < m.end <= len(document.text) for m in document.mentions)
            except BionerError as error:
                assert str(path.parent) in str(error)
            except Exception as error:
                raise AssertionError(f"{about}, {read.__name__}") from error


KEYS = "start end label entity_type text offset offsets locations infons passages documents data result labels".split()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 4) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=6,
)
OTHER_KEYS = (
    "spans entities entity_mentions ner_tags annotations answer id document_id passages documents data".split()
)
RECORDS = st.fixed_dictionaries(
    {"text": st.text(max_size=4) | VALUES, "tokens": st.lists(st.text(max_size=3), max_size=3) | VALUES},
    optional={key: VALUES for key in OTHER_KEYS},
)
PIECES = [
    *"""<collection> </collection> <document> </document> <passage> </passage> <annotation> </annotation> <sentence> <cons>
    <offset>0</offset> <text>gout</text> <infon/> <location/> <p> é & { } [ ] , : 0 null NaN " ' "documents" "passages"
    "offset" "text" "gout" "\\ud800" """.split(),
    "\n",
    "\t",
]


@pytest.mark.parametrize("name", sorted(set(all_formats()) - {"brat", "docbin"}))
@settings(max_examples=100, deadline=None)
@given(
    content=st.binary(max_size=60)
    | st.lists(st.sampled_from(PIECES), max_size=15).map(lambda parts: "".join(parts).encode())
    | RECORDS.map(lambda record: json.dumps(record).encode())
)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    read_all(all_formats()[name], path, repr(content))
