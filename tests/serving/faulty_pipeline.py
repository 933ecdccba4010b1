"""A pipeline without weights, that other processes can load too, and that fails, waits or is killed where a text, or a file
`deadly` beside it, asks for it."""

import importlib
from pathlib import Path

import pytest
import spacy

MODULE = """
import os, signal, time
from pathlib import Path
from spacy.language import Language
from spacy.tokens import Span, SpanGroup


@Language.factory("faulty")
class Faulty:
    def __init__(self, nlp, name, folder):
        self.folder = Path(folder)
        if (self.folder / "deadly").exists():
            os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, doc):
        for token in doc:
            if token.text == "boom":
                raise RuntimeError("a fault of the pipeline")
            if token.text == "slow":
                time.sleep(0.2)
            if token.text == "killed" or token.text == "kill" and not (self.folder / "killed").exists():
                (self.folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        spans = [Span(doc, token.i, token.i + 1, label="GENE") for token in doc if token.text == "NOD2"]
        doc.spans["bioner"] = SpanGroup(doc, name="bioner", spans=spans, attrs={"scores": [0.5] * len(spans)})
        return doc
"""


def write_pipeline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the pipeline, and put its component where this process, and those that it starts, find it.

    Args:
        folder: an empty folder.
        monkeypatch: changes the path of modules.
    """
    (folder / "faulty.py").write_text(MODULE)
    info = folder / "faulty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spacy_factories]\nfaulty = faulty:Faulty\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    importlib.import_module("faulty")  # entry points are read when a process starts
    nlp = spacy.blank("en")
    nlp.add_pipe("faulty", config={"folder": str(folder)})
    nlp.to_disk(folder / "pipeline")
    return folder / "pipeline"
