"""One block of device memory from which the networks of all batch sizes and precisions take their images."""

import math

import torch
from torch import Tensor

ALIGNMENT = 256  # bytes; what vector loads and tensor cores like


class Arena:
    """Hands out tensors of one block of `size` bytes from its beginning on; `taken` counts bytes.

    With size None it hands out tensors without memory (device meta) and only counts: a way to ask what a network
    would need. Several networks may share a block, each with its own arena on it, if they run one after the other.
    """

    def __init__(self, block: Tensor | None) -> None:
        self.block, self.taken = block, 0

    def take(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """A tensor of undefined contents.

        Raises:
            torch.OutOfMemoryError: the block is too small.
        """
        size = math.prod(shape) * dtype.itemsize
        first, self.taken = self.taken, self.taken + -(-size // ALIGNMENT) * ALIGNMENT
        if self.block is None:
            return torch.empty(shape, dtype=dtype, device="meta")
        if self.taken > self.block.numel():
            raise torch.OutOfMemoryError(f"{self.taken} bytes asked of a block of {self.block.numel()}")
        return self.block[first : first + size].view(dtype).view(shape)
