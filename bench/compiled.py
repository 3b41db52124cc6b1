"""Every Triton kernel of a training step compiled for a GPU that is not there: what the compiler made of it.

    python -m bench.compiled [--precision fp32|tf32|bf16] [--capability 90]
    python -m bench.compiled --every-card      # whether each kernel has the shared memory that it asks for, seven cards

A step of a small group at the shape of UTD-MHAD is gone through without computing anything, and each kernel that it
would launch is compiled for the capability (90: H100 and H200). Registers spilled to memory and loads of less than 16
bytes cost a kernel its speed; the table shows both, and from the machine code what the longest loop asks for each
pixel: instructions of a warp, and bytes of global memory, so that they are seen before a GPU is at hand.
"""

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from bench.sass import Loop, innermost_loops
from bench.shapes import UTD
from skelnas.progress import Progress
from skelnas.recipe import Recipe
from skelnas.text import text_table
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables, capacity_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import triton as kernels
from skelnas.training.gpu.state import GpuState
from skelnas.training.precision import computing_in

# Every operation and a bias, in two models, so that slots matter.
CELLS = [(3, 2, 4, 1, 3, 2), (0, 1, 3, 2, 4, 4)]
TYPES = {
    torch.float32: "*fp32",
    torch.bfloat16: "*bf16",
    torch.int32: "*i32",
    torch.int64: "*i64",
}
# Bytes of shared memory that a program may have, by compute capability (CUDA C++ Programming Guide, 16.3).
SHARED = {75: 65_536, 80: 166_912, 86: 101_376, 89: 101_376, 90: 232_448, 100: 232_448, 120: 101_376}
PRECISIONS = ("fp32", "tf32", "bf16")
FIRST_WITH_TENSOR_FORMATS = 80  # tf32 and bf16
OF_CARDS = ("card", "precision", "kernels", "seconds", "largest", "shared", "has")
HEADER = ("kernel", "channels", "variant", "warps", "registers", "spilled", "shared", "loads", "per pixel", "bytes")


