"""Zero-cost proxies: what an untrained network says of the accuracy that it will reach. Higher is better for both.

A network in which nothing of the input arrives at the output has the lowest score of each, minus infinity: its synaptic
flow is zero, and all images look alike to it.
"""

import contextlib
import copy
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from skelnas.cells import space
from skelnas.cells.edges import trained_edges
from skelnas.cells.outline import IMAGE_CHANNELS
from skelnas.cells.space import Cell
from skelnas.errors import InputError
from skelnas.files import write_record
from skelnas.images.image_set import ImageSet
from skelnas.network import Network
from skelnas.processes import run_in_processes
from skelnas.progress import Progress
from skelnas.termination import ended_by_sigterm
from skelnas.training import seeding
from skelnas.training.resident import ResidentImages, check_images

SEED = 777  # of the initial values, and of which images are looked at
BATCH = 64  # images for naswot, as many as Abdelfattah et al. take


def score_shard(images: ImageSet, proxy: str, cells: Sequence[int], path: Path | str, processes: int = 1) -> None:
    """Score one untrained network for each of `cells` on the CPU, and write a shard as `results.proxies` describes it.

    Raises:
        InputError: the network cannot read these images; a cell crashed, by its index; the disk is full.
    """
    batch = distinct_images(images)
    check_images(images, max(2, len(batch)))
    data = ResidentImages.of(images, torch.device("cpu"), torch.float32)
    normalised = data.normalised(data.pool[torch.from_numpy(batch)])
    one = partial(score, proxy, classes=images.classes, images=normalised)
    progress, found = Progress(f"{images.name} {proxy}", len(cells), "cells"), {}
    with ended_by_sigterm(), contextlib.closing(run_in_processes(cells, one, processes)) as outcomes:
        for cell, outcome in outcomes:
            if isinstance(outcome, Exception):
                raise InputError(f"{path}: {proxy} of cell {cell} failed: {outcome}") from outcome
            found[cell] = outcome
            progress.advance()
    about = {"proxy": np.array(proxy), "fingerprint": np.array(images.fingerprint)}
    write_record(Path(path), {"cell": np.array(cells), "value": np.array([found[cell] for cell in cells]), **about})


def score(proxy: str, cell: int, classes: int, images: Tensor) -> float:
    """What a proxy says of the network of one cell, of which only the edges are kept that can change its output.

    images: normalised, (N, 3, H, W).
    """
    network, _ = seeding.start(without_idle_edges(space.cell(cell)), SEED, classes, *images.shape[2:])
    return synflow(network, *images.shape[2:]) if proxy == "synflow" else naswot(network, images)


def without_idle_edges(cell: Cell) -> Cell:
    """The cell with `none` on every edge that its trained network does not depend on."""
    kept = trained_edges(cell).all
    return space.of_digits(digit if edge in kept else space.NONE for edge, digit in enumerate(cell))


def distinct_images(images: ImageSet) -> np.ndarray:
    """Places in the pool of at most `BATCH` training images, no two of them alike: these would have one code in every
    network, and the determinant would be zero for all."""
    found: dict[bytes, int] = {}
    for place in np.random.default_rng(SEED).permutation(images.train_index):
        found.setdefault(images.pool_images[place].tobytes(), int(place))
        if len(found) == BATCH:
            break
    return np.array(list(found.values()))


def synflow(network: Network, height: int, width: int) -> float:
    """The logarithm of the synaptic flow: the sum over all weights w of |w| times the derivative by |w| of what comes
    out for an image of ones, in float64, with absolute weights and without BatchNorm.

    Weights are those of convolutions and of the classifier. The network is left as it is.
    Source: Tanaka, Kunin, Yamins, Ganguli, "Pruning neural networks without any data by iteratively conserving synaptic
    flow", NeurIPS 2020; as a score of networks: Abdelfattah, Mehrotra, Dudziak, Lane, "Zero-Cost Proxies for
    Lightweight NAS", ICLR 2021.
    """
    flow = without_norms(copy.deepcopy(network).double())
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.abs_()
    ones = torch.ones(1, IMAGE_CHANNELS, height, width, dtype=torch.float64)
    with torch.enable_grad():
        flow(ones).sum().backward()
    weights = [module.weight for module in flow.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    total = sum(float((weight.detach() * weight.grad).sum()) for weight in weights if weight.grad is not None)
    return math.log(total) if total > 0 else -math.inf


def without_norms(network: Network) -> Network:
    """The same network, changed in place: every BatchNorm passes on what it gets."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return network


@torch.no_grad()
def naswot(network: nn.Module, images: Tensor) -> float:
    """The logarithm of the determinant of the kernel whose entry (i, j) counts the ReLUs that are both on or both off
    for the images i and j.

    images: normalised, (N, 3, H, W). BatchNorm takes the statistics of these images, and the network's running ones
    change. A ReLU counts as often as it is
    computed: once for each convolution behind it.
    Source: Mellor, Turner, Storkey, Crowley, "Neural Architecture Search without Training", ICML 2021.
    """
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)

    def count(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        signs = (output.permute(0, 2, 3, 1).flatten(1) > 0).to(torch.float32).mul_(2).sub_(1)
        kernel.add_((signs @ signs.T).double().add_(signs.shape[1]).div_(2))  # whole numbers below 2^24: exact

    hooks = [module.register_forward_hook(count) for module in network.modules() if isinstance(module, nn.ReLU)]
    try:
        fast = network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        fast(images.contiguous(memory_format=torch.channels_last))
    finally:
        for hook in hooks:
            hook.remove()
    sign, logarithm = torch.linalg.slogdet(kernel)
    return float(logarithm) if sign > 0 else -math.inf
