"""Generated recordings: a stick figure in the layout of UTD-MHAD."""
