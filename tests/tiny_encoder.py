"""Tiny encoders with random weights, one for each kind of tokenizer, as folders that transformers loads."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch
from spacy.tokens import Doc
from thinc.api import Model, reduce_mean
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    ElectraConfig,
    ElectraModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizerFast,
)
from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode

from bioner_spacy.models.encoder import build_tok2vec_transformer, build_transformer

WIDTH = 16
# Positions that each encoder can take; few, so that short texts are long documents.
POSITIONS = 64
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
PUNCTUATION = ".,;:!?()[]{}<>-+/=%'\"&*#@_"
SUBWORDS = ["in", "ing", "tion", "ase", "ine", "gene", "cell", "protein", "mutant", "the", "of", "with", "and", "mice"]
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
SIZES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    # Ten times the usual spread: a difference of one subword must show in the vectors.
    "initializer_range": 0.2,
}


def write_bert(folder: Path, *, cased: bool) -> str:
    """Write a BERT with a WordPiece vocabulary of letters and a few words; returns the folder."""
    tokenizer = _write_word_pieces(folder, cased=cased)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=POSITIONS, **SIZES)
    return _save(folder, tokenizer, BertModel(config))


def write_electra(folder: Path) -> str:
    """Write an ELECTRA whose embeddings are narrower than its layers; returns the folder."""
    tokenizer = _write_word_pieces(folder, cased=False)
    torch.manual_seed(0)
    sizes = {"max_position_embeddings": POSITIONS, "embedding_size": WIDTH // 2, **SIZES}
    return _save(folder, tokenizer, ElectraModel(ElectraConfig(vocab_size=len(tokenizer), **sizes)))


def _write_word_pieces(folder: Path, *, cased: bool) -> BertTokenizerFast:
    letters = ALPHABET + ALPHABET[:26].upper() if cased else ALPHABET
    tokens = SUBWORDS + [token.capitalize() for token in SUBWORDS] if cased else SUBWORDS
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PUNCTUATION, *letters, *tokens]
    vocab += [f"##{subword}" for subword in (*letters, *tokens)]
    folder.mkdir(parents=True)
    vocab_file = folder / "vocab.txt"
    vocab_file.write_text("\n".join(vocab), encoding="utf8")
    return BertTokenizerFast(str(vocab_file), do_lower_case=not cased, model_max_length=POSITIONS)


def write_roberta(folder: Path) -> str:
    """Write a RoBERTa with a byte-level vocabulary of bytes and a few words; returns the folder."""
    space = bytes_to_unicode()[ord(" ")]
    vocab = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *bytes_to_unicode().values()]
    merges: list[str] = []
    for token in [space + token for token in SUBWORDS]:
        for end in range(1, len(token)):
            if token[: end + 1] not in vocab:
                merges.append(f"{token[:end]} {token[end]}")
                vocab.append(token[: end + 1])
    folder.mkdir(parents=True)
    vocab_file, merges_file = folder / "vocab.json", folder / "merges.txt"
    vocab_file.write_text(json.dumps({subword: i for i, subword in enumerate(vocab)}), encoding="utf8")
    merges_file.write_text("\n".join(["#version: 0.2", *merges]), encoding="utf8")
    tokenizer = RobertaTokenizerFast(str(vocab_file), str(merges_file), model_max_length=POSITIONS)
    torch.manual_seed(0)
    # Positions of a RoBERTa begin after the number of its padding subword.
    positions = POSITIONS + tokenizer.pad_token_id + 1
    special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = RobertaConfig(
        vocab_size=len(vocab), max_position_embeddings=positions, type_vocab_size=1, **special, **SIZES
    )
    return _save(folder, tokenizer, RobertaModel(config))


def _save(folder: Path, tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel) -> str:
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
    return str(folder)


def make_docs(*texts: str) -> list[Doc]:
    """Documents of a blank pipeline."""
    nlp = spacy.blank("en")
    return [nlp.make_doc(text) for text in texts]


def make_encoder(folder: str, **settings: Any) -> Model[list[Doc], Any]:
    """Build and load the encoder of a folder; computed in float32 and in small windows of whole texts unless `settings` say more."""
    model = build_transformer(
        folder, **{"context": "document", "precision": "float32", "window": 32, "overlap": 8, **settings}
    )
    model.initialize()
    return model


def token_vectors(model: Model[list[Doc], Any], docs: Sequence[Doc]) -> list[numpy.ndarray]:
    """Vectors of the tokens of each document, (tokens, width), as listeners get them."""
    vectors = []
    for doc, data in zip(docs, model.predict(docs).doc_data, strict=True):
        vectors.append(data.tensors[0][0] if len(doc) else numpy.zeros((0, WIDTH), dtype="f"))
    return vectors


def assert_same_vectors(one: Model, other: Model) -> None:
    """See that two encoders give the tokens of some texts the same vectors."""
    docs = make_docs("The mutant Protein in mice.", "gene " * 60, "")
    for left, right in zip(token_vectors(one, docs), token_vectors(other, docs), strict=True):
        numpy.testing.assert_array_equal(left, right)


def own_encoder(folder: str, grad_factor: float = 1.0, **settings: Any) -> Model[list[Doc], Any]:
    """Initialised encoder without dropout and listeners: one array of vectors a document."""
    settings = {"context": "document", "precision": "float32", "transformer_config": NO_DROPOUT, **settings}
    model = build_tok2vec_transformer(folder, reduce_mean(), grad_factor, **settings)
    model.initialize()
    return model
