"""The readable network against what the original network was measured to be."""

import math

import numpy as np
import pytest
import torch

from skelnas.cells import cost, space
from skelnas.network import ConvUnit, Network, Zero

from .last_digits import moved_a_little, tolerances, values_drawn


@pytest.fixture(scope="module")
def original(oracle):
    return oracle("net_oracle")


@pytest.fixture(scope="module")
def batch():
    """The oracle's batch: x[k] = sin(0.1 k) over (8, 3, 20, 68), classes 0 to 7."""
    numbers = torch.arange(8 * 3 * 20 * 68, dtype=torch.float64)
    return torch.sin(0.1 * numbers).reshape(8, 3, 20, 68), torch.arange(8)


def untrained(entry):
    """The network in float64 with the initial values of the original, on whatever processor."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entry["seed"])
        network = Network(space.cell(entry["index"]), entry["classes"])
    for parameter, drawn in zip(network.parameters(), values_drawn(network, entry["seed"]), strict=True):
        parameter.data = drawn
    return network.double()


def test_parameter_counts_are_the_originals(original):
    for row in original["rows"]:
        network = Network(space.cell(row["index"]), row["classes"])
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == row["params_exact"]
        assert count == cost.parameters(space.cell(row["index"]), row["classes"])
        assert len(list(network.parameters())) == row["param_tensors"]
        assert len(network.state_dict()) == row["state_dict_entries"]


def test_initial_values_are_the_originals(original):
    ours = {
        "stem.0.weight": "stem.conv.weight",
        "cells.5.conv_a.op.1.weight": "cells.5.first.conv.weight",
        "cells.5.downsample.1.weight": "cells.5.shortcut.conv.weight",
        "classifier.weight": "classifier.weight",
        "classifier.bias": "classifier.bias",
    }
    for entry in original["numeric"]:
        network = untrained(entry)
        assert network.stem.conv.weight.flatten()[:4].tolist() == entry["stem0_first4"]
        for theirs, (total, absolute) in entry["checksums_sum_abs"].items():
            values = network.get_parameter(ours[theirs])
            assert values.sum().item() == pytest.approx(total, rel=1e-12)
            assert values.abs().sum().item() == pytest.approx(absolute, rel=1e-12)
        everything = sum(values.abs().sum().item() for values in network.parameters())
        assert everything == pytest.approx(entry["sum_abs_all_params"], rel=1e-12)


def test_the_network_draws_these_initial_values(original):
    """To the last digit of float32, which processors without fused multiply-add round otherwise."""
    for entry in original["numeric"]:
        torch.manual_seed(entry["seed"])
        network = Network(space.cell(entry["index"]), entry["classes"])
        for values, drawn in zip(network.parameters(), values_drawn(network, entry["seed"]), strict=True):
            torch.testing.assert_close(values.detach(), drawn, rtol=0, atol=2**-23 * drawn.abs().max().item())


@pytest.mark.slow
def test_logits_are_the_originals_in_both_modes(original, batch):
    images, labels = batch
    for entry in original["numeric"]:
        network, wanted = untrained(entry), entry["float64"]
        with torch.no_grad():
            logits = network.eval()(images)
            assert logits[0, :5].tolist() == pytest.approx(wanted["eval_logits_row0_first5"], rel=1e-7)
            assert logits.abs().sum().item() == pytest.approx(wanted["eval_logits_abs_sum"], rel=1e-7)
            loss = torch.nn.functional.cross_entropy(logits, labels)
            assert loss.item() == pytest.approx(wanted["eval_loss"], rel=1e-7)
            logits = network.train()(images)
            assert logits[0, :5].tolist() == pytest.approx(wanted["train_mode_logits_row0_first5"], rel=1e-7)


STEPS = 5
QUICK, COSTLY = (0, 9, 123, 1651), (1459, 4999, 9930, 1462, 4317, 7581)


@pytest.mark.parametrize("cell", [*QUICK, *(pytest.param(cell, marks=pytest.mark.slow) for cell in COSTLY)])
def test_steps_of_sgd_are_the_originals(original, batch, cell):
    """As far as any processor can say: training multiplies what the last digits differ by, in some cells 1e11-fold."""
    (entry,) = [entry for entry in original["numeric"] if entry["index"] == cell]
    images, labels = batch
    ours, moved = (steps_of_sgd(entry, inputs, labels) for inputs in (images, moved_a_little(images)))
    theirs = [*entry["float64"]["train_losses_5_steps"], entry["float64"]["sum_abs_all_params_after_5_steps"]]
    allowed = tolerances(ours, moved)
    assert allowed[:3].max() < 1e-5  # else the test could not fail
    np.testing.assert_array_less(np.abs(np.subtract(ours, theirs) / theirs), allowed)


def steps_of_sgd(entry, images, labels):
    """The loss of each of five steps, and the absolute sum of all parameters after them."""
    network, losses = untrained(entry), []
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for _ in range(STEPS):
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return [*losses, sum(values.abs().sum().item() for values in network.parameters())]


def test_none_passes_nan_on_as_the_original_does():
    assert math.isnan(Zero()(torch.tensor([math.nan])).item())
    assert Zero()(torch.tensor([-3.0])).item() == 0


def test_convolution_unit_leaves_its_input_as_it_was():
    images = torch.full((2, 16, 4, 4), -1.0)
    ConvUnit(16, 16, kernel=1)(images)
    assert images.max() == -1