@dataclass(frozen=True)
class Compiled:
    """One kernel for one set of constants; sizes in bytes, `loads` the widths of its loads from global memory."""

    name: str
    constants: dict[str, object]
    warps: int
    registers: int
    spilled: int
    shared: int
    loads: tuple[int, ...]
    machine_code: bytes

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The innermost loops of the machine code; taking it apart is slower than compiling."""
        return tuple(innermost_loops(self.machine_code))

    @property
    def instructions_per_pixel(self) -> float | None:
        """Instructions of a warp in the longest innermost loop, per pixel that one turn of it takes."""
        return self._per_pixel(lambda loop: loop.instructions)

    @property
    def bytes_per_pixel(self) -> float | None:
        """Bytes that this loop loads from and stores to global memory, caches left aside, per pixel."""
        return self._per_pixel(lambda loop: loop.loaded + loop.stored)

    def _per_pixel(self, count: Callable[[Loop], int]) -> float | None:
        block, loop = self.constants.get("BLOCK"), max(self.loops, key=lambda one: one.instructions, default=None)
        return None if block is None or loop is None else self.warps * count(loop) / block


def launches(precision: str) -> dict[str, tuple[JITFunction, dict[str, object], dict[str, int]]]:
    """The different kernels that a training step and an evaluation launch: arguments, and options of the compiler."""
    found = {}

    def noted(self: JITFunction, *arguments, grid, warmup, **options) -> None:
        named = dict(zip(self.arg_names, arguments, strict=True))
        constant = {p.name: named[p.name] for p in self.params if p.is_constexpr}
        kinds = [str(value.dtype) for value in arguments if isinstance(value, torch.Tensor)]
        found.setdefault(f"{self.fn.__name__} {constant} {kinds}", (self, named, options))

    run, JITFunction.run = JITFunction.run, noted
    try:
        go_through_a_step(precision)
    finally:
        JITFunction.run = run
    return found


def go_through_a_step(precision: str) -> None:
    """Launch every kernel of a training step and of an evaluation of a small group."""
    capacity = capacity_of([CELLS])
    lists = work_lists(CELLS, capacity)
    state = GpuState(len(CELLS), capacity, 16, UTD.full.classes, 1, torch.float32, "cpu")
    block = torch.zeros(1 << 29, dtype=torch.uint8)
    shape = UTD.full.batch_size, UTD.full.height, UTD.full.width
    compute = torch.bfloat16 if precision == "bf16" else torch.float32
    network = GpuNetwork(state, GroupTables.of(lists, "cpu"), shape, compute, kernels, Arena(block))
    labels = torch.zeros((len(CELLS), shape[0]), dtype=torch.int64)
    with torch.no_grad(), computing_in("tf32" if precision == "tf32" else "fp32", torch.device("cpu")):
        network.train_step(labels, Recipe(epochs=1, batch_size=shape[0]))
        network.forward(evaluating=True)


def compiled(function: JITFunction, named: dict[str, object], options: dict[str, int], capability: int) -> Compiled:
    """Compile a kernel for arguments as they were given: pointers and multiples of 16 are marked as such."""
    signature, constants, marks = {}, {}, {}
    for place, parameter in enumerate(function.params):
        value = named[parameter.name]
        if parameter.is_constexpr or (isinstance(value, int) and value == 1 and not parameter.do_not_specialize):
            signature[parameter.name], constants[parameter.name] = "constexpr", value
            continue
        signature[parameter.name] = (
            TYPES[value.dtype] if isinstance(value, torch.Tensor) else "fp32" if isinstance(value, float) else "i32"
        )
        aligned = isinstance(value, torch.Tensor) or (isinstance(value, int) and value % 16 == 0)
        if aligned and not (parameter.do_not_specialize or parameter.do_not_specialize_on_alignment):
            marks[(place,)] = [["tt.divisibility", 16]]
    source = ASTSource(fn=function, signature=signature, constexprs=constants, attrs=marks)
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    text = made.asm["ptx"]
    registers, spilled = _assembled(text, capability)
    plain = [int(many or 1) * int(bits) // 8 for many, bits in re.findall(r"ld\.global\S*?(?:\.v(\d))?\.b(\d+)", text)]
    ahead = [int(width, 16) for width in re.findall(r"cp\.async\.c\w\.shared\.global[^,]*,[^,]*, (0x\w+)", text)]
    loads = set(plain + ahead)
    shown = {name: value for name, value in constants.items() if name.isupper()}
    return Compiled(
        function.fn.__name__,
        shown,
        options.get("num_warps", 4),
        registers,
        spilled,
        made.metadata.shared,
        tuple(sorted(loads)),
        made.asm["cubin"],
    )


def _assembled(text: str, capability: int) -> tuple[int, int]:
    """Registers of a thread, and bytes that it spills, as the assembler says."""
    name = "ptxas-blackwell" if capability >= 100 else "ptxas"  # Triton brings two
    assembler = Path(triton.__file__).parent / "backends/nvidia/bin" / name
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel.ptx")
        file.write_text(text, encoding="utf-8")
        suffix = "a" if capability >= 90 else ""
        command = [assembler, "-v", f"--gpu-name=sm_{capability}{suffix}", file, "-o", os.devnull]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return int(re.search(r"Used (\d+) registers", said)[1]), int(re.search(r"(\d+) bytes spill stores", said)[1])


def all_compiled(precision: str, capability: int) -> list[Compiled]:
    """Every kernel of a step, compiled, by name and channels."""
    found = launches(precision)
    progress, done = Progress("compiled", len(found), "kernels"), []
    for function, named, options in found.values():
        done.append(compiled(function, named, options, capability))
        progress.advance()
    return sorted(done, key=lambda one: (one.name, _channels(one), str(one.constants)))


def every_card() -> list[tuple[str, ...]]:
    """Compile every kernel in every precision that each kind of card has; a line each, with the largest.

    Raises:
        SystemExit: a kernel asks for more shared memory than a card has.
    """
    asked = [(card, one) for card in SHARED for one in PRECISIONS if one == "fp32" or card >= FIRST_WITH_TENSOR_FORMATS]
    progress, found, refused = Progress("compiled", len(asked), "sets of kernels"), [], []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for (card, precision), done in zip(asked, pool.map(_largest, *zip(*asked, strict=True)), strict=True):
            number, seconds, name, shared = done
            found.append((f"sm_{card}", precision, str(number), f"{seconds:.0f}", name, str(shared), str(SHARED[card])))
            if shared > SHARED[card]:
                refused.append(
                    f"{name} in {precision} needs {shared} bytes of shared memory, sm_{card} has {SHARED[card]}"
                )
            progress.advance()
    print(text_table(OF_CARDS, found, left=2))
    if refused:
        raise SystemExit("\n".join(refused))
    return found


def _largest(capability: int, precision: str) -> tuple[int, float, str, int]:
    """How many kernels, the seconds that they took, and the one with the most shared memory."""
    begun = time.monotonic()
    done = [compiled(function, named, options, capability) for function, named, options in launches(precision).values()]
    largest = max(done, key=lambda one: one.shared)
    channels = " to ".join(map(str, _channels(largest)))
    return len(done), time.monotonic() - begun, f"{largest.name.strip('_')} {channels}", largest.shared


def _channels(one: Compiled) -> tuple[int, ...]:
    return tuple(int(one.constants[name]) for name in ("C", "CIN", "COUT") if name in one.constants)


def line(one: Compiled) -> tuple[str, ...]:
    """One kernel as a line of the table."""
    flags = [name.lower() for name, value in one.constants.items() if value is True]
    sizes = [f"{name.lower()} {one.constants[name]}" for name in ("KERNEL", "STRIDE") if name in one.constants]
    return (
        one.name.strip("_"),
        " to ".join(map(str, _channels(one))),
        ", ".join(sizes + flags),
        str(one.warps),
        str(one.registers),
        str(one.spilled),
        str(one.shared),
        " ".join(map(str, one.loads)),
        *("" if value is None else f"{value:,.1f}" for value in (one.instructions_per_pixel, one.bytes_per_pixel)),
    )


def main() -> None:
    """Compile every kernel and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="bf16")
    parser.add_argument("--capability", type=int, default=90, help="of the GPU, without the point (default 90)")
    parser.add_argument("--every-card", action="store_true", help="compile for all kinds of cards, in all precisions")
    arguments = parser.parse_args()
    if arguments.every_card:
        every_card()
        return
    done = all_compiled(arguments.precision, arguments.capability)
    print(text_table(HEADER, [line(one) for one in done], left=3))


if __name__ == "__main__":
    main()
