"""Repeat training over seeds and settings; an interrupted experiment goes on where it stopped."""
