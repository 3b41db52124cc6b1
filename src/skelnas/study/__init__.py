"""A study: what it asks for, where its files lie, what it costs, how far it is, whether this machine can run it."""
