"""Transferability: gains from a second training corpus, and their prediction (Akdemir and Shibuya 2020)."""
