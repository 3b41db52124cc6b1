"""Losses and correct predictions: summed over one pass on the device, and as the learning curves of a training."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

TOP = 5


@dataclass(frozen=True)
class Curves:
    """Learning curves of one (cell, seed); the first axis runs over SPLITS, the second over epochs.

    loss: float32 (3, epochs), cross-entropy averaged over the split's samples (train: as met during the epoch).
    top1, top5: int32 (3, epochs), how many samples had the right class first, and among the first five (or all
    classes, where there are fewer than five).
    A training that diverged keeps its curves: its losses are then not finite.
    """

    loss: np.ndarray
    top1: np.ndarray
    top5: np.ndarray

    @property
    def diverged(self) -> bool:
        """Whether a training loss was ever not finite."""
        return not np.isfinite(self.loss[0]).all()


def curves(metrics: np.ndarray) -> Curves:
    """Curves of float64 (epochs, 3 splits, loss and top-1 and top-5)."""
    loss, top1, top5 = metrics.transpose(2, 1, 0)
    with np.errstate(over="ignore"):  # the loss of a diverging training may exceed float32: it is then infinite
        loss = loss.astype(np.float32)
    return Curves(loss, top1.astype(np.int32), top5.astype(np.int32))


def ranks(logits: Tensor, labels: Tensor) -> Tensor:
    """The rank of the right class, int64 (N,): 0 where its logit is the largest; logits (N, K), labels int64 (N,).

    Among equal logits the lower class comes first, so ranks are the same on every device. A logit that is NaN comes
    before every number, and a right class whose own logit is NaN has rank K, which counts as wrong in any top-k.
    """
    classes = torch.arange(logits.shape[1], device=logits.device)
    own = logits.gather(1, labels[:, None])
    behind = (logits < own) | ((logits == own) & (classes >= labels[:, None]))  # counts the right class itself
    return logits.shape[1] - behind.sum(1)


class Tally:
    """Sums of one pass; top-5 is top-K with fewer than five classes K.

    `sums`, float64 (4,): losses, top-1, top-5, samples; float64 holds any count exactly.
    """

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(4, dtype=torch.float64, device=device)

    def clear(self) -> None:
        """Begin another pass."""
        self.sums.zero_()

    def add(self, logits: Tensor, labels: Tensor, losses: Tensor) -> None:
        """Add a batch: logits (N, K), labels (N,), each sample's cross-entropy (N,). Waits for nothing."""
        rank = ranks(logits, labels)
        right = torch.stack([rank < 1, rank < min(TOP, logits.shape[1]), rank >= 0]).sum(1)
        self.sums[0] += losses.sum(dtype=torch.float64)
        self.sums[1:] += right

    def metrics(self) -> Tensor:
        """Mean loss, top-1 and top-5 as float64 (3,), still on the device."""
        return torch.cat([self.sums[:1] / self.sums[3], self.sums[1:3]])
