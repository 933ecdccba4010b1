"""Invented corpora of a few sentences that annotate different entity types, and pipelines small enough to learn them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Optional

import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

from bioner_spacy.corpora.leakage import joint_hash, record_hash
from bioner_spacy.docbin import load_docs
from bioner_spacy.pipeline.multitask_ner import MultiTaskNER
from bioner_spacy.scope import SPANS_KEY, set_gold

Mention = tuple[str, str]  # words as they stand in the text, entity type
Sentence = tuple[str, list[Mention]]

BREAST_CANCER: Sentence = (
    "Patients with breast cancer had fever .",
    [("breast cancer", "DISEASE"), ("fever", "DISEASE")],
)
BRCA1: Sentence = ("The BRCA1 gene is mutated in breast cancer .", [("BRCA1 gene", "GENE")])
ASPIRIN: Sentence = (
    "Aspirin-induced asthma is rare .",
    [("Aspirin", "CHEMICAL"), ("Aspirin-induced asthma", "DISEASE")],
)

# Corpus -> annotation scope and sentences. Sentences of "genes" name a disease that is not annotated there.
CORPORA: dict[str, tuple[list[str], list[Sentence]]] = {
    "diseases": (
        ["DISEASE"],
        [BREAST_CANCER, ("Asthma was common in mice .", [("Asthma", "DISEASE")]), ("No signs were seen .", [])],
    ),
    "drugs": (
        ["CHEMICAL", "DISEASE"],
        [
            ASPIRIN,
            (
                "Naloxone and morphine caused pain .",
                [("Naloxone", "CHEMICAL"), ("morphine", "CHEMICAL"), ("pain", "DISEASE")],
            ),
        ],
    ),
    "genes": (["GENE"], [BRCA1, ("IL-2 and p53 activate T cells .", [("IL-2", "GENE"), ("p53", "GENE")])]),
}

TAG_HEADS = "bioner_spacy.TagHeads.v1"
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 32,
    "depth": 1,
    "embed_size": 500,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
# The first with other heads.
HEADS: dict[str, dict[str, Any]] = {
    "cnn without crf": {"@architectures": TAG_HEADS, "crf": False},
    "cnn with span pairs": {"@architectures": "bioner_spacy.SpanPairs.v1", "width": 6, "hidden": 16},
    "cnn with cross sharing": {"@architectures": "bioner_spacy.CrossSharing.v1", "hidden": 16, "width": 8},
    "cnn with slots": {"@architectures": "bioner_spacy.SlotRecurrent.v1", "window": 4},
}
# Where the token vectors come from: a CNN inside the component, a CNN that it listens to, a transformer likewise.
ENCODERS = ("cnn", "tok2vec", "transformer", *HEADS)


def blank_nlp() -> Language:
    """An empty pipeline with the biomedical tokenizer."""
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "bioner_spacy.BiomedicalTokenizer.v1"}}})


def make_nlp(encoder: str = "cnn", folder: Optional[str] = None, **settings: Any) -> Language:
    """A pipeline with the component, not initialised.

    Args:
        encoder: one of `ENCODERS`.
        folder: the encoder of a transformer.
        settings: of the component.
    """
    nlp = blank_nlp()
    if encoder == "transformer":
        model = {"@architectures": "bioner_spacy.TransformerModel.v2", "name": folder, "window": 32, "overlap": 8}
        nlp.add_pipe("transformer", config={"model": {**model, "precision": "float32"}})
        nlp.add_pipe("multitask_ner", config=settings)
        return nlp
    tok2vec: dict[str, Any] = CNN
    if encoder == "tok2vec":
        nlp.add_pipe("tok2vec", config={"model": CNN})
        tok2vec = {"@architectures": "spacy.Tok2VecListener.v1", "width": CNN["width"], "upstream": "*"}
    heads = HEADS.get(encoder, {"@architectures": TAG_HEADS})
    nlp.add_pipe("multitask_ner", config={"model": {**heads, "tok2vec": tok2vec}, **settings})
    return nlp


def component(nlp: Language) -> MultiTaskNER:
    """The component of a pipeline."""
    pipe = nlp.get_pipe("multitask_ner")
    if not isinstance(pipe, MultiTaskNER):
        raise TypeError(type(pipe))
    return pipe


def output_names(nlp: Language) -> Sequence[tuple[str, ...]]:
    """Name of each output of the heads: the task, or "" where tasks share it, and what else distinguishes it."""
    ner = component(nlp)
    columns: Sequence[tuple[str, ...]] = ner.model.attrs["make_formulation"](ner.tasks).columns
    return columns


def gold_doc(nlp: Language, sentence: Sentence, corpus: str = "", scope: Optional[Iterable[str]] = None) -> Doc:
    """A document with gold spans; with a corpus and an annotation scope if `scope` is given."""
    text, mentions = sentence
    doc = nlp.make_doc(text)
    spans = [doc.char_span(text.index(words), text.index(words) + len(words), label) for words, label in mentions]
    if scope is None:
        doc.spans[SPANS_KEY] = spans
    else:
        set_gold(doc, spans, corpus=corpus, scope=scope)
    return doc


def make_examples(nlp: Language, corpora: Iterable[str] = tuple(CORPORA)) -> list[Example]:
    """Examples of the toy corpora, as the reader makes them: the predicted side is raw text with a guideline."""
    examples = []
    for corpus in corpora:
        scope, sentences = CORPORA[corpus]
        for sentence in sentences:
            predicted = nlp.make_doc(sentence[0])
            predicted._.guideline = corpus
            examples.append(Example(predicted, gold_doc(nlp, sentence, corpus, scope)))
    return examples


def write_corpora(
    folder: Path, corpora: Iterable[str] = tuple(CORPORA), splits: Sequence[str] = ("train", "devel")
) -> Path:
    """Write the toy corpora as converted ones, every split with the same documents, none of them left out."""
    nlp = blank_nlp()
    for corpus in corpora:
        scope, sentences = CORPORA[corpus]
        docs = DocBin(docs=[gold_doc(nlp, sentence, corpus, scope) for sentence in sentences])
        (folder / corpus).mkdir(parents=True)
        for split in splits:
            docs.to_disk(folder / corpus / f"{split}.spacy")
    srsly.write_json(folder / "exclude.json", {corpus: excluding(folder, corpus, []) for corpus in corpora})
    return folder


def excluding(folder: Path, corpus: str, numbers: Iterable[int]) -> dict[str, Any]:
    """What the list of records to leave out says of a corpus, given their numbers in its training split."""
    texts = [doc.text for doc in load_docs(folder / corpus / "train.spacy", blank_nlp().vocab)]
    hashes = [record_hash(text) for text in texts]
    exclude = {str(number): hashes[number] for number in numbers}
    return {"records": len(texts), "texts": joint_hash(hashes), "exclude": exclude}


def train(nlp: Language, examples: Sequence[Example], *, steps: int = 60, rate: float = 0.002) -> list[float]:
    """Initialise a pipeline and fit it to a single batch; returns the component's loss of each step."""
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples, sgd=Adam(rate))
    return update(nlp, examples, optimizer, steps=steps)


def update(nlp: Language, examples: Sequence[Example], optimizer: Any, *, steps: int) -> list[float]:
    """Fit an initialised pipeline to a single batch."""
    losses = []
    for _ in range(steps):
        losses.append(nlp.update(examples, sgd=optimizer, losses={})["multitask_ner"])
    return losses


def found(doc: Doc) -> set[tuple[str, str]]:
    """Predicted mentions."""
    return {(span.text, span.label_) for span in doc.spans[SPANS_KEY]}
