"""One training with the lean network, on one thread of a CPU."""

import ctypes
import sys
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.files import read_record, write_record
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import seeding
from skelnas.training.checkpoint import checkpoint_path
from skelnas.training.cpu.network import CpuNetwork
from skelnas.training.metrics import Curves, Tally
from skelnas.training.plain import curves
from skelnas.training.precision import dtype, epoch_precision
from skelnas.training.resident import ResidentImages
from skelnas.training.termination import asked, deferred, end_if_asked

EVALUATION_BATCH = 64  # what it is changes no count, only speed
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


class CpuTraining:
    """The training of one (cell, seed), batch by batch.

    `figures`, float64 (epochs, 3 splits, loss and top-1 and top-5), fills up with `epoch`, the one that is being
    trained. `batch` counts the batches of it that are done: those of train, then of test, then of valid.
    """

    def __init__(self, index: int, seed: int, images: ImageSet, data: ResidentImages, recipe: Recipe) -> None:
        self.images, self.data, self.recipe = images, data, recipe
        cell = space.cell(index)
        network, self.generator = seeding.start(cell, seed, images.classes, images.height, images.width)
        self.network = CpuNetwork(cell, network.state_dict(), (images.height, images.width), dtype(recipe))
        self.figures = np.zeros((recipe.epochs, len(SPLITS), 3))
        self.epoch = 0
        self._shown = [
            (split, pool, labels, index)
            for split, pool, labels, indices in (
                ("test", data.test, data.test_labels, torch.arange(len(data.test_labels))),
                ("valid", data.pool, data.pool_labels, data.valid_index),
            )
            for index in indices.split(EVALUATION_BATCH)
        ]
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        """Draw the order of the training samples."""
        self.drawn_from = self.generator.get_state()
        order = seeding.train_order(self.generator, len(self.images.train_index), len(self.images.valid_index))
        self._orders = self.data.train_index[order].split(self.recipe.batch_size)
        self._tallies = {split: Tally(order.device) for split in SPLITS}
        self.batch, self._folded = 0, False

    def run_epoch(self) -> None:
        """Every batch that is left of the epoch."""
        epoch = self.epoch
        while self.epoch == epoch:
            self.run_batch()

    def run_batch(self) -> None:
        """The next batch of the epoch: one step of training, or a part of the evaluation."""
        narrow = torch.bfloat16 if epoch_precision(self.recipe, self.epoch) == "bf16" else None
        if self.batch < len(self._orders):
            self._train(self._orders[self.batch], narrow)
        else:
            self._evaluate(*self._shown[self.batch - len(self._orders)], narrow)
        self.batch += 1
        if self.batch == len(self._orders) + len(self._shown):
            self.figures[self.epoch] = torch.stack([self._tallies[split].figures() for split in SPLITS]).numpy()
            self.epoch += 1
            if self.epoch < self.recipe.epochs:
                self._begin_epoch()

    def _train(self, index: Tensor, narrow: torch.dtype | None) -> None:
        labels, rate = self.data.pool_labels[index], self.recipe.rate(self.epoch)
        logits, losses = self.network.train_step(self._images(self.data.pool, index), labels, rate, self.recipe, narrow)
        self._tallies["train"].add(logits, labels, losses)

    def _evaluate(self, split: str, pool: Tensor, labels: Tensor, index: Tensor, narrow: torch.dtype | None) -> None:
        if not self._folded:
            self.network.fold(narrow)
            self._folded = True
        logits, right = self.network.evaluate(self._images(pool, index), narrow), labels[index]
        losses = torch.nn.functional.cross_entropy(logits, right, reduction="none")
        self._tallies[split].add(logits, right, losses)

    def _images(self, pool: Tensor, index: Tensor) -> Tensor:
        return self.data.normalised(pool[index]).contiguous(memory_format=torch.channels_last)

    def save(self, path: Path) -> None:
        """Write all that the remaining batches depend on, whole or not at all."""
        write_record(path, {name: value.numpy() for name, value in self._values().items()})

    def restore(self, path: Path) -> bool:
        """Go on from what `save` wrote; False, from the start, where nothing of this recipe and program is there."""
        arrays = read_record(path)
        expected = {name: tuple(value.shape) for name, value in self._values().items()}
        if arrays is None or {name: array.shape for name, array in arrays.items()} != expected:
            return False
        for name, buffer in self.network.state.buffers().items():
            buffer.copy_(torch.from_numpy(arrays[name]))
        self.figures[:] = arrays["figures"]
        self.generator.set_state(torch.from_numpy(arrays["generator"]))
        self._begin_epoch()
        self.epoch, self.batch = arrays["place"].tolist()
        for split, sums in zip(SPLITS, arrays["sums"], strict=True):
            self._tallies[split].sums[:] = torch.from_numpy(sums)
        return True

    def _values(self) -> dict[str, Tensor]:
        return self.network.state.buffers() | {
            "generator": self.drawn_from,
            "figures": torch.from_numpy(self.figures),
            "place": torch.tensor([self.epoch, self.batch]),
            "sums": torch.stack([self._tallies[split].sums for split in SPLITS]),
        }


def train_lean(
    index: int,
    seed: int,
    images: ImageSet,
    data: ResidentImages,
    recipe: Recipe,
    folder: Path | None = None,
    checkpoint_minutes: float = 5.0,
) -> Curves:
    """Train the cell with architecture index `index` on the calling thread.

    With a `folder` a checkpoint is kept there and gone on from; it is left for the caller to remove. SIGTERM leaves one
    too, where this process defers it (see `ending`).
    """
    training = CpuTraining(index, seed, images, data, recipe)
    path = checkpoint_path(folder, index, seed) if folder else None
    if path and training.restore(path):
        at = f"epoch {training.epoch + 1}, batch {training.batch + 1}"
        sys.stderr.write(f"cell {index} with seed {seed} goes on from {at}\n")
    saved = monotonic()
    with deferred():
        while training.epoch < recipe.epochs:
            training.run_batch()
            if path and (asked() or monotonic() - saved >= 60 * checkpoint_minutes):
                training.save(path)
                saved = monotonic()
            end_if_asked()
    return curves(training.figures)


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed: each step takes the same arrays again, and fresh pages are zeroed first."""
    if sys.platform == "linux":
        allocator = ctypes.CDLL(None)
        if hasattr(allocator, "mallopt"):
            allocator.mallopt(M_MMAP_THRESHOLD, 1 << 30)
            allocator.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
