import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError
from bioner_spacy.formats.document import Mention, SourceDocument
from bioner_spacy.formats.genia import read

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE set SYSTEM "gpml.dtd">\n<set>\n'
ARTICLE = (
    "<article>\n<articleinfo>\n<bibliomisc> MEDLINE:1 </bibliomisc>\n</articleinfo>\n<title>\n"
    '<sentence><cons lex="FOX2_gene" sem="G#DNA_domain_or_region"><cons lex="FOX2" sem="G#protein_molecule">FOX2</cons>'
    " gene</cons> &amp;  mice.</sentence>\n</title>\n<abstract>\n"
    '<sentence>In <cons lex="(AND a b)" sem="(AND G#cell_type G#cell_type)"><cons lex="B*">B</cons> and '
    '<cons lex="T*">T</cons>\ncells</cons>.</sentence>\n</abstract>\n</article>\n'
)


def write(folder: Path, content: str) -> Path:
    path = folder / "genia.xml"
    path.write_text(content, encoding="utf-8")
    return path


def xml(sentences: str) -> str:
    return f"{HEAD}<article><bibliomisc>MEDLINE:1</bibliomisc>\n{sentences}</article>\n</set>\n"


def test_sentences_and_nested_terms(tmp_path: Path) -> None:
    second = ARTICLE.replace("MEDLINE:1", "MEDLINE:2")
    path = write(tmp_path, HEAD + ARTICLE + second + "</set>\n")
    documents = list(read(path))
    assert [(d.id, d.doc_id, d.line) for d in documents] == [
        ("MEDLINE:1:1", "MEDLINE:1", 9),
        ("MEDLINE:1:2", "MEDLINE:1", 12),
        ("MEDLINE:2:1", "MEDLINE:2", 21),
        ("MEDLINE:2:2", "MEDLINE:2", 24),
    ]
    assert documents[0] == SourceDocument(
        "MEDLINE:1:1",
        "FOX2 gene &  mice.",
        (Mention(0, 9, "DNA_domain_or_region", 9), Mention(0, 4, "protein_molecule", 9)),
        path,
        9,
        "MEDLINE:1",
    )
    assert documents[1].text == "In B and T\ncells."
    assert documents[1].mentions == (
        Mention(3, 16, "coordination", 12),
        Mention(3, 4, "coordinated_part", 12),
        Mention(9, 10, "coordinated_part", 12),
    )


def test_repeated_terms_are_kept_for_conversion_to_count(tmp_path: Path) -> None:
    twice = '<sentence><cons sem="G#virus"><cons sem="G#virus">HIV</cons></cons></sentence>'
    (document,) = read(write(tmp_path, xml(twice)))
    assert document.mentions == (Mention(0, 3, "virus", 5),) * 2


@pytest.mark.parametrize(
    ("sentences", "line", "reason"),
    [
        ("<sentence>a</sentence", 5, "not valid XML"),
        ("<sentence>\n<cons sem='G#virus'>a</sentence>", 6, "not valid XML in UTF-8 (mismatched tag)"),
        ("<sentence>a &alpha; b</sentence>", 5, "the entity alpha is not known"),
        ("<sentence>\n<cons sem='protein'>a</cons></sentence>", 6, "sem is 'protein'"),
        ("<sentence><cons sem='G#'>a</cons></sentence>", 5, "sem is 'G#'"),
        ("<sentence><cons sem=''>a</cons></sentence>", 5, "sem is ''"),
        ("<sentence>a<cons sem='G#virus'/></sentence>", 5, "a cons without text"),
        ("\n\n<cons sem='G#virus'>a</cons>", 7, "a cons outside of sentences"),
        ("<sentence>a <sentence>b</sentence></sentence>", 5, "a sentence inside of another element"),
        ("<sentence> \n </sentence>", 6, "a sentence without text"),
        ("</article><article><sentence>a</sentence>", 5, "a sentence of an article without bibliomisc"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, sentences: str, line: int, reason: str) -> None:
    with pytest.raises(BionerError) as caught:
        list(read(write(tmp_path, xml(sentences))))
    assert f"genia.xml, line {line}: {reason}" in str(caught.value)


def test_cut_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=r"line 13: not valid XML .*\(no element found: the file is cut off\)"):
        list(read(write(tmp_path, (HEAD + ARTICLE)[: -len("ls</cons>.</sentence>\n</abstract>\n</article>\n")])))
    with pytest.raises(BionerError, match="holds no document"):
        list(read(write(tmp_path, "<set/>")))
    (tmp_path / "latin.xml").write_bytes(b"<set>\n\xe9</set>")
    with pytest.raises(BionerError, match=r"latin\.xml, line 2: not valid XML in UTF-8"):
        list(read(tmp_path / "latin.xml"))


def test_memory_does_not_grow(tmp_path: Path) -> None:
    def peak(articles: int) -> int:
        path = write(tmp_path, HEAD + ARTICLE * articles + "</set>\n")
        tracemalloc.start()
        count = sum(1 for _ in read(path))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 2 * articles
        return size

    peak(1)
    # Buffers of the parser vary a little; the texts of 1,500 articles would take more.
    assert peak(2000) < peak(500) + 100_000


_TEXT = st.text("a<&> \u03b2\U0001d6fd", min_size=1, max_size=4).map(lambda text: f"x{text}")
_TREE = st.recursive(
    _TEXT.map(lambda text: (None, [text])),
    lambda inner: st.tuples(st.sampled_from(["virus", "protein_N/A"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=60)
@given(tree=_TREE)
def test_any_nesting(tmp_path_factory: pytest.TempPathFactory, tree: tuple) -> None:
    """The text is the text of the tree, and every mention holds the text below its term."""

    def escaped(node: tuple | str) -> str:
        if isinstance(node, str):
            return node.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        content = "".join(map(escaped, node[1]))
        return f'<cons sem="G#{node[0]}">{content}</cons>' if node[0] else content

    def text(node: tuple | str) -> str:
        return node if isinstance(node, str) else "".join(map(text, node[1]))

    def terms(node: tuple | str) -> Iterator[tuple[str, str]]:
        if not isinstance(node, str):
            if node[0]:
                yield node[0], text(node)
            for child in node[1]:
                yield from terms(child)

    path = write(tmp_path_factory.mktemp("genia"), xml(f"<sentence>{escaped(tree)}</sentence>"))
    (document,) = read(path)
    assert document.text == text(tree)
    assert [(m.label, document.text[m.start : m.end]) for m in document.mentions] == list(terms(tree))
