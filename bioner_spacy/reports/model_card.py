"""Model card: metadata of a packaged pipeline, from which spaCy makes its README."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

import srsly
from spacy.util import load_config

from ..corpora import Catalogue
from ..corpora.catalogue import NOT_KNOWN, Corpus
from ..errors import BionerError, Errors, Warnings, warn
from ..scope import SPANS_KEY, score_name
from ..scoring.evaluate import describe, load_pipeline
from ..scoring.metrics import STRICT
from ..scoring.results import UNNAMED, Pipeline, Results
from .table import MISSING, Table, percent, results_table

COMPONENT = "multitask_ner"
SAMPLE = "sample"
"""The set of invented corpora in the catalogue."""

_SCORES = """\
F1, precision and recall in percent, strict match (start, end and type), on the {split} split, inside the annotation scope of each corpus:
predictions of types that a corpus does not annotate do not count."""
_NO_SCORES = "None were given when this package was built."
_UNNAMED = "The same without a named guideline (`doc._.guideline`), as for texts of unknown guideline."
_CALIBRATION = """\
Expected calibration error of the scores in percent, on the development data that they were calibrated on; types with few
predictions there are calibrated together. Spans with a score below the threshold of their type are not reported."""
_CORPORA = """\
Training corpora, and the types that each annotates. No corpus is part of this package. The licences of the corpora also apply
to redistribution of the pipeline."""
_CONTENTS = """\
Weights of the encoder ({weights}) and heads, the published vocabulary of the encoder's tokenizer, settings, tokenizer rules, and
names of corpora and entity types. No text of the corpora, and no list of their tokens."""
_WEIGHTS = {"float32": "32 bits", "int8": "8 bits, with a scale for each row of a matrix"}
_LIMITS = """\
Scores apply to text like that of the corpora, and to their guidelines; expect lower scores elsewhere.
Corpora annotate some types only. Scores say nothing about predictions of other types in their text.
Trained once, with one seed; scores vary between seeds.
Not evaluated for clinical use."""
_SAMPLE = "The sample corpora are invented: they show that everything runs, and say nothing about quality."
_USE = """\
```python
import spacy

nlp = spacy.load("{lang}_{name}")
doc = nlp("Aspirin lowers the risk of colorectal cancer in carriers of BRCA1 mutations.")
print([(ent.text, ent.label_) for ent in doc.ents])  # the best spans that do not overlap
group = doc.spans["{key}"]  # all spans, nested ones too
print([(span.text, span.label_, score) for span, score in zip(group, group.attrs["scores"])])
```

