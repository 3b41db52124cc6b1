"""Stem, reduction block and classifier of a network, forward, backward and in evaluation."""

import torch
from torch import Tensor

from skelnas.network import NORM_EPSILON
from skelnas.training.cpu.layers import (
    Centred,
    centre_,
    centre_backward,
    channel_sums,
    convolve,
    convolve_backward,
    folded,
    images_of,
    rows_of,
    scaled,
)
from skelnas.training.cpu.operands import Operands
from skelnas.training.cpu.state import Unit

PLAIN = Operands()


class ConvNorm:
    """A convolution and its BatchNorm; keeps the convolution's input and the centred output for backward."""

    def __init__(self, unit: Unit, stride: int = 1) -> None:
        self.unit, self.stride = unit, stride
        self.images: Tensor | None = None
        self.centred: Centred | None = None
        self.fixed: tuple[Tensor, Tensor] | None = None

    def forward(self, images: Tensor) -> Tensor:
        """BatchNorm of the convolution of `images`, which are kept and must not be changed."""
        self.images = images
        result = convolve(images, self.unit.weight, self.stride)
        self.centred = centre_(rows_of(result), self.unit.mean, self.unit.variance)
        return images_of(scaled(self.centred, self.unit.scale, self.unit.shift), result)

    def fold(self) -> None:
        """Multiply the running statistics into the weight, for `evaluate`."""
        self.fixed = folded(self.unit, PLAIN)

    def evaluate(self, images: Tensor) -> Tensor:
        """The same with the running statistics, as of the last `fold`."""
        weight, shift = self.fixed
        return convolve(images, weight, self.stride, shift)

    def backward(self, gradient: Tensor, needs_input: bool = True) -> Tensor | None:
        """Writes the parameters' gradients; returns that of the images, or None where not needed."""
        unit, rows = self.unit, rows_of(gradient)
        sums = channel_sums(rows, gradient.shape[1])
        below, to_scale = centre_backward(rows, sums, self.centred, unit.scale)
        unit.shift_gradient.copy_(sums)
        unit.scale_gradient.copy_(to_scale)
        below = images_of(below, gradient)
        to_images, to_weight = convolve_backward(below, self.images, unit.weight, self.stride, needs_input)
        unit.weight_gradient.copy_(to_weight)
        self.images = self.centred = None
        return to_images


class Reduction:
    """Residual block that halves height and width: two convolutions, and a shortcut of 2x2 average pool and 1x1."""

    def __init__(self, first: Unit, second: Unit, shortcut: Unit) -> None:
        self.first, self.second, self.shortcut = ConvNorm(first, stride=2), ConvNorm(second), shortcut
        self.images = self.between = self.pooled = None

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 2C, H/2, W/2), with the batch's statistics."""
        self.images = images
        self.between = self.first.forward(torch.relu(images)).relu_()
        self.pooled = halved(images)
        return self.second.forward(self.between).add_(convolve(self.pooled, self.shortcut.weight))

    def fold(self) -> None:
        """Prepare `evaluate`."""
        self.first.fold()
        self.second.fold()

    def evaluate(self, images: Tensor) -> Tensor:
        """The same with the running statistics."""
        between = self.first.evaluate(torch.relu(images)).relu_()
        return self.second.evaluate(between).add_(convolve(halved(images), self.shortcut.weight))

    def backward(self, gradient: Tensor) -> Tensor:
        """Writes the parameters' gradients; returns that of the images."""
        below, to_weight = convolve_backward(gradient, self.pooled, self.shortcut.weight)
        self.shortcut.weight_gradient.copy_(to_weight)
        main = _masked_(self.second.backward(gradient), self.between)
        main = _masked_(self.first.backward(main), self.images)
        _add_spread_(main, below)
        self.images = self.between = self.pooled = None
        return main


class Classifier:
    """BatchNorm, ReLU, mean over pixels and the linear layer, with softmax cross-entropy on top."""

    def __init__(self, norm: Unit, linear: Unit) -> None:
        self.norm, self.linear = norm, linear
        self.images = self.centred = self.features = self.pooled = None

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes), with the batch's statistics."""
        self.images = images
        self.centred = centre_(rows_of(images).clone(), self.norm.mean, self.norm.variance)
        self.features = scaled(self.centred, self.norm.scale, self.norm.shift).relu_()
        self.pooled = self._mean(self.features, images)
        return torch.addmm(self.linear.shift, self.pooled, self.linear.weight.t())

    def evaluate(self, images: Tensor) -> Tensor:
        """Logits with the running statistics."""
        norm, rows = self.norm, rows_of(images)
        scale = norm.scale * (norm.running_variance + NORM_EPSILON).rsqrt()
        columns = rows.shape[1] // scale.numel()
        shift = (norm.shift - norm.running_mean * scale).repeat(columns)
        features = torch.addcmul(shift, rows, scale.repeat(columns)).relu_()
        return torch.addmm(self.linear.shift, self._mean(features, images), self.linear.weight.t())

    def backward(self, gradient: Tensor) -> Tensor:
        """From the logits' gradient (N, classes); writes the parameters' gradients and returns the images'."""
        samples, channels, height, width = self.images.shape
        torch.mm(gradient.t(), self.pooled, out=self.linear.weight_gradient)
        torch.sum(gradient, 0, out=self.linear.shift_gradient)
        below = (gradient @ self.linear.weight) / (height * width)
        spread = below.repeat(1, height * width).view(samples * height, width * channels)
        rows = _masked_(spread, self.features)
        sums = channel_sums(rows, channels)
        result, to_scale = centre_backward(rows, sums, self.centred, self.norm.scale)
        self.norm.shift_gradient.copy_(sums)
        self.norm.scale_gradient.copy_(to_scale)
        images, self.images, self.centred, self.features, self.pooled = self.images, None, None, None, None
        return images_of(result, images)

    @staticmethod
    def _mean(rows: Tensor, images: Tensor) -> Tensor:
        samples, channels, height, width = images.shape
        return rows.view(samples, height * width, channels).sum(1).div_(height * width)


def halved(images: Tensor) -> Tensor:
    """2x2 average pool with stride 2."""
    return torch.nn.functional.avg_pool2d(images, 2).contiguous(memory_format=torch.channels_last)


def _add_spread_(images: Tensor, quarter: Tensor) -> None:
    """Add the gradient of `halved`: a quarter of each value of (N, C, H/2, W/2) to its four pixels."""
    share = quarter / 4
    for row in (0, 1):
        for column in (0, 1):
            images[:, :, row::2, column::2].add_(share)


def _masked_(gradient: Tensor, rectified: Tensor) -> Tensor:
    """ReLU's backward in place: zero where its output (or input) is not positive."""
    return torch.ops.aten.threshold_backward.grad_input(gradient, rectified, 0, grad_input=gradient)
