"""The GPU engine: many cells trained together, stacked along a model axis, by processes that can be replaced."""
