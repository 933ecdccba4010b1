"""EDS-NLP's trainable NER on the same encoder (`pip install 'edsnlp[ml]'`, version 0.23 was tried)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Optional

import torch
from spacy.tokens import Doc
from spacy.util import filter_spans

from bioner_spacy.layers.encoder.pretrained import resolve_encoder
from bioner_spacy.training.corpora import MultiCorpus

NAME = "eds-nlp"


class EdsNlp:
    """Transformer and CRF of EDS-NLP, one sequence of tags for each type.

    Args:
        encoder: name of the encoder, as our configs take it.
        corpus: folder of converted corpora.
        corpora: names of those to train on, separated by commas; None for all.
        tokens: tokens in a batch, about.
        learn_rate: the learning rate, throughout.
    """

    def __init__(self, encoder: str, corpus: Path, corpora: Optional[str], tokens: int, learn_rate: float) -> None:
        import edsnlp
        import edsnlp.pipes as eds

        self.nlp = edsnlp.blank("eds")
        embedding = eds.transformer(model=resolve_encoder(encoder)[0], window=128, stride=96)
        head = eds.ner_crf(embedding=embedding, mode="joint", target_span_getter="ents", span_setter="ents", window=10)
        self.nlp.add_pipe(head, name="ner")
        examples = MultiCorpus(corpus, corpora, split="train", exclude=None)(self.nlp)
        self.docs = [_gold(self.nlp, example.reference) for example in examples]
        self.nlp.post_init(self.docs)
        self.tokens = tokens
        self.optimizer = torch.optim.AdamW(self.nlp.parameters(), lr=learn_rate)

    def training(self) -> Iterator[int]:
        """Train without end, and yield the number of tokens of each batch."""
        ner: Any = self.nlp.get_pipe("ner")
        batch: list[Doc] = []
        for doc in cycle(self.docs):
            batch.append(doc)
            n_tokens = sum(map(len, batch))
            if n_tokens < self.tokens:
                continue
            self.optimizer.zero_grad()
            ner.train()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = ner.forward(ner.prepare_batch(batch, supervision=True))["loss"]
            loss.backward()
            self.optimizer.step()
            yield n_tokens
            batch = []

    def predictor(self) -> Callable[[Sequence[str]], object]:
        """What annotates texts."""

        def predict(texts: Sequence[str]) -> list[Doc]:
            stream = self.nlp.pipe(texts)
            return list(stream.set_processing(batch_size="4000 words", autocast=torch.bfloat16, sort_chunks=True))

        return predict


def _gold(nlp: Any, doc: Doc) -> Doc:
    copy = nlp.make_doc(doc.text)
    found = [
        copy.char_span(span.start_char, span.end_char, span.label_, alignment_mode="expand")
        for span in doc.spans["bioner"]
    ]
    copy.ents = filter_spans([span for span in found if span is not None])
    return copy
