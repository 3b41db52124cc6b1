"""A shard run, undisturbed and killed in every way: the same bytes."""

import json
import multiprocessing
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.shard import identity, read_shard
from skelnas.results.timing import timing_path
from skelnas.training import plain
from skelnas.training.engines import Settings
from skelnas.training.journal import remove_journals
from skelnas.training.shard import train_shard

CELLS = [15624, 0, 9, 123]
RECIPE = Recipe(epochs=3, batch_size=4)
SETTINGS = Settings("plain", "cpu", checkpoint_minutes=0)  # a checkpoint after every epoch


def run(images, path, cells=CELLS, settings=SETTINGS):
    train_shard(images, RECIPE, cells, 777, path, settings, "tiny", "e3")


def content(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory):
    """The shard that nobody disturbed, and how long its training took."""
    path = tmp_path_factory.mktemp("undisturbed") / "shard.h5"
    begun = time.monotonic()
    run(tiny, path)
    return path, time.monotonic() - begun


@pytest.fixture(scope="module")
def processes():
    """Processes that have PyTorch loaded already, so that a kill meets the training and not its imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["skelnas.training.shard", "skelnas.training.plain"])
    return context


@pytest.fixture
def started(tiny, processes):
    """Starts a process that trains the shard in a folder."""
    running = []

    def start(folder: Path) -> multiprocessing.Process:
        arguments = (tiny, RECIPE, CELLS, 777, folder / "shard.h5", SETTINGS, "tiny", "e3")
        running.append(processes.Process(target=train_shard, args=arguments))
        running[-1].start()
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.join()


def test_shard_holds_the_curves_of_its_cells(tiny, undisturbed):
    path, _ = undisturbed
    shard = read_shard(path, identity(tiny.fingerprint, RECIPE, sorted(CELLS), 777))
    assert shard.cells.tolist() == sorted(CELLS)
    assert shard.samples.tolist() == [11, 6, 7]
    assert shard.learning_rate.tolist() == [RECIPE.rate(epoch) for epoch in range(3)]
    assert (shard.dataset, shard.fingerprint, shard.seed) == ("tiny", tiny.fingerprint, 777)
    with plain.one_thread():
        alone = plain.train_cell(space.cell(123), 777, tiny, RECIPE, SETTINGS.torch_device())
    row = shard.cells.tolist().index(123)
    assert np.array_equal(shard.loss[row], alone.loss)
    assert np.array_equal(shard.top1[row], alone.top1)
    assert np.array_equal(shard.top5[row], alone.top5)


def test_nothing_is_left_but_the_shard_and_its_timing(undisturbed):
    path, _ = undisturbed
    assert content(path.parent) == [".journal", "shard.h5", "shard.timing.json"]
    remove_journals([path])
    assert content(path.parent) == ["shard.h5", "shard.timing.json"]
    timing = json.loads(timing_path(path).read_text())
    assert list(timing["cells"]) == [str(cell) for cell in sorted(CELLS)]
    assert all(cell["seconds"] > 0 and cell["device"] and cell["host"] for cell in timing["cells"].values())
    assert timing["engine"] == "plain"
    assert timing["started"] <= timing["finished"]


def test_order_and_repetition_of_cells_change_nothing(tiny, undisturbed, tmp_path):
    run(tiny, tmp_path / "shard.h5", cells=[*reversed(CELLS), 9])
    assert (tmp_path / "shard.h5").read_bytes() == undisturbed[0].read_bytes()


@pytest.mark.slow
def test_killed_at_random_moments_the_bytes_are_the_same(undisturbed, started, tmp_path):
    path, seconds = undisturbed
    moments = [random.uniform(0, seconds) / 2 for _ in range(5)]
    print("killed after", moments, "of", seconds, "seconds")
    for moment in moments:
        process = started(tmp_path)
        time.sleep(moment)
        process.kill()
        process.join()
    process = started(tmp_path)
    process.join(60)
    assert process.exitcode == 0
    assert (tmp_path / "shard.h5").read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_sigterm_ends_cleanly_and_keeps_what_is_finished(undisturbed, started, tiny, tmp_path, capsys):
    process = started(tmp_path)
    while not any(path.stat().st_size for path in tmp_path.rglob("*.*.journal")) and process.is_alive():
        time.sleep(0.002)
    process.terminate()
    process.join(60)
    assert process.exitcode == 128 + signal.SIGTERM
    assert not list(tmp_path.rglob("*.tmp"))
    assert not (tmp_path / "shard.h5").exists()
    run(tiny, tmp_path / "shard.h5")
    assert f"of {len(CELLS)} cells are in the journal already" in capsys.readouterr().err
    assert (tmp_path / "shard.h5").read_bytes() == undisturbed[0].read_bytes()
    assert content(tmp_path) == [".journal", "shard.h5", "shard.timing.json"]


@pytest.mark.slow
def test_two_processes_train_the_same_shard(undisturbed, started, tmp_path):
    for process in [started(tmp_path), started(tmp_path)]:
        process.join(60)
        assert process.exitcode == 0
    assert (tmp_path / "shard.h5").read_bytes() == undisturbed[0].read_bytes()
    assert content(tmp_path) == [".journal", "shard.h5", "shard.timing.json"]


def test_crashing_cell_is_named_and_the_others_are_kept(tiny, undisturbed, tmp_path, monkeypatch):
    original = plain.train_cell

    def crash(cell, *rest):
        if cell == space.cell(9):
            raise RuntimeError("out of luck")
        return original(cell, *rest)

    path = tmp_path / "shard.h5"
    with monkeypatch.context() as patch, pytest.raises(InputError) as error:
        patch.setattr(plain, "train_cell", crash)
        run(tiny, path)
    assert f"{path}: training cell 9 with seed 777 crashed: RuntimeError: out of luck" in str(error.value)
    assert f"`snakemake --cores all {path}`" in str(error.value)
    assert content(tmp_path) == [".journal"]

    trained = []
    monkeypatch.setattr(plain, "train_cell", lambda cell, *rest: trained.append(cell) or original(cell, *rest))
    run(tiny, path)
    assert trained == [space.cell(9)]
    assert path.read_bytes() == undisturbed[0].read_bytes()


def test_finished_journal_needs_no_training(tiny, undisturbed, tmp_path, monkeypatch):
    """Killed between the last cell and the shard."""
    path = tmp_path / "shard.h5"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("skelnas.training.shard.write_shard", interrupt)
        run(tiny, path)
    monkeypatch.setattr(plain, "train_cell", interrupt)
    run(tiny, path)
    assert path.read_bytes() == undisturbed[0].read_bytes()


def test_deleted_by_snakemake_it_comes_back_without_training(tiny, undisturbed, tmp_path, monkeypatch, capsys):
    """The job was ended between the shard and its own end, when snakemake deletes what it has written."""
    path = tmp_path / "shard.h5"
    run(tiny, path)
    timing = timing_path(path).read_bytes()
    assert not list(tmp_path.rglob("*.*.journal"))
    path.unlink()
    timing_path(path).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(plain, "train_cell", interrupt)
        run(tiny, path)
    assert "was finished by a job that was ended" in capsys.readouterr().err
    assert path.read_bytes() == undisturbed[0].read_bytes()
    assert timing_path(path).read_bytes() == timing
    [kept] = tmp_path.rglob(".journal/*/shard.h5")
    kept.write_bytes(kept.read_bytes()[:-1])
    path.unlink()
    run(tiny, path)  # what is damaged is trained again
    assert path.read_bytes() == undisturbed[0].read_bytes()


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_no_cells(tiny, tmp_path):
    with pytest.raises(InputError, match="would be empty"):
        run(tiny, tmp_path / "shard.h5", cells=[])


def test_a_finished_shard_is_left_alone_as_long_as_its_identity_fits(tiny, tmp_path, capsys):
    path = tmp_path / "00000-00001.h5"
    train_shard(tiny, Recipe(1, 4), [1835, 1651], 777, path, SETTINGS, "tiny", "r")
    made = path.stat()
    train_shard(tiny, Recipe(1, 4), [1835, 1651], 777, path, SETTINGS, "tiny", "r")
    assert path.stat().st_ino == made.st_ino
    assert "holds these trainings already" in capsys.readouterr().err
    train_shard(tiny, Recipe(2, 4), [1835, 1651], 777, path, SETTINGS, "tiny", "r")
    assert read_shard(path).recipe["epochs"] == 2
    timing_path(path).unlink()
    train_shard(tiny, Recipe(2, 4), [1835, 1651], 777, path, SETTINGS, "tiny", "r")
    assert timing_path(path).is_file()
