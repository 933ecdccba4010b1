"""Scores of pipelines, results, and whether they differ."""
