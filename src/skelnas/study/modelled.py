"""GPU-hours of a run where nothing was measured, from a model of the fused engine's kernels.

The model (`training/gpu/step_time.py`) knows bytes, instructions, products and launches, and no latency: no GPU has
confirmed it, and it is rather too good. A range goes from its good end to twice its bad end.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from skelnas.recipe import Recipe
from skelnas.study.estimate import Images, images_of, macs_of, work

if TYPE_CHECKING:
    from skelnas.training.gpu.traffic import Counted

DOUBT = 2  # by how much the bad end may be too good
SAMPLE = 25  # cells that are gone through for all
Range = tuple[float, float]


def modelled_hours(
    left: Sequence[Sequence[int]], manifest: Mapping[str, Any], recipe: Recipe, precision: str
) -> dict[str, Range]:
    """Hours of one device, by card, for the cells that each shard has left (architecture indices); empty for float64.

    `precision` is that of the epochs after the recipe's exact ones.
    """
    cells = [cell for shard in left for cell in shard]
    if precision == "fp64" or recipe.precision == "fp64" or not cells:
        return {}
    images = images_of(manifest)
    chosen = _spread(cells, images)
    scale = recipe.epochs * work(cells, images, 1) / work(chosen, images, 1) / 3600
    exact = min(recipe.exact_epochs, recipe.epochs) / recipe.epochs if precision != "fp32" else 0.0
    together = max(map(len, left))
    found = defaultdict[tuple[str, int], float](float)
    for one, share in ((precision, 1 - exact), ("fp32", exact)):
        if share:
            for key, seconds in _epoch(chosen, manifest, recipe.batch_size, one, together).items():
                found[key] += share * scale * seconds
    cards = dict.fromkeys(card for card, _ in found)
    return {card: (found[card, 0], DOUBT * found[card, 1]) for card in cards}


def _spread(cells: Sequence[int], images: Images) -> list[int]:
    """At most `SAMPLE` of the cells, spread evenly from the cheapest to the dearest."""
    distinct = np.unique(np.array(cells))
    ordered = distinct[np.argsort(macs_of(images)[distinct], kind="stable")]
    places = (np.arange(SAMPLE) + 0.5) * len(ordered) / SAMPLE
    return (ordered[places.astype(int)] if len(ordered) > SAMPLE else ordered).tolist()


def _epoch(
    cells: Sequence[int], manifest: Mapping[str, Any], batch: int, precision: str, together: int
) -> dict[tuple[str, int], float]:
    """Seconds of an epoch of all `cells`, by card and end of the range (0 good, 1 bad); `together` models at most."""
    from skelnas.training.gpu.step_time import GPUS, seconds, work_of
    from skelnas.training.gpu.worker import SHARE_FOR_IMAGES

    found, samples = defaultdict[tuple[str, int], float](float), manifest["images"]
    for evaluating, number in ((False, samples["train"]), (True, samples["valid"] + samples["test"])):
        size = min(batch, samples["train"]), manifest["height"], manifest["width"]
        count = _counted(tuple(cells), size, len(manifest["classes"]), precision, evaluating)
        work = work_of(count, precision)
        for gpu in GPUS:
            models = max(1, min(together, int(SHARE_FOR_IMAGES * gpu.memory * len(cells) / count.memory)))
            launches = count.launches.total() * len(cells) / models
            for bad in (0, 1):
                one = seconds(work, launches, gpu, precision, good=not bad)
                found[gpu.name, bad] += number / size[0] * sum(one.values())
    return found


@cache
def _counted(
    cells: tuple[int, ...], size: tuple[int, int, int], classes: int, precision: str, evaluating: bool
) -> "Counted":
    from skelnas.training.gpu.traffic import counted  # with PyTorch, which other plans do without

    return counted(cells, size, classes, precision, evaluating)
