"""The CPU engine's network against the readable one, in float64, step by step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.cells.computed import layout, parameter_names
from skelnas.cells.space import cell
from skelnas.network import Network
from skelnas.recipe import Recipe
from skelnas.training.cpu.network import CpuNetwork

RECIPE = Recipe(epochs=1, batch_size=8)
SIZE, CLASSES, CHANNELS = (8, 12), 5, 4
BATCHES = (8, 8, 8, 3, 8, 8, 8, 3)

CELLS = {
    "all none": cell(1651),
    "all skip": cell(1835),
    "all 1x1": cell(4317),
    "all 3x3": cell(1462),
    "all pool": cell(7581),
    "convolution of a zero node beside a skip": cell(9),
    "only a bias": (0, 0, 0, 0, 3, 0),
    "convolution of a bias": (0, 0, 3, 0, 0, 3),
    "pool and skip of a bias": (0, 0, 2, 0, 1, 4),
    "bias, pool and convolution of it beside the input": (0, 0, 2, 4, 4, 3),
    "pool of a pool beside pools": (4, 4, 4, 4, 4, 1),
    "dead convolution": (3, 2, 0, 1, 0, 0),
}


def batches():
    generator = torch.Generator().manual_seed(3)
    for samples in BATCHES:
        images = torch.randn(samples, 3, *SIZE, generator=generator, dtype=torch.float64)
        yield images, torch.randint(0, CLASSES, (samples,), generator=generator)


def channels_last(images):
    return images.contiguous(memory_format=torch.channels_last)


def assert_same_training(digits, repeats=1):
    """Eight steps of both networks give equal losses, logits, parameters, running statistics and evaluations."""
    torch.manual_seed(1)
    network = Network(digits, CLASSES, CHANNELS, repeats).double()
    fast = CpuNetwork(digits, network.state_dict(), SIZE, torch.float64, repeats)
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for images, labels in batches():
        logits = network(images)
        losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        optimiser.zero_grad()
        losses.mean().backward()
        optimiser.step()
        fast_logits, fast_losses = fast.train_step(channels_last(images), labels, 0.1, RECIPE, None)
        torch.testing.assert_close(fast_logits, logits.detach(), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(fast_losses, losses.detach(), rtol=1e-9, atol=1e-9)
    trained = network.state_dict()
    for name, view in fast.state.views.items():
        torch.testing.assert_close(view, trained[name], rtol=1e-9, atol=1e-10, msg=name)
    network.eval()
    fast.fold(None)
    torch.testing.assert_close(
        fast.evaluate(channels_last(images), None), network(images).detach(), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("name", CELLS)
def test_trains_as_the_readable_network(name):
    assert_same_training(CELLS[name])


def test_several_cells_per_stage():
    assert_same_training((3, 1, 2, 4, 0, 2), repeats=3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.tuples(*[st.integers(0, 4)] * 6))
def test_any_cell_trains_as_the_readable_network(digits):
    assert_same_training(digits)


def test_dead_edges_and_dead_cells_cost_nothing():
    everything = len(Network(CELLS["all 3x3"], CLASSES, CHANNELS, 2).state_dict())
    assert len(parameter_names(CELLS["all 3x3"], 2)) < everything
    skip = set(parameter_names(CELLS["all skip"], 2))
    assert set(parameter_names(CELLS["dead convolution"], 2)) == skip
    assert set(parameter_names(CELLS["all none"], 2)) == {
        "norm.weight",
        "norm.bias",
        "classifier.weight",
        "classifier.bias",
    }
    assert set(parameter_names(CELLS["only a bias"], 2)) - set(parameter_names(CELLS["all none"], 2)) == {
        "cells.7.edges.4.norm.bias"
    }


def test_the_layout_tells_biases_from_convolutions():
    nodes = layout(CELLS["convolution of a bias"]).nodes
    assert nodes[1] is None
    assert [edge.position for edge in nodes[2].biases] == [2]
    assert [edge.position for edge in nodes[3].convolutions] == [5]


def test_bf16_rounds_only_the_operands_of_3x3_convolutions():
    images, labels = next(batches())
    losses = {}
    for digits in (CELLS["all 3x3"], CELLS["all 1x1"]):
        for compute in (None, torch.bfloat16):
            torch.manual_seed(1)
            initial = Network(digits, CLASSES, CHANNELS, 1).state_dict()
            fast = CpuNetwork(digits, initial, SIZE, torch.float32, 1)
            fast.train_step(channels_last(images.float()), labels, 0.0, RECIPE, compute)
            losses[digits, compute] = fast.train_step(channels_last(images.float()), labels, 0.1, RECIPE, compute)[1]
    assert torch.equal(losses[CELLS["all 1x1"], None], losses[CELLS["all 1x1"], torch.bfloat16])
    exact, rounded = losses[CELLS["all 3x3"], None], losses[CELLS["all 3x3"], torch.bfloat16]
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(exact, rounded, rtol=0.1, atol=0.1)
