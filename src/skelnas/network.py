"""One cell of the search space as a plain network: the readable definition that every other computation agrees with.

The network is that of NAS-Bench-201 (Dong and Yang, ICLR 2020): a stem, three stages of `repeats` search cells with a
residual reduction block between stages, and a linear classifier. Modules are created in the original's order, and with
PyTorch's default initialisation, so that one seed of torch's global generator gives the original's initial values.
"""

from torch import Tensor, nn

from skelnas.cells.outline import IMAGE_CHANNELS, REPEATS, STAGES, body
from skelnas.cells.space import EDGES, OPERATIONS, Cell

NORM_EPSILON, NORM_MOMENTUM = 1e-5, 0.1  # of every BatchNorm


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, NORM_EPSILON, NORM_MOMENTUM)


class Zero(nn.Module):
    """The operation `none`. It multiplies, as the original does, so a NaN goes through it; its gradient is zero."""

    def forward(self, images: Tensor) -> Tensor:
        """Zeros of the shape of `images`."""
        return images * 0.0


class ConvUnit(nn.Sequential):
    """ReLU, convolution without bias, BatchNorm; the size stays the same at stride 1 and is halved at stride 2."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        # The operands of the ReLU are also read by other edges, so it must not work in place.
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = _batch_norm(channels_out)


def operation(name: str, channels: int) -> nn.Module:
    """The module of one of OPERATIONS; `channels` in and out, stride 1."""
    match name:
        case "none":
            return Zero()
        case "skip_connect":
            return nn.Identity()
        case "nor_conv_1x1":
            return ConvUnit(channels, channels, kernel=1)
        case "nor_conv_3x3":
            return ConvUnit(channels, channels, kernel=3)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    raise ValueError(f"{name} is not an operation of the search space")


class SearchCell(nn.Module):
    """Four nodes; node v is the sum over all u < v of the operation on edge (u, v) applied to node u."""

    def __init__(self, cell: Cell, channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(operation(OPERATIONS[digit], channels) for digit in cell)

    def forward(self, images: Tensor) -> Tensor:
        """Node 3, of the shape of `images`, which are node 0."""
        nodes = [images]
        for node in (1, 2, 3):
            # EDGES lists a node's edges by ascending source, the order in which the original adds.
            incoming = [
                edge(nodes[source]) for edge, (source, target) in zip(self.edges, EDGES, strict=True) if target == node
            ]
            nodes.append(sum(incoming[1:], start=incoming[0]))
        return nodes[3]


class ReductionBlock(nn.Module):
    """Residual block that halves height and width; the shortcut has neither BatchNorm nor ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels_in, channels_out, kernel=3, stride=2)
        self.second = ConvUnit(channels_out, channels_out, kernel=3)
        self.shortcut = nn.Sequential()
        self.shortcut.pool = nn.AvgPool2d(2, stride=2)
        self.shortcut.conv = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """(N, channels_in, H, W) to (N, channels_out, H/2, W/2)."""
        return self.shortcut(images) + self.second(self.first(images))


class Network(nn.Module):
    """The whole network of one cell: float (N, 3, H, W) to logits (N, classes); H and W are multiples of 4."""

    def __init__(self, cell: Cell, classes: int, channels: int = STAGES[0], repeats: int = REPEATS) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.conv = nn.Conv2d(IMAGE_CHANNELS, channels, 3, padding=1, bias=False)
        self.stem.norm = _batch_norm(channels)
        self.cells = nn.Sequential()
        width = channels
        for module in body(repeats):
            width = channels << module.stage
            self.cells.append(ReductionBlock(width // 2, width) if module.is_reduction else SearchCell(cell, width))
        self.norm = _batch_norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits; the mean over all pixels of the last stage goes into the classifier."""
        features = self.relu(self.norm(self.cells(self.stem(images))))
        return self.classifier(nn.functional.adaptive_avg_pool2d(features, 1).flatten(1))
