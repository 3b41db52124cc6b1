"""The engines by name, and the one way to call them."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet
from skelnas.recipe import Recipe
from skelnas.training.precision import check_precision
from skelnas.training.resident import check_images
from skelnas.training.settings import Job, OnFinished, Settings, TrainingError

__all__ = ["ENGINES", "Engine", "Job", "OnFinished", "Settings", "TrainingError", "train_jobs"]

Engine = Callable[[Sequence[Job], ImageSet, Recipe, Settings, OnFinished, Path | None], None]


def _engine(module: str, function: str) -> Engine:
    """An engine's function, imported when it is first called: training with one needs nothing of the other."""

    def train(*arguments) -> None:
        getattr(importlib.import_module(f"skelnas.training.{module}"), function)(*arguments)

    return train


ENGINES: dict[str, Engine] = {
    "plain": _engine("plain", "train_plain_jobs"),
    "fused": lambda *arguments: _fused(*arguments),
}


def _fused(jobs: Sequence[Job], images: ImageSet, recipe: Recipe, settings: Settings, *rest) -> None:
    """The fused engine: stacked on a GPU, in processes of one thread on a CPU."""
    module, function = (
        ("gpu.engine", "train_on_gpu") if settings.torch_device().type == "cuda" else ("cpu.engine", "train_on_cpu")
    )
    _engine(module, function)(jobs, images, recipe, settings, *rest)


def train_jobs(
    jobs: Sequence[Job],
    images: ImageSet,
    recipe: Recipe,
    settings: Settings,
    on_finished: OnFinished,
    folder: Path | None = None,
) -> None:
    """Train every job with the engine of `settings`; `on_finished` is called here, once per job, in any order.

    `folder` takes the checkpoints of long trainings, one file `{cell:05d}-{seed}.checkpoint` each, and may be used
    only for jobs of one image set, recipe, engine and kind of device; None makes none. What a job scores does not
    depend on the other jobs. A job that crashes does not stop the others.

    Raises:
        InputError: an unknown engine; no such device; a precision the device lacks; images the network cannot take.
        TrainingError: after all others have finished, the jobs that crashed.
    """
    if settings.engine not in ENGINES:
        raise InputError(f"training: there is no engine {settings.engine!r}; choose one of {', '.join(ENGINES)}")
    check_precision(recipe, settings.torch_device())
    check_images(images, recipe.batch_size)
    ENGINES[settings.engine](jobs, images, recipe, settings, on_finished, folder)
