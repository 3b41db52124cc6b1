"""Choosing cells, and what the choice is worth."""
