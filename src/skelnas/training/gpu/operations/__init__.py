"""The operations of a group of networks: the contract that every implementation keeps, and what it speaks of.

`reference` keeps it in PyTorch, on any device and in any precision; `triton` with kernels of our own. Both are modules
whose functions have the names and parameters of `Operations`. `check` holds one against the other.

Images are stacked model by model and channels-last: a *pool* is (slots, N, H, W, C), and a *list* of slots, int32 (E,),
says which image stacks an operation reads; a negative slot marks an entry without work, whose results are undefined.
Weights are (E, k*k, Cin, Cout), values per channel (E, C) and at least float32.
"""

from typing import NamedTuple, Protocol

from torch import Tensor

from skelnas.recipe import Recipe

# What an edge brings to a node; ABSENT, as the first of a node's edges, that nobody reads the node.
NOTHING, SKIP, POOL, CONVOLUTION, BIAS, ABSENT = range(6)


class Norms(NamedTuple):
    """The BatchNorms of a range of entries, (entries, C) each: views that `batch_norm_stats` and its backward use.

    `mean` and `variance` (unbiased) are the last batch's; `inverse` is 1 / sqrt(biased variance + epsilon). What is
    left to do with an image is factor * image + offset.
    """

    scale: Tensor
    shift: Tensor
    to_scale: Tensor
    to_shift: Tensor
    mean: Tensor
    variance: Tensor
    inverse: Tensor
    factor: Tensor
    offset: Tensor


class Operations(Protocol):
    """What a group of networks is computed with. No function returns what depends on values on the device."""

    def convolve(
        self,
        source: Tensor,
        slots: Tensor,
        weight: Tensor,
        out: Tensor,
        stride: int = 1,
        relu: bool = True,
        sums: Tensor | None = None,
    ) -> None:
        """out[e] = weight[e] * ReLU(source[slots[e]]), padding k // 2; `sums` takes what `batch_norm_stats` needs."""

    def input_gradient(self, gradient: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1) -> None:
        """out[e]: the gradient of `convolve`'s (rectified) source from gradient[e] (N, H/stride, W/stride, Cout)."""

    def weight_gradient(
        self, source: Tensor, slots: Tensor, gradient: Tensor, out: Tensor, stride: int = 1, relu: bool = True
    ) -> None:
        """out[e] (k*k, Cin, Cout): the gradient of `convolve`'s weight from gradient[e]."""

    def tile_sums(self, images: Tensor) -> Tensor:
        """Space for the sums that `convolve` and `image_sums` leave of images (E, N, H, W, C): (2, E, ...)."""

    def image_sums(self, images: Tensor, sums: Tensor) -> None:
        """The sums that `batch_norm_stats` needs, of images that no convolution has made."""

    def batch_norm_stats(self, images: Tensor, sums: Tensor, norms: Norms) -> None:
        """Everything of the BatchNorms of images (E, N, H, W, C), from these or from their `sums`."""

    def batch_norm_backward(
        self, gradient: Tensor, kinds: Tensor, indices: Tensor, images: Tensor, norms: Norms
    ) -> None:
        """From the gradient of one node (M, N, H, W, C) through the BatchNorms of model m's edges into it.

        `kinds`, `indices` as in `sum_nodes`. For CONVOLUTION, images[index] (N, H, W, C), BatchNorm's input, becomes
        its gradient, and `to_scale` and `to_shift` are written; for BIAS only `to_shift`. `norms` are those of all
        entries.
        """

    def sum_nodes(
        self,
        pool: Tensor,
        convolved: Tensor,
        kinds: Tensor,
        indices: Tensor,
        factor: Tensor,
        offset: Tensor,
        out: Tensor,
    ) -> None:
        """out[m]: the sum of model m's edges into one node.

        `kinds`, `indices` int32 (M, edges): SKIP and POOL take pool[index]; CONVOLUTION takes factor[index] *
        convolved[index] + offset[index] (a BatchNorm), BIAS offset[index] alone. A node that is ABSENT gets undefined
        contents.
        """

    def sum_gradients(
        self, gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
    ) -> None:
        """out[m]: the gradient of one node from model m's edges out of it.

        SKIP and POOL take gradients[index]; CONVOLUTION takes returned[index], the gradient of the rectified node,
        where node[m] is positive. `out` may be a slice of `gradients` that no edge reads; it is undefined where ABSENT.
        """

    def channel_sums(self, images: Tensor, slots: Tensor, out: Tensor) -> None:
        """out[e] (C,): the sum of images[slots[e]] over all pixels."""

    def pixel_means(self, images: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
        """(E, N, C): the mean over pixels of ReLU(factor[e] * images[e] + offset[e])."""

    def sgd_step(self, parameters: Tensor, momentum: Tensor, gradient: Tensor, rate: Tensor, recipe: Recipe) -> None:
        """One step of SGD on flat buffers, as `torch.optim.SGD`'s without dampening; may overwrite `gradient`."""

    def update_running_stats(
        self, means: Tensor, batch_means: Tensor, variances: Tensor, batch_variances: Tensor
    ) -> None:
        """Let the running estimates take their share of a batch's."""
