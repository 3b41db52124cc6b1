"""Checkpoints inside one long training: what a killed process goes on from, bit for bit."""

from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import numpy as np
import torch

from skelnas.files import read_record, write_record


def checkpoint_path(folder: Path, cell: int, seed: int) -> Path:
    """Where the training of (cell, seed) keeps its checkpoint."""
    return folder / f"{cell:05d}-{seed}.checkpoint"


class Checkpoint:
    """The checkpoint of one training, saved at the end of an epoch when `minutes` have passed since the last."""

    def __init__(self, folder: Path, cell: int, seed: int, minutes: float) -> None:
        self.path, self._seconds, self._last = checkpoint_path(folder, cell, seed), 60 * minutes, monotonic()

    def save_if_due(
        self,
        network: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        generator: torch.Generator,
        figures: np.ndarray,
        epoch: int,
    ) -> None:
        """Save everything the epochs from `epoch` on depend on, and the figures of those before, if it is time."""
        if monotonic() - self._last < self._seconds:
            return
        arrays = {f"network.{name}": value.cpu().numpy() for name, value in network.state_dict().items()}
        for name, parameter in network.named_parameters():
            arrays[f"momentum.{name}"] = optimiser.state[parameter]["momentum_buffer"].cpu().numpy()
        arrays |= {"generator": generator.get_state().numpy(), "figures": figures, "epoch": np.array(epoch)}
        write_record(self.path, arrays)
        self._last = monotonic()

    def restore(
        self,
        network: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        generator: torch.Generator,
        figures: np.ndarray,
    ) -> int:
        """Put the saved state into what is given, in place, and return the epoch to go on with; 0 without one."""
        arrays = read_record(self.path)
        # A checkpoint of another version of this program is as good as none.
        wanted = {f"network.{name}" for name in network.state_dict()} | {"generator", "figures", "epoch"}
        wanted |= {f"momentum.{name}" for name, _ in network.named_parameters()}
        if arrays is None or arrays.keys() != wanted or arrays["figures"].shape != figures.shape:
            return 0
        network.load_state_dict(_part(arrays, "network."))
        momentum = _part(arrays, "momentum.")
        for name, parameter in network.named_parameters():
            optimiser.state[parameter]["momentum_buffer"] = momentum[name].to(parameter)
        generator.set_state(torch.from_numpy(arrays["generator"]))
        figures[:] = arrays["figures"]
        return int(arrays["epoch"])

    def remove(self) -> None:
        """Remove the checkpoint of a training that is finished and recorded."""
        self.path.unlink(missing_ok=True)


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): torch.from_numpy(v) for key, v in arrays.items() if key.startswith(prefix)}
