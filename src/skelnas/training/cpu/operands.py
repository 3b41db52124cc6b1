"""What a 3x3 convolution computes with: the operands as they are, or rounded to bfloat16.

On a CPU only the 3x3 convolutions between hidden nodes gain from bfloat16, more than the casts cost; everything else
stays in float32. Products are summed in float32 either way.
"""

import torch
from torch import Tensor


class Operands:
    """The operands of the convolutions of one cell; each node is rectified and rounded once, however many read it."""

    def __init__(self, narrow: torch.dtype | None = None) -> None:
        self.narrow = narrow
        self._rectified: dict[tuple[int, bool], Tensor] = {}

    def rectified(self, nodes: list[Tensor | None], node: int, kernel: int) -> Tensor:
        """ReLU of a node, as a convolution with this kernel size reads it."""
        key = (node, self._narrows(kernel))
        if key not in self._rectified:
            self._rectified[key] = self.cast(torch.relu(nodes[node]), kernel)
        return self._rectified[key]

    def cast(self, values: Tensor, kernel: int) -> Tensor:
        """Values as a convolution with this kernel size reads them."""
        return values.to(self.narrow) if self._narrows(kernel) else values

    def weight(self, weight: Tensor) -> Tensor:
        """A weight (Cout, Cin, k, k) as its convolution reads it."""
        return self.cast(weight, weight.shape[-1])

    def wide(self, values: Tensor) -> Tensor:
        """What a convolution gave, in the dtype of everything else."""
        return values.float() if values.dtype == self.narrow else values

    def _narrows(self, kernel: int) -> bool:
        return self.narrow is not None and kernel == 3
