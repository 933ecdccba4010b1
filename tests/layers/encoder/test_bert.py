"""Layers of BERT against those of transformers."""

import json
from typing import Any

import pytest
import torch
from tiny_encoder import POSITIONS
from transformers import AutoModel, BertConfig

from bioner_spacy.layers.encoder.bert import Bert, has_bert_layers
from bioner_spacy.layers.encoder.files import without_transformers
from bioner_spacy.layers.encoder.packed_bert import Block, encode_packed, is_packable


@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_roberta"])
def test_hidden_states_are_those_of_transformers(encoder: str, request: pytest.FixtureRequest) -> None:
    reference = AutoModel.from_pretrained(request.getfixturevalue(encoder)).eval()
    bert = without_transformers(reference).eval()
    assert isinstance(bert, Bert) and is_packable(bert)
    expected = {name for name, _ in reference.named_parameters() if not name.startswith("pooler.")}
    assert {name for name, _ in bert.named_parameters()} == expected
    assert all(weight.requires_grad for weight in bert.parameters())
    ids = 5 + torch.arange(POSITIONS) % 35  # none is a pad token, by which RoBERTa counts
    packed = encode_packed(bert, ids, torch.arange(POSITIONS), [Block(1, POSITIONS, None)])
    torch.testing.assert_close(packed, reference(ids[None]).last_hidden_state[0], atol=1e-5, rtol=1e-4)


def test_other_encoders_stay_those_of_transformers(tiny_electra: str) -> None:
    reference = AutoModel.from_pretrained(tiny_electra)
    assert without_transformers(reference) is reference


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "electra"},
        {"hidden_act": "gelu_new"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
        {"layer_norm_eps": None},
    ],
)
def test_settings_of_other_layers(change: dict[str, Any]) -> None:
    config = json.loads(BertConfig().to_json_string())
    assert has_bert_layers(config) and not has_bert_layers({**config, **change})


def test_weights_that_do_not_fit(tiny_bert: str) -> None:
    reference = AutoModel.from_pretrained(tiny_bert)
    config, state = json.loads(reference.config.to_json_string()), reference.state_dict()
    for wrong in (
        {**config, "hidden_size": 8},
        {**config, "num_hidden_layers": 3},
        {**config, "num_hidden_layers": 1},
    ):
        with pytest.raises(RuntimeError, match="size mismatch|Missing key|Unexpected key"):
            Bert.from_state(wrong, state)
