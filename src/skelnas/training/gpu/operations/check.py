"""Whether operations work on this device: each by itself against PyTorch's in float64, on the same rounded inputs.

The cases reach what a step does: every kernel size and stride and width of the network, several tiles and ranges with a
ragged tail, entries without work, an odd number of models. A difference is held to the precision of the recipe, tensor
by tensor, relative to the largest value of the tensor.
"""

import contextlib
import hashlib
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from skelnas.files import sha256_of_json
from skelnas.recipe import Recipe
from skelnas.training.gpu.graphs import Graphs, Step
from skelnas.training.gpu.operations import ABSENT, BIAS, CONVOLUTION, NOTHING, POOL, SKIP, Norms, Operations, reference
from skelnas.training.gpu.state import padded_classes
from skelnas.training.precision import computing_in

# Largest differences allowed, relative to a tensor's largest value; what is stored in bfloat16 is rounded once.
TOLERANCES = {"fp32": 1e-5, "tf32": 2e-3, "bf16": 1e-2}
OF_SUMS = 1e-4  # of float32 that bfloat16 operations leave: their products are exact
ENTRIES, SLOTS, HEIGHT, WIDTH = 3, 5, 6, 10
LISTED = (4, -1, 1)  # the slots of the entries; the middle one has no work
WORKING = [0, 2]
SAMPLES = 71  # gives 710 columns: several tiles and ranges, the last of each ragged
WIDTHS = (16, 32, 64)


