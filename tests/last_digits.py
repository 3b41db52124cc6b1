"""How closely two computations of one training can agree, on whatever processor: what their last digits grow to."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from skelnas.network import Network

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


def values_drawn(network: Network, seed: int) -> Iterator[torch.Tensor]:
    """Each parameter's initial values (float32), uniform within 1 / sqrt(inputs), rounded once.

    Processors with fused multiply-add draw just these; others round twice, and differ in the last digit.
    """
    generator = torch.Generator().manual_seed(seed)
    bound = 0.0
    for name, parameter in network.named_parameters():
        if "norm" in name:
            yield parameter.detach()
            continue
        if name.endswith("weight"):
            bound = float(np.float32(parameter[0].numel() ** -0.5))
        drawn = torch.rand(parameter.shape, generator=generator)
        yield (drawn.double() * 2 * bound - bound).float()
