"""The published pipeline: its package, and what it finds in sentences of our own, in which any reader agrees."""

import ast
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from packaging.requirements import Requirement
from spacy.language import Language
from spacy.tokens import Doc

from bioner_spacy import __version__

MODELS = Path(__file__).parents[2] / "models"
SENTENCES = list(srsly.read_jsonl(Path(__file__).parent / "sentences.jsonl"))
KINDS = {kind for sentence in SENTENCES for _, _, kind in sentence["entities"]}
"""Types that the sentences are annotated for."""
SAME = {"PROTEIN": "GENE"}
"""Types that count as another one: guidelines of genes take in their products."""
RECALL, FORBIDDEN = 0.8, 0.05
"""Least share of the certain entities that is found, and greatest share of sentences with a reading that is absurd."""


@cache
def pipeline() -> Language:
    [folder] = (MODELS / "en_bioner_mtl" / "en_bioner_mtl").glob("en_bioner_mtl-*")
    return spacy.load(folder)


@cache
def annotated() -> list[Doc]:
    return list(pipeline().pipe(sentence["text"] for sentence in SENTENCES))


def entities(doc: Doc) -> set[tuple[int, int, str]]:
    return {(ent.start_char, ent.end_char, SAME.get(ent.label_, ent.label_)) for ent in doc.ents}


def absurd(sentence: dict[str, Any], doc: Doc) -> list[tuple[str, str]]:
    """Predicted entities of a sentence that overlap a span which is none of their type, or that are in one without any."""
    found = entities(doc)
    if sentence.get("forbidden_any"):
        wrong = {one for one in found if one[2] in KINDS}
    else:
        wrong = {
            one
            for one in found
            for start, end, kind in sentence["forbidden"]
            if one[2] == SAME.get(kind, kind) and one[0] < end and start < one[1]
        }
    return [(doc.text[start:end], kind) for start, end, kind in sorted(wrong)]


def test_it_loads_without_a_warning() -> None:
    """Its config has names of settings of version 0.2."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline.__wrapped__()


def test_it_requires_this_version() -> None:
    """Otherwise pip would look for another one. Changelog and citation name it too."""
    [meta] = {path.read_bytes() for path in (MODELS / "en_bioner_mtl").rglob("meta.json") if "build" not in path.parts}
    [needed] = [one for one in map(Requirement, srsly.json_loads(meta)["requirements"]) if one.name == "bioner-spacy"]
    assert __version__ in needed.specifier
    assert srsly.read_yaml(MODELS.parent / "CITATION.cff")["version"] == __version__
    changelog = (MODELS.parent / "CHANGELOG.md").read_text(encoding="utf8")
    assert re.findall(r"^## \[(\d.*?)\]", changelog, flags=re.MULTILINE)[0] == __version__


def test_certain_entities_are_found() -> None:
    wanted = [
        (number, (start, end, SAME.get(kind, kind)))
        for number, sentence in enumerate(SENTENCES)
        for start, end, kind in sentence["entities"]
    ]
    missed = [
        (SENTENCES[n]["text"][one[0] : one[1]], one[2]) for n, one in wanted if one not in entities(annotated()[n])
    ]
    assert 1 - len(missed) / len(wanted) >= RECALL, missed


def test_absurd_readings_are_few() -> None:
    wrong = [found for sentence, doc in zip(SENTENCES, annotated()) if (found := absurd(sentence, doc))]
    assert len(wrong) / len(SENTENCES) <= FORBIDDEN, wrong


def test_scores_are_probabilities_and_entities_are_among_the_spans() -> None:
    for doc in annotated():
        group = doc.spans["bioner"]
        assert len(group.attrs["scores"]) == len(group)
        assert all(0 <= score <= 1 for score in group.attrs["scores"])
        spans = {(span.start, span.end, span.label_) for span in group}
        assert {(ent.start, ent.end, ent.label_) for ent in doc.ents} <= spans


def test_the_example_of_the_readme_is_real() -> None:
    readme = (MODELS.parent / "README.md").read_text(encoding="utf8")
    found = re.search(
        r'spacy.load\("en_bioner_mtl"\)\n.*?nlp\(\s*"([^"]+)"\s*\).*?\n# (\[.*?\])\n', readme, flags=re.DOTALL
    )
    assert found
    text, output = found.group(1), found.group(2).replace("\n# ", " ")
    assert [(ent.text, ent.label_) for ent in pipeline()(text).ents] == ast.literal_eval(output)


def test_it_holds_no_token_of_its_training_texts_and_no_path() -> None:
    [folder] = (MODELS / "en_bioner_mtl" / "en_bioner_mtl").glob("en_bioner_mtl-*")
    strings = srsly.read_json(folder / "vocab" / "strings.json")
    assert set(strings) <= {"bioner", *pipeline().get_pipe("multitask_ner").labels}
    assert not re.search(r'"/', (folder / "config.cfg").read_text(encoding="utf8"))
    assert (
        sum(path.stat().st_size for path in MODELS.rglob("*") if path.is_file() and "build" not in path.parts) < 25e6
    )


@pytest.mark.slow
def test_it_learns_another_type(tmp_path: Path) -> None:
    [folder] = (MODELS / "en_bioner_mtl" / "en_bioner_mtl").glob("en_bioner_mtl-*")
    nlp = spacy.load(folder)  # which is changed
    component: Any = nlp.get_pipe("multitask_ner")
    text = SENTENCES[0]["text"]
    before = entities(nlp(text))
    assert component.add_label("DEVICE", corpus="mine") == 1
    assert "DEVICE" in component.labels and entities(nlp(text)) == before
    nlp.to_disk(tmp_path / "more")
    assert entities(spacy.load(tmp_path / "more")(text)) == before
