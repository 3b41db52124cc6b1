"""BatchNorm of a list of entries: from moments to the multiplication that is left to do, and back."""

from types import ModuleType

import torch
from torch import Tensor

from skelnas.training.fused.layers import EPSILON
from skelnas.training.fused.stacked_state import StackedState


class Norm:
    """The BatchNorms of one stack, or of a range of it; keeps what backward needs."""

    def __init__(self, state: StackedState, name: str, rows: slice = slice(None)) -> None:
        self.scale, self.shift = (state.views[f"{name}.{field}"][rows] for field in ("scale", "shift"))
        self.to_scale, self.to_shift = (state.gradients[f"{name}.{field}"][rows] for field in ("scale", "shift"))
        self.batch_mean, self.batch_variance = state.means[name][rows], state.variances[name][rows]
        self.running_mean, self.running_variance = state.fixed_means[name][rows], state.fixed_variances[name][rows]
        self.mean = self.inverse = self.last = None

    def affine(self, moments: tuple[Tensor, Tensor] | None, count: int) -> tuple[Tensor, Tensor]:
        """Factor and offset (entries, C) from a batch's mean and biased variance over `count` values, or running ones.

        The batch's are handed to the running estimates of the state.
        """
        mean, variance = moments or (self.running_mean, self.running_variance)
        inverse = (variance + EPSILON).rsqrt()
        factor = self.scale * inverse
        self.last = factor, self.shift - mean * factor
        if moments:
            self.mean, self.inverse = mean, inverse
            self.batch_mean.copy_(mean)
            self.batch_variance.copy_(variance * (count / (count - 1)))
        return self.last

    def backward(self, operations: ModuleType, gradients: Tensor, slots: Tensor, images: Tensor) -> None:
        """Turn `images` (entries, N, H, W, C), BatchNorm's input, into its gradient; write scale's and shift's.

        The gradient of the output is gradients[slots].
        """
        count = images[0, ..., 0].numel()
        sums, products = operations.gradient_sums(gradients, slots, images, self.mean)
        self.to_shift.copy_(sums)
        to_scale = torch.mul(products, self.inverse, out=self.to_scale)
        factor = self.last[0]
        slope = factor * self.inverse * to_scale / -count
        operations.combine_gradient(gradients, slots, images, factor, slope, factor * sums / -count - slope * self.mean)
