"""Fixtures of this folder."""

from corpus_fixtures import *  # noqa: F403
