"""The NAS-Bench-201 search space: its cells, their edges, what is equivalent, what they cost, how they are chosen."""
