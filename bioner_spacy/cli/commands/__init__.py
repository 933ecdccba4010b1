"""Biomedical named entity recognition: corpora, training, evaluation, packages, annotation."""

from spacy.cli import app as spacy_app

from ..app import group

app = group("bioner", __name__)
spacy_app.add_typer(app)
