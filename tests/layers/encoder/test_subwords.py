"""The subword tokenizer against that of transformers."""

from pathlib import Path

import pytest
from tiny_encoder import write_bert
from transformers import AutoTokenizer

from bioner_spacy.layers.encoder.subwords import SubwordTokenizer

TEXTS = ["The mutant Protein in mice.", "", " \n ", "β-catenin 😀 naïve", "גן ה-BRCA1", "gene " * 200]


@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_cased_bert", "tiny_roberta", "tiny_electra"])
def test_subwords_are_those_of_transformers(encoder: str, request: pytest.FixtureRequest) -> None:
    reference = AutoTokenizer.from_pretrained(request.getfixturevalue(encoder))
    made = SubwordTokenizer.from_hugging_face(reference)
    for tokenizer in (made, SubwordTokenizer.from_files(made.to_files())):
        expected = reference(TEXTS, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        found = tokenizer.encode(TEXTS)
        assert [encoding.ids for encoding in found] == expected["input_ids"]
        assert [encoding.offsets for encoding in found] == expected["offset_mapping"]
        assert [*tokenizer.prefix, 7, *tokenizer.suffix] == reference.build_inputs_with_special_tokens([7])
        assert tokenizer.pad_token_id == reference.pad_token_id
        assert tokenizer.model_max_length == reference.model_max_length


def test_what_a_tokenizer_cuts_or_pads_is_left_off(tmp_path: Path) -> None:
    reference = AutoTokenizer.from_pretrained(write_bert(tmp_path / "bert", cased=False))
    reference.backend_tokenizer.enable_truncation(3)
    reference.backend_tokenizer.enable_padding(length=9)
    assert len(SubwordTokenizer.from_hugging_face(reference).encode(["gene " * 5])[0]) == 5
    assert reference.backend_tokenizer.truncation["max_length"] == 3  # the given one stays as it is


def test_tokenizers_without_a_limit_and_a_pad_token(tiny_bert: str) -> None:
    files = SubwordTokenizer.from_hugging_face(AutoTokenizer.from_pretrained(tiny_bert)).to_files()
    tokenizer = SubwordTokenizer.from_files({**files, "tokenizer_config.json": b'{"model_max_length": 1e30}'})
    assert tokenizer.model_max_length > 10**9 and tokenizer.pad_token_id == 0
    assert SubwordTokenizer.from_files(tokenizer.to_files()).model_max_length == tokenizer.model_max_length
