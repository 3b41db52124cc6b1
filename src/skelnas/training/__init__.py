"""Training of cells: recipe, random streams, engines, journal."""
