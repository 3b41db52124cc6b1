"""The graphed engine: the plain network, one CUDA graph for a cell's step and one for its evaluation, cell by cell.

Between the plain and the fused engine in speed, and nearly as readable as the first: PyTorch's own operations,
channels-last, without a launch from Python in a step. Several processes share a GPU, each with a cell of its own. The
fused engine falls back on it where its kernels do not work, and is held against it in `make bench`. On a CPU the same
steps run without a graph.
"""

import sys
from collections import deque
from collections.abc import Iterator
from time import monotonic

import numpy as np
import torch
from torch import Tensor, nn

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.processes import Worker, failure, run_tasks
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import seeding
from skelnas.training.gpu.faults import is_out_of_memory
from skelnas.training.gpu.graphs import Graphs, Step
from skelnas.training.metrics import Curves, Tally, curves
from skelnas.training.plain import EVALUATION_BATCH
from skelnas.training.precision import computing_in, dtype, epoch_precision
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, OnFinished, Request, Settings, TrainingError
from skelnas.training.watch import watched

PROCESSES = 4  # at a GPU, unless `processes-per-gpu` asks for another number: a cell keeps but a part of it busy


class GraphedCell:
    """The training of one cell, whose steps can be replayed: all that changes lies on the device."""

    def __init__(self, job: Job, request: Request, data: ResidentImages, device: torch.device) -> None:
        images, self.recipe, self.data, self.device = request.images, request.recipe, data, device
        self.counts = len(images.train_index), len(images.valid_index)
        network, self.generator = seeding.start(space.cell(job[0]), job[1], images.classes, images.height, images.width)
        network = network.to(device, dtype(self.recipe))
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parameters = list(self.network.parameters())
        self.momenta = [torch.zeros_like(value) for value in self.parameters]
        for value in self.parameters:
            value.grad = torch.zeros_like(value)
        self.order = torch.zeros(self.counts[0], dtype=torch.int64, device=device)
        self.position = torch.zeros((), dtype=torch.int64, device=device)  # of the batch's first sample
        self.rate = torch.zeros((), dtype=dtype(self.recipe), device=device)
        self.tally = Tally(device)
        self.steps = 0  # that were handed to the device

    def train(self) -> Curves:
        """Every epoch as the plain engine's `train_cell` goes about it."""
        graphs, steps = Graphs(self.device, True), dict[tuple[str, str, int], Step]()
        metrics = np.zeros((self.recipe.epochs, len(SPLITS), 3))
        for epoch in range(self.recipe.epochs):
            precision = epoch_precision(self.recipe, epoch)
            for split, size in self._sizes():
                if (precision, split, size) not in steps:
                    held = [value.clone() for value in self._state()]
                    steps[precision, split, size] = graphs.ready(self._step(precision, split, size))
                    for value, before in zip(self._state(), held, strict=True):  # making it ready ran it
                        value.copy_(before)
            self.rate.fill_(self.recipe.rate(epoch))
            order = seeding.train_order(self.generator, *self.counts)
            self.order.copy_(self.data.train_index[order.to(self.device)])
            found = {}
            for split in ("train", "test", "valid"):
                self.network.train(split == "train")
                self.tally.clear()
                self.position.zero_()
                for size in (size for one, size in self._sizes() if one == split):
                    steps[precision, split, size]()
                    self.position += size
                    self.steps += 1
                found[split] = self.tally.metrics().clone()
            metrics[epoch] = torch.stack([found[split] for split in SPLITS]).cpu().numpy()
        return curves(metrics)

    def _sizes(self) -> Iterator[tuple[str, int]]:
        """Every batch of an epoch: its split and how many samples it has."""
        samples = {"train": self.counts[0], "test": len(self.data.test), "valid": self.counts[1]}
        for split, count in samples.items():
            batch = self.recipe.batch_size if split == "train" else EVALUATION_BATCH
            yield from ((split, min(batch, count - first)) for first in range(0, count, batch))

    def _state(self) -> list[Tensor]:
        return [*self.network.state_dict().values(), *self.momenta, self.tally.sums]

    def _step(self, precision: str, split: str, size: int) -> Step:
        """One batch of `size` samples of a split, from `position` on."""
        data, near = self.data, torch.arange(size, device=self.device)
        images = data.test if split == "test" else data.pool
        labels = data.test_labels if split == "test" else data.pool_labels

        def step() -> None:
            training = split == "train"
            self.network.train(training)
            with torch.set_grad_enabled(training), computing_in(precision, self.device):
                places = self.position + near
                if split != "test":
                    places = (self.order if training else data.valid_index)[places]
                right = labels[places]
                batch = data.normalised(images[places]).to(memory_format=torch.channels_last)
                logits = self.network(batch)
                logits = logits if logits.dtype == torch.float64 else logits.float()
                losses = nn.functional.cross_entropy(logits, right, reduction="none")
                if training:
                    for value in self.parameters:
                        value.grad.zero_()
                    losses.mean().backward()
                    sgd_step(self.parameters, self.momenta, self.recipe, self.rate)
                self.tally.add(logits.detach(), right, losses.detach())

        return step


