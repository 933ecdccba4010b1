"""Annotation of files."""
