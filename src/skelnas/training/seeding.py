"""The random streams of one training: initial values and sample orders, as the original study drew them.

Everything comes from torch's CPU generator, seeded with the study's seed, in this order: the network's initial values;
the random image with which the original counted operations; then per epoch one number for the training loader, the
order of the training samples, one number for the test loader, one for the validation loader, and the order of the
validation samples. A cell's sample order therefore depends on how many initial values its network draws.
"""

import torch
from torch import Generator, Tensor

from skelnas.cells.outline import IMAGE_CHANNELS
from skelnas.cells.space import Cell
from skelnas.network import Network


def start(cell: Cell, seed: int, classes: int, height: int, width: int) -> tuple[Network, Generator]:
    """The untrained network of (cell, seed), float32 on the CPU, and the generator that `train_order` goes on with.

    The state of torch's global generators is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = Network(cell, classes)
        torch.rand(1, IMAGE_CHANNELS, height, width)
        generator = Generator()
        generator.set_state(torch.get_rng_state())
    return network, generator


def train_order(generator: Generator, train: int, valid: int) -> Tensor:
    """The next epoch's order of the training samples: int64 (train,), positions in the image set's `train_index`.

    The draws for evaluation are consumed too; the order in which validation samples are read changes no result.
    """
    _loader_seed(generator)
    order = torch.randperm(train, generator=generator)
    _loader_seed(generator)
    _loader_seed(generator)
    torch.randperm(valid, generator=generator)
    return order


def _loader_seed(generator: Generator) -> None:
    torch.empty((), dtype=torch.int64).random_(generator=generator)
