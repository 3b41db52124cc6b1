"""Each kernel, in Triton's interpreter, against the PyTorch operation of the same name in float64."""

import sys

import pytest
import torch

from skelnas.network import Network
from skelnas.recipe import Recipe
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables, capacity_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import ABSENT, BIAS, CONVOLUTION, NOTHING, POOL, SKIP, Norms
from skelnas.training.gpu.operations import reference as exact
from skelnas.training.gpu.operations import triton as kernels
from skelnas.training.gpu.state import GpuState

# Entries without work have undefined contents, on which the interpreter may compute.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")

ENTRIES, SLOTS, SAMPLES, HEIGHT, WIDTH = 3, 5, 2, 4, 6
LISTED = torch.tensor([4, -1, 1], dtype=torch.int32)  # the middle entry has no work
WORKING = [0, 2]
SHAPES = {"3x3": (16, 16, 3, 1), "1x1": (16, 32, 1, 1), "halving": (16, 32, 3, 2), "classifier": (64, 256, 1, 1)}
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 3e-2}


def random(*shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape))).to(dtype)


def assert_close(found, expected, dtype, rows=WORKING):
    tolerance = TOLERANCES[dtype]
    scale = expected[rows].abs().max().item()
    torch.testing.assert_close(found[rows].double(), expected[rows].double(), rtol=tolerance, atol=tolerance * scale)


