"""Human review of predictions outside the annotation scope: make a sheet, and score filled-in sheets."""
