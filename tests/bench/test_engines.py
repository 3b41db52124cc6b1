"""The bench on tiny images: what it measures, computes and writes."""

import json

import pytest

from bench.engines import Bench, Case, Part, jobs_by_turn
from bench.report import calibration, facts, lines, markdown, row, study_arch_epochs
from bench.roofline import Shape, epoch_bytes, epoch_flop
from bench.shapes import NTU, UTD, Study, cell_sets, scaled
from skelnas.cells import space
from skelnas.cells.cost import costs
from skelnas.images.image_set import fingerprint_of
from skelnas.study.estimate import read_calibration

TINY = Study("tiny", Shape(8, 12, 5, batch_size=8, train=44, valid=12, test=16), epochs=3, seeds=2)
SETS = {"all-skip": (1835,), "two": (1835, 1462)}
REFERENCE, FUSED = Case("reference", "fp32"), Case("fused", "fp32")
ONE_THREAD = Case("reference-1-thread", "fp32")
TOP = {"bytes_per_second": 1e9, "flop_per_second": {"fp32": 1e11}}


def test_the_sets_of_cells():
    sets = cell_sets(25)
    assert {len(cells) for cells in sets.values()} == {1, 25}
    assert space.cell(sets["all-3x3"][0]) == (space.CONV3,) * 6
    _, macs = costs(27, 20, 68)
    assert macs[sets["mean"][0]] == pytest.approx(macs.mean(), rel=0.1)


def test_scaled_shapes_keep_the_proportions():
    assert scaled(UTD.full, 67) == Shape(20, 68, 27, 32, train=67, valid=22, test=89)
    assert scaled(NTU.full, NTU.full.train) == NTU.full


def test_random_images_have_the_shape_they_are_asked_for():
    from bench.shapes import random_images

    images = random_images(TINY.full)
    assert images.counts == {"train": 44, "valid": 12, "test": 16}
    assert (images.height, images.width, images.classes) == (8, 12, 5)
    assert images.fingerprint == fingerprint_of(images)


def test_engines_get_the_jobs_they_would_get_in_earnest():
    part = Part(TINY, TINY.full, SETS, models=7)
    assert jobs_by_turn(REFERENCE, part, (3, 5), "cuda") == [[(3, 777)], [(5, 777)]]
    assert jobs_by_turn(FUSED, part, (3, 5), "cuda") == [[(c, s) for s in (777, 778, 779) for c in (3, 5)]]
    assert [{cell for cell, _ in jobs} for jobs in jobs_by_turn(FUSED, part, (3, 5), "cpu")] == [{3}, {5}]


def rows(seconds, failures=None):
    used = scaled(TINY.full, 11)
    return [
        row(TINY, used, "two", SETS["two"], {"engine": case.engine, "precision": "fp32"}, seconds, {
            ("tiny", "two", case): 10**8
        }, failures or {}, TOP, case)
        for case in (REFERENCE, FUSED)
    ]  # fmt: skip


def result(found):
    return {
        "device": "a processor", "kind": "cpu", "cores": 2, "torch": "2", "rounds": 3, "minutes": 1.0,
        "finished": "now", "load_before": 0.1, "ceilings": TOP, "rows": found,
    }  # fmt: skip


def test_figures_by_hand(tmp_path):
    reference, fused = rows(
        {("tiny", "two", REFERENCE): [4.0, 8.0, 6.0], ("tiny", "two", FUSED): [2.0, 2.0, 3.0]},
    )
    assert reference["ratio"] == 1
    assert fused["ratio"] == 2  # the median of 2, 4 and 2
    slower = {("tiny", "two", REFERENCE): [4.0], ("tiny", "two", ONE_THREAD): [3.0], ("tiny", "two", FUSED): [2.0]}
    assert [one["ratio"] for one in rows(slower)] == [0.75, 1.5]  # the faster reference is the baseline
    assert fused["seconds"] == 4 * 2  # a quarter of the samples was measured
    live = [space.cell(index) for index in SETS["two"]]
    assert fused["bytes_share"] == pytest.approx(sum(epoch_bytes(c, TINY.full, "fp32") for c in live) / 2 / 1e9 / 8)
    assert fused["flop_share"] == pytest.approx(sum(epoch_flop(c, TINY.full) for c in live) / 2 / 1e11 / 8)
    _, macs = costs(5, 8, 12)
    mean = macs[list(SETS["two"])].mean()
    assert study_arch_epochs(TINY, SETS["two"]) == pytest.approx(2 * 3 * macs.sum() / mean)
    assert fused["study_hours"] == pytest.approx(8 * 2 * 3 * macs.sum() / mean / 3600)
    found = result([reference, fused])
    assert lines(found)[1][:6] == ["tiny", "two", "fused", "fp32", "0.125*", "2.00"]
    assert "extrapolated" in facts(found)
    assert "BUSY" not in facts(found)
    assert "BUSY" in facts(found | {"load_before": 1.5})
    assert markdown(found).count("\n|") == 4
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps(calibration(found)))
    (rate,) = read_calibration(file)
    assert (rate["engine"], rate["samples"], rate["seconds"]) == ("fused", 11, 2 * 2.0)


def test_a_failed_engine_is_a_line_of_its_own():
    seconds = {("tiny", "two", REFERENCE): [4.0]}
    found = rows(seconds, {("tiny", "two", FUSED): "OutOfMemoryError: too large"})
    assert found[1]["failure"] == "OutOfMemoryError: too large"
    assert lines(result(found))[1][4] == "failed"
    assert calibration(result(found))["rates"] == []


def test_without_a_reference_there_is_no_ratio():
    failed = {("tiny", "two", REFERENCE): "OutOfMemoryError: too large"}
    found = rows({("tiny", "two", FUSED): [2.0]}, failed)
    assert lines(result(found))[1][4:6] == ["0.125*", ""]


def test_what_there_was_no_time_for_says_so():
    found = rows({("tiny", "two", REFERENCE): [4.0]})
    assert found[1]["skipped"]
    assert lines(result(found))[1][4] == "no time"
    assert [rate["engine"] for rate in calibration(result(found))["rates"]] == []


@pytest.mark.slow
def test_nothing_is_measured_after_the_deadline():
    bench = Bench("cpu", [REFERENCE, FUSED], [Part(TINY, scaled(TINY.full, 11), {"all-skip": (1835,)}, models=0)])
    try:
        bench.run_round(0, deadline=0)
    finally:
        bench.close()
    assert not bench.seconds


@pytest.mark.slow
def test_a_round_measures_every_case():
    cases = [REFERENCE, FUSED, Case("nonsense", "fp32")]
    bench = Bench("cpu", cases, [Part(TINY, scaled(TINY.full, 11), {"all-skip": (1835,)}, models=0)])
    try:
        bench.run_round(0)
        bench.run_round(1)
    finally:
        bench.close()
    for case in (REFERENCE, FUSED):
        key = ("tiny", "all-skip", case)
        assert len(bench.seconds[key]) == 2
        assert min(bench.seconds[key]) > 0
        assert 5e7 < bench.peaks[key] < 5e9
    assert "there is no engine 'nonsense'" in bench.failures["tiny", "all-skip", cases[2]]
