"""Topics of corpora by non-negative matrix factorisation."""

from collections.abc import Mapping, Sequence

import numpy
from numpy.typing import NDArray

from ...errors import BionerError, Errors, import_extra

TOPICS = 15
"""Number of topics, as in Akdemir and Shibuya (2020)."""

CHUNK_TOKENS = 250
"""Tokens of a chunk, about those of an abstract."""


def topic_weights(sentences: Mapping[str, Sequence[Sequence[str]]], *, seed: int = 0) -> dict[str, NDArray]:
    """Weights of topics in corpora.

    Akdemir and Shibuya (2020) treat each corpus as one document, but then a factorisation can give each of up to
    `TOPICS` corpora a topic of its own. Therefore topics are found in chunks of all corpora, and averaged over the
    chunks of a corpus.

    TF-IDF uses log counts, without English stop words and tokens in one chunk only; factorisation (Lee and Seung 1999,
    Learning the parts of objects by non-negative matrix factorization) starts from singular vectors (NNDSVD: Boutsidis
    and Gallopoulos 2008) and is deterministic.

    Args:
        sentences: corpus -> its sentences as tokens.

    Returns:
        Corpus -> (topics,) non-negative weights; at most one topic per two chunks.

    Raises:
        BionerError: scikit-learn is not installed, or no token is in two chunks.
    """
    nmf = import_extra("sklearn.decomposition", "transfer", "scikit-learn").NMF
    tf_idf = import_extra("sklearn.feature_extraction.text", "transfer", "scikit-learn").TfidfVectorizer
    chunks = [(corpus, text) for corpus, of_corpus in sentences.items() for text in _chunks(of_corpus)]
    vectorizer = tf_idf(stop_words="english", sublinear_tf=True, min_df=2)
    try:
        matrix = vectorizer.fit_transform([text for _, text in chunks])
    except ValueError:
        raise BionerError(Errors.E553.format(corpora=", ".join(sentences))) from None
    n_topics = max(1, min(TOPICS, len(chunks) // 2, matrix.shape[1]))  # for no chunk one of its own
    factors = nmf(n_topics, init="nndsvda", max_iter=2000, tol=1e-3, random_state=seed)
    weights = factors.fit_transform(matrix)
    names = numpy.array([corpus for corpus, _ in chunks])
    return {corpus: weights[names == corpus].mean(axis=0) for corpus in sentences}


def _chunks(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Texts of consecutive sentences with at least `CHUNK_TOKENS` tokens."""
    chunks: list[list[str]] = [[]]
    for sentence in sentences:
        if len(chunks[-1]) >= CHUNK_TOKENS:
            chunks.append([])
        chunks[-1].extend(sentence)
    return [" ".join(chunk) for chunk in chunks]
