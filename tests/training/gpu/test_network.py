"""A group of different cells on a model axis against each cell's readable network, in float64."""

import pytest
import torch

from skelnas.cells.space import cell
from skelnas.network import Network
from skelnas.recipe import Recipe
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables, capacity_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import reference
from skelnas.training.gpu.state import GpuState

RECIPE = Recipe(epochs=1, batch_size=8)
SIZE, CLASSES, CHANNELS, REPEATS = (8, 12), 5, 4, 2
NONE, SKIPS, ONES, THREES, POOLS = (cell(index) for index in (1651, 1835, 4317, 1462, 7581))
BIASES = [cell(9), (0, 0, 3, 0, 0, 3), (0, 0, 2, 4, 4, 3)]
GROUPS = [[NONE, SKIPS, ONES, THREES], [POOLS, *BIASES], [(3, 1, 2, 4, 0, 2), (1, 2, 4, 3, 2, 3), (4, 4, 3, 1, 2, 0)]]


def batches(models):
    generator = torch.Generator().manual_seed(3)
    for samples in (8, 8, 3, 8):
        images = torch.randn(models, samples, *SIZE, 3, generator=generator, dtype=torch.float64)
        yield images, torch.randint(0, CLASSES, (models, samples), generator=generator)


def networks_of(group):
    for seed, digits in enumerate(group):
        torch.manual_seed(seed)
        yield Network(digits, CLASSES, CHANNELS, REPEATS).double()


class Engine:
    """A stacked state with one network per batch size on the same memory."""

    def __init__(self, models, capacity):
        self.state = GpuState(models, capacity, CHANNELS, CLASSES, REPEATS, torch.float64, "cpu")
        self.block = torch.zeros(1 << 26, dtype=torch.uint8)
        self.tables, self.networks = None, {}

    def start(self, group, initial):
        lists = work_lists(group, self.state.capacity)
        self.state.load(self.state.stacked(lists, initial))
        if self.tables is None:
            self.tables = GroupTables.of(lists, "cpu")
        else:
            self.tables.load(lists)
        return lists

    def network(self, samples):
        if samples not in self.networks:
            shape = (samples, *SIZE)
            self.networks[samples] = GpuNetwork(
                self.state, self.tables, shape, torch.float64, reference, Arena(self.block)
            )
        return self.networks[samples]


def assert_trains_as_readable_networks(engine, group):
    readable = list(networks_of(group))
    filled = group + [NONE] * (engine.state.models - len(group))
    initial = [network.state_dict() for network in readable] + [None] * (len(filled) - len(group))
    lists = engine.start(filled, [v and {k: t.clone() for k, t in v.items()} for v in initial])
    optimisers = [
        torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
        for network in readable
    ]
    engine.state.rate.fill_(0.1)
    for images, labels in batches(len(filled)):
        stacked = engine.network(images.shape[1])
        stacked.put(images)
        logits, losses = stacked.train_step(labels, RECIPE)
        for model, (network, optimiser) in enumerate(zip(readable, optimisers, strict=True)):
            expected = network(images[model].permute(0, 3, 1, 2))
            loss = torch.nn.functional.cross_entropy(expected, labels[model], reduction="none")
            optimiser.zero_grad()
            loss.mean().backward()
            optimiser.step()
            torch.testing.assert_close(logits[model], expected.detach(), rtol=1e-9, atol=1e-9)
            torch.testing.assert_close(losses[model], loss.detach(), rtol=1e-9, atol=1e-9)
    for name, (model, entry), key in engine.state.rows(lists):
        if model >= len(readable):
            continue
        value = readable[model].state_dict()[key]
        if value.dim() == 4:
            value = value.permute(2, 3, 1, 0).flatten(0, 1)
        view = engine.state.views[name][entry]
        value = value.t()[None] if value.dim() == 2 else value
        if dead(readable[model], key):
            continue
        torch.testing.assert_close(view[tuple(map(slice, value.shape))], value, rtol=1e-9, atol=1e-10, msg=key)
    images, _ = next(batches(len(filled)))
    stacked = engine.network(images.shape[1])
    stacked.put(images[:1])
    shown = stacked.forward(evaluating=True)
    for model, network in enumerate(readable):
        expected = network.eval()(images[0].permute(0, 3, 1, 2)).detach()
        torch.testing.assert_close(shown[model], expected, rtol=1e-9, atol=1e-9)


def dead(network, key):
    """Whether no gradient ever reached a parameter: weight decay alone changes it, and only in the readable network."""
    gradient = dict(network.named_parameters())[key].grad
    return gradient is None or not gradient.abs().max() > 0


def test_groups_train_one_after_the_other_as_readable_networks_do():
    engine = Engine(4, capacity_of(GROUPS))
    for group in GROUPS:
        assert_trains_as_readable_networks(engine, group)


def test_a_model_that_is_not_finite_harms_no_other():
    engine = Engine(4, capacity_of(GROUPS))
    initial = [network.state_dict() for network in networks_of(GROUPS[2])]
    shown = []
    for spoilt in (False, True):
        if spoilt:
            initial[1]["stem.conv.weight"][0] = torch.nan
        engine.start([*GROUPS[2], NONE], [*initial, None])
        for images, labels in batches(4):
            network = engine.network(images.shape[1])
            network.put(images)
            logits, _ = network.train_step(labels, RECIPE)
        shown.append(logits)
    assert shown[1][1].isnan().all()
    torch.testing.assert_close(shown[1][0], shown[0][0], rtol=0, atol=0)
    torch.testing.assert_close(shown[1][2], shown[0][2], rtol=0, atol=0)


def test_capacity_is_the_least_that_holds_every_group():
    capacity = capacity_of(GROUPS)
    assert capacity.convolutions == {(3, 1): 1, (3, 2): 2, (3, 3): 3, (1, 1): 1, (1, 2): 2, (1, 3): 3}
    assert capacity.total == 12
    assert [capacity.entries(target) for target in (1, 2, 3)] == [slice(0, 2), slice(2, 6), slice(6, 12)]
    assert capacity.entries(3, kernel=1) == slice(9, 12)
    assert capacity.rows(1) == capacity.rows(3) == slice(0, 6)
    assert capacity.rows(1, target=2) == slice(1, 3)
    with pytest.raises(IndexError):
        work_lists([THREES] * 4, capacity)
