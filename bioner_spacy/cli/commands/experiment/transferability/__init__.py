"""Measure what training with another corpus gains, and predict it without training."""
