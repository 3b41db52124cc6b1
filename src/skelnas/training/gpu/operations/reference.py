"""The operations of many models at once, in PyTorch: what the Triton kernels of `training.kernels` must agree with.

Images are stacked model by model and channels-last: a *pool* is (slots, N, H, W, C), and a *list* of slots, int32 (E,),
says which image stacks an operation reads; a negative slot marks an entry without work, whose results are undefined.
Weights are (E, k*k, Cin, Cout), values per channel (E, C) and at least float32.
"""

import torch
from torch import Tensor

from skelnas.recipe import Recipe
from skelnas.training.cpu.layers import EPSILON
from skelnas.training.cpu.state import NORM_MOMENTUM
from skelnas.training.gpu.state import Norms
from skelnas.training.gpu.work_lists import BIAS, CONVOLUTION, POOL, SKIP


def convolve(
    source: Tensor,
    slots: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: int = 1,
    relu: bool = True,
    sums: Tensor | None = None,
) -> None:
    """out[e] = weight[e] * ReLU(source[slots[e]]), padding k // 2; `sums` takes what `normalise` needs of it."""
    images = _grouped(source, slots, weight)
    images = torch.relu(images) if relu else images
    kernel = _kernel(weight)
    result = torch.conv2d(images, _grouped_weight(weight, out), None, stride, kernel // 2, 1, len(out))
    out.copy_(_ungrouped(result, out))


def tile_sums(images: Tensor) -> Tensor:
    """Room for the sums of images (E, N, H, W, C) that `convolve` and `image_sums` leave for `normalise`: (2, E, ...).

    Of undefined contents; here nothing is kept, as `normalise` looks at the images again.
    """
    return images.new_empty((2, len(images), 0))


def image_sums(images: Tensor, sums: Tensor) -> None:
    """The sums that `normalise` needs, of images that no convolution has made."""


def normalise(images: Tensor, sums: Tensor, norms: Norms) -> None:
    """Everything of the BatchNorms of images (E, N, H, W, C), from these or from their `sums`."""
    values = images.flatten(1, 3).to(_wide(images))
    biased, count = values.var(1, correction=0), values.shape[1]
    norms.mean.copy_(values.mean(1))
    norms.variance.copy_(biased * (count / (count - 1)))
    norms.inverse.copy_((biased + EPSILON).rsqrt())
    norms.factor.copy_(norms.scale * norms.inverse)
    norms.offset.copy_(norms.shift - norms.mean * norms.factor)


def normalise_backward(gradient: Tensor, kinds: Tensor, indices: Tensor, images: Tensor, norms: Norms) -> None:
    """From the gradient of one node (M, N, H, W, C) through the BatchNorms of model m's edges into it.

    `kinds`, `indices` as in `sum_nodes`. For CONVOLUTION, images[index] (N, H, W, C), BatchNorm's input, becomes its
    gradient, and `to_scale` and `to_shift` are written; for BIAS only `to_shift`. `norms` are those of all entries.
    """
    for model, edge in torch.nonzero((kinds == CONVOLUTION) | (kinds == BIAS)).tolist():
        index = int(indices[model, edge])
        given = gradient[model].to(_wide(gradient))
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
    """out[e] (C,): the sum of images[slots[e]] over all pixels."""
    out.copy_(images[slots.long()].to(out.dtype).flatten(1, 3).sum(1))


def descend(parameters: Tensor, momentum: Tensor, gradient: Tensor, rate: Tensor, recipe: Recipe) -> None:
    """One step of SGD on flat buffers, as `torch.optim.SGD`'s without dampening; `gradient` may be overwritten."""
    gradient.add_(parameters, alpha=recipe.weight_decay)
    momentum.mul_(recipe.momentum).add_(gradient)
    direction = gradient.add_(momentum, alpha=recipe.momentum) if recipe.nesterov else momentum
    parameters.sub_(direction * rate)


def average(means: Tensor, batch_means: Tensor, variances: Tensor, batch_variances: Tensor) -> None:
    """Let the running estimates take their share of a batch's."""
    for running, batch in ((means, batch_means), (variances, batch_variances)):
        running.mul_(1 - NORM_MOMENTUM).add_(batch, alpha=NORM_MOMENTUM)


def convolve_transposed(gradient: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1) -> None:
    """out[e]: the gradient of `convolve`'s (rectified) source from gradient[e] (N, H/stride, W/stride, Cout)."""
    kernel = _kernel(weight)
    size = (out.shape[1], out.shape[0] * out.shape[4], *out.shape[2:4])
    result = torch.nn.grad.conv2d_input(
        size, _grouped_weight(weight, out), _stacked(gradient), stride, kernel // 2, 1, len(out)
    )
    out.copy_(_ungrouped(result, out))


def weight_gradient(
    source: Tensor, slots: Tensor, gradient: Tensor, out: Tensor, stride: int = 1, relu: bool = True
) -> None:
    """out[e] (k*k, Cin, Cout): the gradient of `convolve`'s weight from gradient[e]."""
    images = _grouped(source, slots, out)
    images = torch.relu(images) if relu else images
    kernel, entries = _kernel(out), len(out)
    size = (entries * out.shape[3], out.shape[2], kernel, kernel)
    result = torch.nn.grad.conv2d_weight(images, size, _stacked(gradient), stride, kernel // 2, 1, entries)
    out.copy_(result.view(entries, out.shape[3], out.shape[2], -1).permute(0, 3, 2, 1))


def sum_nodes(
    pool: Tensor, convolved: Tensor, kinds: Tensor, indices: Tensor, factor: Tensor, offset: Tensor, out: Tensor
) -> None:
    """out[m]: the sum of model m's edges into one node.

    `kinds`, `indices` int32 (M, edges): SKIP and POOL take pool[index]; CONVOLUTION takes factor[index] *
    convolved[index] + offset[index] (a BatchNorm), BIAS offset[index] alone. A node that is ABSENT gets undefined
    contents.
    """
    total = torch.zeros_like(out, dtype=_wide(out))
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


def evaluate_nodes(
    pool: Tensor,
    source: Tensor,
    kinds: Tensor,
    indices: Tensor,
    weight3: Tensor,
    weight1: Tensor,
    begin: int,
    factor: Tensor,
    offset: Tensor,
    out: Tensor,
) -> None:
    """As `sum_nodes`, with the convolutions computed on the way; for evaluation, which keeps nothing of them.

    Convolution number `begin` + e reads pool[source[begin + e]] and has the weights e of `weight3` (E3, 9, C, C), after
    whose last those of `weight1` (E1, 1, C, C) follow.
    """
    convolved = out.new_zeros((len(source), *out.shape[1:]))
    for weight in (weight3, weight1):
        part = slice(begin, begin + len(weight))
        if len(weight):
            convolve(pool, source[part], weight, convolved[part])
        begin = part.stop
    sum_nodes(pool, convolved, kinds, indices, factor, offset, out)


def sum_gradients(
    gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
) -> None:
    """out[m]: the gradient of one node from model m's edges out of it.

    SKIP and POOL take gradients[index]; CONVOLUTION takes returned[index], the gradient of the rectified node, where
    node[m] is positive. `out` may be a slice of `gradients` that no edge reads; it is undefined where ABSENT.
    """
    total = torch.zeros_like(out, dtype=_wide(out))
    for kind, index in zip(kinds.t(), indices.t().long(), strict=True):
        for model in torch.nonzero(kind == SKIP)[:, 0].tolist():
            total[model] += gradients[index[model]]
        for model in torch.nonzero(kind == POOL)[:, 0].tolist():
            total[model] += _pooled_backward(gradients[index[model]].to(total.dtype))
        for model in torch.nonzero(kind == CONVOLUTION)[:, 0].tolist():
            total[model] += torch.where(node[model] > 0, returned[index[model]], 0)
    out.copy_(total)


def pixel_means(images: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """(E, N, C): the mean over pixels of ReLU(factor[e] * images[e] + offset[e])."""
    over = (slice(None), None, None, None)
    return torch.relu(images * factor[over] + offset[over]).mean((2, 3))


def _wide(images: Tensor) -> torch.dtype:
    return torch.float64 if images.dtype == torch.float64 else torch.float32


def _kernel(weight: Tensor) -> int:
    return {1: 1, 9: 3}[weight.shape[1]]


def _grouped(source: Tensor, slots: Tensor, weight: Tensor) -> Tensor:
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
