"""Measure the gain of training with another corpus, and predict it without training."""