@pytest.fixture(params=SHAPES)
def layer(request):
    cin, cout, kernel, stride = SHAPES[request.param]
    weight = random(ENTRIES, kernel * kernel, cin, cout) / (kernel * cin**0.5)
    inner = (SAMPLES, HEIGHT // stride, WIDTH // stride, cout)
    return weight, (SAMPLES, HEIGHT, WIDTH, cin), inner, stride


def norms(entries, channels, dtype=torch.float32):
    """BatchNorms of random scales and shifts, all else undefined."""
    trained = (random(entries, channels, seed=seed).to(dtype) for seed in (2, 3))
    return Norms(*trained, *(torch.full((entries, channels), torch.nan, dtype=dtype) for _ in range(7)))


def assert_close_norms(found, expected, fields=Norms._fields, rows=WORKING):
    for field in fields:
        assert_close(getattr(found, field), getattr(expected, field), torch.float32, rows)


OF_BATCH = ("mean", "variance", "inverse", "factor", "offset")


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("relu", [True, False])
def test_convolve_and_batch_norm_stats(layer, dtype, relu):
    weight, outer, inner, stride = layer
    source = random(SLOTS, *outer, dtype=dtype)
    out, expected = torch.zeros(ENTRIES, *inner, dtype=dtype), torch.zeros(ENTRIES, *inner, dtype=torch.float64)
    weight = weight.to(dtype).float()  # the interpreter rounds to bfloat16 in its own way
    own, exactly = norms(ENTRIES, inner[-1]), norms(ENTRIES, inner[-1], torch.float64)
    sums = kernels.tile_sums(out)
    kernels.convolve(source, LISTED, weight, out, stride, relu, sums)
    kernels.batch_norm_stats(out, sums, own)
    exact.convolve(source.double(), LISTED, weight.double(), expected, stride, relu)
    exact.batch_norm_stats(expected, exact.tile_sums(expected), exactly)
    assert_close(out, expected, dtype)
    assert_close_norms(own, exactly, OF_BATCH)
    without = torch.zeros_like(out)
    kernels.convolve(source, LISTED, weight, without, stride, relu)
    assert torch.equal(without[WORKING], out[WORKING])


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_input_gradient(layer, dtype):
    weight, outer, inner, stride = layer
    gradient = random(ENTRIES, *inner, dtype=dtype)
    out, expected = torch.zeros(ENTRIES, *outer, dtype=dtype), torch.zeros(ENTRIES, *outer, dtype=torch.float64)
    weight = weight.to(dtype).float()
    kernels.input_gradient(gradient, LISTED, weight, out, stride)
    exact.input_gradient(gradient.double(), LISTED, weight.double(), expected, stride)
    assert_close(out, expected, dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("least", [16, 2048])
def test_weight_gradient(layer, dtype, least, monkeypatch):
    """In several ranges of pixels, and in one."""
    monkeypatch.setattr(sys.modules["skelnas.training.gpu.operations.triton.weight_gradient"], "LEAST_RANGE", least)
    weight, outer, inner, stride = layer
    source = random(SLOTS, *outer, dtype=dtype)
    gradient = random(ENTRIES, *inner, dtype=dtype, seed=1)
    out, expected = torch.zeros_like(weight), torch.zeros_like(weight, dtype=torch.float64)
    kernels.weight_gradient(source, LISTED, gradient, out, stride)
    exact.weight_gradient(source.double(), LISTED, gradient.double(), expected, stride)
    assert_close(out, expected, torch.float32)


def test_moments_of_values_far_from_zero():
    """One pass of squares would lose all digits of this variance in float32."""
    images = 1000 + 0.01 * random(ENTRIES, SAMPLES, HEIGHT, 60, 16)
    own, exactly = norms(ENTRIES, 16), norms(ENTRIES, 16, torch.float64)
    sums = kernels.tile_sums(images)
    kernels.image_sums(images, sums)
    kernels.batch_norm_stats(images, sums, own)
    exact.batch_norm_stats(images.double(), None, exactly)
    torch.testing.assert_close(own.mean.double(), exactly.mean, rtol=1e-6, atol=0)
    torch.testing.assert_close(own.variance.double(), exactly.variance, rtol=2e-2, atol=0)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_sum_nodes(dtype):
    shape = (SAMPLES, HEIGHT, WIDTH, 16)
    pool, convolved = random(SLOTS, *shape, dtype=dtype), random(4, *shape, dtype=dtype, seed=1)
    factor, offset = random(6, 16), random(6, 16, seed=1)
    kinds = torch.tensor([[SKIP, POOL, CONVOLUTION], [BIAS, CONVOLUTION, NOTHING], [POOL, POOL, SKIP], [NOTHING] * 3])
    indices = torch.tensor([[0, 1, 3], [5, 2, 0], [4, 2, 1], [0, 0, 0]])
    tables = kinds.int(), indices.int()
    out, expected = torch.ones(4, *shape, dtype=dtype), torch.ones(4, *shape, dtype=torch.float64)
    kernels.sum_nodes(pool, convolved, *tables, factor, offset, out)
    exact.sum_nodes(pool.double(), convolved.double(), *tables, factor.double(), offset.double(), expected)
    assert_close(out, expected, dtype, slice(None))
    assert not out[3].any()


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (1, 2)])
def test_sum_gradients(dtype, size):
    shape = (SAMPLES, *size, 16)
    gradients, returned = random(SLOTS, *shape, dtype=dtype), random(4, *shape, dtype=dtype, seed=1)
    node = random(3, *shape, dtype=dtype)
    kinds = torch.tensor([[SKIP, POOL, CONVOLUTION], [CONVOLUTION, CONVOLUTION, NOTHING], [POOL, NOTHING, NOTHING]])
    tables = kinds.int(), torch.tensor([[0, 1, 3], [1, 2, 0], [4, 2, 1]]).int()
    out, expected = torch.ones(3, *shape, dtype=dtype), torch.ones(3, *shape, dtype=torch.float64)
    kernels.sum_gradients(gradients, returned, *tables, node, out)
    exact.sum_gradients(gradients.double(), returned.double(), *tables, node.double(), expected)
    assert_close(out, expected, dtype, slice(None))


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_batch_norm_backward(dtype):
    shape = (7, 9, 11, 16)  # more than one tile, the last one ragged
    gradient, images = random(4, *shape, dtype=dtype), random(ENTRIES, *shape, dtype=dtype, seed=1)
    kinds = torch.tensor([[SKIP, CONVOLUTION, CONVOLUTION], [BIAS, POOL, NOTHING], [ABSENT, 0, 0], [POOL, SKIP, SKIP]])
    tables = kinds.int(), torch.tensor([[0, 2, 0], [3, 1, 0], [0, 0, 0], [1, 1, 1]]).int()
    own, exactly = norms(4, 16), norms(4, 16, torch.float64)
    sums = kernels.tile_sums(images)
    kernels.image_sums(images, sums)
    kernels.batch_norm_stats(images, sums, Norms(*(field[:ENTRIES] for field in own)))
    exact.batch_norm_stats(images.double(), None, Norms(*(field[:ENTRIES] for field in exactly)))
    expected, untouched = images.double(), images[1].clone()
    exact.batch_norm_backward(gradient.double(), *tables, expected, exactly)
    kernels.batch_norm_backward(gradient, *tables, images, own)
    assert_close(images, expected, dtype)
    assert torch.equal(images[1], untouched)
    assert_close_norms(own, exactly)
    assert_close(own.to_shift, exactly.to_shift, torch.float32, [3])
    assert own.to_scale[3].isnan().all()  # a bias has none


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_channel_sums(dtype):
    images = random(SLOTS, 7, 9, 11, 16, dtype=dtype)
    found, expected = torch.zeros(ENTRIES, 16), torch.zeros(ENTRIES, 16, dtype=torch.float64)
    kernels.channel_sums(images, LISTED, found)
    exact.channel_sums(images.double(), LISTED, expected)
    assert_close(found, expected, torch.float32)


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_step(nesterov):
    recipe = Recipe(epochs=1, batch_size=1, nesterov=nesterov, weight_decay=0.1)
    found = [random(3000, seed=seed) for seed in range(3)]
    expected = [values.double() for values in found]
    kernels.sgd_step(*found, torch.tensor(0.3), recipe)
    exact.sgd_step(*expected, torch.tensor(0.3, dtype=torch.float64), recipe)
    for one, other in zip(found[:2], expected[:2], strict=True):  # the gradient may be overwritten
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-6)


