"""Training a group of jobs on a model axis: the steps of an epoch, recorded once and replayed for group after group."""

import sys
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import seeding
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import Capacity, GroupTables, WorkLists, cells_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import Operations
from skelnas.training.gpu.state import GpuState
from skelnas.training.metrics import TOP, Curves, ranks
from skelnas.training.plain import curves
from skelnas.training.precision import computing_in, dtype, epoch_precision
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job

CHANNELS, REPEATS = 16, 5  # of the study's network
AHEAD = 2  # batches that the device is given beyond the one it is at


class GpuTraining:
    """An engine for groups of up to M models of one capacity; `start` a group, then `run_batch` until it is done.

    On a GPU whole steps are replayed as CUDA graphs, unless `operations` wait for the device. `figures`, float64
    (M, epochs, 3 splits, loss and top-1 and top-5), fills up with `epoch`, the one that is being trained; `batch`
    counts the batches of it that are done, first those of train, then those of valid and test.
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
        self.models, self.images, self.data, self.recipe, self.operations = models, images, data, recipe, operations
        self.device = data.pool.device
        train = len(images.train_index)
        self.batch_size = min(recipe.batch_size, train)
        full, rest = divmod(train, self.batch_size)
        self.sizes = [self.batch_size] * full + [rest] * (rest > 0)
        self.state = GpuState(models, capacity, CHANNELS, images.classes, REPEATS, dtype(recipe), self.device)
        empty = work_lists([cells_of([], 1)[0]] * models, capacity)
        self.tables = GroupTables.of(empty, self.device)
        size = memory_of(models, capacity, images, recipe)
        self.block = torch.empty(size, dtype=torch.uint8, device=self.device)
        # Validation and test are evaluated in one sweep; `split` tells which row of the tallies a sample counts in.
        self.shown = torch.cat([data.pool[data.valid_index], data.test])
        self.shown_labels = torch.cat([data.pool_labels[data.valid_index], data.test_labels])
        split = [1] * len(data.valid_index) + [2] * len(data.test_labels)
        self.shown_split = torch.tensor(split, device=self.device)
        self.orders = torch.zeros((models, train), dtype=torch.int64, device=self.device)
        self.position = torch.zeros((), dtype=torch.int64, device=self.device)  # of the batch's first sample
        self.losses = torch.zeros((len(SPLITS), models), dtype=torch.float64, device=self.device)
        self.right = torch.zeros((2, len(SPLITS), models), dtype=torch.int64, device=self.device)
        self.recorded = self.device.type == "cuda" and operations.capturable
        self._graph_memory = None
        self._done: deque[torch.cuda.Event] = deque()  # of the batches that were handed to the device last
        self._networks: dict[tuple[int, str], GpuNetwork] = {}
        self._steps: dict[tuple[int, str], Callable[[], None]] = {}
        # Recording runs the steps on whatever is in memory, so it comes before any group's values.
        for precision in dict.fromkeys(epoch_precision(recipe, epoch) for epoch in range(recipe.epochs)):
            for samples in (0, *dict.fromkeys(self.sizes)):
                self._steps[samples, precision] = self._step(samples, precision)

    def start(self, group: Sequence[Job]) -> None:
        """Take a group of at most M jobs, untrained."""
        self.lists: WorkLists = work_lists(cells_of(group, self.models), self.state.capacity)
        started = [
            seeding.start(space.cell(i), seed, self.images.classes, self.images.height, self.images.width)
            for i, seed in group
        ]
        self.group, self.generators = list(group), [generator for _, generator in started]
        initial = [network.state_dict() for network, _ in started] + [None] * (self.models - len(group))
        self.state.load(self.lists, initial)
        self.tables.load(self.lists)
        self.figures = np.zeros((self.models, self.recipe.epochs, len(SPLITS), 3))
        self.epoch = 0
        self._begin_epoch(*self._draw())

    def _draw(self) -> tuple[list[Tensor], Tensor]:
        """The generators' states, and every model's next order of the training samples, int64 (M, train)."""
        counts = len(self.images.train_index), len(self.images.valid_index)
        states = [generator.get_state() for generator in self.generators]
        orders = [seeding.train_order(generator, *counts) for generator in self.generators]
        return states, torch.stack(orders + [torch.arange(counts[0])] * (self.models - len(orders)))

    def _begin_epoch(self, drawn_from: list[Tensor], orders: Tensor) -> None:
        self.drawn_from, self.batch = drawn_from, 0
        self.orders.copy_(self.data.train_index[orders.to(self.device)])
        for tally in (self.losses, self.right):
            tally.zero_()

    def restore(
        self, place: tuple[int, int], drawn_from: Sequence[Tensor], figures: np.ndarray, losses: Tensor, right: Tensor
    ) -> None:
        """Go on where a group just started was, at (epoch, batch); `losses` and `right` are the tallies' models."""
        models = len(self.group)
        for generator, state in zip(self.generators, drawn_from, strict=True):
            generator.set_state(state)
        self._begin_epoch(*self._draw())
        self.epoch, self.batch = place
        self.figures[:models] = figures
        self.losses[:, :models], self.right[..., :models] = losses.to(self.device), right.to(self.device)

    def run_epoch(self) -> None:
        """Every batch that is left of the epoch."""
        epoch = self.epoch
        while self.epoch == epoch:
            self.run_batch()

    def run_batch(self) -> None:
        """The next batch of every model: one step of training, or a part of the evaluation.

        The device is waited for at the end of the epoch, and before it falls behind by more than a few batches.
        """
        precision, shown = epoch_precision(self.recipe, self.epoch), self.batch - len(self.sizes)
        self.state.rate.fill_(self.recipe.rate(self.epoch))
        self.position.fill_(self.batch * self.sizes[0] if shown < 0 else shown * self.batch_size)
        self._steps[self.sizes[self.batch] if shown < 0 else 0, precision]()
        self.batch += 1
        self._keep_pace()
        if self.batch == len(self.sizes) + -(-len(self.shown) // self.batch_size):
            self._end_epoch()

    def _keep_pace(self) -> None:
        """Wait for the device where it is more than `AHEAD` batches behind: `batch` then tells what is done."""
        if self.device.type == "cuda":
            self._done.append(torch.cuda.current_stream().record_event())
            if len(self._done) > AHEAD:
                self._done.popleft().synchronize()

    def _end_epoch(self) -> None:
        drawn = self._draw() if self.epoch + 1 < self.recipe.epochs else None  # while the device is still at work
        samples = np.array([self.images.counts[split] for split in SPLITS])[:, None]
        losses, right = self.losses.cpu().numpy() / samples, self.right.cpu().numpy()
        self.figures[:, self.epoch] = np.stack([losses, *right], axis=2).transpose(1, 0, 2)
        self.epoch += 1
        if drawn:
            self._begin_epoch(*drawn)

    def curves(self) -> list[Curves]:
        """The curves of the group's jobs, in their order."""
        return [curves(figures) for figures in self.figures[: len(self.group)]]

    def _network(self, samples: int, precision: str) -> GpuNetwork:
        narrow = images_dtype(self.recipe, precision)
        if (samples, narrow) not in self._networks:
            shape = (samples, self.images.height, self.images.width)
            arena = Arena(self.block)
            self._networks[samples, narrow] = GpuNetwork(self.state, self.tables, shape, narrow, self.operations, arena)
        return self._networks[samples, narrow]

    def _step(self, samples: int, precision: str) -> Callable[[], None]:
        """The training step of a batch size, or with 0 that of evaluation, ready to be called."""
        network = self._network(samples or self.batch_size, precision)
        products = "tf32" if precision == "tf32" else "fp32"

        def step() -> None:
            with torch.no_grad(), computing_in(products, self.device):
                self._train(network, samples) if samples else self._evaluate(network)

        if not self.recorded:
            return step
        try:
            return self._record(step)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            sys.stderr.write(f"steps cannot be recorded here ({error}); training goes on launch by launch, slower\n")
            self.recorded = False
            return step

    def _record(self, step: Callable[[], None]) -> Callable[[], None]:
        """`step` as a CUDA graph."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):  # compiles the kernels and fills the allocator
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._graph_memory):
            step()
        self._graph_memory = graph.pool()
        return graph.replay

    def _train(self, network: GpuNetwork, samples: int) -> None:
        places = self.position + torch.arange(samples, device=self.device)
        index = self.orders.gather(1, places.expand(self.models, samples))
        labels = self.data.pool_labels[index]
        network.put(self._normalised(self.data.pool[index]))
        logits, losses = network.train_step(labels, self.recipe)
        self._count(logits, labels, losses, torch.zeros_like(places), torch.ones_like(places))

    def _evaluate(self, network: GpuNetwork) -> None:
        places = self.position + torch.arange(self.batch_size, device=self.device)
        counted = places < len(self.shown)
        places = places.clamp(max=len(self.shown) - 1)
        labels = self.shown_labels[places].expand(self.models, self.batch_size)
        network.put(self._normalised(self.shown[places])[None])
        logits = network.forward(evaluating=True)
        losses = -torch.log_softmax(logits, 2).gather(2, labels[..., None])[..., 0]
        self._count(logits, labels, losses, self.shown_split[places], counted)

    def _count(self, logits: Tensor, labels: Tensor, losses: Tensor, split: Tensor, counted: Tensor) -> None:
        """Add a batch to the tallies: logits (M, N, K); losses, labels (M, N); split, counted (N,)."""
        rank = ranks(logits.flatten(0, 1), labels.flatten()).view_as(labels)
        for row in range(len(SPLITS)):
            chosen = (split == row) & counted.bool()
            self.losses[row] += torch.where(chosen, losses.double(), 0).sum(1)
            self.right[0, row] += ((rank < 1) & chosen).sum(1)
            self.right[1, row] += ((rank < min(TOP, logits.shape[2])) & chosen).sum(1)

    def _normalised(self, images: Tensor) -> Tensor:
        """uint8 (..., H, W, 3) as the networks read them; the order of operations of `ResidentImages.normalised`."""
        return images.to(self.data.mean.dtype).div_(255).sub_(self.data.mean).div_(self.data.std)


def images_dtype(recipe: Recipe, precision: str) -> torch.dtype:
    """The dtype of the images inside the network in an epoch of this precision."""
    return torch.bfloat16 if precision == "bf16" else dtype(recipe)


def memory_of(models: int, capacity: Capacity, images: ImageSet, recipe: Recipe) -> int:
    """Bytes of images that a group needs in the widest precision it is trained in."""
    state = GpuState(models, capacity, CHANNELS, images.classes, REPEATS, dtype(recipe), "meta")
    batch = min(recipe.batch_size, len(images.train_index))
    needs = []
    for precision in {epoch_precision(recipe, epoch) for epoch in range(recipe.epochs)}:
        arena = Arena(None)
        shape, narrow = (batch, images.height, images.width), images_dtype(recipe, precision)
        GpuNetwork(state, None, shape, narrow, None, arena)
        needs.append(arena.taken)
    return max(needs)
