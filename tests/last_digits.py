"""How closely two computations of one training can agree, on whatever processor: what their last digits grow to."""

from collections.abc import Sequence

import numpy as np
import torch

LITTLE = 1e-15  # relative; what another order of a sum changes
MARGIN = 1000  # processors differ by more than one draw of such a change shows


def moved_a_little(values: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """`values` (float64, any shape), each changed by about `LITTLE` of itself."""
    generator = torch.Generator().manual_seed(seed)
    return values * (1 + LITTLE * torch.randn(values.shape, generator=generator, dtype=values.dtype))


def tolerances(numbers: Sequence[float], moved: Sequence[float]) -> np.ndarray:
    """The relative tolerance of each number, in the order they were computed: `MARGIN` times what moved so far.

    `moved` are the same numbers, computed from inputs moved a little.
    """
    effect = np.abs(np.subtract(moved, numbers) / numbers)
    return MARGIN * np.maximum.accumulate(np.maximum(effect, LITTLE))
