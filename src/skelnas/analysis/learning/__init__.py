"""How cells learn over the epochs, and how far they come."""
