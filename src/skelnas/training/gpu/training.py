"""Training a group of jobs on a model axis: the epochs, in steps that are made once and used for group after group."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.cells.outline import REPEATS, STAGES
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import seeding
from skelnas.training.gpu import checkpoint
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.feed import Feed
from skelnas.training.gpu.graphs import Graphs, Step
from skelnas.training.gpu.groups import EMPTY, Capacity, GroupTables, WorkLists, cells_of, work_lists
from skelnas.training.gpu.metrics import GroupTally
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import Operations, reference
from skelnas.training.gpu.state import GpuState
from skelnas.training.losses import losses
from skelnas.training.metrics import Curves, curves
from skelnas.training.precision import computing_in, dtype, epoch_precision, precisions_of
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job

AHEAD = 2  # batches that the device is given beyond the one it is at


@dataclass(frozen=True)
class Start:
    """What a group begins with: its lists, each job's generator behind its network's draws, the stacked parameters."""

    group: tuple[Job, ...]
    lists: WorkLists
    generators: list[torch.Generator]
    parameters: Tensor


class GpuTraining:
    """An engine for groups of up to M models of one capacity; `start` a group, then `run_batch` until it is done.

    On a GPU whole steps are replayed as CUDA graphs, unless `operations` wait for the device. `metrics`, float64
    (M, epochs, 3 splits, loss and top-1 and top-5), fills up with `epoch`, the one that is being trained; `batch`
    counts the batches of it that are done, first those of train, then those of valid and test. Nothing refers back to
    an engine: its memory is free as soon as it is dropped.
    """

    def __init__(
        self,
        models: int,
        capacity: Capacity,
        images: ImageSet,
        data: ResidentImages,
        recipe: Recipe,
        operations: Operations,
    ) -> None:
        self.models, self.images, self.recipe = models, images, recipe
        self.device = data.pool.device
        self.feed = Feed(models, images, data, recipe.batch_size)
        self.tally = GroupTally(models, self.device)
        self.state = GpuState(models, capacity, STAGES[0], images.classes, REPEATS, dtype(recipe), self.device)
        self.lists = work_lists([EMPTY] * models, capacity)
        self.tables = GroupTables.of(self.lists, self.device)
        size = memory_of(models, capacity, images, recipe)
        self.block = torch.empty(size, dtype=torch.uint8, device=self.device)
        self.group: list[Job] = []
        self.generators: list[torch.Generator] = []
        self.drawn_from: list[Tensor] = []  # the generators' states before the epoch's orders were drawn
        self.metrics = np.zeros((models, recipe.epochs, len(SPLITS), 3))
        self.epoch = self.batch = 0
        self._handed_over: deque[torch.cuda.Event] = deque()  # the batches that the device was given last
        # Recording runs the steps on whatever is in memory, so it comes before any group's values.
        self._steps = self._make_steps(operations)

    def _make_steps(self, operations: Operations) -> dict[tuple[int, str], Step]:
        """The training step of each batch size, and with 0 that of evaluation, by precision; ready to be called."""
        # The reference looks at kinds on the host.
        graphs, steps = Graphs(self.device, operations is not reference), dict[tuple[int, str], Step]()
        networks: dict[tuple[int, torch.dtype], GpuNetwork] = {}
        for precision in precisions_of(self.recipe):
            for samples in (0, *dict.fromkeys(self.feed.sizes)):
                key = samples or self.feed.batch_size, images_dtype(self.recipe, precision)
                if key not in networks:
                    shape = (key[0], self.images.height, self.images.width)
                    arena = Arena(self.block)
                    networks[key] = GpuNetwork(self.state, self.tables, shape, key[1], operations, arena)
                step = _step(networks[key], self.feed, self.tally, self.recipe, samples, precision)
                steps[samples, precision] = graphs.ready(step)
        return steps

    def drawn(self, group: Sequence[Job], wanted: Callable[[], bool] = lambda: True) -> Start | None:
        """What a group begins with, drawn on the CPU; None once it is not `wanted` any more.

        Nothing of the group that is being trained is touched: another thread may call it meanwhile.
        """
        started, size = [], (self.images.classes, self.images.height, self.images.width)
        for index, seed in group:
            if not wanted():
                return None
            started.append(seeding.start(space.cell(index), seed, *size))
        lists = work_lists(cells_of(group, self.models), self.state.capacity)
        initial = [network.state_dict() for network, _ in started] + [None] * (self.models - len(group))
        generators = [generator for _, generator in started]
        return Start(tuple(group), lists, generators, self.state.stacked(lists, initial))

    def start(self, group: Sequence[Job], drawn: Start | None = None) -> None:
        """Take a group of at most M jobs, untrained; `drawn` is what `drawn` gave for it, or for another group."""
        if drawn is None or (drawn.group, drawn.lists.models, drawn.lists.capacity) != self._wants(group):
            drawn = self.drawn(group)
        assert drawn is not None
        self.group, self.generators, self.lists = list(group), drawn.generators, drawn.lists
        self.state.load(drawn.parameters)
        self.tables.load(self.lists)
        self.metrics = np.zeros_like(self.metrics)
        self.epoch = 0
        self._begin_epoch(*self._draw())

    def _wants(self, group: Sequence[Job]) -> tuple[tuple[Job, ...], int, Capacity]:
        return tuple(group), self.models, self.state.capacity

    def _draw(self) -> tuple[list[Tensor], Tensor]:
        """The generators' states, and every model's next order of the training samples, int64 (M, train)."""
        counts = len(self.images.train_index), len(self.images.valid_index)
        states = [generator.get_state() for generator in self.generators]
        orders = [seeding.train_order(generator, *counts) for generator in self.generators]
        return states, torch.stack(orders + [torch.arange(counts[0])] * (self.models - len(orders)))

    def _begin_epoch(self, drawn_from: list[Tensor], orders: Tensor) -> None:
        self.drawn_from, self.batch = drawn_from, 0
        self.feed.take_orders(orders)
        self.tally.clear()

    def resume(self, place: tuple[int, int], drawn_from: Sequence[Tensor]) -> None:
        """Go to (epoch, batch) of a group just started, whose epoch's orders were drawn from these states."""
        for generator, state in zip(self.generators, drawn_from, strict=True):
            generator.set_state(state)
        self._begin_epoch(*self._draw())
        self.epoch, self.batch = place

    def save(self, folder: Path) -> None:
        """As `loop.Training.save`: a job can go on from them in another group."""
        checkpoint.save(self, folder)

    def restore(self, folder: Path) -> bool:
        """As `loop.Training.restore`; only where all jobs of the group are at the same place."""
        return checkpoint.restore(self, folder)

    def run_epoch(self) -> None:
        """Every batch that is left of the epoch."""
        epoch = self.epoch
        while self.epoch == epoch:
            self.run_batch()

    def run_batch(self) -> None:
        """As `loop.Training.run_batch`, for every model.

        The device is waited for at the end of the epoch, and before it falls behind by more than a few batches.
        """
        self.state.rate.fill_(self.recipe.rate(self.epoch))
        samples = self.feed.move_to(self.batch)
        self._steps[samples, epoch_precision(self.recipe, self.epoch)]()
        self.batch += 1
        self._keep_pace()
        if self.batch == len(self.feed.sizes) + self.feed.sweeps:
            self._end_epoch()

    def _keep_pace(self) -> None:
        """Wait for the device where it is more than `AHEAD` batches behind: `batch` then tells what is done."""
        if self.device.type == "cuda":
            self._handed_over.append(torch.cuda.current_stream().record_event())
            if len(self._handed_over) > AHEAD:
                self._handed_over.popleft().synchronize()

    def _end_epoch(self) -> None:
        drawn = self._draw() if self.epoch + 1 < self.recipe.epochs else None  # while the device is still at work
        self.metrics[:, self.epoch] = self.tally.metrics(np.array([self.images.counts[split] for split in SPLITS]))
        self.epoch += 1
        if drawn:
            self._begin_epoch(*drawn)

    def curves(self) -> list[Curves]:
        """The curves of the group's jobs, in their order."""
        return [curves(metrics) for metrics in self.metrics[: len(self.group)]]


