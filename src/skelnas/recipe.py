"""Training recipes: the hyper-parameters of one training, the learning-rate schedule, and the names of the splits."""

import math
from dataclasses import asdict, dataclass

from skelnas.errors import InputError

PROXIES = ("synflow", "naswot")  # scores of untrained networks, `training.proxies`
SPLITS = ("train", "valid", "test")  # in this order in every array that has an axis of them
PRECISIONS = ("fp64", "fp32", "tf32", "bf16")
NETWORK_VERSION = 1  # raised by hand when a change of the science makes old shards wrong


@dataclass(frozen=True)
class Recipe:
    """SGD with Nesterov momentum, a cosine over whole epochs, softmax cross-entropy; the original study's values.

    `weight_decay` is added to the gradient of every parameter, BatchNorm's and the classifier's bias included.
    The first `exact_epochs` epochs of a tf32 or bf16 recipe run in fp32.

    Raises:
        InputError: Nesterov's momentum of 0, which PyTorch refuses.
    """

    epochs: int
    batch_size: int
    learning_rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    precision: str = "fp32"
    exact_epochs: int = 0

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise InputError("momentum is 0, of which Nesterov's needs some; write nesterov: false as well")

    def as_dict(self) -> dict[str, int | float | bool | str]:
        """The recipe as plain values, the form that is hashed and stored in every shard."""
        return asdict(self)

    def rate(self, epoch: int) -> float:
        """Learning rate of `epoch` (counted from 0): base * (1 + cos(pi * epoch / epochs)) / 2, never quite zero."""
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2
