"""Results published with the thesis: real files by SKELNAS_DATA, and look-alikes made here."""

import bz2
import io
import json
import math
import os
import pickle
import tarfile
import zipfile
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest

from skelnas import Benchmark, importers
from skelnas.cells import cost, space
from skelnas.commands import main
from skelnas.errors import InputError
from skelnas.importers.published import agreement, containers, tables
from skelnas.importers.published.runs import DATA_SETS, Skipped, counts
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.benchmark import loss_path
from skelnas.results.clock import timing_table
from skelnas.unpickling import ForeignError

from ..lacking import lacking

UTD = DATA_SETS["utdmhad"]


@pytest.fixture(scope="module")
def published(real_data):
    folder = real_data / "published"
    if not folder.is_dir():
        lacking("files of the thesis' own programs: put published/ into the folder that SKELNAS_DATA names")
    return folder


@pytest.fixture(scope="module")
def expected(published):
    """What must come out, by cell, folder and seed: 18 runs."""
    runs = json.loads((published / "expected.json").read_text())["runs"]
    assert len(runs) == 18
    return {(run["index"], run["hp"], run["seed"]): run for run in runs}


def collect(*paths) -> tables.Collected:
    return tables.collect(run for path in paths for run in containers.read(path))


RAW = ["archives/utdmhad_seed_777.tar.gz", "archives/utdmhad_seed_888.tar.gz", "archives/utdmhad_seed_999.tar.gz"]


@pytest.mark.parametrize(
    ("paths", "with_losses"),
    [
        (RAW, 18),
        (["collected/NATS-tss-v1_0-3a67f-simple"], 18),
        (["collected/NATS-tss-v1_0-3a67f.pickle.pbz2"], 18),
        (["preprocessed/utdmhad_preprocessed_data.json"], 10),
        (["archives/training_results_nas_skeleton.zip"], 18),
        (["archives"], 18),
    ],
    ids=["tar.gz of pth", "folder of pbz2", "single file", "json", "zip", "all archives"],
)
def test_every_value_of_the_published_files(published, expected, paths, with_losses):
    kept = collect(*(published / path for path in paths))
    assert (len(kept.runs), kept.skipped) == (18, [])
    assert {(run.cell, run.hp, run.seed) for run in kept.runs.values()} == set(expected)
    assert sum(run.has_losses for run in kept.runs.values()) == with_losses
    for run in kept.runs.values():
        wanted = expected[run.cell, run.hp, run.seed]
        assert run.epochs == wanted["total_epoch"]
        assert cost.parameters(space.cell(run.cell), 27) == wanted["parameters"]
        for position, split in enumerate(SPLITS):
            values = wanted["splits"][split]
            assert run.top1[position].tolist() == values["top1_correct"]
            assert run.top5[position].tolist() == values["top5_correct"]
            if run.has_losses:
                np.testing.assert_array_equal(run.loss[position], np.float32(values["loss"]))
        if not math.isnan(run.seconds):
            assert run.seconds == pytest.approx(sum(sum(wanted["splits"][split]["seconds"]) for split in SPLITS))


def test_the_losses_of_the_json_belong_to_the_seed_that_it_names(published):
    told = json.loads((published / "expected.json").read_text())["collected"]["cells"]
    kept = collect(published / "preprocessed/utdmhad_preprocessed_data.json")
    for cell in told:
        for hp, about in cell["hp"].items() if "hp" in cell else ():
            own = [
                run.seed for run in kept.runs.values() if (run.cell, run.hp) == (cell["index"], hp) and run.has_losses
            ]
            assert own == [about["json_seed_of_losses_and_times"]]


