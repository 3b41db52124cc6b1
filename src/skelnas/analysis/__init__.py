"""Statistics as functions of tables and arrays; figures as functions of statistics."""
