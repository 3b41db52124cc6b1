"""One training with the CPU's network, on the calling thread."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import loop, seeding
from skelnas.training.checkpoint import Snapshot, read_checkpoint, write_checkpoint
from skelnas.training.cpu.network import CpuNetwork
from skelnas.training.losses import losses
from skelnas.training.metrics import Curves, Tally, curves
from skelnas.training.precision import dtype, epoch_precision
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, Request

EVALUATION_BATCH = 64  # what it is changes no count, only speed
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


class CpuTraining:
    """The training of one (cell, seed), batch by batch.

    `metrics`, float64 (epochs, 3 splits, loss and top-1 and top-5), fills up with `epoch`, the one that is being
    trained. `batch` counts the batches of it that are done: those of train, then of test, then of valid.
    """

    def __init__(self, index: int, seed: int, images: ImageSet, data: ResidentImages, recipe: Recipe) -> None:
        self.job: Job = (index, seed)
        self.images, self.data, self.recipe = images, data, recipe
        cell = space.cell(index)
        network, self.generator = seeding.start(cell, seed, images.classes, images.height, images.width)
        self.network = CpuNetwork(cell, network.state_dict(), (images.height, images.width), dtype(recipe))
        self.metrics = np.zeros((recipe.epochs, len(SPLITS), 3))
        self.epoch = 0
        self._shown = [
            (split, pool, labels, index)
            for split, pool, labels, indices in (
                ("test", data.test, data.test_labels, torch.arange(len(data.test_labels))),
                ("valid", data.pool, data.pool_labels, data.valid_index),
            )
            for index in indices.split(EVALUATION_BATCH)
        ]
        self._tallies = {split: Tally(data.pool.device) for split in SPLITS}
        self.batch, self._folded = 0, False
        self._drawn_from, self._orders = self._draw()

    def _draw(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The generator's state, and the batches of the next epoch's training samples drawn from it."""
        state = self.generator.get_state()
        order = seeding.train_order(self.generator, len(self.images.train_index), len(self.images.valid_index))
        return state, self.data.train_index[order].split(self.recipe.batch_size)

    def _begin_epoch(self) -> None:
        self._drawn_from, self._orders = self._draw()
        for tally in self._tallies.values():
            tally.clear()
        self.batch, self._folded = 0, False

    def run_epoch(self) -> None:
        """Every batch that is left of the epoch."""
        epoch = self.epoch
        while self.epoch == epoch:
            self.run_batch()

    def run_batch(self) -> None:
        """As `loop.Training.run_batch`."""
        compute_dtype = torch.bfloat16 if epoch_precision(self.recipe, self.epoch) == "bf16" else None
        if self.batch < len(self._orders):
            self._train(self._orders[self.batch], compute_dtype)
        else:
            self._evaluate(*self._shown[self.batch - len(self._orders)], compute_dtype)
        self.batch += 1
        if self.batch == len(self._orders) + len(self._shown):
            self.metrics[self.epoch] = torch.stack([self._tallies[split].metrics() for split in SPLITS]).numpy()
            self.epoch += 1
            if self.epoch < self.recipe.epochs:
                self._begin_epoch()

    def _train(self, index: Tensor, compute_dtype: torch.dtype | None) -> None:
        images, labels = self._images(self.data.pool, index), self.data.pool_labels[index]
        rate = self.recipe.rate(self.epoch)
        logits, each = self.network.train_step(images, labels, rate, self.recipe, compute_dtype)
        self._tallies["train"].add(logits, labels, each)

    def _evaluate(
        self, split: str, pool: Tensor, labels: Tensor, index: Tensor, compute_dtype: torch.dtype | None
    ) -> None:
        if not self._folded:
            self.network.fold(compute_dtype)
            self._folded = True
        logits, right = self.network.evaluate(self._images(pool, index), compute_dtype), labels[index]
        self._tallies[split].add(logits, right, losses(logits, right))

    def outputs(self) -> dict[str, Tensor]:
        """The logits (N, K) of the samples of test and valid with the network as it is now, computed as in the last
        epoch's evaluation."""
        compute_dtype = torch.bfloat16 if epoch_precision(self.recipe, self.recipe.epochs - 1) == "bf16" else None
        self.network.fold(compute_dtype)
        parts: dict[str, list[Tensor]] = {}
        for split, pool, _, index in self._shown:
            parts.setdefault(split, []).append(self.network.evaluate(self._images(pool, index), compute_dtype).clone())
        return {split: torch.cat(logits) for split, logits in parts.items()}

    def _images(self, pool: Tensor, index: Tensor) -> Tensor:
        return self.data.normalised(pool[index]).contiguous(memory_format=torch.channels_last)

    def save(self, folder: Path) -> None:
        """As `loop.Training.save`."""
        write_checkpoint(folder, {self.job: self._snapshot()})

    def restore(self, folder: Path) -> bool:
        """As `loop.Training.restore`."""
        saved = read_checkpoint(folder, {self.job: self._snapshot()}).get(self.job)
        if saved is None:
            return False
        for name, buffer in self.network.state.buffers().items():
            buffer.copy_(saved.tensors[name])
        self.metrics[:] = saved.metrics
        self.generator.set_state(saved.generator)
        self._begin_epoch()
        self.epoch, self.batch = saved.place
        for split, sums in zip(SPLITS, saved.tensors["sums"], strict=True):
            self._tallies[split].sums.copy_(sums)
        return True

    def _snapshot(self) -> Snapshot:
        sums = torch.stack([self._tallies[split].sums for split in SPLITS])
        tensors = self.network.state.buffers() | {"sums": sums}
        return Snapshot((self.epoch, self.batch), self._drawn_from, self.metrics, tensors)


def train_cell(index: int, seed: int, request: Request, data: ResidentImages) -> Curves:
    """Train the cell with architecture index `index` on the calling thread; its checkpoint is left for the caller."""
    training = CpuTraining(index, seed, request.images, data, request.recipe)
    minutes = request.settings.checkpoint_minutes
    loop.run(training, f"cell {index} with seed {seed} goes on", request.recipe.epochs, request.folder, minutes)
    return curves(training.metrics)


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed: each step takes the same arrays again, and fresh pages are zeroed first."""
    if sys.platform == "linux":
        allocator = ctypes.CDLL(None)
        if hasattr(allocator, "mallopt"):
            allocator.mallopt(M_MMAP_THRESHOLD, 1 << 30)
            allocator.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
