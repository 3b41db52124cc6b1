"""A network with made-up weights, as if it had been trained on an image set."""

import numpy as np
import torch

from skelnas.cells import space
from skelnas.images.image_set import ImageSet
from skelnas.network import Network
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.weights import Facts, Weights
from skelnas.skeletons.recording import Source
from skelnas.training.networks import tensors_of


def facts_of(images: ImageSet, source: Source, options: dict, cell: int = 1462) -> Facts:
    """What a file of weights would say."""
    return Facts(
        cell=cell,
        architecture=space.text(space.cell(cell)),
        seed=777,
        role="best",
        recipe_name="short",
        recipe=Recipe(epochs=2, batch_size=4).as_dict(),
        engine="fused",
        dataset=images.name,
        options={key: value for key, value in options.items() if key != "split"},
        encoding=images.encoding,
        height=images.height,
        width=images.width,
        mean=images.mean.tolist(),
        std=images.std.tolist(),
        classes=list(images.class_names),
        joints=list(source.joint_names),
        parents=list(source.parents),
        right=dict.fromkeys(SPLITS, 1),
        samples=images.counts,
        fingerprint=images.fingerprint,
        benchmark="ab" * 32,
        licence="MIT",
    )


def kept(facts: Facts, seed: int = 0) -> Weights:
    """Weights with running statistics of their own, so that nothing of a BatchNorm goes unseen."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tensors = tensors_of(Network(space.cell(facts.cell), len(facts.classes)))
    random = np.random.default_rng(seed)
    for name, array in tensors.items():
        if name.endswith(("running_mean", "norm.bias")):
            array[:] = random.normal(0, 0.2, array.shape)
        if name.endswith(("running_var", "norm.weight")):
            array[:] = random.uniform(0.5, 1.5, array.shape)
    return Weights(facts, tensors)
