"""The fused engine: every cell with as little work as gives its result, as many at once as the machine takes."""

from collections.abc import Sequence
from pathlib import Path

from skelnas.images.image_set import ImageSet
from skelnas.training.recipe import Recipe
from skelnas.training.settings import Job, OnFinished, Settings


def train_group_jobs(
    jobs: Sequence[Job],
    images: ImageSet,
    recipe: Recipe,
    settings: Settings,
    on_finished: OnFinished,
    folder: Path | None = None,
) -> None:
    """Train the jobs as `engines.train_jobs` describes: stacked on a GPU, in processes of one thread on a CPU."""
    if settings.torch_device().type == "cuda":
        from skelnas.training.fused.gpu import train_on_gpu

        train_on_gpu(jobs, images, recipe, settings, on_finished, folder)
        return
    from skelnas.training.fused.cpu import train_on_cpu

    train_on_cpu(jobs, images, recipe, settings, on_finished, folder)
