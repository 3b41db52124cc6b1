"""The batches of a group, gathered on the device: each model has its own order in training, all share an evaluation."""

from typing import NamedTuple

import torch
from torch import Tensor

from skelnas.images.image_set import ImageSet
from skelnas.training.resident import ResidentImages


class Batch(NamedTuple):
    """Normalised images (M or 1, N, H, W, 3) and labels int64 (M, N).

    split, counted: int64 and bool (N,), the row of SPLITS that a sample counts in, and whether it counts at all.
    """

    images: Tensor
    labels: Tensor
    split: Tensor
    counted: Tensor


class Feed:
    """Batches from where `position` says, for M models; what it hands out depends on nothing on the host.

    `sizes` are those of an epoch's training batches; `sweeps` counts the batches of an evaluation, which take
    validation and test together and hold `batch_size` samples each, the last ones again where they are too few.
    """

    def __init__(self, models: int, images: ImageSet, data: ResidentImages, batch_size: int) -> None:
        self.models, self.data = models, data
        train, device = len(images.train_index), data.pool.device
        self.batch_size = min(batch_size, train)
        full, rest = divmod(train, self.batch_size)
        self.sizes = [self.batch_size] * full + [rest] * (rest > 0)
        self.orders = torch.zeros((models, train), dtype=torch.int64, device=device)
        self.position = torch.zeros((), dtype=torch.int64, device=device)  # of the batch's first sample
        self.shown = torch.cat([data.pool[data.valid_index], data.test])
        self.shown_labels = torch.cat([data.pool_labels[data.valid_index], data.test_labels])
        self.shown_split = torch.tensor([1] * len(data.valid_index) + [2] * len(data.test_labels), device=device)
        self.sweeps = -(-len(self.shown) // self.batch_size)

    def take_orders(self, orders: Tensor) -> None:
        """The next epoch's order of the training samples, int64 (M, train)."""
        self.orders.copy_(self.data.train_index[orders.to(self.orders.device)])

    def move_to(self, batch: int) -> int:
        """Go to a batch of the epoch, counted through training and evaluation; its samples, 0 for evaluation."""
        sweep = batch - len(self.sizes)
        self.position.fill_(batch * self.sizes[0] if sweep < 0 else sweep * self.batch_size)
        return self.sizes[batch] if sweep < 0 else 0

    def training_batch(self, samples: int) -> Batch:
        """The next `samples` of every model's own order."""
        places = self.position + torch.arange(samples, device=self.position.device)
        index = self.orders.gather(1, places.expand(self.models, samples))
        images, labels = self._normalised(self.data.pool[index]), self.data.pool_labels[index]
        return Batch(images, labels, torch.zeros_like(places), torch.ones_like(places, dtype=torch.bool))

    def evaluation_batch(self) -> Batch:
        """The next samples of validation and test, the same for all models."""
        places = self.position + torch.arange(self.batch_size, device=self.position.device)
        counted = places < len(self.shown)
        places = places.clamp(max=len(self.shown) - 1)
        labels = self.shown_labels[places].expand(self.models, self.batch_size)
        return Batch(self._normalised(self.shown[places])[None], labels, self.shown_split[places], counted)

    def _normalised(self, images: Tensor) -> Tensor:
        """uint8 (..., H, W, 3) as the networks read them; the order of operations of `ResidentImages.normalised`."""
        return images.to(self.data.mean.dtype).div_(255).sub_(self.data.mean).div_(self.data.std)
