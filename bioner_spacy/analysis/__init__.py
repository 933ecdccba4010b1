"""What a pipeline gets right and wrong: mistakes, calibration, thresholds, review by people, other corpora."""
