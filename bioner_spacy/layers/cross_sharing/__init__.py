"""Layers shared between tasks, and their LSTM."""
