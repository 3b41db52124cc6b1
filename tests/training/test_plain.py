"""The plain loop against a loop of data loaders, and its edges."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.network import Network
from skelnas.recipe import Recipe
from skelnas.training import plain, precision
from skelnas.training.checkpoint import Checkpoint, Snapshot, write_checkpoint
from skelnas.training.engines import ENGINES, Request, Settings, TrainingError, train_jobs
from skelnas.training.resident import ResidentImages

CPU = torch.device("cpu")
EXACT = Recipe(epochs=3, batch_size=4, precision="fp64")
CELL = space.parse("|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")


def same(one, other):
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in ("loss", "top1", "top5"))


class Samples(Dataset):
    def __init__(self, images, labels, image_set):
        self.images, self.labels, self.set = images, labels, image_set

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, item):
        image = (self.images[item] / 255 - self.set.mean / 255) / (self.set.std / 255)
        return torch.from_numpy(image.transpose(2, 0, 1)), int(self.labels[item])


def loop_of_loaders(images, cell, seed, recipe):
    """The original study's loop in float64: data loaders on the global generator, averages of percentages."""
    pool, test = (
        Samples(images.pool_images, images.pool_labels, images),
        Samples(images.test_images, images.test_labels, images),
    )

    def loader(data, index=None):
        sampler = None if index is None else SubsetRandomSampler(index)
        return DataLoader(data, batch_size=recipe.batch_size, sampler=sampler)

    loaders = {
        "train": loader(pool, images.train_index),
        "test": loader(test),
        "valid": loader(pool, images.valid_index),
    }
    torch.manual_seed(seed)
    network = Network(cell, images.classes)
    torch.rand(1, 3, images.height, images.width)
    network = network.double()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for epoch in range(recipe.epochs):
        rate = 0.05 * (1 + np.cos(np.pi * epoch / recipe.epochs))
        optimiser.param_groups[0]["lr"] = rate
        for split in ("train", "test", "valid"):
            network.train(split == "train")
            total, right, seen = 0.0, 0, 0
            for inputs, labels in loaders[split]:
                with torch.set_grad_enabled(split == "train"):
                    logits = network(inputs)
                    loss = torch.nn.functional.cross_entropy(logits, labels)
                if split == "train":
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
                total += loss.item() * len(labels)
                right += (logits.argmax(1) == labels).sum().item()
                seen += len(labels)
            yield split, epoch, total / seen, right


def test_equals_a_loop_of_data_loaders(tiny):
    curves = plain.train_cell(CELL, 888, tiny, EXACT, CPU)
    with torch.random.fork_rng(devices=[]):
        for split, epoch, loss, right in loop_of_loaders(tiny, CELL, 888, EXACT):
            row = ("train", "valid", "test").index(split)
            assert curves.loss[row, epoch] == pytest.approx(loss, rel=2e-7)  # float32 is what curves hold
            assert curves.top1[row, epoch] == right
    assert curves.loss.dtype == np.float32
    assert curves.top1.dtype == curves.top5.dtype == np.int32


@pytest.mark.slow
def test_learns_what_brightness_tells(tiny):
    curves = plain.train_cell(CELL, 777, tiny, dataclasses.replace(EXACT, epochs=12, precision="fp32"), CPU)
    assert curves.loss[0, -1] < curves.loss[0, 0] / 2
    assert curves.top1[0, -1] > 7
    assert not curves.diverged


def test_counts_do_not_depend_on_the_evaluation_batch(tiny):
    data = ResidentImages.of(tiny, CPU, torch.float64)
    network = Network(CELL, tiny.classes).double()
    whole = plain.evaluate(network, data, data.test, data.test_labels)
    for size in (1, 3, 7):
        parts = plain.evaluate(network, data, data.test, data.test_labels, size)
        assert parts[1:].tolist() == whole[1:].tolist()
        assert parts[0].item() == pytest.approx(whole[0].item(), rel=1e-12)


def test_batch_larger_than_the_training_split_is_one_batch(tiny):
    large = plain.train_cell(CELL, 777, tiny, dataclasses.replace(EXACT, batch_size=1000), CPU)
    assert same(large, plain.train_cell(CELL, 777, tiny, dataclasses.replace(EXACT, batch_size=11), CPU))


def test_diverging_cell_keeps_its_curve_and_is_flagged(tiny):
    recipe = Recipe(epochs=3, batch_size=4, learning_rate=1e30)
    curves = plain.train_cell(CELL, 777, tiny, recipe, CPU)
    assert curves.diverged
    assert not np.isfinite(curves.loss[:, -1]).any()
    assert (curves.top5[:, -1] == 0).all()  # four classes: any number at all would count


def test_waits_for_the_device_once_an_epoch(tiny, monkeypatch):
    waits = []
    for name in ("cpu", "item", "tolist", "__bool__", "__int__", "__float__"):
        original = getattr(torch.Tensor, name)
        spy = lambda self, *rest, name=name, original=original: waits.append(name) or original(self, *rest)  # noqa: E731
        monkeypatch.setattr(torch.Tensor, name, spy)
    plain.train_cell(CELL, 777, tiny, EXACT, CPU)
    assert waits == ["cpu"] * EXACT.epochs


def test_bf16_starts_with_exact_epochs(tiny):
    narrow = Recipe(epochs=3, batch_size=4, precision="bf16", exact_epochs=1)
    curves = plain.train_cell(CELL, 777, tiny, narrow, CPU)
    wide = plain.train_cell(CELL, 777, tiny, dataclasses.replace(narrow, precision="fp32"), CPU)
    assert np.array_equal(curves.loss[:, 0], wide.loss[:, 0])
    assert not np.array_equal(curves.loss[0, 1:], wide.loss[0, 1:])
    assert np.isfinite(curves.loss).all()


