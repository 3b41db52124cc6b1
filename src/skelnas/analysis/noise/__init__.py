"""How far a measured accuracy can be trusted."""
