"""Transferability: what training with a second corpus gains, and what tells it before (Akdemir and Shibuya 2020)."""
