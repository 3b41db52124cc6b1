"""Triton kernels for the operations of `fused.stacked_operations`, under the same names.

They run on CUDA devices, and on any machine in Triton's interpreter (environment variable TRITON_INTERPRET=1, set
before this package is imported). Images are float32 or bfloat16; sums are float32.
"""

from skelnas.training.kernels.convolution import convolve, convolve_transposed
from skelnas.training.kernels.evaluation import evaluate_nodes
from skelnas.training.kernels.nodes import sum_gradients, sum_nodes
from skelnas.training.kernels.norms import image_sums, normalise, normalise_backward, tile_sums
from skelnas.training.kernels.steps import average, descend
from skelnas.training.kernels.sums import channel_sums, pixel_means
from skelnas.training.kernels.weight_gradient import weight_gradient

__all__ = [
    "average",
    "channel_sums",
    "convolve",
    "convolve_transposed",
    "descend",
    "evaluate_nodes",
    "image_sums",
    "normalise",
    "normalise_backward",
    "pixel_means",
    "sum_gradients",
    "sum_nodes",
    "tile_sums",
    "weight_gradient",
]