def test_the_files_that_come_of_it(published, expected, tmp_path, capsys):
    archives = [str(published / path) for path in RAW]
    assert main(["import", *archives, str(published / "variants/truncated"), "--to", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "7 trainings had other epochs than the folder says" in said.out
    assert said.err.count("left out:") == 1
    assert "arch-000284-seed-0888.pth is truncated or damaged" in said.err
    assert sorted(path.name for path in (tmp_path / "utd_mhad").glob("*.h5") if ".loss" not in path.name) == [
        "b32-e12.h5",
        "b32-e200.h5",
        "b32-e3.h5",
    ]
    with Benchmark(tmp_path / "utd_mhad/b32-e12.h5") as benchmark:
        assert benchmark.cells.tolist() == [3, 9, 284, 1651, 1835]
        assert benchmark.seeds == (777, 888, 999)
        there = benchmark.present()
        assert there.tolist() == [
            [True, True, False],
            [True, False, False],
            [True, True, False],
            [True] * 3,
            [True, True, False],
        ]
        assert benchmark.value(3, "test", seed=777) == 100 * 265 / 430
        assert benchmark.value(9).seeds == (777,)
        assert math.isnan(benchmark.value(9, seed=888))
        assert benchmark.fingerprint == ""
        assert benchmark.source.startswith("imported from the results published with the thesis")
        wanted = expected[1651, "12", 999]["splits"]
        assert benchmark.cost(1651).seconds is not None
        assert benchmark.value(1651, "valid", "loss", seed=999) == np.float32(wanted["valid"]["loss"][-1])
        assert (
            pd.read_parquet(timing_table(benchmark.path)).query("index == 1651 and seed == 999")["torch"].item()
            == "1.12.1+cu102"
        )
    assert main(["import", archives[0], "--to", str(tmp_path)]) == 1
    assert "is there already; move it away" in capsys.readouterr().err


def test_files_with_weights_are_refused(published):
    with pytest.raises(ForeignError, match=r"asks for torch\."):
        collect(published / "collected/NATS-tss-v1_0-3a67f-full")


def test_another_torch_and_numpy(published):
    (run,) = collect(published / "variants/torch-2.13_numpy-2.4").runs.values()
    assert (run.cell, run.seed, run.epochs, run.hp) == (1651, 777, 1, "01")


# What follows needs no real file.


class Structure:
    """Pickled under the name of the original's class."""


Structure.__module__, Structure.__qualname__ = "xautodl.models.cell_searchs.genotypes", "Structure"


def percent(count, samples):
    return float(np.float32(100 * count / samples))


def curves(epochs, seed, cell):
    """Made-up counts: (top1, top5) int (3, epochs) and losses."""
    random = np.random.default_rng([cell, seed, epochs])
    top1 = np.stack([random.integers(0, samples // 2, epochs) for samples in UTD.samples])
    return top1, top1 + np.array([[5]] * 3), random.random((3, epochs))


def simple(cell, seeds, epochs=2, hp="12"):
    """One cell of the collector's files, weights left out."""
    text = space.text(space.cell(cell))
    results = {}
    for seed in seeds:
        top1, top5, loss = curves(epochs, seed, cell)
        keys = {
            "train": list(range(epochs)),
            "x-valid": [f"x-valid@{one}" for one in range(epochs)],
            "ori-test": [f"ori-test@{one}" for one in range(epochs)],
        }

        def filled(values, *names, keys=keys):
            order = {"train": 0, "x-valid": 1, "ori-test": 2}
            return {key: values(order[name], one) for name in names for one, key in enumerate(keys[name])}

        result = {
            "name": "infer.tiny",
            "seed": f"{seed:04d}",
            "epochs": epochs,
            "latency": None,
            "net_state_dict": None,
        }
        result |= {"arch_config": {"channel": 16, "num_cells": 5, "arch_str": text, "class_num": 27}}
        result |= {"params": np.float64(cost.parameters(space.cell(cell), 27) / 1e6)}
        result |= {"flop": cost.macs(space.cell(cell), 20, 68, 27) / 1e6, "eval_names": ["x-valid", "ori-test"]}
        for what, values in (("acc1es", top1), ("acc5es", top5)):

            def share(split, one, values=values):
                return percent(values[split, one], UTD.samples[split])

            result |= {f"train_{what}": filled(share, "train"), f"eval_{what}": filled(share, "ori-test", "x-valid")}
        for what, values in (("losses", loss), ("times", np.ones_like(loss))):

            def plain(split, one, values=values):
                return float(values[split, one])

            result |= {f"train_{what}": filled(plain, "train"), f"eval_{what}": filled(plain, "ori-test", "x-valid")}
        results["utdmhad-valid", seed] = result
    state = {"arch_index": cell, "arch_str": text, "all_results": results, "clear_net_done": True}
    return OrderedDict({hp: state | {"dataset_seed": {"utdmhad-valid": sorted(seeds)}}})


def pbz2(value) -> bytes:
    return bz2.compress(pickle.dumps(value, protocol=4))


def as_json(found):
    """What the original's preprocessing makes of one cell: lists of the folder's length, one seed's losses."""
    cell = {}
    for hp, state in found.items():
        seeds = {}
        for (_, seed), result in state["all_results"].items():
            padded = {}
            for ours, kind, name in (
                ("train", "train", ""),
                ("val", "eval", "x-valid@"),
                ("test", "eval", "ori-test@"),
            ):
                for what in ("acc1es", "acc5es"):
                    values = result[f"{kind}_{what}"]
                    padded[f"{ours}_{what}"] = [
                        values.get(f"{name}{one}" if name else one, 0.0) for one in range(int(hp))
                    ]
            seeds[str(seed)] = padded
            seeds.setdefault(
                "additional_information", {**state, **result, "all_results": None, "params": float(result["params"])}
            )
        cell[hp] = seeds
    return {"utdmhad": cell}


@pytest.fixture
def folder(tmp_path):
    """Two cells as the collector wrote them: a seed is missing of one, and both ended before their twelfth epoch."""
    made = tmp_path / "NATS-tss-v1_0-aaaaa-simple"
    made.mkdir()
    for cell, seeds in ((3, (888, 777)), (9, (777,))):
        (made / f"{cell:06d}.pickle.pbz2").write_bytes(pbz2(simple(cell, seeds)))
    (made / "meta.pickle.pbz2").write_bytes(pbz2({"meta_archs": []}))
    return made


def test_counts_are_exact_however_large_the_data_set():
    for samples in (108, 323, 430, 12_530, 16_487, 27_561):
        every = np.arange(samples + 1)
        np.testing.assert_array_equal(counts(np.float32(100 * every / samples), samples, "x"), every)
    assert counts([float("nan")], 108, "x").tolist() == [-1]
    for wrong in (0.5, 101.0, -1.0):
        with pytest.raises(Skipped, match=r"is no whole number of 108 samples"):
            counts([wrong], 108, "x")


def test_the_three_forms_say_the_same(folder, tmp_path):
    cells = [simple(3, (888, 777)), simple(9, (777,))]
    whole = tmp_path / "NATS-tss-v1_0-aaaaa.pickle.pbz2"
    whole.write_bytes(pbz2({"meta_archs": [], "arch2infos": {3: cells[0], 9: cells[1]}, "evaluated_indexes": {3, 9}}))
    (tmp_path / "preprocessed_data.json").write_text(json.dumps([as_json(cell) for cell in cells]))
    kept = [collect(path) for path in (folder, whole, tmp_path / "preprocessed_data.json")]
    for one in kept:
        assert list(one.runs) == list(kept[0].runs) or set(one.runs) == set(kept[0].runs)
        assert len(one.mismatched()) == 3
        for key, run in one.runs.items():
            top1, top5, loss = curves(2, run.seed, run.cell)
            np.testing.assert_array_equal(run.top1, top1)
            np.testing.assert_array_equal(run.top5, top5)
            if run.has_losses:
                np.testing.assert_array_equal(run.loss, np.float32(loss))
            assert kept[0].runs[key].epochs == run.epochs == 2
    lacking = [(run.cell, run.seed) for run in kept[2].runs.values() if not run.has_losses]
    assert lacking == [(3, 777)]
    merged = collect(tmp_path / "preprocessed_data.json", folder)
    assert merged.twice == 3
    assert all(run.has_losses for run in merged.runs.values())


def change(content: bytes, **changes) -> bytes:
    found = pickle.loads(bz2.decompress(content))
    (result,) = [one for key, one in found["12"]["all_results"].items() if key[1] == 777]
    result.update(changes)
    return pbz2(found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_acc1es": {0: 1.0, 1: 2.0}}, "1.0 % is no whole number of 323 samples"),
        ({"train_acc1es": {0: "x", 1: 2.0}}, "a value that is no number"),
        ({"eval_losses": None}, "has no values by epoch"),
        ({"params": 1.0}, "1.0 million parameters; cell 9 of utd_mhad has"),
        ({"seed": "0888"}, "says another seed inside"),
        ({"epochs": None}, "lacks what a training has"),
        ({"arch_config": {"arch_str": space.text(space.cell(4))}}, "says cell 9 and holds cell 4"),
    ],
)
def test_a_run_that_does_not_fit_is_left_out_and_told(folder, changes, words):
    file = folder / "000009.pickle.pbz2"
    file.write_bytes(change(file.read_bytes(), **changes))
    kept = collect(folder)
    assert {run.cell for run in kept.runs.values()} == {3}
    assert [words in sentence for sentence in kept.skipped] == [True]


def test_two_files_that_contradict_each_other_are_refused(folder, tmp_path):
    other = tmp_path / "elsewhere/000009.pickle.pbz2"
    other.parent.mkdir()
    train = {epoch: percent(7, 323) for epoch in range(2)}
    other.write_bytes(change((folder / "000009.pickle.pbz2").read_bytes(), train_acc1es=train))
    with pytest.raises(InputError, match="say different things of one training"):
        collect(folder, other)


class Shell:
    def __reduce__(self):
        return os.system, ("touch /tmp/never",)


def test_a_foreign_class_ends_the_import(folder):
    (folder / "000011.pickle.pbz2").write_bytes(pbz2({"12": Shell()}))
    with pytest.raises(ForeignError, match=r"000011\.pickle\.pbz2 asks for \w+\.system, which data has no need of"):
        collect(folder)


@pytest.mark.parametrize(
    "content", [b"", b"BZh9", pbz2([1, 2])[:-4], pbz2([]), pbz2({"12": {}}), pbz2({"12": {"all_results": 3}})]
)
def test_damaged_cells_are_left_out_and_told(folder, content):
    (folder / "000011.pickle.pbz2").write_bytes(content)
    kept = collect(folder)
    assert len(kept.runs) == 3
    assert len(kept.skipped) == 1
    assert "000011.pickle.pbz2" in kept.skipped[0]


def pth(cell=9, epochs=2, seed=777, **changes) -> bytes:
    """A file of one training as the original saved it, without weights; PyTorch is not needed for it."""
    ((_, result),) = simple(cell, (seed,), epochs)["12"]["all_results"].items()
    genotype = Structure()
    nodes = [
        [entry.split("~") for entry in node.strip("|").split("|")]
        for node in result["arch_config"]["arch_str"].split("+")
    ]
    genotype.nodes = [tuple((operation, int(source)) for operation, source in node) for node in nodes]
    recipe = Recipe(epochs, 32)
    kept = {
        "param": result["params"],
        "flop": result["flop"],
        "arch_config": {"genotype": genotype},
        "opt_config": {"LR": 0.1, "decay": 5e-4, "momentum": 0.9, "nesterov": True, "batch_size": 32, "epochs": epochs},
        "total_epoch": epochs,
        "learning_rates": {epoch: recipe.rate(epoch) for epoch in range(epochs)},
        **{f"train_{what}": result[f"train_{what}"] for what in ("acc1es", "acc5es", "losses", "times")},
        **{f"valid_{what}": result[f"eval_{what}"] for what in ("acc1es", "acc5es", "losses", "times")},
        **changes,
    }
    found = {"info": "PyTorch Version  : 1.12.1", "utdmhad-valid": kept, "all_dataset_keys": ["utdmhad-valid"]}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", _Original(found).content)
    return stream.getvalue()


class _Original:
    """Pickles with the original's class, which is not installed here."""

    def __init__(self, found):
        import sys
        import types

        names = Structure.__module__.split(".")
        modules = {".".join(names[: end + 1]): types.ModuleType(name) for end, name in enumerate(names)}
        modules[Structure.__module__].Structure = Structure
        sys.modules.update(modules)
        try:
            self.content = pickle.dumps(found, protocol=2)
        finally:
            for name in modules:
                del sys.modules[name]


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            entry = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if not isinstance(content, tarfile.TarInfo):
                entry.size = len(content)
            archive.addfile(entry, None if isinstance(content, tarfile.TarInfo) else io.BytesIO(content))
    return path


NAME = "own/raw-data-12/arch-000009-seed-0777.pth"


def test_raw_files_are_read_out_of_a_stream(tmp_path):
    kept = collect(tar(tmp_path / "a.tar.gz", {"own/readme.txt": b"x", NAME: pth()}))
    (run,) = kept.runs.values()
    top1, _, loss = curves(2, 777, 9)
    np.testing.assert_array_equal(run.top1, top1)
    np.testing.assert_array_equal(run.loss, np.float32(loss))
    assert (run.torch, run.seconds, run.hp) == ("1.12.1", 6.0, "12")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (NAME.replace("000009", "000010"), pth(), "says cell 10 and holds cell 9"),
        (NAME, pth()[:-30], "truncated or damaged"),
        (NAME, pth(learning_rates={0: 0.1, 1: 0.1}), "another learning rate than a cosine over 2 epochs"),
        (NAME, pth(param=0.1), "0.1 million parameters"),
        (NAME, pth(total_epoch=3), "another recipe: epochs 2, not 3"),
        (NAME, pth(valid_acc1es={}), "no training"),
    ],
)
def test_raw_files_that_do_not_fit(tmp_path, name, content, words):
    kept = collect(tar(tmp_path / "a.tar", {name: content}, "w"))
    if words == "no training":
        (run,) = kept.runs.values()
        assert (run.top1[1:] == -1).all()  # gaps stay gaps
        return
    assert not kept.runs
    assert words in kept.skipped[0]


def link(name, kind, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"../" + NAME: b""}, "leads out of the archive"),
        ({"/" + NAME: b""}, "leads out of the archive"),
        ({NAME: link(NAME, tarfile.SYMTYPE, "/etc/passwd")}, "is a link or a device"),
        ({NAME: link(NAME, tarfile.LNKTYPE, "x")}, "is a link or a device"),
        ({"readme.txt": b"x"}, "holds nothing that was published"),
    ],
)
def test_archives_that_climb_out_or_are_empty(tmp_path, members, words):
    with pytest.raises(InputError, match=words):
        collect(tar(tmp_path / "a.tar.gz", members))


