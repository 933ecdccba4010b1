"""The encoder: subwords, windows, a Hugging Face transformer, and how its weights are stored."""
