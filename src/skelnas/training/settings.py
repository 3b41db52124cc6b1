"""What is asked of an engine: which trainings, and how to use the machine."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet
from skelnas.recipe import Recipe
from skelnas.training.metrics import Curves

Job = tuple[int, int]  # (architecture index, seed): one training
OnFinished = Callable[[int, int, Curves, float], None]  # architecture index, seed, curves, seconds it took


@dataclass(frozen=True)
class Settings:
    """The config's `training` block, and how many processes the job may use; no part of a result's identity.

    engine: a key of `engines.ENGINES`. device: "auto", "cpu" or "cuda". processes: worker processes on a CPU.
    processes_per_gpu: those at each visible GPU; the plain engine uses one process and one GPU. group_size: models
    that one of these trains together, "auto" for what its share of the memory holds. checkpoint_minutes: time between
    checkpoints inside one training. fallback: the engine that takes over where the fused one's kernels do not work on a
    GPU, or "stop".
    """

    engine: str = "fused"
    device: str = "auto"
    processes: int = 1
    processes_per_gpu: int = 1
    group_size: int | Literal["auto"] = "auto"
    checkpoint_minutes: float = 5.0
    fallback: Literal["graphed", "stop"] = "graphed"

    def torch_device(self) -> torch.device:
        """The device to train on.

        Raises:
            InputError: a GPU is asked for and none is visible.
        """
        present = torch.cuda.is_available()
        if self.device == "cuda" and not present:
            raise InputError(
                "training: device is cuda, but PyTorch sees no GPU here; set it to cpu or auto, or run on a GPU node"
            )
        return torch.device("cuda" if present and self.device != "cpu" else "cpu")


@dataclass(frozen=True)
class Request:
    """Trainings asked of an engine, all of one image set and recipe.

    `folder` takes the checkpoints of long trainings, one file for all that a process trains in step, and may be used
    only for jobs of one image set, recipe, engine and kind of device; None makes none.
    """

    jobs: Sequence[Job]
    images: ImageSet
    recipe: Recipe
    settings: Settings
    folder: Path | None = None


Engine = Callable[[Request, OnFinished], str | None]  # the name of the engine it fell back on


class TrainingError(InputError):
    """Trainings that crashed while the others finished; `reasons` gives the last line of each one's error."""

    def __init__(self, reasons: dict[Job, str]) -> None:
        (cell, seed), reason = next(iter(reasons.items()))
        more = f" (and {len(reasons) - 1} more of this shard)" if len(reasons) > 1 else ""
        super().__init__(f"training cell {cell} with seed {seed} crashed{more}: {reason}")
        self.reasons = reasons


class EngineFailure(TrainingError):
    """The engine fails whatever it is given, and was stopped; `reasons` names all jobs that are left."""

    def __init__(self, jobs: Iterable[Job], reason: str) -> None:
        InputError.__init__(
            self,
            f"training stopped: two groups of cells with none in common failed alike before any was trained, so the "
            f"machine or the settings are at fault and no cell ({reason})",
        )
        self.reasons = dict.fromkeys(jobs, reason)