class Inputs:
    """Draws the inputs of one case: the same for the operations and for PyTorch's in float64, but for their types."""

    def __init__(self, precision: str, samples: int, exact: bool, device: torch.device) -> None:
        self.precision, self.samples, self.exact, self.device = precision, samples, exact, device
        self._generator = torch.Generator().manual_seed(samples)

    def images(self, count: int, channels: int, halved: bool = False) -> Tensor:
        """(count, N, H, W, C), of the type that images have; halved with half the height and width."""
        size = (HEIGHT // 2, WIDTH // 2) if halved else (HEIGHT, WIDTH)
        return self._cast(self._drawn(count, self.samples, *size, channels), images=True)

    def vectors(self, *shape: int) -> Tensor:
        """As wide as sums, but of values that the precision has."""
        return self._cast(self._drawn(*shape), images=False)

    def table(self, *rows: Sequence[int] | int) -> Tensor:
        """int32."""
        return torch.tensor(rows, dtype=torch.int32, device=self.device)

    def norms(self, count: int, channels: int) -> Norms:
        """BatchNorms of drawn scales and shifts, all else zero."""
        drawn = [1 + self.vectors(count, channels) / 4, self.vectors(count, channels)]
        return Norms(*drawn, *(torch.zeros_like(drawn[0]) for _ in Norms._fields[2:]))

    def _drawn(self, *shape: int) -> Tensor:
        values = torch.randn(shape, generator=self._generator)
        if self.precision == "bf16":
            return values.to(torch.bfloat16).float()
        if self.precision == "tf32":  # ten bits of the fraction, cut off
            return (values.view(torch.int32) & ~0x1FFF).view(torch.float32)
        return values

    def _cast(self, values: Tensor, images: bool) -> Tensor:
        narrow = torch.bfloat16 if self.precision == "bf16" and images else torch.float32
        return values.to(self.device, torch.float64 if self.exact else narrow)


Results = dict[str, Tensor]


@dataclass(frozen=True)
class Case:
    """One operation under one condition; `run` gives what it leaves, without what is undefined."""

    name: str
    run: Callable[[Operations, Inputs], Results]


def convolution_cases() -> Iterator[Case]:
    """Of every shape in the network: forward with BatchNorm's statistics, to the source, to the weights."""
    shapes = [(width, width, kernel, 1) for width in WIDTHS for kernel in (3, 1)]
    shapes += [(16, 32, 3, 2), (32, 64, 3, 2), (16, 32, 1, 1), (32, 64, 1, 1)]
    for cin, cout, kernel, stride in shapes:
        name = f"{kernel}x{kernel} from {cin} to {cout} channels" + (", halving" if stride == 2 else "")
        yield from _convolution(name, cin, cout, kernel, stride)


def _convolution(name: str, cin: int, cout: int, kernel: int, stride: int) -> Iterator[Case]:
    def weight(inputs: Inputs) -> Tensor:
        return inputs.vectors(ENTRIES, kernel * kernel, cin, cout)

    def forward(operations: Operations, inputs: Inputs) -> Results:
        source, taken = inputs.images(SLOTS, cin), weight(inputs)
        out, norms = inputs.images(ENTRIES, cout, stride == 2), inputs.norms(ENTRIES, cout)
        sums, plain = operations.tile_sums(out), torch.zeros_like(out)
        operations.convolve(source, inputs.table(*LISTED), taken, plain, stride, False)
        operations.convolve(source, inputs.table(*LISTED), taken, out, stride, True, sums)
        operations.batch_norm_stats(out, sums, norms)
        found = {"output": out, "output without ReLU": plain, "mean": norms.mean, "variance": norms.variance}
        return {key: value[WORKING] for key, value in found.items()}

    def to_source(operations: Operations, inputs: Inputs) -> Results:
        given, out = inputs.images(ENTRIES, cout, stride == 2), inputs.images(ENTRIES, cin)
        operations.input_gradient(given, inputs.table(*LISTED), weight(inputs), out, stride)
        return {"gradient": out[WORKING]}

    def to_weight(operations: Operations, inputs: Inputs) -> Results:
        source, given = inputs.images(SLOTS, cin), inputs.images(ENTRIES, cout, stride == 2)
        out = weight(inputs)
        operations.weight_gradient(source, inputs.table(*LISTED), given, out, stride)
        return {"gradient": out[WORKING]}

    yield Case(f"convolve, {name}", forward)
    yield Case(f"input_gradient, {name}", to_source)
    yield Case(f"weight_gradient, {name}", to_weight)


def classifier_cases(classes: int) -> Iterator[Case]:
    """The classifier with its real number of classes; it computes in float32 whatever images are."""
    outputs = padded_classes(classes)

    def run(operations: Operations, inputs: Inputs) -> Results:
        samples = 33
        slots = inputs.table(*range(ENTRIES))
        weight, to_weight = inputs.vectors(ENTRIES, 1, 64, outputs), inputs.vectors(ENTRIES, 1, 64, outputs)
        pooled = inputs.vectors(ENTRIES, samples, 1, 1, 64)
        logits, given = torch.zeros_like(pooled[..., :1]).expand(-1, -1, -1, -1, outputs).contiguous(), None
        operations.convolve(pooled, slots, weight, logits, 1, False)
        given, returned = inputs.vectors(ENTRIES, samples, 1, 1, outputs), torch.zeros_like(pooled)
        operations.input_gradient(given, slots, weight, returned)
        operations.weight_gradient(pooled, slots, given, to_weight, 1, False)
        sums = torch.zeros_like(given[:, 0, 0, 0])
        operations.channel_sums(given, slots, sums)
        return {"logits": logits, "to its source": returned, "to its weights": to_weight, "to its shift": sums}

    yield Case(f"classifier of {classes} classes", run)


def pass_cases() -> Iterator[Case]:
    """The passes between convolutions, in every width; five models, one of whose nodes nobody reads."""
    for width in WIDTHS:
        yield from _passes(width)


def _passes(width: int) -> Iterator[Case]:
    kinds = (
        (SKIP, POOL, CONVOLUTION),
        (BIAS, CONVOLUTION, NOTHING),
        (ABSENT, NOTHING, NOTHING),
        (POOL, POOL, SKIP),
        (CONVOLUTION, NOTHING, NOTHING),
    )
    indices = ((0, 1, 3), (5, 2, 0), (0, 0, 0), (4, 2, 1), (0, 0, 0))
    present = [0, 1, 3, 4]
    # Out of a node there are no biases; the node that nobody reads stays.
    out_kinds = tuple(tuple(NOTHING if kind == BIAS else kind for kind in row) for row in kinds)
    out_kinds = ((*out_kinds[0],), (CONVOLUTION, CONVOLUTION, NOTHING), *out_kinds[2:])
    out_indices = ((0, 1, 3), (1, 2, 0), (0, 0, 0), (4, 2, 1), (0, 0, 0))

    def nodes(operations: Operations, inputs: Inputs) -> Results:
        pool, convolved = inputs.images(SLOTS, width), inputs.images(4, width)
        factor, offset, out = inputs.vectors(6, width), inputs.vectors(6, width), inputs.images(5, width)
        operations.sum_nodes(pool, convolved, inputs.table(*kinds), inputs.table(*indices), factor, offset, out)
        return {"nodes": out[present]}

    def gradients(operations: Operations, inputs: Inputs) -> Results:
        given, returned = inputs.images(SLOTS, width), inputs.images(4, width)
        node, out = inputs.images(5, width), inputs.images(5, width)
        tables = inputs.table(*out_kinds), inputs.table(*out_indices)
        operations.sum_gradients(given, returned, *tables, node, out)
        return {"gradients": out[present]}

    def norms(operations: Operations, inputs: Inputs) -> Results:
        gradient, images, own = inputs.images(5, width), inputs.images(4, width), inputs.norms(6, width)
        sums = operations.tile_sums(images)
        operations.image_sums(images, sums)
        operations.batch_norm_stats(images, sums, Norms(*(field[:4] for field in own)))
        statistics = {field: getattr(own, field)[:4].clone() for field in ("mean", "variance", "factor", "offset")}
        operations.batch_norm_backward(gradient, inputs.table(*kinds), inputs.table(*indices), images, own)
        used = [0, 2, 3]
        found = {"to_shift": own.to_shift[[*used, 5]], "to_scale": own.to_scale[used]}
        return {"gradient": images[used], **statistics, **found}

    def means(operations: Operations, inputs: Inputs) -> Results:
        factor, offset = inputs.vectors(ENTRIES, width), inputs.vectors(ENTRIES, width)
        return {"means": operations.pixel_means(inputs.images(ENTRIES, width), factor, offset)}

    yield Case(f"sum_nodes, {width} channels", nodes)
    yield Case(f"sum_gradients, {width} channels", gradients)
    yield Case(f"batch_norm_stats and batch_norm_backward, {width} channels", norms)
    yield Case(f"pixel_means, {width} channels", means)


def step_cases() -> Iterator[Case]:
    """What ends a step: parameters and running statistics."""
    recipe = Recipe(epochs=1, batch_size=1, weight_decay=0.125, momentum=0.5)

    def step(operations: Operations, inputs: Inputs) -> Results:
        values, momentum, gradient = (inputs.vectors(3001) for _ in range(3))
        operations.sgd_step(values, momentum, gradient, torch.full_like(values[0], 0.25), recipe)
        return {"parameters": values, "momentum": momentum}

    def running(operations: Operations, inputs: Inputs) -> Results:
        means, batch_means, variances, batch_variances = (inputs.vectors(3001) for _ in range(4))
        operations.update_running_stats(means, batch_means, variances, batch_variances)
        return {"means": means, "variances": variances}

    yield Case("sgd_step", step)
    yield Case("update_running_stats", running)


def all_cases(classes: int) -> list[Case]:
    """Every case, the quickest to compile first."""
    return [*step_cases(), *classifier_cases(classes), *pass_cases(), *convolution_cases()]


def check(
    operations: Operations,
    device: torch.device,
    precision: str,
    classes: int,
    samples: int = SAMPLES,
    cases: Sequence[Case] | None = None,
) -> None:
    """Hold every operation, or some `cases`, against PyTorch's in float64.

    Raises:
        ArithmeticError: an operation is further away than rounding explains; the sentence names it and the tensor.
    """
    for case in all_cases(classes) if cases is None else cases:
        with computing_in("tf32" if precision == "tf32" else "fp32", device):
            found = case.run(operations, Inputs(precision, samples, False, device))
        expected = case.run(reference, Inputs(precision, samples, True, device))
        for name, one in found.items():
            sums = precision == "bf16" and one.dtype == torch.float32
            allowed, other = OF_SUMS if sums else TOLERANCES[precision], expected[name]
            apart = ((one.double() - other).abs().max() / other.abs().max()).item()
            if not apart <= allowed:  # NaN is none
                raise ArithmeticError(
                    f"{case.name}: {name} in {precision} is {apart:.1e} away from PyTorch's, {allowed:.0e} is allowed"
                )


def check_replay(
    operations: Operations, device: torch.device, precision: str, ready: Callable[[Step], Step] | None = None
) -> None:
    """Hold a replayed graph against the step that it was made of, bit for bit, on inputs that came after it was made.

    `ready` makes it, and is tests' to replace.

    Raises:
        ArithmeticError: they differ, or there is no graph.
    """
    inputs, graphs = Inputs(precision, SAMPLES, False, device), Graphs(device, True)
    source, out, weight = inputs.images(SLOTS, 16), inputs.images(ENTRIES, 16), inputs.vectors(ENTRIES, 9, 16, 16)
    slots, norms, to_weight = inputs.table(4, 0, 1), inputs.norms(ENTRIES, 16), torch.zeros_like(weight)
    others = [(torch.randn_like(source), torch.randn_like(weight)) for _ in range(2)]

    def step() -> None:
        sums = operations.tile_sums(out)
        operations.convolve(source, slots, weight, out, 1, True, sums)
        operations.batch_norm_stats(out, sums, norms)
        operations.weight_gradient(source, slots, out, to_weight)
        weight.sub_(to_weight)

    def after(run: Step, images: Tensor, values: Tensor) -> list[Tensor]:
        source.copy_(images)
        weight.copy_(values)
        run()
        return [one.clone() for one in (out, norms.mean, norms.factor, to_weight, weight)]

    with computing_in("tf32" if precision == "tf32" else "fp32", device), torch.no_grad():
        replay = (ready or graphs.ready)(step)
        if device.type == "cuda" and not graphs.capturing:
            raise ArithmeticError("a step cannot be recorded as a CUDA graph")
        for images, values in others:
            pairs = zip(after(replay, images, values), after(step, images, values), strict=True)
            if not all(torch.equal(one, other) for one, other in pairs):
                raise ArithmeticError(f"a replayed graph differs from the step itself, in {precision}")


def check_once(
    operations: Operations, device: torch.device, precisions: Sequence[str], classes: int, folder: Path
) -> None:
    """Check what `folder` does not remember as passed on such a card, with such a driver and the same kernels.

    Raises:
        ArithmeticError: as `check` and `check_replay` do.
    """
    for precision in precisions:
        checked = what_runs_here(device) | {"precision": precision, "classes": classes}
        mark = folder / f"{sha256_of_json(checked)}.passed"
        if mark.is_file():
            continue
        check(operations, device, precision, classes)
        check_replay(operations, device, precision)
        with contextlib.suppress(OSError):  # then the next process checks again
            folder.mkdir(parents=True, exist_ok=True)
            mark.touch()


def what_runs_here(device: torch.device) -> dict[str, str]:
    """What a passed check holds for: the card, its driver, PyTorch, Triton, and the text of all operations."""
    import triton

    own = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        own.update(file.read_bytes())
    driver = ""
    if device.type == "cuda":
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            driver = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    return {
        "card": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "driver": driver,
        "torch": torch.__version__,
        "triton": triton.__version__,
        "kernels": own.hexdigest(),
    }