def test_update_running_stats():
    found = [random(3000, seed=seed) for seed in range(4)]
    expected = [values.double() for values in found]
    kernels.update_running_stats(*found)
    exact.update_running_stats(*expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-6)


def test_pixel_means():
    images, factor, offset = random(ENTRIES, SAMPLES, 8, 9, 16), random(ENTRIES, 16), random(ENTRIES, 16, seed=1)
    found = kernels.pixel_means(images, factor, offset)
    expected = exact.pixel_means(images.double(), factor.double(), offset.double())
    assert_close(found, expected, torch.float32, slice(None))


def test_an_entry_computes_the_same_in_any_company():
    weight, source = random(ENTRIES, 9, 16, 16), random(SLOTS, SAMPLES, HEIGHT, WIDTH, 16)
    together, alone = torch.zeros(ENTRIES, *source.shape[1:]), torch.zeros(1, *source.shape[1:])
    many, one = norms(ENTRIES, 16), norms(1, 16)
    one.scale[:], one.shift[:] = many.scale[2], many.shift[2]
    for images, listed, taken, own in ((together, LISTED, weight, many), (alone, LISTED[2:], weight[2:], one)):
        sums = kernels.tile_sums(images)
        kernels.convolve(source, listed, taken, images, sums=sums)
        kernels.batch_norm_stats(images, sums, own)
    assert torch.equal(together[2:], alone)
    assert torch.equal(many.offset[2:], one.offset)
    gradient, to_weight, alone_to_weight = together.clone(), torch.zeros_like(weight), torch.zeros_like(weight[2:])
    kernels.weight_gradient(source, LISTED, gradient, to_weight)
    kernels.weight_gradient(source, LISTED[2:], gradient[2:], alone_to_weight)
    assert torch.equal(to_weight[2:], alone_to_weight)


def test_nan_passes_the_rectifier():
    source = torch.full((1, 1, 4, 4, 16), torch.nan)
    out = torch.zeros(1, 1, 4, 4, 16)
    kernels.convolve(source, torch.zeros(1, dtype=torch.int32), random(1, 1, 16, 16), out)
    assert out.isnan().all()


# Every operation and a bias, in two models, so that slots matter.
CELLS = [(3, 2, 4, 1, 3, 2), (0, 1, 3, 2, 4, 4)]
CLASSES, REPEATS = 6, 1


def whole_step(operations, kind):
    """Logits in training and evaluation, and the gradients of every parameter in use, as float64."""
    capacity = capacity_of([CELLS])
    lists = work_lists(CELLS, capacity)
    state = GpuState(len(CELLS), capacity, 16, CLASSES, REPEATS, kind, "cpu")
    block = torch.zeros(1 << 24, dtype=torch.uint8)
    network = GpuNetwork(state, GroupTables.of(lists, "cpu"), (2, 4, 8), kind, operations, Arena(block))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        initial = [Network(cell, CLASSES, 16, REPEATS).state_dict() for cell in CELLS]
        images = torch.randn(len(CELLS), 2, 4, 8, 3, dtype=torch.float64)
        labels = torch.randint(0, CLASSES, (len(CELLS), 2))
    state.load(state.stacked(lists, initial))
    network.put(images.to(kind))
    # Without decay and momentum the step leaves the gradients as they are.
    logits, _ = network.train_step(
        labels, Recipe(epochs=1, batch_size=2, momentum=0.0, nesterov=False, weight_decay=0.0)
    )
    evaluated = network.forward(evaluating=True)
    used = [state.gradients[name][entry].flatten() for name, (_, entry), _ in state.rows(lists)]
    return tuple(values.double() for values in (logits, evaluated, torch.cat(used)))


@pytest.mark.slow
def test_a_whole_training_step_of_a_group():
    for one, other in zip(whole_step(kernels, torch.float32), whole_step(exact, torch.float64), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-3 * other.abs().max().item())
