"""skelnas: the NAS-Bench-201 search space trained on skeleton-based human action recognition."""

__version__ = "0.1.0"
