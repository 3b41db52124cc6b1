"""Triton kernels for the operations of `reference`, under the same names.

They run on CUDA devices, and on any machine in Triton's interpreter (environment variable TRITON_INTERPRET=1, set
before this package is imported). Images are float32 or bfloat16; sums are float32.
"""

from skelnas.training.gpu.operations.triton.convolution import convolve, convolve_transposed
from skelnas.training.gpu.operations.triton.evaluation import evaluate_nodes
from skelnas.training.gpu.operations.triton.nodes import sum_gradients, sum_nodes
from skelnas.training.gpu.operations.triton.norms import image_sums, normalise, normalise_backward, tile_sums
from skelnas.training.gpu.operations.triton.steps import average, descend
from skelnas.training.gpu.operations.triton.sums import channel_sums, pixel_means
from skelnas.training.gpu.operations.triton.weight_gradient import weight_gradient

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
