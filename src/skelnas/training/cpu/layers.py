"""The operations of which a network of the search space is made, forward and backward, in as few passes as possible.

Images are channels-last: logically (N, C, H, W), in memory (N, H, W, C). Their *rows* are the same memory seen as
(N*H, W*C); a value per channel repeated W times (a *tile*) then meets whole rows, which keeps every pass a plain
streaming one. Derivatives are written out by hand: no graph is recorded, nothing is kept that is not needed.
"""

from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from skelnas.network import NORM_EPSILON
from skelnas.training.cpu.state import Unit

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """What forward leaves for backward, which takes it once: memory is free again as early as can be."""

    def __init__(self) -> None:
        self._values: list[Value] = []

    def put(self, value: Value) -> None:
        """Leave a value in the place of an earlier one."""
        self._values = [value]

    def take(self) -> Value:
        """The value left last; it is gone afterwards."""
        return self._values.pop()


class Centred(NamedTuple):
    """What BatchNorm keeps of its input: rows (N*H, W*C) less their channel's mean, and 1 / sqrt(var + eps) (C,)."""

    rows: Tensor
    inverse: Tensor


def rows_of(images: Tensor) -> Tensor:
    """The memory of channels-last images (N, C, H, W) as rows (N*H, W*C), not copied."""
    samples, channels, height, width = images.shape
    return images.permute(0, 2, 3, 1).view(samples * height, width * channels)


def images_of(rows: Tensor, like: Tensor, channels: int | None = None) -> Tensor:
    """Rows as channels-last images of the size of `like`; the inverse of `rows_of`."""
    samples, same, height, width = like.shape
    return rows.view(samples, height, width, channels or same).permute(0, 3, 1, 2)


def channel_sums(rows: Tensor, channels: int) -> Tensor:
    """Sum of rows (N*H, W*C) per channel (C,): over rows first, then over columns."""
    return rows.sum(0).view(-1, channels).sum(0)


def convolve(images: Tensor, weight: Tensor, stride: int = 1, bias: Tensor | None = None) -> Tensor:
    """Convolution with padding kernel // 2; channels-last images (N, Cout, H/stride, W/stride), in `weight`'s dtype.

    Where weight and images are bfloat16 (see `Operands`) the result is bfloat16 too, summed in float32 inside.
    """
    padding = weight.shape[-1] // 2
    return torch.conv2d(images, weight, bias, stride, padding).contiguous(memory_format=torch.channels_last)


def convolve_backward(gradient: Tensor, images: Tensor, weight: Tensor, stride: int = 1) -> tuple[Tensor, Tensor]:
    """Gradients of `convolve` with respect to its images and its weight."""
    to_images, to_weight = _convolution_backward(gradient, images, weight, stride, needs_images=True)
    return to_images.contiguous(memory_format=torch.channels_last), to_weight


