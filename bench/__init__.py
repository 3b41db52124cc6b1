"""Measurements: speed as ratios in one run, counts of what kernels do, and full-size rehearsals."""
