"""What an edge brings to a node, as kernels know it."""

import triton.language as tl

from skelnas.training.gpu import operations

SKIP = tl.constexpr(operations.SKIP)
POOL = tl.constexpr(operations.POOL)
CONVOLUTION = tl.constexpr(operations.CONVOLUTION)
BIAS = tl.constexpr(operations.BIAS)
ABSENT = tl.constexpr(operations.ABSENT)
