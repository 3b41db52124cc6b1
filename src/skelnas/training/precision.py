"""What a recipe's precision means to PyTorch, and which devices have it."""

import contextlib
import os
from collections.abc import Iterator

import torch

from skelnas.errors import InputError
from skelnas.recipe import PRECISIONS, Recipe


def check_precision(recipe: Recipe, device: torch.device) -> None:
    """Refuse a recipe whose precision is not known, or that the device would only imitate.

    Raises:
        InputError: an unknown precision; tf32 without an NVIDIA GPU of compute capability 8 or higher; bf16 without
            hardware.
    """
    if recipe.precision not in PRECISIONS:
        raise InputError(f"recipe: there is no precision {recipe.precision!r}; choose one of {', '.join(PRECISIONS)}")
    if device.type == "cuda":
        modern = torch.cuda.get_device_capability(device) >= (8, 0)
        lacks = recipe.precision in ("tf32", "bf16") and not modern
        lacks |= recipe.precision == "tf32" and bool(torch.version.hip)  # of AMD's cards most would compute in float32
        name = torch.cuda.get_device_name(device)
    else:
        lacks = recipe.precision == "tf32" or (recipe.precision == "bf16" and not processor_has_bf16())
        name = "this processor"
    if lacks:
        raise InputError(f"recipe: {name} has no {recipe.precision}; set the recipe's precision to fp32")


def processor_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware (AVX-512 BF16 or AMX on x86, FEAT_BF16 on ARM)."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


# Variables that decide on arithmetic in place of the recipe, by the kind of device they matter to, with the values that
# do no harm and what others do. (TORCH_ALLOW_TF32_CUBLAS_OVERRIDE, which NVIDIA's containers set, is harmless:
# `computing_in` says what it wants.)
OFF = ("", "0", "false", "off", "no", "n")
REFUSED = {
    ("cuda", "TRITON_INTERPRET"): (OFF, "kernels would be interpreted, thousands of times slower"),
    ("cuda", "NVIDIA_TF32_OVERRIDE"): (("",), "it decides on TF32 in place of the recipe's precision"),
    ("cpu", "ONEDNN_DEFAULT_FPMATH_MODE"): (("", "strict"), "it rounds float32 behind the recipe's back"),
    ("cpu", "DNNL_DEFAULT_FPMATH_MODE"): (("", "strict"), "it rounds float32 behind the recipe's back"),
}


def check_environment(device: torch.device) -> None:
    """Refuse environment variables under which results would not be what the recipe says.

    Raises:
        InputError: one of them is set; which, and what it does.
    """
    for (kind, name), (harmless, effect) in REFUSED.items():
        value = os.environ.get(name, "")
        if kind == device.type and value.strip().lower() not in harmless:
            raise InputError(f"training: {name}={value} is set in the environment: {effect}; unset it")


def epoch_precision(recipe: Recipe, epoch: int) -> str:
    """The precision of one epoch: the recipe's, or fp32 in the first `exact_epochs` of tf32 and bf16."""
    reduced = recipe.precision in ("tf32", "bf16")
    return "fp32" if reduced and epoch < recipe.exact_epochs else recipe.precision


def precisions_of(recipe: Recipe) -> tuple[str, ...]:
    """The precisions of a recipe's epochs, each once, in their order."""
    return tuple(dict.fromkeys(epoch_precision(recipe, epoch) for epoch in range(recipe.epochs)))


def dtype(recipe: Recipe) -> torch.dtype:
    """The type of parameters, momentum, running statistics and images."""
    return torch.float64 if recipe.precision == "fp64" else torch.float32


@contextlib.contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Compute convolutions and matrix products in `precision`, with deterministic library kernels.

    bf16 is PyTorch's autocast: convolutions and the classifier read bfloat16, losses are float32. The settings are
    restored on leaving.
    """
    tf32, matmul = precision == "tf32", torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        with (
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=tf32),
            # No cache: it would keep the weights of the first step until the context ends.
            torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False),
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = matmul
