"""What operations are checked on: each by itself, on inputs that are drawn once and rounded alike for both sides.

The cases reach what a step does: every kernel size and stride and width of the network, several tiles and ranges with a
ragged tail, entries without work, an odd number of models.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skelnas.recipe import Recipe
from skelnas.training.gpu.operations import ABSENT, BIAS, CONVOLUTION, NOTHING, POOL, SKIP, Norms, Operations
from skelnas.training.gpu.state import padded_classes

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
        """Of the type of sums, but of values that the precision has."""
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
        compute = torch.bfloat16 if self.precision == "bf16" and images else torch.float32
        return values.to(self.device, torch.float64 if self.exact else compute)


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
