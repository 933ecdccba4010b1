"""Let people judge predictions of types that a corpus does not annotate: make a sheet, and score filled-in sheets."""