def _step(network: GpuNetwork, feed: Feed, tally: GroupTally, recipe: Recipe, samples: int, precision: str) -> Step:
    """A training step of `samples`, or with 0 an evaluation, of the batch that `feed` is at."""
    products, device = "tf32" if precision == "tf32" else "fp32", feed.position.device

    def step() -> None:
        with torch.no_grad(), computing_in(products, device):
            batch = feed.training_batch(samples) if samples else feed.evaluation_batch()
            network.put(batch.images)
            if samples:
                logits, each = network.train_step(batch.labels, recipe)
            else:
                logits = network.forward(evaluating=True)
                each = losses(logits, batch.labels)
            tally.add(logits, each, batch)

    return step


def images_dtype(recipe: Recipe, precision: str) -> torch.dtype:
    """The dtype of the images inside the network in an epoch of this precision."""
    return torch.bfloat16 if precision == "bf16" else dtype(recipe)


def memory_of(models: int, capacity: Capacity, images: ImageSet, recipe: Recipe) -> int:
    """Bytes of images that a group needs in the widest precision it is trained in."""
    state = GpuState(models, capacity, STAGES[0], images.classes, REPEATS, dtype(recipe), "meta")
    tables = GroupTables.of(work_lists([EMPTY] * models, capacity), "meta")
    shape = min(recipe.batch_size, len(images.train_index)), images.height, images.width
    needs = []
    for precision in precisions_of(recipe):
        arena = Arena(None)
        GpuNetwork(state, tables, shape, images_dtype(recipe, precision), reference, arena)
        needs.append(arena.taken)
    return max(needs)
