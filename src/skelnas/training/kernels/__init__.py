"""Triton kernels for the operations of `fused.stacked_operations`, under the same names.

They run on CUDA devices, and on any machine in Triton's interpreter (environment variable TRITON_INTERPRET=1, set
before this package is imported). Images are float32 or bfloat16; sums are float32.
"""

from skelnas.training.kernels.convolution import convolve, convolve_transposed, weight_gradient
from skelnas.training.kernels.nodes import combine_gradient, sum_gradients, sum_nodes
from skelnas.training.kernels.sums import gradient_sums, image_moments, pixel_means

__all__ = [
    "combine_gradient",
    "convolve",
    "convolve_transposed",
    "gradient_sums",
    "image_moments",
    "pixel_means",
    "sum_gradients",
    "sum_nodes",
    "weight_gradient",
]
