"""The graphed engine on a CPU, where its steps run as they are: the same curves as the plain engine's."""

import numpy as np
import pytest

from skelnas.recipe import Recipe
from skelnas.training import graphed
from skelnas.training.engines import ENGINES, Request, Settings, train_jobs
from skelnas.training.gpu import engine as gpu
from skelnas.training.gpu.worker import KernelsFail

JOBS = [(1462, 777), (1835, 888), (9, 777)]


def curves_of(images, recipe, engine, processes=1):
    found = {}
    used = train_jobs(
        Request(JOBS, images, recipe, Settings(engine, "cpu", processes)),
        lambda index, seed, curves, seconds: found.update({(index, seed): curves}),
    )
    assert used == engine
    return found


def test_it_trains_what_the_plain_engine_trains(tiny):
    """In float64, over epochs with a ragged last batch; both share nothing of the step but the network."""
    recipe = Recipe(epochs=2, batch_size=4, precision="fp64")
    plain, found = curves_of(tiny, recipe, "plain"), curves_of(tiny, recipe, "graphed", processes=2)
    assert found.keys() == plain.keys() == set(JOBS)
    for job in JOBS:
        np.testing.assert_allclose(found[job].loss, plain[job].loss, rtol=1e-6)
        np.testing.assert_array_equal(found[job].top1, plain[job].top1)
        np.testing.assert_array_equal(found[job].top5, plain[job].top5)


def test_both_kinds_of_device_have_it():
    assert ENGINES["graphed"] == {"cpu": "graphed", "cuda": "graphed"}


@pytest.mark.parametrize("fallback", ["graphed", "stop"])
def test_the_fused_engine_falls_back_on_it_where_its_kernels_fail(tiny, monkeypatch, capsys, fallback):
    """One job is finished when the fault shows; only the others are trained again."""

    def failing(request, on_finished, start, workers):
        on_finished(*JOBS[0], None, 1.0)
        raise KernelsFail("Some GPU: the Triton kernels do not work here (convolve, ...)")

    asked, found = [], []
    monkeypatch.setattr(gpu, "train_in_groups", failing)
    monkeypatch.setattr(graphed, "train", lambda request, on_finished: asked.extend(request.jobs))
    request = Request(JOBS, tiny, Recipe(epochs=1, batch_size=4), Settings(fallback=fallback))
    if fallback == "stop":
        with pytest.raises(KernelsFail, match=r"\(convolve, \.\.\.\)"):
            gpu.train(request, lambda *finished: found.append(finished))
        assert asked == []
        return
    assert gpu.train(request, lambda *finished: found.append(finished)) == "graphed"
    assert asked == JOBS[1:]
    assert len(found) == 1
    assert "training goes on with the graphed engine, which is slower" in capsys.readouterr().err