@torch.no_grad()
def sgd_step(parameters: list[Tensor], momenta: list[Tensor], recipe: Recipe, rate: Tensor) -> None:
    """As `torch.optim.SGD`'s without dampening, with a rate that lies on the device, so that a graph can hold it."""
    gradients = [value.grad for value in parameters if value.grad is not None]
    torch._foreach_add_(gradients, parameters, alpha=recipe.weight_decay)
    torch._foreach_mul_(momenta, recipe.momentum)
    torch._foreach_add_(momenta, gradients)
    direction = torch._foreach_add(gradients, momenta, alpha=recipe.momentum) if recipe.nesterov else momenta
    torch._foreach_sub_(parameters, torch._foreach_mul(direction, rate))


class CellWork:
    """Trains one job after the other: at number `gpu` of those visible, or on the CPU with None."""

    def __init__(self, request: Request, gpu: int | None) -> None:
        self.request, self.gpu = request, gpu
        self._data: ResidentImages | None = None

    def __call__(self, job: Job) -> tuple[Curves, float]:
        """The curves, and the seconds for which the job had the device."""
        device = torch.device("cpu") if self.gpu is None else torch.device("cuda", self.gpu)
        if self.gpu is not None:
            torch.cuda.set_device(self.gpu)
        if self._data is None:
            self._data = ResidentImages.of(self.request.images, device, dtype(self.request.recipe))
        begun = monotonic()
        try:
            cell = GraphedCell(job, self.request, self._data, device)
            with watched(lambda: cell.steps):
                result = cell.train()
        except Exception as error:
            if is_out_of_memory(error):
                raise InputError("training: the GPU's memory is too small; set processes-per-gpu to 1") from error
            raise
        return result, (monotonic() - begun) / (1 if self.gpu is None else cells_at_a_gpu(self.request.settings))


def cells_at_a_gpu(settings: Settings) -> int:
    """How many processes share a GPU."""
    return settings.processes_per_gpu if settings.processes_per_gpu > 1 else PROCESSES


def train(request: Request, on_finished: OnFinished) -> None:
    """Train the jobs as `engines.train_jobs` describes, on every visible GPU, or in processes on the CPU."""
    settings = request.settings
    cuda = settings.torch_device().type == "cuda"
    places: list[int | None] = [None] * settings.processes
    if cuda:
        places = list[int | None](range(torch.cuda.device_count())) * cells_at_a_gpu(settings)

    def start(place: int) -> Worker:
        return Worker(CellWork(request, places[place]), "spawn" if cuda else "fork")

    waiting, reasons = deque(request.jobs), dict[Job, str]()
    crew = {place: start(place) for place in range(min(len(places), len(request.jobs)))}
    for job, outcome in run_tasks(lambda place: waiting.popleft() if waiting else None, crew, start):
        if isinstance(outcome, InputError):
            raise outcome
        if isinstance(outcome, Exception):
            reasons[job] = str(failure(outcome))
        else:
            on_finished(*job, *outcome)
    if reasons:
        sys.stderr.write(f"{len(reasons)} of {len(request.jobs)} trainings crashed\n")
        raise TrainingError(reasons)
