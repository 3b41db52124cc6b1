"""Data sets and recipes held against each other."""
