"""What loading a pipeline imports."""

import subprocess
import sys
from pathlib import Path

[PIPELINE] = (Path(__file__).parents[1] / "models/en_bioner_mtl/en_bioner_mtl").glob("en_bioner_mtl-*")
LOAD = """
import sys
import spacy
spacy.load(sys.argv[1])
heavy = {"torch._dynamo", "sympy", "sklearn", "scipy", "pandas", "transformers.generation"}.intersection(sys.modules)
assert not heavy, heavy
"""

CODE = """
import sys
from bioner_spacy.lean import import_spacy_transformers
import_spacy_transformers()
import spacy_transformers.util, torch
from bioner_spacy.layers.encoder.bert import Bert
from bioner_spacy.pipeline.factory import make_multitask_ner
config = dict(model_type="bert", hidden_act="gelu", attention_probs_dropout_prob=0.1, hidden_dropout_prob=0.1, hidden_size=4,
    intermediate_size=4, layer_norm_eps=1e-6, max_position_embeddings=8, num_attention_heads=1, num_hidden_layers=1, pad_token_id=0,
    type_vocab_size=1, vocab_size=5)
weights = {name: torch.zeros_like(weight) for name, weight in Bert(config).state_dict().items()}
assert not Bert.from_state(config, weights).get_input_embeddings().weight.any()
heavy = {"torch._dynamo", "sympy", "sklearn", "scipy", "pandas", "transformers.generation"}.intersection(sys.modules)
assert not heavy, heavy
stand_in = spacy_transformers.util.AutoTokenizer
from transformers import AutoTokenizer
assert isinstance(AutoTokenizer, type) and stand_in is not AutoTokenizer
assert stand_in.from_pretrained.__func__ is AutoTokenizer.from_pretrained.__func__
try:
    stand_in()
except OSError as error:
    assert "from_pretrained" in str(error)
import_spacy_transformers()
"""


def test_what_is_not_needed_is_not_imported() -> None:
    """Neither the compiler of torch nor what transformers generates texts with; and transformers is as ever afterwards."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nor_does_spacy_import_it_to_load_a_pipeline() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD, PIPELINE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
