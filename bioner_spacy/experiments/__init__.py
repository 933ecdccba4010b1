"""Experiments: train and compare pipelines."""
