"""Vectors of texts by their first subword."""

import numpy
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from bioner_spacy.layers.encoder.first_subwords import mean_first_subwords

TEXTS = ["the gene", "protein in mutant mice with cells", "x"]


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_batches_give_the_mean_over_single_texts(tiny_bert: str, batch_size: int) -> None:
    tokenizer, bert = AutoTokenizer.from_pretrained(tiny_bert), AutoModel.from_pretrained(tiny_bert).eval()
    vectors = []
    for text in TEXTS:
        with torch.no_grad():
            states = bert(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        vectors.append((states[-2][0, 0] + states[-3][0, 0]).numpy() / 2)  # it has no fourth
    found = mean_first_subwords(tiny_bert, {"all": TEXTS, "one": TEXTS[:1]}, batch_size=batch_size)
    numpy.testing.assert_allclose(found["all"], numpy.mean(vectors, axis=0), atol=1e-5)
    numpy.testing.assert_allclose(found["one"], vectors[0], atol=1e-5)


def test_long_texts_and_byte_level_encoders(tiny_roberta: str) -> None:
    found = mean_first_subwords(tiny_roberta, {"long": ["gene " * 500]})
    assert numpy.isfinite(found["long"]).all()
