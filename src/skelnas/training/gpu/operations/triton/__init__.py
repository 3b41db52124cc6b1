"""The operations as Triton kernels; the modules here keep the contract of `operations.Operations` in parts.

They run on CUDA devices, and on any machine in Triton's interpreter (environment variable TRITON_INTERPRET=1, set
before this package is imported). Images are float32 or bfloat16; sums are float32.
"""

from skelnas.training.gpu.operations.triton.convolution import convolve, input_gradient
from skelnas.training.gpu.operations.triton.nodes import sum_gradients, sum_nodes
from skelnas.training.gpu.operations.triton.norms import batch_norm_backward, batch_norm_stats
from skelnas.training.gpu.operations.triton.steps import sgd_step, update_running_stats
from skelnas.training.gpu.operations.triton.sums import channel_sums, pixel_means
from skelnas.training.gpu.operations.triton.tiles import image_sums, tile_sums
from skelnas.training.gpu.operations.triton.weight_gradient import weight_gradient

__all__ = [
    "batch_norm_backward",
    "batch_norm_stats",
    "channel_sums",
    "convolve",
    "image_sums",
    "input_gradient",
    "pixel_means",
    "sgd_step",
    "sum_gradients",
    "sum_nodes",
    "tile_sums",
    "update_running_stats",
    "weight_gradient",
]
