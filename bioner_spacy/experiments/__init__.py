"""Pipelines that are trained to be compared."""
