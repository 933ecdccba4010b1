import pickle
import re
import time

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.lang.de import German
from spacy.lang.en import English
from spacy.tokenizer import Tokenizer
from spacy.util import registry

from bioner_spacy.tokenization import create_tokenizer
from bioner_spacy.tokenization.tokenizer import PUNCTUATION

TOKENIZER = create_tokenizer()(spacy.blank("en"))

# Texts, with a space at every place where a token is to end.
CASES = {
    "hyphens": ("xIL-2-like TNF–x a‐b", "xIL - 2 - like TNF – x a ‐ b"),
    "slashes": ("and/or Abc1/2/3", "and / or Abc1 / 2 / 3"),
    "brackets in words": ("Zn(2+)x [3H]abc N{a}", "Zn ( 2 + ) x [ 3H ] abc N { a }"),
    "Greek letters": ("TNFα α-x Δ9 β2", "TNFα α - x Δ9 β2"),
    "primes": ("5'-end 3′ x'' 2\"", "5 ' - end 3 ′ x ' ' 2 \""),
    "apostrophes": ("Abel's Abel’s can't cannot", "Abel ' s Abel ’ s can ' t cannot"),
    "plus and minus": ("Xa2+ CD99+ Abc-/- a+/b- 7+/-3 ±5", "Xa2 + CD99 + Abc - / - a + / b - 7 + / - 3 ± 5"),
    "arrows and signs": ("A->T p<0.5 x=y 37°C 5% 3×4", "A - > T p < 0.5 x = y 37 ° C 5 % 3 × 4"),
    "commas in names": ("1,2-bixane N,N'-x 2,3,7-y", "1 , 2 - bixane N , N ' - x 2 , 3 , 7 - y"),
    "decimals": ("0.05 (1.5) 7.25. 7.25, 2.5-x", "0.05 ( 1.5 ) 7.25 . 7.25 , 2.5 - x"),
    "no decimals": ("1.2.3 v1.2 .5 1.5x", "1 . 2 . 3 v1 . 2 . 5 1 . 5x"),
    "thousands": ("12,500 1,000,000 1,234.5", "12,500 1,000,000 1,234.5"),
    "no thousands": (
        "1,250-x XYZ-1,250 12,50 a1,250 1,250,5",
        "1 , 250 - x XYZ - 1 , 250 12 , 50 a1 , 250 1 , 250 , 5",
    ),
    "units": ("10mg 5 mg/kg", "10mg 5 mg / kg"),
    "residues": ("Gly12Val p.Gly12 Xgly3 Glyx3 Ser/Thr3", "Gly 12 Val p . Gly 12 Xgly3 Glyx3 Ser / Thr 3"),
    "no residues": ("xGly12 12Glyx", "xGly12 12Glyx"),
    "periods": ("vs. e.g. al. A.B. ...", "vs . e . g . al . A . B . . . ."),
    "underscores": ("ab_cd NP_1", "ab _ cd NP _ 1"),
    "superscripts": ("Ca²⁺ H₂O cm²", "Ca² ⁺ H₂O cm²"),
    "combining marks": ("cafe\u0301-x", "cafe\u0301 - x"),
    "URLs": ("https://a.bc/d-1", "https : / / a . bc / d - 1"),
}


def tokens(text, tokenizer=TOKENIZER):
    return [token.text for token in tokenizer(text)]


def words(text):
    return [token for token in tokens(text) if not token.isspace()]


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_rules(text, expected):
    assert tokens(text) == expected.split(" ")


def test_whitespace_is_kept_in_tokens_of_its_own():
    assert tokens("a  b\n c\u00a0d") == ["a", " ", "b", "\n ", "c", "\u00a0", "d"]
    assert tokens("") == []
    assert tokens(" ") == [" "]


def test_does_not_depend_on_the_language():
    text = " ".join(text for text, _ in CASES.values()) + " don't z.B. Dr. :-)"
    assert tokens(text, create_tokenizer()(German())) == tokens(text, create_tokenizer()(English()))


def test_entry_point_in_a_config():
    config = {"nlp": {"tokenizer": {"@tokenizers": "bioner_spacy.BiomedicalTokenizer.v1"}}}
    if not registry.has("tokenizers", "bioner_spacy.BiomedicalTokenizer.v1"):
        pytest.skip("the package is not installed")
    nlp = spacy.blank("en", config=config)
    assert tokens("xIL-2", nlp.tokenizer) == ["xIL", "-", "2"]


@pytest.mark.parametrize("copy", ["bytes", "disk", "pickle"])
def test_saved_and_loaded_tokenizer_is_the_same(copy, tmp_path):
    nlp = spacy.blank("en")
    nlp.tokenizer = create_tokenizer()(nlp)
    if copy == "bytes":
        # The other tokenizer has rules of every kind, which must not remain.
        loaded = English().tokenizer.from_bytes(nlp.tokenizer.to_bytes())
    elif copy == "disk":
        nlp.to_disk(tmp_path)
        loaded = English().from_disk(tmp_path).tokenizer
    else:
        loaded = pickle.loads(pickle.dumps(nlp.tokenizer))
    assert isinstance(loaded, Tokenizer)
    for text, expected in CASES.values():
        assert tokens(text, loaded) == expected.split(" ")
    assert loaded.to_bytes(exclude=["vocab"]) == nlp.tokenizer.to_bytes(exclude=["vocab"])


def test_shares_the_vocabulary_of_the_pipeline():
    nlp = spacy.blank("en")
    assert create_tokenizer()(nlp).vocab is nlp.vocab


biomedical_text = st.text(alphabet="aB1 2Gly.,-+/()'_é\u0301\nα%", max_size=60)


@given(st.one_of(st.text(), biomedical_text))
def test_nothing_is_lost(text):
    assert "".join(token.text_with_ws for token in TOKENIZER(text)) == text


@given(st.one_of(st.text(), biomedical_text))
def test_tokens_are_not_split_any_further(text):
    assert tokens(" ".join(words(text))) == words(text)


@given(st.one_of(st.text(), biomedical_text))
def test_punctuation_is_separate_except_in_numbers(text):
    for token in tokens(text):
        if len(token) > 1 and not token.isspace() and re.search(PUNCTUATION, token):
            assert re.fullmatch(r"\d+\.\d+|\d{1,3}(,\d{3})+(\.\d+)?", token)


@given(biomedical_text, biomedical_text)
def test_words_do_not_depend_on_the_words_around_them(left, right):
    assert words(f"{left} {right}") == words(left) + words(right)


@pytest.mark.parametrize(
    "unit", ["a", ".", "(", "1", "1.", "1.1", "1,", "111,", "1,234", "+/-", "Gly1", "\u0301", "a-", "\u200b"]
)
def test_finishes_on_one_long_chunk(unit):
    text = unit * (100_000 // len(unit))
    start = time.perf_counter()
    assert TOKENIZER(text).text == text
    assert time.perf_counter() - start < 20


def test_finishes_on_a_long_text():
    text = " ".join(f"word{i % 20_000}-x (p<0.05)" for i in range(50_000))
    start = time.perf_counter()
    assert TOKENIZER(text).text == text
    assert time.perf_counter() - start < 60
