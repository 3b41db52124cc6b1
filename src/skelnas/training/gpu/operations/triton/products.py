"""How products are taken: from which type, how exactly, by how many warps."""

import torch
import triton
import triton.language as tl


@triton.jit
def rectified(values, RELU: tl.constexpr, OPERAND: tl.constexpr):
    """What the product reads; NaN passes the ReLU, as PyTorch's lets it."""
    values = values.to(OPERAND)
    if RELU:  # of bfloat16 the maximum is float32
        values = tl.maximum(values, 0.0, propagate_nan=tl.PropagateNan.ALL).to(OPERAND)
    return values


def operand(dtype: torch.dtype) -> tl.dtype:
    """The type in which products are taken; the interpreter has none for bfloat16, and float32 gives the same ones."""
    compiled = not triton.knobs.runtime.interpret
    return tl.bfloat16 if dtype == torch.bfloat16 and compiled else tl.float32


def dot_precision(dtype: torch.dtype) -> str:
    """How products of float32 are taken: exactly, or as TensorFloat-32 where PyTorch's own setting allows it."""
    return "tf32" if dtype == torch.float32 and torch.backends.cuda.matmul.allow_tf32 else "ieee"


def exact_warps(dtype: torch.dtype, cin: int, cout: int) -> int:
    """Warps of a program: exact products keep more in registers than tensor cores do."""
    exact = dtype == torch.float32 and dot_precision(dtype) == "ieee"
    return 8 if exact and cin * cout >= 2048 else 4
