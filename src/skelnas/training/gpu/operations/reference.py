"""The operations in PyTorch, on any device and in any precision: what other implementations must agree with."""

import torch
from torch import Tensor
from torch.nn import grad

from skelnas.network import NORM_EPSILON, NORM_MOMENTUM
from skelnas.recipe import Recipe
from skelnas.training.gpu.operations import BIAS, CONVOLUTION, POOL, SKIP, Norms


def convolve(
    source: Tensor,
    slots: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: int = 1,
    relu: bool = True,
    sums: Tensor | None = None,
) -> None:
    """As `Operations.convolve`."""
    images = _grouped(source, slots)
    images = torch.relu(images) if relu else images
    kernel = _kernel(weight)
    result = torch.conv2d(images, _grouped_weight(weight, out), None, stride, kernel // 2, 1, len(out))
    out.copy_(_ungrouped(result, out))


def tile_sums(images: Tensor) -> Tensor:
    """As `Operations.tile_sums`; here nothing is kept, as `batch_norm_stats` looks at the images again."""
    return images.new_empty((2, len(images), 0))


def image_sums(images: Tensor, sums: Tensor) -> None:
    """As `Operations.image_sums`."""


def batch_norm_stats(images: Tensor, sums: Tensor, norms: Norms) -> None:
    """As `Operations.batch_norm_stats`."""
    values = images.flatten(1, 3).to(_accumulate_dtype(images))
    biased, count = values.var(1, correction=0), values.shape[1]
    norms.mean.copy_(values.mean(1))
    norms.variance.copy_(biased * (count / (count - 1)))
    norms.inverse.copy_((biased + NORM_EPSILON).rsqrt())
    norms.factor.copy_(norms.scale * norms.inverse)
    norms.offset.copy_(norms.shift - norms.mean * norms.factor)


def batch_norm_backward(gradient: Tensor, kinds: Tensor, indices: Tensor, images: Tensor, norms: Norms) -> None:
    """As `Operations.batch_norm_backward`."""
    for model, edge in torch.nonzero((kinds == CONVOLUTION) | (kinds == BIAS)).tolist():
        index = int(indices[model, edge])
        given = gradient[model].to(_accumulate_dtype(gradient))
        norms.to_shift[index] = given.sum((0, 1, 2))
        if kinds[model, edge] == BIAS:
            continue
        own, count = images[index].to(given.dtype), given[..., 0].numel()
        mean, inverse, factor = norms.mean[index], norms.inverse[index], norms.factor[index]
        norms.to_scale[index] = (given * (own - mean)).sum((0, 1, 2)) * inverse
        slope = factor * inverse * norms.to_scale[index] / -count
        constant = factor * norms.to_shift[index] / -count - slope * mean
        images[index] = factor * given + slope * own + constant


def channel_sums(images: Tensor, slots: Tensor, out: Tensor) -> None:
    """As `Operations.channel_sums`."""
    out.copy_(images[slots.long()].to(out.dtype).flatten(1, 3).sum(1))


def sgd_step(parameters: Tensor, momentum: Tensor, gradient: Tensor, rate: Tensor, recipe: Recipe) -> None:
    """As `Operations.sgd_step`."""
    gradient.add_(parameters, alpha=recipe.weight_decay)
    momentum.mul_(recipe.momentum).add_(gradient)
    direction = gradient.add_(momentum, alpha=recipe.momentum) if recipe.nesterov else momentum
    parameters.sub_(direction * rate)


def update_running_stats(means: Tensor, batch_means: Tensor, variances: Tensor, batch_variances: Tensor) -> None:
    """As `Operations.update_running_stats`."""
    for running, batch in ((means, batch_means), (variances, batch_variances)):
        running.mul_(1 - NORM_MOMENTUM).add_(batch, alpha=NORM_MOMENTUM)


def input_gradient(gradient: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1) -> None:
    """As `Operations.input_gradient`."""
    kernel = _kernel(weight)
    size = (out.shape[1], out.shape[0] * out.shape[4], *out.shape[2:4])
    result = grad.conv2d_input(size, _grouped_weight(weight, out), _stacked(gradient), stride, kernel // 2, 1, len(out))
    out.copy_(_ungrouped(result, out))


def weight_gradient(
    source: Tensor, slots: Tensor, gradient: Tensor, out: Tensor, stride: int = 1, relu: bool = True
) -> None:
    """As `Operations.weight_gradient`."""
    images = _grouped(source, slots)
    images = torch.relu(images) if relu else images
    kernel, entries = _kernel(out), len(out)
    size = (entries * out.shape[3], out.shape[2], kernel, kernel)
    result = grad.conv2d_weight(images, size, _stacked(gradient), stride, kernel // 2, 1, entries)
    out.copy_(result.view(entries, out.shape[3], out.shape[2], -1).permute(0, 3, 2, 1))


def sum_nodes(
    pool: Tensor, convolved: Tensor, kinds: Tensor, indices: Tensor, factor: Tensor, offset: Tensor, out: Tensor
) -> None:
    """As `Operations.sum_nodes`."""
    total = torch.zeros_like(out, dtype=_accumulate_dtype(out))
    for kind, index in zip(kinds.t(), indices.t().long(), strict=True):
        for model in torch.nonzero(kind == SKIP)[:, 0].tolist():
            total[model] += pool[index[model]]
        for model in torch.nonzero(kind == POOL)[:, 0].tolist():
            total[model] += _pooled(pool[index[model]].to(total.dtype))
        for model in torch.nonzero(kind == CONVOLUTION)[:, 0].tolist():
            total[model] += convolved[index[model]] * factor[index[model]] + offset[index[model]]
        for model in torch.nonzero(kind == BIAS)[:, 0].tolist():
            total[model] += offset[index[model]]
    out.copy_(total)


def sum_gradients(
    gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
) -> None:
    """As `Operations.sum_gradients`."""
    total = torch.zeros_like(out, dtype=_accumulate_dtype(out))
    for kind, index in zip(kinds.t(), indices.t().long(), strict=True):
        for model in torch.nonzero(kind == SKIP)[:, 0].tolist():
            total[model] += gradients[index[model]]
        for model in torch.nonzero(kind == POOL)[:, 0].tolist():
            total[model] += _pooled_backward(gradients[index[model]].to(total.dtype))
        for model in torch.nonzero(kind == CONVOLUTION)[:, 0].tolist():
            total[model] += torch.where(node[model] > 0, returned[index[model]], 0)
    out.copy_(total)


def pixel_means(images: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """As `Operations.pixel_means`."""
    over = (slice(None), None, None, None)
    return torch.relu(images * factor[over] + offset[over]).mean((2, 3))


def _accumulate_dtype(images: Tensor) -> torch.dtype:
    return torch.float64 if images.dtype == torch.float64 else torch.float32


def _kernel(weight: Tensor) -> int:
    return {1: 1, 9: 3}[weight.shape[1]]


def _grouped(source: Tensor, slots: Tensor) -> Tensor:
    return _stacked(source[slots.long()])


def _stacked(images: Tensor) -> Tensor:
    """(E, N, H, W, C) to (N, E*C, H, W), for a grouped convolution."""
    return images.permute(1, 0, 4, 2, 3).flatten(1, 2)


def _ungrouped(images: Tensor, like: Tensor) -> Tensor:
    samples, _, height, width = images.shape
    return images.view(samples, like.shape[0], -1, height, width).permute(1, 0, 3, 4, 2)


def _grouped_weight(weight: Tensor, images: Tensor) -> Tensor:
    kernel = _kernel(weight)
    return weight.permute(0, 3, 2, 1).reshape(-1, weight.shape[2], kernel, kernel).to(images.dtype)


def _pooled(images: Tensor) -> Tensor:
    pooled = torch.nn.functional.avg_pool2d(images.movedim(-1, -3), 3, 1, 1, count_include_pad=False)
    return pooled.movedim(-3, -1)


def _pooled_backward(gradient: Tensor) -> Tensor:
    """The pool's gradient: the same sums of the gradient over each window's count (the windows are symmetric)."""
    ones = torch.ones_like(gradient[:1, :, :, :1]).movedim(-1, -3)
    counts = torch.nn.functional.avg_pool2d(ones, 3, 1, 1, divisor_override=1).movedim(-3, -1)
    shared = (gradient / counts).movedim(-1, -3)
    return torch.nn.functional.avg_pool2d(shared, 3, 1, 1, divisor_override=1).movedim(-3, -1)
