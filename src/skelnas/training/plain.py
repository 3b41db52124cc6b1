"""The plain engine: one cell at a time, the readable loop that defines what a result is."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic

import numpy as np
import torch
from torch import Tensor, nn

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet
from skelnas.network import Network
from skelnas.processes import failure
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import seeding
from skelnas.training.checkpoint import Checkpoint
from skelnas.training.metrics import Curves, Tally, curves
from skelnas.training.precision import computing_in, dtype, epoch_precision
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import OnFinished, Request, TrainingError

EVALUATION_BATCH = 256  # what it is changes no count, only speed


def train_cell(
    cell: space.Cell,
    seed: int,
    images: ImageSet,
    recipe: Recipe,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> Curves:
    """Train one cell from its seed; every epoch one pass over train, then test and valid with what was learnt.

    With a `checkpoint` the training goes on where a killed one was, and ends with the same curves bit for bit.
    """
    return train_network(cell, seed, images, recipe, device, checkpoint)[0]


def train_network(
    cell: space.Cell,
    seed: int,
    images: ImageSet,
    recipe: Recipe,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> tuple[Curves, Network]:
    """As `train_cell`, with the trained network."""
    data = ResidentImages.of(images, device, dtype(recipe))
    network, generator = seeding.start(cell, seed, images.classes, images.height, images.width)
    network = network.to(device, dtype(recipe))
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
    metrics = np.zeros((recipe.epochs, len(SPLITS), 3))
    first = checkpoint.restore(network, optimiser, generator, metrics) if checkpoint else 0
    for epoch in range(first, recipe.epochs):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate(epoch)
        order = seeding.train_order(generator, len(images.train_index), len(images.valid_index))
        with computing_in(epoch_precision(recipe, epoch), device):
            train = train_epoch(network, optimiser, data, order.to(device), recipe.batch_size)
            test = evaluate(network, data, data.test, data.test_labels)
            valid = evaluate(network, data, data.pool[data.valid_index], data.pool_labels[data.valid_index])
        # The only point of an epoch that waits for the device.
        metrics[epoch] = torch.stack([train, valid, test]).cpu().numpy()
        if checkpoint and epoch + 1 < recipe.epochs:
            checkpoint.save_if_due(network, optimiser, generator, metrics, epoch + 1)
    return curves(metrics), network


def train_epoch(
    network: Network, optimiser: torch.optim.Optimizer, data: ResidentImages, order: Tensor, batch_size: int
) -> Tensor:
    """One pass over the training samples in `order`; the last, smaller batch is kept. Returns `Tally.metrics`."""
    network.train()
    tally = Tally(order.device)
    for batch in data.train_index[order].split(batch_size):
        labels = data.pool_labels[batch]
        logits, losses = forward(network, data.normalised(data.pool[batch]), labels)
        optimiser.zero_grad()
        losses.mean().backward()
        optimiser.step()
        tally.add(logits.detach(), labels, losses.detach())
    return tally.metrics()


@torch.no_grad()
def evaluate(
    network: Network, data: ResidentImages, images: Tensor, labels: Tensor, batch_size: int = EVALUATION_BATCH
) -> Tensor:
    """One pass over `images` (uint8) with the running statistics. Returns `Tally.metrics`."""
    network.eval()
    tally = Tally(images.device)
    for part, right in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        logits, losses = forward(network, data.normalised(part), right)
        tally.add(logits, right, losses)
    return tally.metrics()


@torch.no_grad()
def outputs(network: Network, data: ResidentImages, images: Tensor, recipe: Recipe) -> Tensor:
    """The logits (N, K) of `images` (uint8) as the evaluation after the last epoch saw them."""
    network.eval()
    with computing_in(epoch_precision(recipe, recipe.epochs - 1), images.device):
        return torch.cat([network(data.normalised(part)) for part in images.split(EVALUATION_BATCH)])


def forward(network: Network, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K), at least float32, and each sample's cross-entropy (N,)."""
    logits = network(images)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return logits, nn.functional.cross_entropy(logits, labels, reduction="none")


def train(request: Request, on_finished: OnFinished) -> None:
    """Train the jobs one after the other, as `engines.train_jobs` describes."""
    settings, folder = request.settings, request.folder
    device, reasons = settings.torch_device(), {}
    with one_thread() if device.type == "cpu" else nullcontext():
        for index, seed in request.jobs:
            begun = monotonic()
            checkpoint = Checkpoint(folder, index, seed, settings.checkpoint_minutes) if folder else None
            try:
                result = train_cell(space.cell(index), seed, request.images, request.recipe, device, checkpoint)
            except InputError:
                raise
            except Exception as error:
                reasons[index, seed] = str(failure(error))
                continue
            on_finished(index, seed, result, monotonic() - begun)
            if checkpoint:
                checkpoint.remove()
    if reasons:
        raise TrainingError(reasons)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: how a sum is divided among threads would change its last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