def test_truncated_archives_and_no_archives(tmp_path):
    path = tar(tmp_path / "a.tar.gz", {NAME: pth(), NAME.replace("777", "888"): pth(seed=888)})
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"a\.tar\.gz is truncated or no archive"):
        collect(path)
    (tmp_path / "b.tar.gz").write_bytes(b"nonsense" * 99)
    with pytest.raises(InputError, match=r"b\.tar\.gz is truncated or no archive"):
        collect(tmp_path / "b.tar.gz")
    with pytest.raises(InputError, match="does not exist"):
        collect(tmp_path / "c.tar.gz")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("../000009.pickle.pbz2", b"x")
    with pytest.raises(InputError, match="leads out of the archive"):
        collect(tmp_path / "d.zip")


def json_of(change_lists) -> str:
    found = as_json(simple(9, (777,)))
    change_lists(found["utdmhad"]["12"])
    return json.dumps([found])


@pytest.mark.parametrize(
    ("change_lists", "words"),
    [
        (lambda seeds: seeds["777"].update(val_acc1es=[0.0] * 11), "has 11 values of accuracies, expected 12"),
        (lambda seeds: seeds["777"].update(val_acc1es=None), "no list"),
        (lambda seeds: seeds["777"].update(val_acc1es=["x"] * 12), "is no number"),
        (lambda seeds: seeds["777"].update(val_acc1es=[0.0] * 11 + [percent(3, 108)]), "after its last epoch, 2"),
        (lambda seeds: seeds.pop("additional_information"), "additional_information"),
    ],
)
def test_json_of_wrong_lengths(tmp_path, change_lists, words):
    path = tmp_path / "preprocessed_data.json"
    path.write_text(json_of(change_lists))
    kept = collect(path)
    assert not kept.runs
    assert words in kept.skipped[0]


