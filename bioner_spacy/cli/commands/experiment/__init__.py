"""Repeat training over seeds and settings; an interrupted experiment continues where it stopped."""
