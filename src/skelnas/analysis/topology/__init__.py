"""What good and bad cells are made of."""
