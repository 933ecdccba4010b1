"""What training with another corpus gains, and measures that predict it without training."""
