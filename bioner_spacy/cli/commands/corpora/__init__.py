"""Fetch, check, convert and describe the corpora of a catalogue."""
