import importlib
import re
import time

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from bioner_spacy.errors import BionerError
from bioner_spacy.tokenization import create_tokenizer, detokenize

TOKENIZER = create_tokenizer()(spacy.blank("en"))

# Tokens with spaces between them, and the text that they are to make.
CASES = {
    "brackets": ("a ( b ) [ c ] { d } e", "a (b) [c] {d} e"),
    "closing punctuation": ("a , b ; c : d . ), 5 % e ?", "a, b; c: d.), 5% e?"),
    "decimal": ("at 0 . 05 and 2 . 5x of", "at 0.05 and 2.5x of"),
    "version": ("Abc3 . 1 and 7q22 . 1", "Abc3.1 and 7q22.1"),
    "version of capitals": (
        "XQ . 1 and X7Y . 4 rats but Xyz . 1 and XQ . 12",
        "XQ.1 and X7Y.4 rats but Xyz. 1 and XQ. 12",
    ),
    "no decimal": ("seen . 12 of", "seen. 12 of"),
    "no leading zero": ("P = . 05 and P <= . 1 ( . 3 )", "P = .05 and P <= .1 (.3)"),
    "thousands": ("12 , 000 of 1 , 250 rats", "12,000 of 1,250 rats"),
    "thousands in a name": ("1 , 000-fold", "1,000-fold"),
    "no thousands": ("of 5 , 100 , 200 and 1 , 300 and X - 1 , 250 ng", "of 5, 100, 200 and 1, 300 and X-1, 250 ng"),
    "plus or minus": ("of 5 + / - 2 and xy + / - SEM .", "of 5 +/- 2 and xy +/- SEM."),
    "charge": ("of Xa ( 2 + ) or Xb ( 2+ ) or X ( - ) or xyz ( + )", "of Xa(2+) or Xb(2+) or X(-) or xyz (+)"),
    "genotype": ("Xyz1 - / - and Xyz1 + / + mice of xyz - / - type", "Xyz1-/- and Xyz1+/+ mice of xyz -/- type"),
    "genotype in brackets": ("Xyz1 ( - / - ) mice", "Xyz1(-/-) mice"),
    "ion": ("of K + and CD9 + rats but a + b", "of K+ and CD9+ rats but a + b"),
    "signed number": ("from - 5 to X - 5", "from -5 to X-5"),
    "locants": ("a 1 , 2 , 3a , 4 ' - bixane", "a 1,2,3a,4'-bixane"),
    "locants in a token": ("3 alpha , 17-bixane 1 , 2-bixane", "3 alpha,17-bixane 1,2-bixane"),
    "numbers in a list": ("1 , 2 and 3", "1, 2 and 3"),
    "hydroxyl": ("1 , 25 ( OH ) 2D3 and 24 ( OH ) x", "1,25(OH)2D3 and 24(OH) x"),
    "atoms": ("N , N - bixane", "N,N-bixane"),
    "index": ("H ( 2 ) and XyZ ( i ) and alpha ( 1 ) but the ( 3 )", "H(2) and XyZ(i) and alpha(1) but the (3)"),
    "long index": ("C ( 18 ) fat", "C(18) fat"),
    "power": ("2 x 10 ( 6 ) and mg/10 ( -7 ) and 10 ( - 3 )", "2 x 10(6) and mg/10(-7) and 10(-3)"),
    "type strain": ("XY 1234 ( T ) .", "XY 1234(T)."),
    "isotope": ("[ 3H ] bixine and [ 99Tc ] bixine but [ x ] bixine", "[3H]bixine and [99Tc]bixine but [x] bixine"),
    "translocation": ("a t ( 9 ; 22 ) ( q34 ; q11 ) and del ( 5 ) rat", "a t(9;22)(q34;q11) and del(5) rat"),
    "allele": ("HLA - X1 * 0301 of 3 * x", "HLA-X1*0301 of 3 * x"),
    "serotype": ("a O99 : H9 strain", "a O99:H9 strain"),
    "fusion": ("a : : b", "a::b"),
    "plural in brackets": ("the rat ( s ) of", "the rat(s) of"),
    "quotes": ('a " b c " d " . " e', 'a "b c" d "." e'),
    "open quote": ('a 5 " b', 'a 5 " b'),
    "treebank quotes": ("a `` b c '' d", "a ``b c'' d"),
    "single quotes": ("rat ' b c ' e , as ' x ' , y", "rat 'b c' e, as 'x', y"),
    "possessive": ("Abel ' s rat and Abel 's rat", "Abel's rat and Abel's rat"),
    "prime": ("the 5 ' end and 3 ' - end ( 2 ' )", "the 5' end and 3'-end (2')"),
    "plural possessive": ("rats ' tails", "rats' tails"),
    "hyphens": ("IL - 2 - like", "IL-2-like"),
    "suspended hyphen": ("short - and long - term , one - to - one", "short- and long-term, one-to-one"),
    "slashes": ("mg / kg / day", "mg/kg/day"),
    "hyphen in a token": ("Xyz -like and ( Xyz ) -like /ab", "Xyz-like and (Xyz)-like/ab"),
    "hyphen after brackets": ("V- ( D ) -J- [ x ] -3", "V-(D)-J-[x]-3"),
    "suspended token": ("alpha and -beta", "alpha and -beta"),
    "dash": ("rats -- as seen", "rats--as seen"),
    "symbols": ("a @ b ^ 2 c _ d $ 5 # 6", "a@b^2 c_d $5 #6"),
    "abbreviation": ("e . g . a i . v . b", "e.g. a i.v. b"),
    "URL": ("at http : / / www . ab1 . xy / c ? d = 1 .", "at http://www.ab1.xy/c?d=1."),
    "URL without scheme": ("( www . ab . xy / )", "(www.ab.xy/)"),
}
# `bioner_spacy.tokenization.detokenize` is the function, which hides the module of that name.
MODULE = importlib.import_module("bioner_spacy.tokenization.detokenize")


