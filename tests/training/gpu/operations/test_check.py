"""The self-check, in Triton's interpreter: it passes the kernels, and names one that is broken."""

from types import SimpleNamespace

import pytest
import torch

from skelnas.training.gpu.operations import cases, check
from skelnas.training.gpu.operations import triton as kernels

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")

CPU = torch.device("cpu")
SAMPLES = 15  # 150 columns: more than one tile
OF_16_CHANNELS = [case for case in cases.all_cases(27) if "32" not in case.name and "64" not in case.name]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.slow
def test_the_kernels_pass(precision):
    assert len(OF_16_CHANNELS) == 13
    check.check(kernels, CPU, precision, 27, SAMPLES, OF_16_CHANNELS)


@pytest.mark.slow
def test_wide_ones_in_the_precision_that_has_kernels_of_its_own():
    chosen = [case for case in cases.convolution_cases() if case.name.endswith("3x3 from 64 to 64 channels")]
    assert len(chosen) == 3
    check.check(kernels, CPU, "bf16", 27, 7, chosen)


def broken(name, change):
    """The kernels, one of which does `change(arguments)` after its work."""

    def wrong(*arguments):
        result = getattr(kernels, name)(*arguments)
        change(*arguments)
        return result

    return SimpleNamespace(**{one: getattr(kernels, one) for one in kernels.__all__} | {name: wrong})


def wrong_tap(source, slots, gradient, out, *rest):
    out[:, [0, 1]] = out[:, [1, 0]]


def dropped_tail(source, slots, weight, out, *rest):
    out[:, -1, :, -1] = 0


def swapped_slot(pool, convolved, kinds, indices, factor, offset, out):
    out[[0, 1]] = out[[1, 0]]


def bf16_sums(source, slots, gradient, out, *rest):
    """As if half of the sum had been kept in bfloat16."""
    out.copy_((out / 2).bfloat16().to(out.dtype) * 2)


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("weight_gradient", wrong_tap),
        ("convolve", dropped_tail),
        ("sum_nodes", swapped_slot),
        ("weight_gradient", bf16_sums),
    ],
    ids=["a wrong tap", "a dropped tail", "a swapped slot", "sums in bf16"],
)
@pytest.mark.slow
def test_a_broken_kernel_is_named(operation, change):
    chosen = [
        case for case in cases.all_cases(27) if case.name.startswith(operation) and "3x3 from 16 to 16" in case.name
    ]
    chosen = chosen or [case for case in cases.pass_cases() if case.name.startswith(operation)]
    check.check(broken(operation, lambda *_: None), CPU, "bf16", 27, SAMPLES, chosen)
    with pytest.raises(ArithmeticError, match=f"^{operation}, .* in bf16 is .* away from PyTorch's"):
        check.check(broken(operation, change), CPU, "bf16", 27, SAMPLES, chosen)


@pytest.mark.parametrize("classes", [2, 129])
def test_any_number_of_classes(classes):
    check.check(kernels, CPU, "fp32", classes, SAMPLES, list(cases.classifier_cases(classes)))


@pytest.mark.slow
def test_a_stale_graph_is_noticed():
    """What replays a step must read its inputs again; here `ready` stands for the capture, of which a CPU has none."""
    check.check_replay(kernels, CPU, "bf16", lambda step: step, SAMPLES)

    def stale(step):
        step()
        return lambda: None

    with pytest.raises(ArithmeticError, match="a replayed graph differs from the step itself"):
        check.check_replay(kernels, CPU, "bf16", stale, SAMPLES)


def test_a_pass_is_remembered_for_what_was_checked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(check, "check", lambda *arguments: asked.append(arguments[2:4]))
    monkeypatch.setattr(check, "check_replay", lambda *_: None)
    monkeypatch.setattr(check, "what_runs_here", lambda device: {"card": "one", "driver": "1"})
    for precisions in (("fp32", "bf16"), ("fp32",), ("bf16",)):
        check.check_once(kernels, CPU, precisions, 27, tmp_path)
    assert asked == [("fp32", 27), ("bf16", 27)]
    monkeypatch.setattr(check, "what_runs_here", lambda device: {"card": "one", "driver": "2"})
    check.check_once(kernels, CPU, ("fp32",), 27, tmp_path)
    check.check_once(kernels, CPU, ("fp32",), 60, tmp_path)
    assert asked[2:] == [("fp32", 27), ("fp32", 60)]


def test_what_is_remembered_changes_with_the_kernels():
    found = check.what_runs_here(CPU)
    assert len(found["kernels"]) == 64
    assert found.keys() == {"card", "driver", "torch", "triton", "kernels"}
