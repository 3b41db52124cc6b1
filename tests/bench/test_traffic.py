"""What the stacked engine moves and launches, counted; and what a compiler makes of its kernels."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.traffic import lines
from skelnas.cells.selection import select
from skelnas.training.gpu import step_time
from skelnas.training.gpu.traffic import counted

SMALL = (4, 8, 12)  # samples, height, width
ROOT = Path(__file__).resolve().parents[2]


def test_larger_batches_move_more_with_the_same_launches():
    cells = select("stratified-5")
    small, large = (counted(cells, size, 27, "bf16", evaluating=False) for size in (SMALL, (8, 8, 12)))
    assert small.launches == large.launches
    assert large.bytes["convolve"] == 2 * small.bytes["convolve"] > 0
    assert large.bytes["sgd_step"] == small.bytes["sgd_step"] > 0


def test_evaluation_takes_no_statistics():
    """It runs training's forward pass, less the statistics of batches and the way back."""
    training, evaluation = (
        counted(select("stratified-5"), SMALL, 27, "bf16", evaluating) for evaluating in (False, True)
    )
    for name in ("convolve", "sum_nodes"):
        assert evaluation.launches[name] == training.launches[name] > 0
    assert evaluation.launches["batch_norm_stats"] == evaluation.launches["weight_gradient"] == 0


def test_no_engine_moves_less_than_the_ideal_one():
    shares = [int(line[4].removesuffix(" %")) for line in lines("bf16")]
    assert len(shares) == 4
    assert all(30 < share <= 100 for share in shares)


def printed(program: str) -> str:
    """What a program prints in a process of its own, where kernels are compiled; other tests interpret them."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT).stdout


@pytest.mark.slow
def test_launches_are_counted_as_they_are_made():
    """What `LAUNCHES` says of each operation, against the launches that a step and an evaluation really make."""
    program = """
from bench import compiled
from skelnas.cells.space import index
from skelnas.training.gpu import traffic
made = []
compiled.JITFunction.run = lambda self, *arguments, **options: made.append(self)
compiled.go_through_a_step("bf16")
cells = tuple(index(cell) for cell in compiled.CELLS)
size = 32, 20, 68
steps = [traffic.counted(cells, size, 27, "bf16", evaluating, repeats=1) for evaluating in (False, True)]
assert sorted(traffic.MOVED) == sorted(compiled.kernels.__all__)
print(len(made), sum(step.launches.total() - step.launches["PyTorch"] for step in steps))
"""
    made, counts = printed(program).split()
    assert made == counts != "0"


# Warp-instructions per pixel at most, by kernel and channels.
LIMITS = {
    "_weight_gradient_rows": {16: 25, 32: 50, 64: 140},
    "_convolve_rows": {16: 32, 32: 60, 64: 130},
}


@pytest.mark.slow
def test_the_hot_loops_ask_for_few_instructions_and_bytes():
    """Of the 3x3 kernels of bfloat16, compiled for an H100 or H200: forward, to the source and to the weights."""
    program = """
import json
from bench import compiled
chosen = [one for one in compiled.launches("bf16").values() if one[0].fn.__name__.endswith("_rows")]
made = [compiled.compiled(*one, 90) for one in chosen]
print(json.dumps([
    (one.name, one.constants["C"], one.constants.get("TRANSPOSED", False), one.spilled, max(one.loads),
     one.instructions_per_pixel, one.bytes_per_pixel)
    for one in made
]))
"""
    found = json.loads(printed(program))
    # Forward with ReLU and statistics, evaluation without the latter, the stem without ReLU; and the two ways back.
    assert {(name, channels) for name, channels, *_ in found} == {(n, c) for n in LIMITS for c in LIMITS[n]}
    most = {}
    for name, channels, transposed, spilled, widest, instructions, asked in found:
        assert (spilled, widest) == (0, 16), (name, channels)
        assert 2 < instructions <= LIMITS[name][channels], (name, channels)
        most[name, channels, transposed] = max(instructions, most.get((name, channels, transposed), 0))
        # A pixel of the source is asked for three times, one of the result written, or of the gradient read, once.
        assert asked == 4 * 2 * channels, (name, channels)

    # The model of a step's time says the same.
    kernels = {
        "convolve": "_convolve_rows",
        "input_gradient": "_convolve_rows",
        "weight_gradient": "_weight_gradient_rows",
    }
    for operation, name in kernels.items():
        for channels in (16, 32, 64):
            counted_now = most[name, channels, operation == "input_gradient"]
            assert step_time.INSTRUCTIONS["bf16"][operation][9, channels] == pytest.approx(counted_now, abs=0.1)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_the_model_leaves_out_nothing_and_is_no_better_than_bytes(precision):
    count = counted(select("stratified-5"), SMALL, 27, precision, evaluating=False)
    work = step_time.work_of(count, precision)
    assert sum(one.moved for one in work) == count.bytes.total()
    assert sum(one.flop for one in work) == 2 * count.macs.total()
    for gpu in step_time.GPUS:
        good, bad = (sum(step_time.seconds(work, 10, gpu, precision, good).values()) for good in (True, False))
        assert count.bytes.total() / gpu.dram + 10 * gpu.launch <= good <= bad


def test_the_longest_of_the_limits_binds():
    gpu = step_time.Gpu("one", 1e3, 2e3, 100.0, {"bf16": 1e4}, 0.5, 1e9)
    cases = {
        "DRAM": step_time.Work(1000, 0, 0, 0, 0),
        "L2": step_time.Work(1000, 1500, 0, 0, 0),
        "issue": step_time.Work(1000, 0, 0, 150, 0),
        "products": step_time.Work(1000, 0, 0, 0, 1e5),
    }
    bound = step_time.seconds(list(cases.values()), 2, gpu, "bf16", good=True)
    assert bound == pytest.approx({"launches": 1.0, "DRAM": 1.0, "L2": 1.25, "issue": 2.0, "products": 12.5})


@pytest.mark.slow
def test_the_largest_kernels_fit_every_card():
    """Of each precision the one with the most shared memory, compiled for each compute capability that has it."""
    program = """
from bench import compiled
wanted = {
    "fp32": ("_convolve", {"CIN": 64, "COUT": 64, "KERNEL": 3, "SUMS": True}),
    "tf32": ("_convolve", {"CIN": 64, "COUT": 64, "KERNEL": 3, "SUMS": True}),
    "bf16": ("_convolve_rows", {"C": 64, "TRANSPOSED": True}),
}
for precision, (name, constants) in wanted.items():
    chosen = [
        one for one in compiled.launches(precision).values()
        if one[0].fn.__name__ == name and constants.items() <= one[1].items()
    ]
    assert len(chosen) == 1, (name, len(chosen))
    for capability, most in compiled.SHARED.items():
        if precision != "fp32" and capability < 80:
            continue
        made = compiled.compiled(*chosen[0], capability)
        assert 16_384 < made.shared <= most, (name, capability, made.shared)
        print(name, capability, made.shared)
"""
    assert len(printed(program).splitlines()) == 19


@pytest.mark.slow
def test_kernels_spill_nothing_and_load_sixteen_bytes_at_a_time():
    program = """
import json
from bench import compiled
found = compiled.all_compiled("bf16", 90)
print(json.dumps([(one.name, one.spilled, max(one.loads)) for one in found]))
"""
    found = json.loads(printed(program))
    assert {name for name, _, _ in found} > {"_convolve", "_weight_gradient", "_convolve_rows", "_sum_gradients"}
    assert [name for name, spilled, _ in found if spilled] == []
    assert [name for name, _, widest in found if widest < 16] == []
