"""Zero-cost proxies against computations of another kind, and their shards."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from skelnas.cells import space
from skelnas.cells.edges import is_connected
from skelnas.cells.equivalence import members
from skelnas.errors import InputError
from skelnas.files import read_record
from skelnas.network import Network
from skelnas.recipe import PROXIES
from skelnas.training import proxies
from skelnas.training.proxies import distinct_images, naswot, score, score_shard, synflow, without_idle_edges

SIZE = (8, 12)
PLAIN, BIASED = space.index((0, 0, 0, 0, 0, 0)), space.index((0, 0, 3, 0, 0, 1))  # both discard their input
FULL = space.index((3, 4, 2, 1, 3, 2))


def network_of(cell: int) -> Network:
    torch.manual_seed(3)
    return Network(space.cell(cell), classes=4)


@pytest.fixture(scope="module")
def batch():
    return torch.from_numpy(np.random.default_rng(1).normal(size=(5, 3, *SIZE)).astype(np.float32))


def scaled_output(network: Network, cell: int, factor: float) -> float:
    """The sum of what comes out for ones when every absolute weight is multiplied by a factor, written out anew."""
    state = {name: value.double().abs() for name, value in network.state_dict().items()}

    def convolve(images, name, stride=1):
        weight = factor * state[f"{name}.weight"]
        return functional.conv2d(images, weight, stride=stride, padding=weight.shape[-1] // 2)

    images = convolve(torch.ones(1, 3, *SIZE, dtype=torch.float64), "stem.conv")
    for block in range(17):
        name = f"cells.{block}"
        if block in (5, 11):
            main = convolve(convolve(images, f"{name}.first.conv", 2), f"{name}.second.conv")
            images = main + convolve(functional.avg_pool2d(images, 2), f"{name}.shortcut.conv")
            continue
        nodes = [images, 0, 0, 0]
        for edge, ((source, target), digit) in enumerate(zip(space.EDGES, space.cell(cell), strict=True)):
            value = nodes[source] if torch.is_tensor(nodes[source]) else torch.zeros_like(images)
            if digit == space.SKIP:
                nodes[target] = nodes[target] + value
            elif digit == space.POOL:
                nodes[target] = nodes[target] + functional.avg_pool2d(value, 3, 1, 1, count_include_pad=False)
            elif digit in space.CONVOLUTIONS:
                nodes[target] = nodes[target] + convolve(value, f"{name}.edges.{edge}.conv")
        images = nodes[3]
    logits = functional.linear(images.mean((2, 3)), factor * state["classifier.weight"], state["classifier.bias"])
    return float(logits.sum())


@pytest.mark.parametrize("cell", [FULL, 1462, 11472])
def test_synflow_is_the_derivative_by_a_factor_of_all_weights(cell):
    """Of f(s w) at s = 1 the derivative by s is the sum of w times the derivatives by w."""
    network, step = network_of(cell), 1e-4
    before = {name: value.clone() for name, value in network.state_dict().items()}
    slope = (scaled_output(network, cell, 1 + step) - scaled_output(network, cell, 1 - step)) / (2 * step)
    assert synflow(network, *SIZE) == pytest.approx(math.log(slope), abs=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_naswot_of_two_images_by_hand():
    """The ReLUs are on, off, on for one image and on, on, off for the other: 3 agree with themselves, 1 across."""
    images = torch.tensor([[1.0, -1.0, 2.0], [3.0, 0.5, 0.0]]).reshape(2, 1, 1, 3)
    assert naswot(torch.nn.Sequential(torch.nn.ReLU()), images) == pytest.approx(math.log(3 * 3 - 1 * 1))


@pytest.mark.parametrize("cell", [FULL, 11472])
def test_naswot_counts_what_two_images_have_alike(cell, batch):
    network, codes = network_of(cell), []
    for module in network.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_pre_hook(lambda _, given: codes.append(given[0].flatten(1).numpy() > 0))
    found = naswot(network, batch)
    bits = np.concatenate(codes, axis=1)
    kernel = [[int((one == other).sum()) for other in bits] for one in bits]
    assert found == pytest.approx(np.linalg.slogdet(np.array(kernel, dtype=float))[1], abs=1e-9)


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("cell", [PLAIN, BIASED])
def test_a_cell_that_discards_its_input_is_the_lowest_without_a_warning(proxy, cell, batch, recwarn):
    assert not is_connected(space.cell(cell))
    assert score(proxy, cell, classes=4, images=batch) == -math.inf
    assert math.isfinite(score(proxy, FULL, classes=4, images=batch))
    assert not recwarn.list


def test_edges_that_change_nothing_change_no_score(batch):
    idle = space.cell(10)
    while without_idle_edges(idle) == idle or not is_connected(idle):
        idle = space.cell(space.index(idle) + 1)
    for proxy in PROXIES:
        kept = space.index(without_idle_edges(idle))
        assert score(proxy, space.index(idle), 4, batch) == score(proxy, kept, 4, batch)
    assert kept in members(space.index(idle))


def test_a_shard_holds_each_cell_in_order(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(proxies, "BATCH", 6)
    cells = [PLAIN, 9, 1462]
    for processes in (1, 2):
        score_shard(tiny, "naswot", cells, tmp_path / f"{processes}.record", processes)
    one, two = (read_record(tmp_path / f"{processes}.record") for processes in (1, 2))
    assert one["cell"].tolist() == cells
    assert one["value"].tolist() == two["value"].tolist()
    assert np.isneginf(one["value"]).tolist() == [True, False, False]
    assert (str(one["proxy"]), str(one["fingerprint"])) == ("naswot", tiny.fingerprint)


def test_images_that_are_there_twice_are_looked_at_once(tiny):
    pool = tiny.pool_images.copy()
    pool[tiny.train_index[1]] = pool[tiny.train_index[0]]
    chosen = distinct_images(dataclasses.replace(tiny, pool_images=pool))
    assert len(chosen) == len(tiny.train_index) - 1
    assert set(chosen) <= set(tiny.train_index)
    assert len({pool[place].tobytes() for place in chosen}) == len(chosen)


def test_images_that_no_network_can_read_are_refused(make_tiny, tmp_path):
    with pytest.raises(InputError, match="its images are 8x10, but the network halves both twice"):
        score_shard(make_tiny(size=(8, 10)), "synflow", [9], tmp_path / "shard.record")
    assert not list(tmp_path.iterdir())


def test_a_cell_that_crashes_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(proxies, "synflow", lambda *_: 1 / 0)
    with pytest.raises(InputError, match="synflow of cell 9 failed: ZeroDivisionError"):
        score_shard(tiny, "synflow", [9], tmp_path / "shard.record")
