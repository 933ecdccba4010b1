"""Share of gold mention boundaries that are token boundaries, for several tokenizers and corpora.

    python benchmarks/tokenizer_alignment.py CORPORA

CORPORA is a folder with one folder per corpus: PubTator files, whose text is raw, and column files, whose text is
made of their words by `detokenize`. Folders that are not there are left out. The rows of scispaCy's rules appear if
`scispacy` can be imported (it is enough to install it without its dependencies).
"""

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer

from bioner_spacy.errors import BionerWarning
from bioner_spacy.formats import iob, pubtator
from bioner_spacy.formats.document import SourceDocument
from bioner_spacy.tokenization import create_tokenizer
from bioner_spacy.tokens import token_offsets

RAW = {
    "BC5CDR-pubtator": "CDR_*Set.PubTator.txt",
    "NCBI-disease-pubtator": "*corpus.txt",
    "NLM-Gene": "*.PubTator",
    "NLM-Chem": "*.PubTator",
    "GNormPlus": "*.PubTator",
    "SPECIES": "*.PubTator",
    "Linnaeus-pubtator": "*.PubTator",
    "BioID": "*.PubTator",
}
TOKENISED = (
    *("AnatEM", "BC2GM", "BC5CDR", "BioNLP11EPI", "BioNLP11ID", "BioNLP13CG", "BioNLP13GE", "BioNLP13PC", "CRAFT"),
    *("Ex-PTM", "JNLPBA", "NCBI-disease", "linnaeus", "s800", "MedMentions-BIO"),
)
HEADER = ("corpus", "tokenizer", "boundaries", "aligned %", "mentions %", "tokens per word", "words per second")

CONTEXT = 15
"""Characters shown on each side of a misaligned boundary."""

Documents = list[tuple[str, list[tuple[int, int]]]]


def main() -> None:
    """Print a Markdown table with one row per corpus and tokenizer, and misaligned boundaries if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="folder with the folders of corpora")
    parser.add_argument("--examples", type=int, default=0, help="misaligned boundaries of our tokenizer to show")
    args = parser.parse_args()
    for part, readers in (("raw text", raw_corpora(args.corpora)), ("tokenised", tokenised_corpora(args.corpora))):
        print_row(HEADER)
        print_row(["---"] * len(HEADER))
        results: dict[str, list[Counter[str]]] = {}
        for name, documents in readers:
            for label, build in tokenizers().items():
                counts, examples = run(build, documents)
                results.setdefault(label, []).append(counts)
                print_row(cells(name, label, counts))
                if label == "bioner_spacy":
                    print("".join(f"{example}\n" for example in examples[: args.examples]), end="")
        for label, of_tokenizer in results.items():
            print_row(cells(f"all {part}", label, sum(of_tokenizer, Counter())))
        print()


def tokenizers() -> dict[str, Callable[[Language], Tokenizer]]:
    """Builders of the tokenizers to compare, by name."""
    builders: dict[str, Callable[[Language], Tokenizer]] = {
        "bioner_spacy": create_tokenizer(),
        "spaCy English": lambda nlp: nlp.tokenizer,
    }
    try:
        from scispacy.custom_tokenizer import combined_rule_tokenizer
    except ImportError:
        return builders
    return {**builders, "scispaCy": combined_rule_tokenizer}


def raw_corpora(folder: Path) -> Iterator[tuple[str, Documents]]:
    """PubTator corpora by name; offsets that contradict the text of an annotation are believed."""
    for name, pattern in RAW.items():
        paths = sorted((folder / name).glob(pattern))
        if paths:
            yield name, spans(document for path in paths for document in pubtator.read(path, mismatch="offsets"))


def tokenised_corpora(folder: Path) -> Iterator[tuple[str, Documents]]:
    """Corpora of column files by name."""
    for name in TOKENISED:
        paths = sorted((folder / name).glob("*.tsv"))
        if paths:
            documents = (
                document
                for path in paths
                for document in iob.read(path, scheme="iob2", default_label="MENTION", invalid="begin")
            )
            yield name, spans(documents)


def spans(documents: Iterator[SourceDocument]) -> Documents:
    """Texts and mention spans; warnings of the reader, which other commands show, are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BionerWarning)
        return [(doc.text, [(mention.start, mention.end) for mention in doc.mentions]) for doc in documents]


def run(build: Callable[[Language], Tokenizer], documents: Documents) -> tuple[Counter[str], list[str]]:
    """Counts of a new tokenizer, with the time that it takes for all texts, beginning with an empty cache; and the
    misaligned boundaries, as `text before|text after`."""
    tokenizer = build(spacy.blank("en"))
    start = time.perf_counter()
    for text, _ in documents:
        tokenizer(text)
    counts = Counter(nanoseconds=round(1e9 * (time.perf_counter() - start)))
    examples: list[str] = []
    for text, mentions in documents:
        doc = tokenizer(text)
        starts, ends = (set(offsets.tolist()) for offsets in token_offsets(doc))
        counts.update(tokens=len(doc), words=len(text.split()), mentions=len(mentions), boundaries=2 * len(mentions))
        for first, last in mentions:
            missed = [place for place, known in ((first, starts), (last, ends)) if place not in known]
            counts.update(aligned=2 - len(missed), mentions_aligned=not missed)
            examples += [
                f"{text[max(0, place - CONTEXT) : place]}|{text[place : place + CONTEXT]}" for place in missed
            ]
    return counts, examples


def cells(corpus: str, label: str, counts: Counter[str]) -> list[str]:
    """Table row of counts."""
    return [
        corpus,
        label,
        f"{counts['boundaries']:,}",
        f"{100 * counts['aligned'] / counts['boundaries']:.3f}",
        f"{100 * counts['mentions_aligned'] / counts['mentions']:.3f}",
        f"{counts['tokens'] / counts['words']:.2f}",
        f"{counts['words'] / counts['nanoseconds'] * 1e9:,.0f}",
    ]


def print_row(values: Sequence[str]) -> None:
    """Write a row of a Markdown table."""
    print(f"| {' | '.join(values)} |", flush=True)


if __name__ == "__main__":
    main()
