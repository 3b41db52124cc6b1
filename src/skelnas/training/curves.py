"""What one training leaves behind: its learning curves, as counts."""

from dataclasses import dataclass

import numpy as np


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
