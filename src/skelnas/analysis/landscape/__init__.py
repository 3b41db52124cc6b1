"""How accuracy lies over the space of cells: shares of variance, correlation of neighbours, optima."""
