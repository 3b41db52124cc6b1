"""Whether the Triton kernels work on this device: one training step of a small group against PyTorch's operations."""

import torch

from skelnas.network import Network
from skelnas.recipe import Recipe
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables, capacity_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import Operations, reference
from skelnas.training.gpu.state import GpuState

# Every operation and a bias, in two models, so that slots matter.
CELLS = [(3, 2, 4, 1, 3, 2), (0, 1, 3, 2, 4, 4)]
SIZE, SAMPLES, CLASSES, REPEATS = (4, 8), 2, 6, 1
# Largest differences against the largest value. A new network's gradients hold little of the true ones in bfloat16,
# so there they are only asked to be finite.
WHAT = ("logits", "logits in evaluation", "gradients")
ALLOWED = {torch.float32: (1e-3, 1e-3, 1e-3), torch.bfloat16: (0.2, 0.2, float("inf"))}


def check(operations: Operations, device: torch.device, narrow: torch.dtype = torch.float32) -> None:
    """Train one step with `operations` on images of dtype `narrow` and compare with PyTorch's operations in float64.

    Raises:
        ArithmeticError: logits or gradients differ by more than rounding explains.
    """
    found = _step(operations, torch.float32, narrow, device)
    expected = _step(reference, torch.float64, torch.float64, device)
    for name, one, other, allowed in zip(WHAT, found, expected, ALLOWED[narrow], strict=True):
        apart = ((one - other).abs().max() / other.abs().max()).item()
        if not apart < allowed:
            raise ArithmeticError(f"{name} computed with kernels are {apart:.2g} away from PyTorch's")


def _step(
    operations: Operations, kind: torch.dtype, narrow: torch.dtype, device: torch.device
) -> tuple[torch.Tensor, ...]:
    """Logits in training and evaluation, and the gradients of every parameter in use, as float64 on the CPU."""
    capacity = capacity_of([CELLS])
    lists = work_lists(CELLS, capacity)
    state = GpuState(len(CELLS), capacity, 16, CLASSES, REPEATS, kind, device)
    block = torch.zeros(1 << 24, dtype=torch.uint8, device=device)
    tables = GroupTables.of(lists, device)
    network = GpuNetwork(state, tables, (SAMPLES, *SIZE), narrow, operations, Arena(block))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        initial = [Network(cell, CLASSES, 16, REPEATS).state_dict() for cell in CELLS]
        images = torch.randn(len(CELLS), SAMPLES, *SIZE, 3, dtype=torch.float64)
        labels = torch.randint(0, CLASSES, (len(CELLS), SAMPLES))
    state.load(lists, initial)
    network.put(images.to(device, narrow))
    # Without decay and momentum the step leaves the gradients as they are.
    recipe = Recipe(epochs=1, batch_size=SAMPLES, momentum=0.0, weight_decay=0.0)
    logits, _ = network.train_step(labels.to(device), recipe)
    evaluated = network.forward(evaluating=True)
    used = [state.gradients[name][entry].flatten() for name, (_, entry), _ in state.rows(lists)]
    return tuple(values.double().cpu() for values in (logits, evaluated, torch.cat(used)))
