"""The engines by name, and the one way to call them."""

import importlib

from skelnas.errors import InputError
from skelnas.training.precision import check_environment, check_precision
from skelnas.training.resident import check_images
from skelnas.training.settings import Engine, Job, OnFinished, Request, Settings, TrainingError

__all__ = ["ENGINES", "Job", "OnFinished", "Request", "Settings", "TrainingError", "train_jobs"]

# By kind of device, the module of `skelnas.training` whose `train` is the engine. It is imported when it is first
# called: training with one engine needs nothing of the others.
ENGINES = {
    "plain": {"cpu": "plain", "cuda": "plain"},
    "fused": {"cpu": "cpu.engine", "cuda": "gpu.engine"},
    "graphed": {"cpu": "graphed", "cuda": "graphed"},
}


def train_jobs(request: Request, on_finished: OnFinished) -> str:
    """Train every job with the engine of the settings; `on_finished` is called here, once per job, in any order.

    Returns the name of the engine that was used: the fused one falls back on another where its kernels do not work.
    What a job scores does not depend on the other jobs. A job that crashes does not stop the others.

    Raises:
        InputError: an unknown engine; no such device; a precision the device lacks; images the network cannot take;
            an environment variable that would change results.
        TrainingError: after all others have finished, the jobs that crashed.
    """
    name, device = request.settings.engine, request.settings.torch_device()
    if name not in ENGINES:
        raise InputError(f"training: there is no engine {name!r}; choose one of {', '.join(ENGINES)}")
    check_environment(device)
    check_precision(request.recipe, device)
    check_images(request.images, request.recipe.batch_size)
    engine: Engine = importlib.import_module(f"skelnas.training.{ENGINES[name][device.type]}").train
    return engine(request, on_finished) or name
