"""The first minutes on a GPU, rehearsed on a CPU: stages with deadlines, and the page that says what they found."""

import json

from bench import gpu
from bench.gpu_stages import STAGES


def test_every_stage_has_seconds():
    assert list(gpu.SECONDS) == list(STAGES)


def test_a_stage_is_a_process_whose_findings_are_kept(tmp_path):
    found = gpu.run_stage("facts", "cpu", tmp_path, 300)
    assert gpu.failures(found) == []
    assert found["cores"] >= 1
    assert json.loads((tmp_path / "facts.json").read_text()) == found


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
    stages["kernels"]["seconds"] = 10.0
    page = gpu.report(stages).splitlines()
    assert "| ops | 9.0 | 2 | 1 |" in page
    assert "* ops: bf16: convolve: ArithmeticError: output is away" in page
    assert "* rates: ended after 80 seconds" in page
    assert "* UTD-MHAD: a 2.0 ms (50 %); b 1.0 ms (25 %); c 0.5 ms (12 %)" in page
    assert "* rates, UTD-MHAD, fused, bf16: arch-epochs/s 123.0" in page
    assert page[-1].startswith("* An operation is wrong here: send in ops.json")
    assert gpu.report({"facts": stages["facts"]}).splitlines()[-1].startswith("* Train: ")
