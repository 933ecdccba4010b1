"""Mentions of a short text from hypothesis, and predictions with scores."""

import numpy
from hypothesis import strategies as st

from bioner_spacy.analysis.calibration import ScoredMentions
from bioner_spacy.scoring.mentions import Mention

TYPES = ("A", "B")


def mention(length: int = 8) -> st.SearchStrategy[Mention]:
    """One mention in a text of so many characters."""
    boundaries = st.tuples(st.integers(0, length), st.integers(0, length)).filter(lambda pair: pair[0] < pair[1])
    return st.tuples(boundaries, st.sampled_from(TYPES)).map(lambda found: (*found[0], found[1]))


def mentions(most: int = 5) -> st.SearchStrategy[set[Mention]]:
    """Mentions that may overlap and nest."""
    return st.sets(mention(), max_size=most)


@st.composite
def flat_mentions(draw: st.DrawFn) -> set[Mention]:
    """Mentions that do not overlap."""
    boundaries = sorted(draw(st.sets(st.integers(0, 20), max_size=10)))
    pairs = zip(boundaries[::2], boundaries[1::2])
    return {(start, end, draw(st.sampled_from(TYPES))) for start, end in pairs}


def predictions(*pairs: tuple[float, bool], gold: int = 0) -> ScoredMentions:
    """Predictions from scores and whether they are right, with the number of gold mentions."""
    scores, right = zip(*pairs) if pairs else ((), ())
    return ScoredMentions(numpy.array(scores, dtype="float64"), numpy.array(right, dtype=bool), gold)
