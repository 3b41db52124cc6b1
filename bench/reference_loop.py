"""The baseline of every ratio: one training as the original study's code went about it, in our own words.

One cell at a time; the network is built as it stands, wrapped in `DataParallel` and run eagerly in float32; a loader in
the same process makes every image anew from a picture (8-bit, to float, normalised) and stacks them to batches; each
step waits for the device three times, for the loss and for the top-1 and top-5 counts; after every epoch the whole test
set and then the validation set are evaluated in batches of the training's size. cuDNN is deterministic and not tuned,
as there, and PyTorch's defaults decide about TF32, as there.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from skelnas.cells import space
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS, Recipe
from skelnas.training import seeding


class Pictures(Dataset):
    """Pictures and labels; each picture is converted whenever it is asked for."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, mean: Tensor, std: Tensor) -> None:
        self.pictures = [Image.fromarray(image) for image in images]
        self.labels, self.mean, self.std = labels.tolist(), mean, std

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        pixels = torch.from_numpy(np.array(self.pictures[place])).permute(2, 0, 1).contiguous()
        return pixels.to(self.mean.dtype).div(255).sub(self.mean).div(self.std), self.labels[place]


def train_reference(
    index: int, seed: int, images: ImageSet, recipe: Recipe, device: torch.device, dtype: torch.dtype = torch.float32
) -> np.ndarray:
    """Train one cell; float64 (epochs, 3 splits, 3): mean loss, top-1 and top-5 counts, splits as in SPLITS."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    network, generator = seeding.start(space.cell(index), seed, images.classes, images.height, images.width)
    network = nn.DataParallel(network.to(device, dtype))
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
    mean, std = (torch.tensor(values / 255, dtype=dtype)[:, None, None] for values in (images.mean, images.std))
    pool = Pictures(images.pool_images, images.pool_labels, mean, std)
    test = Pictures(images.test_images, images.test_labels, mean, std)
    figures = np.zeros((recipe.epochs, len(SPLITS), 3))
    for epoch in range(recipe.epochs):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate(epoch)
        order = seeding.train_order(generator, len(images.train_index), len(images.valid_index))
        orders = {"train": images.train_index[order.numpy()], "test": range(len(test)), "valid": images.valid_index}
        for split in ("train", "test", "valid"):
            loader = _loader(test if split == "test" else pool, orders[split], recipe.batch_size)
            figures[epoch, SPLITS.index(split)] = _pass(
                network, loader, device, optimiser if split == "train" else None
            )
    return figures


def _loader(pictures: Pictures, order: Sequence[int], batch_size: int) -> DataLoader:
    pinned = torch.cuda.is_available()
    return DataLoader(pictures, batch_size, sampler=list(order), generator=torch.Generator(), pin_memory=pinned)


def _pass(
    network: nn.Module, loader: DataLoader, device: torch.device, optimiser: torch.optim.Optimizer | None
) -> tuple[float, int, int]:
    """One pass over a split, training with an optimiser and evaluating without: mean loss and the two counts."""
    network.train(optimiser is not None)
    loss_sum, top1, top5, samples = 0.0, 0, 0, 0
    for inputs, labels in loader:
        inputs, labels = inputs.to(device), labels.to(device, non_blocking=True)
        with torch.set_grad_enabled(optimiser is not None):
            logits = network(inputs)
            loss = nn.functional.cross_entropy(logits, labels)
        if optimiser is not None:
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        best = logits.detach().topk(min(5, logits.shape[1]), dim=1).indices
        right = best == labels[:, None]
        loss_sum += loss.item() * len(labels)
        top1 += right[:, :1].sum().item()
        top5 += right.sum().item()
        samples += len(labels)
    return loss_sum / samples, top1, top5
