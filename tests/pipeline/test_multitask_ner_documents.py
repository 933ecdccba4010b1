"""Documents of every shape: none raises an exception, in prediction or in training."""

from collections.abc import Sequence
from typing import Any

import numpy
import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Adam
from toy_corpora import BREAST_CANCER, HEADS, TAG_HEADS, blank_nlp, component, found, make_examples, output_names

from bioner_spacy.scope import SPANS_KEY, set_gold

ODD = {
    "empty": "",
    "space": " ",
    "whitespace": " \n\n\t ",
    "leading and trailing space": "\n  breast cancer \n",
    "space inside": "breast \n cancer",
    "emoji": "👩‍🔬 measured 🧬 in 🐁 and ❤️ .",
    "combining mark": "cafe\u0301 and e\u0301 , \u0301 alone .",
    "right to left": "السرطان مرض و סרטן מחלה .",
    "mixed directions": "p53 هو جين .",
    "ideographs": "乳腺癌是一种疾病。",
    "zero width": "BR\u200bCA1 \u200b \ufeff .",
    "control characters": "a\x00b \x07 \x1b .",
    "outside the first plane": "𝛼-synuclein 𝒢 .",
    "long token": "x" * 5000,
    "long token of odd characters": "é🧬" * 2500,
    "punctuation": "." * 3000,
}


def check(docs: Sequence[Doc]) -> None:
    for doc in docs:
        group = doc.spans[SPANS_KEY]
        assert len(group.attrs["scores"]) == len(group)
        assert all(0 <= span.start < span.end <= len(doc) for span in group)
        assert {(ent.start, ent.end, ent.label) for ent in doc.ents} <= {(s.start, s.end, s.label) for s in group}


def test_no_documents(nlp: Language) -> None:
    assert list(nlp.pipe([])) == []
    ner = component(nlp)
    assert ner.predict([]) == []
    ner.set_annotations([], [])
    assert nlp.update([], sgd=Adam(0.001), losses={}).get("multitask_ner", 0.0) == 0.0


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_documents(nlp: Language, text: str) -> None:
    check([nlp(text)])


def test_odd_documents_beside_others(nlp: Language) -> None:
    """And what stands beside a document changes nothing in it."""
    texts = [text for odd in ODD.values() for text in (odd, BREAST_CANCER[0])]
    docs = list(nlp.pipe(texts))
    check(docs)
    assert all(found(doc) == found(nlp(doc.text)) for doc in docs)


def test_odd_documents_are_no_trouble_in_training(nlp: Language) -> None:
    odd = []
    for text in ODD.values():
        reference = nlp.make_doc(text)
        spans = [Span(reference, 0, 1, "DISEASE")] if len(reference) and not reference[0].is_space else []
        set_gold(reference, spans, corpus="diseases", scope=["DISEASE"])
        odd.append(Example(nlp.make_doc(text), reference))
    for batch in ([odd[0]], odd[:3], [*odd, *make_examples(nlp)]):
        losses = nlp.update(batch, sgd=Adam(0.001), losses={})
        assert losses.get("multitask_ner", 0.0) < 100.0
    check([nlp(BREAST_CANCER[0])])


def test_mentions_have_no_whitespace_at_their_ends(nlp: Language, encoder: str) -> None:
    """Even if every token, spaces too, is predicted to be part of a mention."""
    layer = component(nlp).model.get_ref("output_layer")
    bias = layer.get_param("b").copy()
    # Tags by their first letter; of span pairs, which end with a width, every one; slots open and close, and shift
    # when they must.
    preference = {"B": 10.0, "I": 20.0, "O": 0.0, "E": 0.0, "S": 9.0}
    bias[:] = numpy.reshape([preference.get(name[-1][0], 10.0) for name in output_names(nlp)], bias.shape)
    layer.set_param("b", bias)
    layer.set_param("W", layer.get_param("W") * 0)
    for text in (text for text in ODD.values() if len(text) < 100):
        doc = nlp(text)
        check([doc])
        assert all(span.text == span.text.strip() != "" for span in doc.spans[SPANS_KEY])
    doc = nlp("\n  breast cancer \n")
    texts = {span.text for span in doc.spans[SPANS_KEY]}
    assert texts and texts <= {"breast", "cancer", "breast cancer"}
    assert "breast cancer" in texts or encoder == "cnn with slots"


@pytest.mark.parametrize("heads", [{"@architectures": TAG_HEADS}, *HEADS.values()], ids=["cnn", *HEADS])
def test_a_sentence_has_the_same_entities_wherever_it_is(heads: dict[str, Any], tiny_bert: str) -> None:
    """With random heads, which find mentions everywhere."""
    texts = ["Patients with breast cancer had fever. ", "BRCA1. ", "Asthma (E. coli) was common in mice.\n\n", "End. "]
    names = {"name": tiny_bert, "precision": "float32"}
    encoder = {"@architectures": "bioner_spacy.TransformerModel.v2", **names}
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "pooling": {"@layers": "reduce_mean.v1"},
    }
    found_in: dict[str, list[tuple[int, int, str, float]]] = {}
    for context in ("source", "document"):
        nlp = blank_nlp()
        nlp.add_pipe("transformer", config={"model": {**encoder, "context": context}})
        nlp.add_pipe("multitask_ner", config={"context": context, "model": {**heads, "tok2vec": listener}})
        nlp.initialize(lambda nlp=nlp: make_examples(nlp))
        random = numpy.random.default_rng(0)
        output = component(nlp).model.get_ref("output_layer")
        for name in output.param_names:
            if name != "scale":
                output.set_param(name, random.normal(0.0, 1.0, output.get_param(name).shape).astype("f"))
        found_in[context] = spans_of(nlp("".join(texts)))
        alone, base = [], 0
        for doc in nlp.pipe(texts):
            alone += [(start + base, end + base, *rest) for start, end, *rest in spans_of(doc)]
            base += len(doc.text)
        if context == "source":
            assert len(alone) > 3
            assert [row[:3] for row in found_in[context]] == [tuple(row[:3]) for row in alone]
            numpy.testing.assert_allclose([row[3] for row in found_in[context]], [row[3] for row in alone], atol=1e-4)
    assert found_in["document"] != found_in["source"]


def spans_of(doc: Doc) -> list[tuple[int, int, str, float]]:
    group = doc.spans[SPANS_KEY]
    rows = zip(group, group.attrs["scores"])
    return sorted((span.start_char, span.end_char, span.label_, score) for span, score in rows)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["cnn", "transformer"], indirect=True, scope="session")
def test_a_book(nlp: Language) -> None:
    sentence = BREAST_CANCER[0] + "\n"
    n_sentences = 100_000 // len(nlp.make_doc(sentence))
    doc = nlp(sentence * n_sentences)
    assert len(doc) > 99_000
    check([doc])
    assert len([ent for ent in doc.ents if ent.text == "breast cancer"]) > 0.1 * n_sentences
