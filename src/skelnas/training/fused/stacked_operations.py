"""The operations of many models at once, in PyTorch: what the Triton kernels of `training.kernels` must agree with.

Images are stacked model by model and channels-last: a *pool* is (slots, N, H, W, C), and a *list* of slots, int32 (E,),
says which image stacks an operation reads; a negative slot marks an entry without work, whose results are undefined.
Weights are (E, k*k, Cin, Cout), values per channel (E, C) and at least float32.
"""

import torch
from torch import Tensor

NOTHING, SKIP, POOL, CONVOLUTION, BIAS = range(5)  # what an edge brings to a node


def convolve(
    source: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1, relu: bool = True, moments: bool = True
) -> tuple[Tensor, Tensor] | None:
    """out[e] = weight[e] * ReLU(source[slots[e]]), padding k // 2; with `moments` its mean and biased variance."""
    images = _grouped(source, slots, weight)
    images = torch.relu(images) if relu else images
    kernel = _kernel(weight)
    result = torch.conv2d(images, _grouped_weight(weight, out), None, stride, kernel // 2, 1, len(out))
    out.copy_(_ungrouped(result, out))
    return image_moments(out) if moments else None


def image_moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (E, C) over all pixels of images (E, N, H, W, C)."""
    values = images.flatten(1, 3).to(_wide(images))
    return values.mean(1), values.var(1, correction=0)


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
    convolved[index] + offset[index] (a BatchNorm), BIAS offset[index] alone.
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


def sum_gradients(
    gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
) -> None:
    """out[m]: the gradient of one node from model m's edges out of it.

    SKIP and POOL take gradients[index]; CONVOLUTION takes returned[index], the gradient of the rectified node, where
    node[m] is positive. `out` may be a slice of `gradients` that no edge reads.
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


def gradient_sums(gradients: Tensor, slots: Tensor, images: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Per channel (E, C): the sum of gradients[slots[e]], and of it times (images[e] - mean[e])."""
    gradient = gradients[slots.long()].to(_wide(images))
    centred = images.to(gradient.dtype) - mean[:, None, None, None]
    return gradient.flatten(1, 3).sum(1), (gradient * centred).flatten(1, 3).sum(1)


def combine_gradient(
    gradients: Tensor, slots: Tensor, images: Tensor, factor: Tensor, slope: Tensor, constant: Tensor
) -> None:
    """images[e] = factor[e] * gradients[slots[e]] + slope[e] * images[e] + constant[e], in place."""
    over = (slice(None), None, None, None)
    result = factor[over] * gradients[slots.long()].to(_wide(images)) + slope[over] * images + constant[over]
    images.copy_(result)


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
