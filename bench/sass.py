"""The loops of a compiled kernel's machine code: instructions of a warp, and bytes that it asks of global memory."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import triton

LINE = re.compile(r"\s*/\*([0-9a-f]{4,})\*/\s+(.*?);")
LANES = 32
WIDTHS = {"U8": 1, "U16": 2, "64": 8, "128": 16}  # bytes; 4 where an instruction names none


@dataclass(frozen=True)
class Loop:
    """An innermost loop: what one turn of it asks of one warp; loads and stores in bytes of global memory."""

    instructions: int
    products: int
    loaded: int
    stored: int


def innermost_loops(binary: bytes) -> list[Loop]:
    """The loops of a binary (`cubin`) that hold no other, in their order.

    Raises:
        OSError: the disassembler that comes with Triton does not run here.
    """
    lines = [(int(found[1], 16), found[2]) for found in map(LINE.match, _text(binary).splitlines()) if found]
    spans = []
    for address, instruction in lines:
        target = re.search(r"\bBRA\b.*?(0x[0-9a-f]+)", instruction)
        if target and int(target[1], 16) < address:
            spans.append((int(target[1], 16), address))
    inner = [span for span in spans if not any(other != span and _within(other, span) for other in spans)]
    return [_loop([text for address, text in lines if first <= address <= last]) for first, last in inner]


def _text(binary: bytes) -> str:
    program = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel.cubin")
        file.write_bytes(binary)
        return subprocess.run([program, "-sass", file], capture_output=True, text=True, check=True).stdout


def _within(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= one[0] and one[1] <= other[1]


def _loop(body: list[str]) -> Loop:
    def moved(name: str) -> int:
        found = (re.search(rf"\b{name}\.([\w.]+)", text) for text in body)
        return LANES * sum(next((WIDTHS[w] for w in WIDTHS if w in one[1].split(".")), 4) for one in found if one)

    products = sum(bool(re.search(r"\bHG?MMA\b", text)) for text in body)
    return Loop(len(body), products, moved("LDG") + moved("LDGSTS"), moved("STG"))
