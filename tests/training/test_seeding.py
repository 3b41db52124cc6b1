"""Random streams against the original's: state of the generator, loader orders."""

import hashlib

import pytest
import torch

from skelnas.cells import space
from skelnas.training import seeding


@pytest.fixture(scope="module")
def numeric(oracle):
    return oracle("net_oracle")["numeric"]


@pytest.fixture(scope="module")
def splits(oracle):
    return oracle("splits_oracle")


def state_hash(state):
    return hashlib.sha256(state.numpy().tobytes()).hexdigest()


def test_generator_goes_on_where_the_original_did(numeric):
    for entry in numeric:
        _, generator = seeding.start(space.cell(entry["index"]), entry["seed"], entry["classes"], 20, 68)
        assert state_hash(generator.get_state()) == entry["rng_state_sha256_after_flop_count"]
        drawn = [torch.randint(0, 2147483647, (), generator=generator).item() for _ in range(3)]
        assert drawn == entry["next_randint_0_2147483647_x3"]


def utd_mhad_indices(oracle):
    """Train and valid positions in UTD-MHAD's pool: 27 actions x subjects 1, 3, 5, 7 x 4 trials, less a8_s1_t4."""
    grid = [(action, subject, trial) for action in range(1, 28) for subject in (1, 3, 5, 7) for trial in (1, 2, 3, 4)]
    grid.remove((8, 1, 4))
    indices = {
        "train": [i for i, (_, subject, _) in enumerate(grid) if subject != 7],
        "valid": [i for i, (_, subject, _) in enumerate(grid) if subject == 7],
    }
    for split, positions in indices.items():
        text = ",".join(map(str, positions))
        assert hashlib.sha256(text.encode()).hexdigest() == oracle["utdmhad"][f"sha256_{split}"]
    return indices


def test_sample_orders_are_the_originals(numeric, splits):
    indices = utd_mhad_indices(splits)
    train_index = torch.tensor(indices["train"])
    for entry in numeric:
        _, generator = seeding.start(space.cell(entry["index"]), entry["seed"], entry["classes"], 20, 68)
        for epoch in entry["loader_order"]:
            order = seeding.train_order(generator, len(indices["train"]), len(indices["valid"]))
            positions = train_index[order].tolist()
            assert positions[:10] == epoch["train_first10"]
            assert positions[-3:] == epoch["train_last3"]
            assert sorted(positions) == indices["train"]


def test_validation_draws_are_where_the_original_made_them(numeric, splits):
    indices = utd_mhad_indices(splits)
    entry = numeric[0]
    _, generator = seeding.start(space.cell(entry["index"]), entry["seed"], entry["classes"], 20, 68)
    for epoch in entry["loader_order"]:
        before = torch.Generator()
        before.set_state(generator.get_state())
        seeding.train_order(generator, len(indices["train"]), len(indices["valid"]))
        # Draw by hand: loader seed, train order, two loader seeds, valid order.
        torch.empty((), dtype=torch.int64).random_(generator=before)
        torch.randperm(len(indices["train"]), generator=before)
        for _ in range(2):
            torch.empty((), dtype=torch.int64).random_(generator=before)
        order = torch.randperm(len(indices["valid"]), generator=before)
        assert torch.tensor(indices["valid"])[order][:5].tolist() == epoch["valid_first5"]
        assert torch.equal(before.get_state(), generator.get_state())


def test_callers_random_state_is_untouched():
    before = torch.get_rng_state()
    seeding.start(space.cell(0), 777, 4, 8, 12)
    assert torch.equal(torch.get_rng_state(), before)


def test_seeds_and_cells_have_their_own_streams():
    def begin(index, seed):
        network, generator = seeding.start(space.cell(index), seed, 4, 8, 12)
        return network.stem.conv.weight, seeding.train_order(generator, 50, 5)

    (weights, order), (other_weights, other_order) = begin(0, 777), begin(0, 888)
    assert not torch.equal(weights, other_weights)
    assert not torch.equal(order, other_order)
    assert not torch.equal(order, begin(9, 777)[1])
    assert torch.equal(order, begin(0, 777)[1])
