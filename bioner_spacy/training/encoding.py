"""Vectors of training corpora from an encoder before training."""

from ..layers.encoder.first_subwords import mean_first_subwords as mean_first_subwords