def test_json_that_is_none(tmp_path):
    path = tmp_path / "preprocessed_data.json"
    for content in ("", "{}", "[" * 100_000):
        path.write_text(content)
        with pytest.raises(InputError, match=r"preprocessed_data\.json is no"):
            collect(path)
    path.write_text("[3]")
    assert len(collect(path).skipped) == 1


def test_as_an_importer_of_a_study(folder):
    imported = importers.read("thesis", importers.Request(str(folder), "utd_mhad", "short", Recipe(2, 32)))
    assert imported.table.recipe_name == "short"
    assert imported.table.cells.tolist() == [3, 9]
    assert imported.timing["seconds"].tolist() == [6.0] * 3
    with pytest.raises(
        InputError, match=r"has no training of utd_mhad with the values of long; it has utd_mhad/b32-e2"
    ):
        importers.read("thesis", importers.Request(str(folder), "utd_mhad", "long", Recipe(200, 32)))


def test_agreement_with_own_trainings(folder, tmp_path):
    kept = collect(folder)
    (path,) = tables.write(kept, tmp_path / "published")
    for run in kept.runs.values():
        if run.cell == 3:
            run.top1[2, -1] += 1 if run.seed == 777 else 0
    (own,) = tables.write(kept, tmp_path / "own")
    loss_path(own).unlink()
    with Benchmark(path) as published, Benchmark(own) as ours:
        table = agreement.agreement(published, ours)
        assert len(table) == 3 * 3 * 2
        assert table["own_loss"].isna().all()
        differing = table[table["difference"] != 0]
        assert differing[["index", "seed", "split", "epoch"]].values.tolist() == [[3, 777, "test", 1]]
        assert differing["difference"].item() == pytest.approx(100 / 430)
        told = agreement.summary(table).set_index("split")
        assert told["trainings"].tolist() == [3, 3, 3]
        assert told.loc["test", "equal"] == 2
        assert told.loc["test", "mean_absolute_difference"] == pytest.approx(100 / 430 / 3)
