"""Losses and correct predictions of a group, summed on the device over one epoch."""

import numpy as np
import torch
from torch import Tensor

from skelnas.recipe import SPLITS
from skelnas.training.gpu.feed import Batch
from skelnas.training.metrics import TOP, ranks


class GroupTally:
    """Sums of an epoch for M models: `losses` float64 (3 splits, M), `right` int64 (top-1 and top-5, 3 splits, M)."""

    def __init__(self, models: int, device: torch.device) -> None:
        self.losses = torch.zeros((len(SPLITS), models), dtype=torch.float64, device=device)
        self.right = torch.zeros((2, len(SPLITS), models), dtype=torch.int64, device=device)

    def clear(self) -> None:
        """Begin another epoch."""
        self.losses.zero_()
        self.right.zero_()

    def add(self, logits: Tensor, losses: Tensor, batch: Batch) -> None:
        """Add a batch: logits (M, N, K), each sample's loss (M, N). Waits for nothing."""
        rank = ranks(logits.flatten(0, 1), batch.labels.flatten()).view_as(batch.labels)
        for row in range(len(SPLITS)):
            chosen = (batch.split == row) & batch.counted
            self.losses[row] += torch.where(chosen, losses.double(), 0).sum(1)
            self.right[0, row] += ((rank < 1) & chosen).sum(1)
            self.right[1, row] += ((rank < min(TOP, logits.shape[2])) & chosen).sum(1)

    def metrics(self, samples: np.ndarray) -> np.ndarray:
        """Mean loss, top-1 and top-5 as float64 (M, 3 splits, 3), of `samples` (3,) in the splits; waits."""
        losses, right = self.losses.cpu().numpy() / samples[:, None], self.right.cpu().numpy()
        return np.stack([losses, *right], axis=2).transpose(1, 0, 2)
