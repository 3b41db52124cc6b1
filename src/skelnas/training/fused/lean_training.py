"""One training with the lean network, on one thread of a CPU."""

import ctypes
import sys
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.images.image_set import ImageSet
from skelnas.records import read_record, write_record
from skelnas.skeletons.recording import SPLITS
from skelnas.training import streams
from skelnas.training.checkpoint import checkpoint_path
from skelnas.training.curves import Curves
from skelnas.training.fused.lean_network import LeanNetwork
from skelnas.training.plain import curves
from skelnas.training.precision import dtype, epoch_precision
from skelnas.training.recipe import Recipe
from skelnas.training.resident import ResidentImages
from skelnas.training.tally import Tally

EVALUATION_BATCH = 64  # what it is changes no count, only speed
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


class LeanTraining:
    """The training of one (cell, seed), epoch by epoch.

    `figures`, float64 (epochs, 3 splits, loss and top-1 and top-5), fills up with `epoch`, the next to be trained.
    """

    def __init__(self, index: int, seed: int, images: ImageSet, data: ResidentImages, recipe: Recipe) -> None:
        self.images, self.data, self.recipe = images, data, recipe
        cell = space.cell(index)
        network, self.generator = streams.start(cell, seed, images.classes, images.height, images.width)
        self.network = LeanNetwork(cell, network.state_dict(), (images.height, images.width), dtype(recipe))
        self.figures = np.zeros((recipe.epochs, len(SPLITS), 3))
        self.epoch = 0

    def run_epoch(self) -> None:
        """Train one epoch, then evaluate test and valid."""
        images, data, recipe = self.images, self.data, self.recipe
        order = streams.train_order(self.generator, len(images.train_index), len(images.valid_index))
        narrow = torch.bfloat16 if epoch_precision(recipe, self.epoch) == "bf16" else None
        rate, tally = recipe.rate(self.epoch), Tally(order.device)
        for batch in data.train_index[order].split(recipe.batch_size):
            labels = data.pool_labels[batch]
            logits, losses = self.network.train_step(self._batch(data.pool[batch]), labels, rate, recipe, narrow)
            tally.add(logits, labels, losses)
        self.network.fold(narrow)
        test = self._evaluate(data.test, data.test_labels, narrow)
        valid = self._evaluate(data.pool[data.valid_index], data.pool_labels[data.valid_index], narrow)
        self.figures[self.epoch] = torch.stack([tally.figures(), valid, test]).numpy()
        self.epoch += 1

    def _evaluate(self, images: Tensor, labels: Tensor, narrow: torch.dtype | None) -> Tensor:
        tally = Tally(labels.device)
        for part, right in zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True):
            logits = self.network.evaluate(self._batch(part), narrow)
            tally.add(logits, right, torch.nn.functional.cross_entropy(logits, right, reduction="none"))
        return tally.figures()

    def _batch(self, images: Tensor) -> Tensor:
        return self.data.normalised(images).contiguous(memory_format=torch.channels_last)

    def save(self, path: Path) -> None:
        """Write all that the remaining epochs depend on, whole or not at all."""
        arrays = {name: buffer.numpy() for name, buffer in self.network.state.buffers().items()}
        arrays |= {"generator": self.generator.get_state().numpy(), "figures": self.figures}
        write_record(path, arrays | {"epoch": np.array(self.epoch)})

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote; from the start where there is nothing or it belongs to another recipe."""
        arrays = read_record(path)
        if arrays is None or arrays["figures"].shape != self.figures.shape:
            return
        for name, buffer in self.network.state.buffers().items():
            buffer.copy_(torch.from_numpy(arrays[name]))
        self.generator.set_state(torch.from_numpy(arrays["generator"]))
        self.figures[:] = arrays["figures"]
        self.epoch = int(arrays["epoch"])


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

    With a `folder` a checkpoint is kept there and gone on from; it is left for the caller to remove.
    """
    training = LeanTraining(index, seed, images, data, recipe)
    path = checkpoint_path(folder, index, seed) if folder else None
    if path:
        training.restore(path)
    saved = monotonic()
    while training.epoch < recipe.epochs:
        training.run_epoch()
        if path and training.epoch < recipe.epochs and monotonic() - saved >= 60 * checkpoint_minutes:
            training.save(path)
            saved = monotonic()
    return curves(training.figures)


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed: each step takes the same arrays again, and fresh pages are zeroed first."""
    if sys.platform == "linux":
        allocator = ctypes.CDLL(None)
        if hasattr(allocator, "mallopt"):
            allocator.mallopt(M_MMAP_THRESHOLD, 1 << 30)
            allocator.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
