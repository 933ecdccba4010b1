"""How often the text that `detokenize` makes of a tokenised corpus is the raw text that the corpus was made of.

    python benchmarks/detokenizer.py CORPORA

CORPORA is a folder with one folder per corpus. Sentences of a tokenised corpus are looked up in the raw text of the
same corpus by their characters other than whitespace; those that are not there (transliterated characters) are
left out. Folders that are not there are left out too. The rows of Moses appear if `sacremoses` can be imported.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from bioner_spacy.files import numbered_lines
from bioner_spacy.tokenization import detokenize

# Tokenised corpora, and where the raw text of each is.
PAIRS = {
    "BC5CDR": ("BC5CDR-pubtator", "CDR_*Set.PubTator.txt"),
    "NCBI-disease": ("NCBI-disease-pubtator", "*corpus.txt"),
    "JNLPBA": ("JNLPBA-brat", "*/*.txt"),
    "linnaeus": ("Linnaeus-pubtator", "*.PubTator"),
    "s800": ("SPECIES", "*.PubTator"),
}
HEADER = ("corpus", "sentences", "method", "spaces right %", "sentences equal %")

Joiner = Callable[[Sequence[str]], str]


def main() -> None:
    """Print a Markdown table with one row per corpus and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="folder with the folders of corpora")
    args = parser.parse_args()
    print(f"| {' | '.join(HEADER)} |")
    print("|" + " --- |" * len(HEADER))
    for name, (raw_name, pattern) in PAIRS.items():
        raw = "\n".join(raw_text(path) for path in sorted((args.corpora / raw_name).glob(pattern)))
        sentences = [tokens for path in sorted((args.corpora / name).glob("*.tsv")) for tokens in read_tokens(path)]
        found = list(look_up(sentences, raw))
        for label, join in joiners().items():
            if found:
                print(f"| {name} | {len(found):,} | {label} | {' | '.join(compare(join, found))} |", flush=True)


def joiners() -> dict[str, Joiner]:
    """The methods to compare, by name."""
    methods: dict[str, Joiner] = {"bioner_spacy": lambda tokens: detokenize(tokens)[0], "one space": " ".join}
    try:
        from sacremoses import MosesDetokenizer
    except ImportError:
        return methods
    return {**methods, "Moses": MosesDetokenizer(lang="en").detokenize}


def raw_text(path: Path) -> str:
    """Text of a plain file, or of the title and abstract lines of a PubTator file."""
    lines = [line for _, line in numbered_lines(path)]
    if path.suffix == ".txt" and not any("|t|" in line for line in lines):
        return "\n".join(lines)
    return "\n".join(line.split("|", 2)[2] for line in lines if "|t|" in line[:30] or "|a|" in line[:30])


def read_tokens(path: Path) -> Iterator[list[str]]:
    """Sentences of a column file."""
    lines = (line for _, line in numbered_lines(path))
    for is_sentence, group in groupby(lines, key=lambda line: bool(line.strip())):
        if is_sentence:
            yield [line.split("\t")[0] for line in group]


def look_up(sentences: Sequence[list[str]], raw: str) -> Iterator[tuple[list[str], str]]:
    """Sentences of 12 or more characters that the raw text has, each with its text there."""
    places = [i for i, char in enumerate(raw) if not char.isspace()]
    squeezed = "".join(raw[i] for i in places)
    place = 0
    for tokens in sentences:
        characters = "".join(tokens)
        place = max(squeezed.find(characters, place), squeezed.find(characters))
        if place >= 0 and len(characters) >= 12:
            text = raw[places[place] : places[place + len(characters) - 1] + 1]
            yield tokens, " ".join(text.split())
        place = max(place, 0)


def compare(join: Joiner, found: Sequence[tuple[list[str], str]]) -> tuple[str, str]:
    """Share of the places between two tokens where a method has a space exactly if the raw text has, and share of
    the sentences with no other place, in percent."""
    right = gaps = equal = 0
    for tokens, raw in found:
        ours, theirs = spaces(tokens, join(tokens)), spaces(tokens, raw)
        agreeing = sum(a == b for a, b in zip(ours, theirs))
        right += agreeing
        gaps += len(theirs)
        equal += agreeing == len(theirs)
    return f"{100 * right / gaps:.2f}", f"{100 * equal / len(found):.2f}"


def spaces(tokens: Sequence[str], text: str) -> list[bool]:
    """Whether there is a space after each token but the last one; spaces inside tokens are ignored."""
    result = []
    place = 0
    for token in tokens[:-1]:
        for char in token:
            place = text.index(char, place) + 1
        result.append(text[place : place + 1] == " ")
    return result


if __name__ == "__main__":
    main()