The texts of a file, one a line: `python -m spacy bioner apply {lang}_{name} texts.txt annotated.spacy`"""


def complete_meta(
    pipeline: Path,
    catalogue: Catalogue,
    results: Optional[Results],
    *,
    unnamed: Optional[Results] = None,
    notes: str = "",
    name: str,
    weights: str = "float32",
) -> dict[str, Any]:
    """Complete the metadata of a pipeline from its config, the catalogue and an evaluation.

    Args:
        pipeline: folder of the trained pipeline.
        results: its scores on test data; None for a card without scores.
        unnamed: its scores without a named guideline, for a second table.
        notes: Markdown to add, such as known limits with examples.
        name: name of the package without the language.
        weights: how the package stores the weights of the encoder, "float32" or "int8".

    Returns:
        `meta.json` with description, sources, `performance` (scores by the scorer's names) and `notes` (Markdown for
        the README).

    Raises:
        BionerError: the results are those of another pipeline, or it has no such component. A warning names corpora
            that are not in the catalogue.
    """
    meta: dict[str, Any] = srsly.read_json(pipeline / "meta.json")
    known = describe(load_pipeline(pipeline))
    for scored in (results, unnamed):
        if scored is not None:
            _check(scored, known)
    settings = pipeline / COMPONENT / "cfg"
    label_data = srsly.read_json(settings).get("label_data") if settings.is_file() else None
    if label_data is None:
        raise BionerError(Errors.E614.format(pipeline=pipeline, component=COMPONENT))
    names = list(label_data)
    corpora = [catalogue.corpora[corpus] for corpus in names if corpus in catalogue.corpora]
    unknown = {corpus or UNNAMED: types for corpus, types in label_data.items() if corpus not in catalogue.corpora}
    if unknown:
        warn(Warnings.W510.format(names=", ".join(unknown)))
    day = datetime.fromtimestamp((pipeline / "meta.json").stat().st_mtime, timezone.utc)
    config = load_config(pipeline / "config.cfg", interpolate=True)
    facts = {
        "Encoder": known.encoder or MISSING,
        "Seed": MISSING if known.seed is None else str(known.seed),
        "Day": f"{day:%Y-%m-%d}",
        "Epochs": str(config["training"].get("max_epochs", MISSING)),
        "Read at once": str(config.get("vars", {}).get("context", MISSING)),
        "A task is": str(config["components"][COMPONENT].get("grain", MISSING)),
        "Corpora": ", ".join(names),
    }
    training = Table(["What", "Value"], [[fact, value] for fact, value in facts.items()], numbers=0)
    types = ", ".join(meta["labels"][COMPONENT])
    meta["description"] = f"Multi-task biomedical named entity recognition: {types}."
    meta["sources"] = [_source(corpus) for corpus in corpora]
    # Scores from training are of development data, before its end.
    meta["performance"] = {} if results is None else {score_name(key): of for key, of in results.scores.items()}
    meta["notes"] = "\n".join(
        [
            f"## Scores\n\n{_NO_SCORES}\n" if results is None else _scores(results),
            *(
                []
                if unnamed is None
                else [_section("Scores without a guideline", _UNNAMED, results_table(unnamed.by(STRICT)))]
            ),
            *(
                [_section("Calibration", _CALIBRATION, _calibration(found))]
                if (found := meta.get("calibration"))
                else []
            ),
            _section("Corpora", _CORPORA, _corpora_table(corpora, unknown)),
            f"## Training\n\n{training.to_markdown()}",
            f"## Contents\n\n{' '.join(_CONTENTS.format(weights=_WEIGHTS[weights]).split())}\n",
            f"## Limits\n\n{_limits(corpora, catalogue)}",
            *([f"{notes.strip()}\n"] if notes.strip() else []),
            f"## Use\n\n{_USE.format(lang=meta['lang'], name=name, key=SPANS_KEY)}\n",
        ]
    )
    return meta


def _check(results: Results, known: Pipeline) -> None:
    found = {
        what: (getattr(results.pipeline, what), getattr(known, what))
        for what in ("name", "version", "encoder", "seed", "components")
    }
    # The config also names the corpora. Other results have none.
    configs = [None if one.config is None else one.config[:12] for one in (results.pipeline, known)]
    found |= {} if None in configs else {"a config with the checksum": (configs[0], configs[1])}
    different = [f"{what} {one} and {other}" for what, (one, other) in found.items() if one != other]
    if different:
        raise BionerError(Errors.E619.format(results=results.label, different="; ".join(different)))


def _section(title: str, text: str, table: Table) -> str:
    return f"## {title}\n\n{' '.join(text.split())}\n\n{table.to_markdown()}"


def _scores(results: Results) -> str:
    text = _SCORES.format(split=results.split)
    if results.limit is not None:
        text += f" Only {results.limit} documents of each corpus were taken."
    if not results.provenance.get("allow_overlap", True):
        text += " Of overlapping predictions only the best counts."
    if results.context != "source":
        size = f" of at most {results.context_tokens} tokens" if results.context_tokens else ""
        text += f" The pipeline saw one {results.context}{size} at a time, not what the source has as one text."
    text += f" It read {results.tokens:,} tokens, {results.tokens_per_second:,.0f} per second on the machine of the evaluation."
    return _section("Scores", text, results_table(results.by(STRICT)))


def _calibration(found: Mapping[str, Mapping[str, float]]) -> Table:
    rows = [
        [kind, f"{of['predicted']:,}", percent(of["error"]), f"{of['threshold']:.2f}"] for kind, of in found.items()
    ]
    return Table(["Type", "Predictions", "Calibration error", "Threshold"], rows, numbers=3)


def _source(corpus: Corpus) -> dict[str, str]:
    """A source for spaCy's metadata, where every address is a link."""
    source = {"name": corpus.name, "license": corpus.licence}
    return {**source, "url": corpus.homepage} if _is_link(corpus.homepage) else source


def _corpora_table(corpora: Sequence[Corpus], unknown: Mapping[str, Sequence[str]]) -> Table:
    rows = []
    for corpus in corpora:
        name = f"[{corpus.name}]({corpus.homepage})" if _is_link(corpus.homepage) else corpus.name
        about = (corpus.licence, corpus.redistributable, corpus.citation, corpus.notes)
        rows.append([name, ", ".join(corpus.types), *(" ".join(text.split()) or MISSING for text in about)])
    rows += [[name, ", ".join(types), NOT_KNOWN, *3 * [MISSING]] for name, types in unknown.items()]
    header = ["Corpus", "Entity types", "Licence", "Copies may be passed on", "Citation", "Annotation policy"]
    return Table(header, rows, numbers=0)


def _limits(corpora: Sequence[Corpus], catalogue: Catalogue) -> str:
    sample = catalogue.sets[SAMPLE].corpora if SAMPLE in catalogue.sets else ()
    limits = [_SAMPLE] if any(corpus.name in sample for corpus in corpora) else []
    return "".join(f"- {limit}\n" for limit in (*limits, *_LIMITS.splitlines()))


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://"))
