"""Fixtures of this folder."""

from evaluation_fixtures import *  # noqa: F403