@pytest.mark.parametrize(("tokens", "expected"), CASES.values(), ids=CASES)
def test_rules(tokens, expected):
    assert detokenize(tokens.split(" "))[0] == expected


@pytest.mark.parametrize("rule", range(len(MODULE._COMPILED)))
def test_every_rule_decides_about_a_case(rule, monkeypatch):
    monkeypatch.setattr(MODULE, "_COMPILED", MODULE._COMPILED[:rule] + MODULE._COMPILED[rule + 1 :])
    assert any(detokenize(tokens.split(" "))[0] != expected for tokens, expected in CASES.values())


@pytest.mark.parametrize("rule", MODULE._RULES)
def test_every_rule_joins_at_punctuation(rule):
    for left, right in re.findall("(.{1,12})‿(.{0,12})", rule):
        assert re.search(r"[^\w\s]", left + right)


def test_spans():
    text, spans = detokenize(["Xyz", "-", "1", "(", "a", ")", "."])
    assert text == "Xyz-1 (a)."
    assert spans == [(0, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (9, 10)]
    assert detokenize([]) == ("", [])


@pytest.mark.parametrize(("tokens", "place"), [(["a", ""], 1), (["a b"], 0), (["\t"], 0), (["a", "b", "c\u00a0"], 2)])
def test_bad_tokens(tokens, place):
    with pytest.raises(BionerError, match=f"Token {place} "):
        detokenize(tokens)


def token_lists(alphabet):
    token = st.text(alphabet=alphabet, min_size=1, max_size=6).filter(lambda text: not any(map(str.isspace, text)))
    return st.lists(token, max_size=15)


anything = token_lists(st.characters(exclude_categories=["Cs"]))
biomedical = token_lists("aB19+-/.,:;()[]'\"`_*>")
no_digits = token_lists("aBs+-/.,:;()[]'\"`_*>α\u0301")


@given(st.one_of(anything, biomedical, no_digits))
def test_tokens_stand_in_order_with_at_most_a_space_between_them(tokens):
    text, spans = detokenize(tokens)
    assert [text[start:end] for start, end in spans] == tokens
    places = [0, *(place for span in spans for place in span), len(text)]
    gaps = [text[end:start] for end, start in zip(places[::2], places[1::2])]
    assert gaps[0] == gaps[-1] == ""
    assert set(gaps) <= {"", " "}


def lost_boundaries(tokens):
    """Tokens of the corpus with a boundary of our tokenizer inside."""
    text, spans = detokenize(tokens)
    places = {place for span in spans for place in span}
    return [
        token.text for token in TOKENIZER(text) if any(token.idx < place < token.idx + len(token) for place in places)
    ]


@given(st.one_of(anything, no_digits))
def test_boundaries_of_corpus_tokens_are_token_boundaries(tokens):
    assert [token for token in lost_boundaries(tokens) if not re.search(r"\d", token)] == []


@given(biomedical)
def test_boundaries_of_corpus_tokens_are_lost_in_numbers_only(tokens):
    for token in lost_boundaries(tokens):
        assert re.fullmatch(r"[\d.,]+", token)


def test_cases_keep_boundaries_of_corpus_tokens():
    for tokens, _ in CASES.values():
        assert all(re.fullmatch(r"[\d.,]+", token) for token in lost_boundaries(tokens.split(" ")))


@pytest.mark.parametrize("token", ["a", "A", "1", "-", "'", '"', ".", "A1", "1,", "(", "_", "a'", "http", "[", "~"])
def test_finishes_on_long_and_on_many_tokens(token):
    start = time.perf_counter()
    for tokens in ([token * 5000], [token] * 5000, ["www", ".", *[token, "_"] * 2000]):
        text, spans = detokenize(tokens)
        assert len(spans) == len(tokens)
        assert spans[-1][1] == len(text)
    assert time.perf_counter() - start < 30
