"""Where sentences begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_spacy.corpora import tokenizing_pipeline
from bioner_spacy.tokenization.sentences import doc_sentence_starts, sentence_lengths, sentence_starts

NLP = tokenizing_pipeline()


def sentences(text: str) -> list[str]:
    boundaries = [0, *sentence_starts(text), len(text)]
    return [text[start:end] for start, end in zip(boundaries, boundaries[1:])]


@pytest.mark.parametrize(
    "text",
    [
        "Aspirin was given. |It helped. |Was it safe? |Yes! |We saw no fever.",
        "p53 was found (Fig. 2). |mRNA rose. |c-myc did not. |α-Synuclein did. |(ii) 12 mice died.",
        'They said "no." |[The rest agreed.] |Then came 1995. |12 mice were left.',
        # abbreviations
        "As shown by Smith et al. (2001), see Figs. 2 and Ref. 3, i.e. Doe et al. 2 vs. 3 mg, e.g. No. 4.",
        "Doses were given i.v. and i.p. 24 h later, cf. J. Smith, Mol. Cell Biol. 8: 5581.",
        "So did Doe et al. |The U.S. |These differ from Doe et al. in Salmonella spp. |We agree.",
        # letters: of a genus, an initial, a name, a unit
        "E. coli and S. Typhimurium grew, says J. R. Smith, on A. A. plates.",
        "It binds NF-kappa B. |Protein kinase C. |Cells rest for 24 h. |Then they divide.",
        "Given vitamin D. |Cells from L. |However, none grew.",
        # numbers
        "P = 0.05 and 1. 5 mg of EC 1. 1. 1. 49 in 3.2 ml.",
        # what follows does not begin a sentence
        "It was 5 mil. cells, wt. mice and so on ... or not? yes. done",
        # lines
        "A title\n\n|lower case\nin two lines.\n|The end.\r\n \r\n|x",
        "\n\n One. |Two.\n\n",
    ],
)
def test_where_sentences_begin(text: str) -> None:
    expected = text.replace("|", "")
    assert sentences(expected) == text.split("|")


@given(st.text(alphabet='aAp53 .?!)"(\n\t[BEtal', max_size=60))
def test_words_of_each_sentence(text: str) -> None:
    doc = NLP.make_doc(text)
    lengths = sentence_lengths(doc)
    assert lengths.sum() == len(doc) and (len(lengths) == 1 or (lengths > 0).all())
    first_tokens = [sum(lengths[:number]) for number in range(1, len(lengths))]
    assert [doc[word].idx for word in first_tokens] == sentence_starts(text) == doc_sentence_starts(doc)


@given(st.text(alphabet='aAp53 .?!)"(\n\t[BEtal', max_size=60))
def test_starts_are_in_order_and_no_whitespace(text: str) -> None:
    starts = sentence_starts(text)
    assert starts == sorted(set(starts))
    assert all(0 < start < len(text) and not text[start].isspace() and text[start - 1].isspace() for start in starts)
    assert all(part.strip() for part in sentences(text)) or not starts
