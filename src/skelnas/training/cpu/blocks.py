"""Stem, reduction block and classifier of a network, forward, backward and in evaluation."""

import torch
from torch import Tensor

from skelnas.network import NORM_EPSILON
from skelnas.training.cpu.layers import (
    Centred,
    Kept,
    Operands,
    centre_,
    centre_backward,
    channel_sums,
    convolve,
    convolve_backward,
    folded,
    images_of,
    rows_of,
    scaled,
    weight_gradient,
)
from skelnas.training.cpu.state import Norm, Parameter, Unit

PLAIN = Operands()


class ConvNorm:
    """A convolution and its BatchNorm; keeps the convolution's input and the centred output for backward."""

    def __init__(self, unit: Unit, stride: int = 1) -> None:
        self.unit, self.stride = unit, stride
        self._kept: Kept[tuple[Tensor, Centred]] = Kept()
        self._fixed: tuple[Tensor, Tensor] = folded(unit, PLAIN)

    def forward(self, images: Tensor) -> Tensor:
        """BatchNorm of the convolution of `images`, which are kept and must not be changed."""
        norm = self.unit.norm
        result = convolve(images, self.unit.weight.value, self.stride)
        centred = centre_(rows_of(result), norm.mean, norm.variance)
        self._kept.put((images, centred))
        return images_of(scaled(centred, norm.scale.value, norm.shift.value), result)

    def fold(self) -> None:
        """Multiply the running statistics into the weight, for `evaluate`."""
        self._fixed = folded(self.unit, PLAIN)

    def evaluate(self, images: Tensor) -> Tensor:
        """The same with the running statistics, as of the last `fold`."""
        weight, shift = self._fixed
        return convolve(images, weight, self.stride, shift)

    def backward(self, gradient: Tensor) -> Tensor:
        """Writes the parameters' gradients; returns that of the images."""
        images, below = self._norm_backward(gradient)
        weight = self.unit.weight
        to_images, to_weight = convolve_backward(below, images, weight.value, self.stride)
        weight.gradient.copy_(to_weight)
        return to_images

    def backward_to_parameters(self, gradient: Tensor) -> None:
        """Writes the parameters' gradients; nobody needs that of the images."""
        images, below = self._norm_backward(gradient)
        weight = self.unit.weight
        weight.gradient.copy_(weight_gradient(below, images, weight.value, self.stride))

    def _norm_backward(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """What the convolution read, and the gradient of what it gave."""
        norm, rows = self.unit.norm, rows_of(gradient)
        images, centred = self._kept.take()
        sums = channel_sums(rows, gradient.shape[1])
        below, to_scale = centre_backward(rows, sums, centred, norm.scale.value)
        norm.shift.gradient.copy_(sums)
        norm.scale.gradient.copy_(to_scale)
        return images, images_of(below, gradient)


class Reduction:
    """Residual block that halves height and width: two convolutions, and a shortcut of 2x2 average pool and 1x1."""

    def __init__(self, first: Unit, second: Unit, shortcut: Parameter) -> None:
        self.first, self.second, self.shortcut = ConvNorm(first, stride=2), ConvNorm(second), shortcut
        self._kept: Kept[tuple[Tensor, Tensor, Tensor]] = Kept()

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 2C, H/2, W/2), with the batch's statistics."""
        between = self.first.forward(torch.relu(images)).relu_()
        pooled = halved(images)
        self._kept.put((images, between, pooled))
        return self.second.forward(between).add_(convolve(pooled, self.shortcut.value))

    def fold(self) -> None:
        """Prepare `evaluate`."""
        self.first.fold()
        self.second.fold()

    def evaluate(self, images: Tensor) -> Tensor:
        """The same with the running statistics."""
        between = self.first.evaluate(torch.relu(images)).relu_()
        return self.second.evaluate(between).add_(convolve(halved(images), self.shortcut.value))

    def backward(self, gradient: Tensor) -> Tensor:
        """Writes the parameters' gradients; returns that of the images."""
        images, between, pooled = self._kept.take()
        below, to_weight = convolve_backward(gradient, pooled, self.shortcut.value)
        self.shortcut.gradient.copy_(to_weight)
        main = _masked_(self.second.backward(gradient), between)
        main = _masked_(self.first.backward(main), images)
        _add_spread_(main, below)
        return main


class Classifier:
    """BatchNorm, ReLU, mean over pixels and the linear layer (classes, C); the loss is put on top elsewhere."""

    def __init__(self, norm: Norm, weight: Parameter, shift: Parameter) -> None:
        self.norm, self.weight, self.shift = norm, weight, shift
        self._kept: Kept[tuple[Tensor, Centred, Tensor, Tensor]] = Kept()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes), with the batch's statistics."""
        norm = self.norm
        centred = centre_(rows_of(images).clone(), norm.mean, norm.variance)
        features = scaled(centred, norm.scale.value, norm.shift.value).relu_()
        pooled = self._mean(features, images)
        self._kept.put((images, centred, features, pooled))
        return torch.addmm(self.shift.value, pooled, self.weight.value.t())

    def evaluate(self, images: Tensor) -> Tensor:
        """Logits with the running statistics."""
        norm, rows = self.norm, rows_of(images)
        scale = norm.scale.value * (norm.running_variance + NORM_EPSILON).rsqrt()
        columns = rows.shape[1] // scale.numel()
        shift = (norm.shift.value - norm.running_mean * scale).repeat(columns)
        features = torch.addcmul(shift, rows, scale.repeat(columns)).relu_()
        return torch.addmm(self.shift.value, self._mean(features, images), self.weight.value.t())

    def backward(self, gradient: Tensor) -> Tensor:
        """From the logits' gradient (N, classes); writes the parameters' gradients and returns the images'."""
        images, centred, features, pooled = self._kept.take()
        samples, channels, height, width = images.shape
        torch.mm(gradient.t(), pooled, out=self.weight.gradient)
        torch.sum(gradient, 0, out=self.shift.gradient)
        below = (gradient @ self.weight.value) / (height * width)
        spread = below.repeat(1, height * width).view(samples * height, width * channels)
        rows = _masked_(spread, features)
        sums = channel_sums(rows, channels)
        result, to_scale = centre_backward(rows, sums, centred, self.norm.scale.value)
        self.norm.shift.gradient.copy_(sums)
        self.norm.scale.gradient.copy_(to_scale)
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
