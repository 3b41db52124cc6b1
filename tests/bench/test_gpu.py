"""The first minutes on a GPU, rehearsed on a CPU: stages with deadlines, and the page that says what they found."""

import json
import sys

import pytest

from bench import gpu, gpu_timing
from bench.gpu_stages import STAGES


def test_every_stage_has_seconds():
    assert list(gpu.SECONDS) == list(STAGES)


@pytest.mark.slow
def test_the_whole_is_rehearsed_on_a_processor(tmp_path, monkeypatch, capsys):
    """Every stage runs as on a GPU, on tiny shapes with PyTorch's operations; none fails, and each leaves its file."""
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--device", "cpu", "--minutes", "30", "--out", str(tmp_path)])
    assert gpu.main() == 0, capsys.readouterr().err
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in STAGES}
    assert found["facts"]["cores"] >= 1
    assert found["compile"]["cases, cold"] == found["compile"]["cases, warm"] > 30
    assert found["compile"]["steps, cold"] == found["compile"]["steps, warm"] == 1
    assert len(found["ops"]) > 30
    assert found["exact"]["together as alone, fp32"] == {"passed": True, "different cells": []}
    assert found["kernels"]["tiny: ms"]
    assert found["simple"]["cuDNN grouped, 16 channels"]["microseconds"] > 0
    assert found["rates"]["tiny, fused, fp32: arch-epochs/s"] > 0
    assert found["faults"]["SIGTERM, and on from the checkpoint"]["passed"]
    assert found["faults"]["kill -9 of a worker"]["passed"]
    page = (tmp_path / "report.md").read_text()
    assert "## What failed\n\nNothing." in page
    assert len(page.splitlines()) < 60
    assert page in capsys.readouterr().out


def test_gigabytes_per_second_of_kernels_that_share_operations():
    ms = {"_convolve": 1.0, "_convolve_rows": 3.0, "_sgd_step": 2.0, "other": 5.0}
    moved = {"convolve": 3_000_000, "input_gradient": 1_000_000, "sgd_step": 4_000_000, "sum_nodes": 7}
    found = gpu_timing.gigabytes_per_second(ms, moved, steps=2)
    assert found == {"_convolve + _halving_gradient": 2, "_sgd_step": 4}


def test_a_stage_is_ended_at_its_deadline(tmp_path):
    found = gpu.run_stage("rates", "cpu", tmp_path, 0.2)
    assert gpu.failures(found) == ["ended after 0 seconds"]
    assert found["seconds"] < 60
    assert json.loads((tmp_path / "rates.json").read_text()) == found


def test_the_page_says_what_failed_and_what_to_do():
    stages = {
        "facts": {"card": "Some GPU", "seconds": 3.0},
        "ops": {
            "bf16: convolve": {"passed": False, "error": "ArithmeticError: output is away"},
            "fp32: convolve": {"passed": True},
            "seconds": 9.0,
        },
        "kernels": {"UTD-MHAD: ms": {"a": [2.0, 0.5], "b": [1.0, 0.25], "c": [0.5, 0.125], "d": [0.5, 0.125]}},
        "rates": {"UTD-MHAD, fused, bf16: arch-epochs/s": 123.0, "failure": "ended after 80 seconds", "seconds": 80.0},
    }
    stages["kernels"] |= {"UTD-MHAD: GB/s": {"a + z": 3100, "bb": 7}, "seconds": 10.0}
    page = gpu.report(stages).splitlines()
    assert "| ops | 9.0 | 2 | 1 |" in page
    assert "* ops: bf16: convolve: ArithmeticError: output is away" in page
    assert "* rates: ended after 80 seconds" in page
    assert "* UTD-MHAD: a 2.0 ms (50 %, 3100 GB/s); b 1.0 ms (25 %); c 0.5 ms (12 %)" in page
    assert "* rates, UTD-MHAD, fused, bf16: arch-epochs/s 123.0" in page
    assert page[-1].startswith("* An operation is wrong here: send in ops.json")
    assert gpu.report({"facts": stages["facts"]}).splitlines()[-1].startswith("* Train: ")
