"""What an edge brings to a node, as kernels know it."""

import triton.language as tl

from skelnas.training.gpu import work_lists

SKIP = tl.constexpr(work_lists.SKIP)
POOL = tl.constexpr(work_lists.POOL)
CONVOLUTION = tl.constexpr(work_lists.CONVOLUTION)
BIAS = tl.constexpr(work_lists.BIAS)
ABSENT = tl.constexpr(work_lists.ABSENT)
