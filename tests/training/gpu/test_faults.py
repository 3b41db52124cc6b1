"""What errors on a GPU mean, what a capture makes of them, and what a dropped engine leaves behind."""

import gc
import weakref

import pytest
import torch

from skelnas.processes import LastOutcome
from skelnas.recipe import Recipe
from skelnas.training.engines import Request, Settings
from skelnas.training.gpu import graphs, worker
from skelnas.training.gpu.faults import is_out_of_memory
from skelnas.training.gpu.graphs import Graphs
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.operations import reference
from skelnas.training.gpu.schedule import Task
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.gpu.worker import GroupWork, TooLarge
from skelnas.training.resident import ResidentImages

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
RECIPE = Recipe(epochs=1, batch_size=8, precision="fp64")
JOBS = ((0, 777), (9, 777))


def hidden(cause):
    """The error that the end of a capture makes of one inside it."""
    try:
        try:
            raise cause
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")
    except RuntimeError as error:
        return error


@pytest.fixture
def engine(tiny):
    data = ResidentImages.of(tiny, CPU, torch.float64)
    training = GpuTraining(2, capacity_for([JOBS]), tiny, data, RECIPE, reference)
    training.start(JOBS)
    training.run_epoch()
    return [training]


def test_a_dropped_engine_gives_back_its_memory_at_once(engine):
    """Without the garbage collector, which knows nothing of a GPU's memory and comes when it likes."""
    block = engine[0].block.untyped_storage()
    size, place = block.nbytes(), block.data_ptr()
    assert size > 1 << 20
    del block
    watched = [weakref.ref(part) for part in (engine[0], engine[0].state, engine[0].feed, engine[0].block)]
    gc.collect()
    gc.disable()
    try:
        engine.clear()
        assert [part() for part in watched] == [None] * 4
    finally:
        gc.enable()
    tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor) and one.device == CPU]
    assert not [one for one in tensors if place <= one.untyped_storage().data_ptr() < place + size]


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (torch.OutOfMemoryError("2 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (hidden(torch.OutOfMemoryError("2 GiB")), True),
        (hidden(ValueError("a shape")), False),
        (RuntimeError("an illegal memory access was encountered"), False),
        (MemoryError("of the host"), False),
    ],
)
def test_too_little_memory_is_seen_behind_other_errors(error, memory):
    assert is_out_of_memory(error) == memory


def test_an_error_that_is_its_own_context_ends_the_search():
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__context__, other.__context__ = other, one
    assert not is_out_of_memory(one)


@pytest.fixture
def capture(monkeypatch):
    """Graphs as on a GPU; `raises` is what the next capture ends with."""

    class Capture:
        def __init__(self):
            self.raises, self.pools = None, []

        def __call__(self, step, pool):
            self.pools.append(pool)
            if self.raises:
                raise self.raises
            return step, "pool"

    made = Capture()
    monkeypatch.setattr(graphs, "warm_up", lambda step: step())
    monkeypatch.setattr(graphs, "captured", made)
    return made


def test_memory_that_ran_out_in_a_capture_is_no_fault_of_graphs(capture, capsys):
    made = Graphs(CUDA, capturable=True)
    capture.raises = hidden(torch.OutOfMemoryError("2 GiB"))
    with pytest.raises(torch.OutOfMemoryError):
        made.ready(lambda: None)
    assert made.capturing
    assert capsys.readouterr().err == ""


def test_where_graphs_cannot_be_had_steps_go_launch_by_launch(capture, capsys):
    made, ran = Graphs(CUDA, capturable=True), []
    made.ready(lambda: None)
    made.ready(lambda: None)
    assert capture.pools[-2:] == [None, "pool"]
    capture.raises = RuntimeError("operation not permitted when stream is capturing")
    made.ready(lambda: ran.append(1))()
    made.ready(lambda: ran.append(2))()
    assert ran == [1, 1, 2]  # warmed up, and run; the second only run
    assert capsys.readouterr().err.count("cannot be recorded here (RuntimeError: operation not permitted") == 1


class OutOfResources(Exception):
    """As Triton's, which is no RuntimeError: a kernel asks for more shared memory than the GPU has."""


def test_an_error_of_the_step_itself_is_not_taken_for_one_of_the_capture(capture, capsys):
    def step():
        raise OutOfResources("shared memory")

    made = Graphs(CUDA, capturable=True)
    with pytest.raises(OutOfResources):
        made.ready(step)
    assert made.capturing
    assert capsys.readouterr().err == ""


def task():
    return Task(JOBS, 2, capacity_for([JOBS]))


def test_any_error_that_hides_too_little_memory_makes_the_group_smaller(tiny, monkeypatch):
    def refuse(self, *arguments):
        raise hidden(torch.OutOfMemoryError("2 GiB"))

    work = GroupWork(Request(JOBS, tiny, RECIPE, Settings()), None)
    monkeypatch.setattr(GpuTraining, "__init__", refuse)
    assert isinstance(work(task()), TooLarge)


@pytest.mark.parametrize("lost", [False, True])
def test_a_lost_gpu_is_looked_for_after_any_error(tiny, monkeypatch, lost):
    def fail(self):
        raise OutOfResources("shared memory")

    monkeypatch.setattr(GpuTraining, "run_batch", fail)
    monkeypatch.setattr(worker, "is_lost", lambda device: lost)
    with pytest.raises(LastOutcome if lost else OutOfResources, match="shared memory"):
        GroupWork(Request(JOBS, tiny, RECIPE, Settings()), None)(task())
