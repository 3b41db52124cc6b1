"""The quantiles by which tables tell how accuracies are spread over cells, by the names of their columns."""

import numpy as np

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def quantiles(values: np.ndarray) -> dict[str, float]:
    """These quantiles of (cells,)."""
    return dict(zip(QUANTILES, map(float, np.quantile(values, list(QUANTILES.values()))), strict=True))
