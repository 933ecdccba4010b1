"""How well the sentences of documents are found, for corpora that come as sentences with document ids.

    python benchmarks/sentences.py CORPORA

CORPORA is a folder with one folder per corpus. The sentences of a document are joined by spaces, and the places where
they met are looked for. Files that are not there are left out.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import accumulate, groupby
from pathlib import Path

import spacy

from bioner_spacy.formats import read_documents
from bioner_spacy.tokenization import create_tokenizer
from bioner_spacy.tokenization.sentences import sentence_starts

FILES = {"JNLPBA": ("iob", "JNLPBA/test.tsv"), "GENIA": ("genia", "GENIA-nested/original/GENIAcorpus3.02.xml")}
HEADER = ("corpus", "boundaries", "method", "precision %", "recall %", "F1 %")


def main() -> None:
    """Print a Markdown table with one row per corpus and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="folder with the folders of corpora")
    args = parser.parse_args()
    print(f"| {' | '.join(HEADER)} |")
    print("|" + " --- |" * len(HEADER))
    for name, (format_, file) in FILES.items():
        if (args.corpora / file).is_file():
            found = list(documents(args.corpora / file, format_))
            for label, method in {"bioner_spacy": sentence_starts, "sentencizer": sentencizer()}.items():
                count = sum(len(boundaries) for _, boundaries in found)
                print(f"| {name} | {count:,} | {label} | {' | '.join(compare(method, found))} |", flush=True)


def documents(path: Path, format_: str) -> Iterator[tuple[str, set[int]]]:
    """Text of every document, and the first character of each of its sentences but the first one."""
    for _, group in groupby(read_documents(format_, path), key=lambda sentence: sentence.doc_id):
        sentences = [sentence.text for sentence in group]
        yield " ".join(sentences), set(accumulate(len(sentence) + 1 for sentence in sentences[:-1]))


def sentencizer() -> Callable[[str], list[int]]:
    """The rules of spaCy, with our tokenizer."""
    nlp = spacy.blank("en")
    nlp.tokenizer = create_tokenizer()(nlp)
    nlp.add_pipe("sentencizer")
    return lambda text: [sentence.start_char for sentence in nlp(text).sents][1:]


def compare(method: Callable[[str], list[int]], found: list[tuple[str, set[int]]]) -> Iterator[str]:
    """Precision, recall and F1 of the boundaries of sentences, in percent."""
    predicted = [(set(method(text)), boundaries) for text, boundaries in found]
    right = sum(len(ours & boundaries) for ours, boundaries in predicted)
    precision, recall = (right / max(1, sum(map(len, side))) for side in zip(*predicted))
    for share in (precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)):
        yield f"{100 * share:.2f}"


if __name__ == "__main__":
    main()
