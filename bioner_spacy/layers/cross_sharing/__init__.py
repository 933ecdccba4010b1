"""Layers that tasks share among one another, and the LSTM below them."""