def test_precision_that_the_device_lacks(tiny, monkeypatch):
    with pytest.raises(InputError, match="no tf32"):
        train_jobs(
            Request([(0, 777)], tiny, dataclasses.replace(EXACT, precision="tf32"), Settings("plain", "cpu")), print
        )
    monkeypatch.setattr(precision, "processor_has_bf16", lambda: False)
    with pytest.raises(InputError, match="no bf16"):
        train_jobs(
            Request([(0, 777)], tiny, dataclasses.replace(EXACT, precision="bf16"), Settings("plain", "cpu")), print
        )


def test_what_an_engine_refuses(tiny, make_tiny):
    recipe, settings = EXACT, Settings("plain", "cpu")
    with pytest.raises(InputError, match="no engine 'fast'"):
        train_jobs(Request([(0, 777)], tiny, recipe, Settings("fast", "cpu")), print)
    with pytest.raises(InputError, match="multiples of 4"):
        train_jobs(Request([(0, 777)], make_tiny(size=(8, 10)), recipe, settings), print)
    with pytest.raises(InputError, match="another batch size"):
        train_jobs(
            Request([(0, 777)], make_tiny(size=(4, 4)), dataclasses.replace(recipe, batch_size=5), settings), print
        )
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="sees no GPU"):
            train_jobs(Request([(0, 777)], tiny, recipe, Settings("plain", "cuda")), print)
    assert set(ENGINES) == {"plain", "fused", "graphed"}


def test_a_crashing_job_stops_no_other(tiny, monkeypatch):
    def crash(cell, *rest):
        if cell == space.cell(9):
            raise RuntimeError("out of luck\nand more")
        return "curves"

    monkeypatch.setattr(plain, "train_cell", crash)
    finished = []
    with pytest.raises(TrainingError, match=r"cell 9 with seed 777 crashed: RuntimeError: out of luck$") as error:
        train_jobs(
            Request([(0, 777), (9, 777), (123, 777)], tiny, EXACT, Settings("plain", "cpu")),
            lambda cell, seed, curves, seconds: finished.append((cell, seed, curves)),
        )
    assert finished == [(0, 777, "curves"), (123, 777, "curves")]
    assert list(error.value.reasons) == [(9, 777)]


class Killed(Exception):
    pass


@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_checkpoint_goes_on_bit_for_bit(tiny, tmp_path, monkeypatch, epoch):
    recipe = Recipe(epochs=5, batch_size=4)
    undisturbed = plain.train_cell(CELL, 777, tiny, recipe, CPU)

    def killed_at(*arguments):
        if arguments[1].param_groups[0]["lr"] == recipe.rate(epoch):
            raise Killed
        return train_epoch(*arguments)

    train_epoch = plain.train_epoch
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(plain, "train_epoch", killed_at)
        plain.train_cell(CELL, 777, tiny, recipe, CPU, Checkpoint(tmp_path, 0, 777, minutes=0))
    rates = []
    monkeypatch.setattr(plain, "train_epoch", lambda *a: rates.append(a[1].param_groups[0]["lr"]) or train_epoch(*a))
    resumed = plain.train_cell(CELL, 777, tiny, recipe, CPU, Checkpoint(tmp_path, 0, 777, minutes=0))
    assert rates == [recipe.rate(e) for e in range(epoch, 5)]  # no epoch was repeated
    assert same(resumed, undisturbed)


def test_damaged_checkpoint_counts_as_none(tiny, tmp_path):
    recipe = Recipe(epochs=2, batch_size=4)
    checkpoint = Checkpoint(tmp_path, 0, 777, minutes=0)
    undisturbed = plain.train_cell(CELL, 777, tiny, recipe, CPU, checkpoint)
    content = bytearray(checkpoint.path.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.path.write_bytes(content)
    assert same(plain.train_cell(CELL, 777, tiny, recipe, CPU, checkpoint), undisturbed)


def test_checkpoints_are_as_rare_as_asked_and_removed(tiny, tmp_path):
    settings = Settings("plain", "cpu", checkpoint_minutes=60)
    train_jobs(Request([(0, 777)], tiny, EXACT, settings, tmp_path / "never"), lambda *_: None)
    assert not (tmp_path / "never").exists()
    seen = []
    train_jobs(
        Request([(0, 777)], tiny, EXACT, Settings("plain", "cpu", checkpoint_minutes=0), tmp_path / "often"),
        lambda *_: seen.extend(tmp_path.rglob("*.checkpoint")),
    )
    assert [path.name for path in seen] == ["00000-777.checkpoint"]
    assert not seen[0].exists()


def test_checkpoint_of_another_version_counts_as_none(tiny, tmp_path):
    recipe, like = Recipe(epochs=2, batch_size=4), Network(CELL, tiny.classes).state_dict()
    checkpoint = Checkpoint(tmp_path, 0, 777, minutes=0)
    undisturbed = plain.train_cell(CELL, 777, tiny, recipe, CPU, checkpoint)
    tensors = {f"network.{name}": value for name, value in like.items()}
    tensors["network.head.weight"] = tensors.pop("network.classifier.weight")
    other = Snapshot((1, 0), torch.Generator().get_state(), np.zeros((2, 3, 3)), tensors)
    write_checkpoint(tmp_path, {(0, 777): other})
    assert same(plain.train_cell(CELL, 777, tiny, recipe, CPU, checkpoint), undisturbed)