def weight_gradient(gradient: Tensor, images: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    """Gradient of `convolve` with respect to its weight alone."""
    return _convolution_backward(gradient, images, weight, stride, needs_images=False)[1]


def _convolution_backward(
    gradient: Tensor, images: Tensor, weight: Tensor, stride: int, needs_images: bool
) -> tuple[Tensor, Tensor]:
    padding, wanted = weight.shape[-1] // 2, [needs_images, True, False]
    to_images, to_weight, _ = torch.ops.aten.convolution_backward(
        gradient, images, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, wanted
    )
    return to_images, to_weight


def centre_(rows: Tensor, mean: Tensor, variance: Tensor) -> Centred:
    """Subtract each channel's mean from rows (N*H, W*C), in place.

    Writes the batch's mean (C,) and unbiased variance (C,) into `mean` and `variance`, for the running estimates. The
    variance is taken from the centred values, so it does not suffer from a mean that is large against it.
    """
    channels = mean.numel()
    columns, count = rows.shape[1] // channels, rows.numel() // channels
    torch.div(channel_sums(rows, channels), count, out=mean)
    rows.sub_(mean.repeat(columns))
    squares = channel_sums(rows * rows, channels)
    torch.div(squares, count - 1, out=variance)
    return Centred(rows, squares.div_(count).add_(NORM_EPSILON).rsqrt_())


def scaled(centred: Centred, scale: Tensor, shift: Tensor, onto: Tensor | None = None) -> Tensor:
    """BatchNorm's output `scale * normalised + shift` as rows; with `onto` added there in place, less the shift."""
    columns = centred.rows.shape[1] // scale.numel()
    factor = (scale * centred.inverse).repeat(columns)
    if onto is not None:
        return onto.addcmul_(centred.rows, factor)
    return torch.addcmul(shift.repeat(columns), centred.rows, factor)


def centre_backward(gradient: Tensor, sums: Tensor, centred: Centred, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients with respect to BatchNorm's input (rows) and its scale (C,).

    `gradient` are the rows of its output's gradient and `sums` their channel sums, which are also the gradient of
    BatchNorm's shift.
    """
    channels = scale.numel()
    columns, count = gradient.shape[1] // channels, gradient.numel() // channels
    products = channel_sums(gradient * centred.rows, channels)
    to_scale = products * centred.inverse
    factor = scale * centred.inverse
    constant = (factor * sums / -count).repeat(columns)
    slope = (factor * centred.inverse * to_scale / -count).repeat(columns)
    return torch.addcmul(constant, gradient, factor.repeat(columns)).addcmul_(centred.rows, slope), to_scale


class Operands:
    """What the convolutions of one cell compute with: their operands as they are, or rounded to `compute_dtype`.

    On a CPU only the 3x3 convolutions between hidden nodes gain from bfloat16, more than the casts cost; everything
    else stays in float32. Products are summed in float32 either way. Each node is rectified and rounded once, however
    many read it.
    """

    def __init__(self, compute_dtype: torch.dtype | None = None) -> None:
        self.compute_dtype = compute_dtype
        self._rectified: dict[tuple[int, bool], Tensor] = {}

    def rectified(self, node: int, images: Tensor, kernel: int) -> Tensor:
        """ReLU of node number `node`, as a convolution with this kernel size reads it."""
        key = (node, self._rounds(kernel))
        if key not in self._rectified:
            self._rectified[key] = self.cast(torch.relu(images), kernel)
        return self._rectified[key]

    def cast(self, values: Tensor, kernel: int) -> Tensor:
        """Values as a convolution with this kernel size reads them."""
        return values.to(self.compute_dtype) if self._rounds(kernel) else values

    def weight(self, weight: Tensor) -> Tensor:
        """A weight (Cout, Cin, k, k) as its convolution reads it."""
        return self.cast(weight, weight.shape[-1])

    def accumulated(self, values: Tensor) -> Tensor:
        """What a convolution gave, in the dtype of everything else."""
        return values.float() if values.dtype == self.compute_dtype else values

    def _rounds(self, kernel: int) -> bool:
        return self.compute_dtype is not None and kernel == 3


def folded(unit: Unit, operands: Operands) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution that equals a convolution and its BatchNorm with running statistics."""
    norm, plain = unit.norm, unit.weight.value
    scale = norm.scale.value * (norm.running_variance + NORM_EPSILON).rsqrt()
    weight, shift = plain * scale.view(-1, 1, 1, 1), norm.shift.value - norm.running_mean * scale
    return operands.weight(weight), operands.cast(shift, weight.shape[-1])


class Pool:
    """3x3 average pool, stride 1, that does not count the padding; for images of one size.

    It is a depthwise convolution with ones, which is symmetric, and a division by 4, 6 or 9: backward is the same in
    reverse order.
    """

    def __init__(self, channels: int, height: int, width: int, dtype: torch.dtype) -> None:
        self.ones = torch.ones(channels, 1, 3, 3, dtype=dtype).contiguous(memory_format=torch.channels_last)
        inside = [
            torch.tensor([min(i + 1, size - 1) - max(i - 1, 0) + 1 for i in range(size)]) for size in (height, width)
        ]
        counts = torch.outer(inside[0], inside[1]).to(dtype).reciprocal()
        self.shares = counts.repeat_interleave(channels, dim=1)  # (H, W*C)

    def forward(self, images: Tensor) -> Tensor:
        """The pooled images, of the same shape, channels-last."""
        summed = self._sums(images)
        self._by_height(summed).mul_(self.shares)
        return summed

    def backward(self, gradient: Tensor) -> Tensor:
        """Gradient with respect to the images."""
        shared = images_of((self._by_height(gradient) * self.shares), gradient)
        return self._sums(shared)

    def _sums(self, images: Tensor) -> Tensor:
        summed = torch.conv2d(images, self.ones, None, 1, 1, 1, images.shape[1])
        return summed.contiguous(memory_format=torch.channels_last)

    def _by_height(self, images: Tensor) -> Tensor:
        return rows_of(images).view(images.shape[0], images.shape[2], -1)
