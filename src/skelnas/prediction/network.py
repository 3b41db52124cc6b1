"""A kept network: its module with the trained weights, its outputs, and what it says of recordings."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.network import Network
from skelnas.prediction.recordings import Drawn
from skelnas.recipe import Recipe
from skelnas.results.weights import Weights
from skelnas.training.plain import EVALUATION_BATCH, one_thread
from skelnas.training.precision import computing_in, epoch_precision
from skelnas.training.resident import normalised


@dataclass(frozen=True)
class KeptNetwork:
    """A network for evaluation; mean and std (3,) on the scale 0..1, precision that of the last epoch."""

    network: Network
    mean: Tensor
    std: Tensor
    precision: str

    @classmethod
    def of(cls, weights: Weights) -> "KeptNetwork":
        """The network of a weights file, on the CPU."""
        facts = weights.facts
        network = Network(space.cell(facts.cell), len(facts.classes))
        state = {name: torch.from_numpy(array) for name, array in weights.tensors.items()}
        counts = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
        network.load_state_dict({**state, **counts}, assign=True)
        recipe, kind = Recipe(**facts.recipe), state["classifier.bias"].dtype
        mean, std = (torch.from_numpy(np.array(values) / 255).to(kind) for values in (facts.mean, facts.std))
        return cls(network.eval(), mean, std, epoch_precision(recipe, recipe.epochs - 1))

    @torch.no_grad()
    def logits(self, images: np.ndarray) -> np.ndarray:
        """The logits, float64 (N, classes), of images, uint8 (N, H, W, 3), computed as after the last epoch of
        training; tf32 becomes fp32, which is all that a CPU has."""
        parts = torch.from_numpy(np.ascontiguousarray(images)).split(EVALUATION_BATCH)
        with one_thread(), computing_in(self.precision, torch.device("cpu")):
            found = [self.network(normalised(part, self.mean, self.std)) for part in parts]
        return torch.cat(found).double().numpy()


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    values = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return values / values.sum(axis=-1, keepdims=True)


@dataclass
class Seconds:
    """What naming actions took so far: reading and drawing recordings, and the network."""

    images: float = 0.0
    network: float = 0.0


def recognised(
    recordings: Iterable[Drawn], network: KeptNetwork, seconds: Seconds
) -> Iterator[tuple[Drawn, np.ndarray | None]]:
    """Each recording with the probabilities of the classes, float64 (K,); None where there is no image.

    The seconds are added up on the way.
    """
    batch: list[Drawn] = []
    begun = time.perf_counter()
    for one in recordings:
        batch.append(one)
        if len(batch) == EVALUATION_BATCH:
            seconds.images += time.perf_counter() - begun
            yield from _named(batch, network, seconds)
            batch, begun = [], time.perf_counter()
    seconds.images += time.perf_counter() - begun
    yield from _named(batch, network, seconds)


def _named(batch: list[Drawn], network: KeptNetwork, seconds: Seconds) -> Iterator[tuple[Drawn, np.ndarray | None]]:
    begun = time.perf_counter()
    images = [one.converted.image for one in batch if one.converted.image is not None]
    found = iter(probabilities(network.logits(np.stack(images)))) if images else iter(())
    seconds.network += time.perf_counter() - begun
    for one in batch:
        yield one, None if one.converted.image is None else next(found)
