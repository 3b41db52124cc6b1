"""Each kernel, in Triton's interpreter, against the PyTorch operation of the same name in float64."""

from types import SimpleNamespace

import pytest
import torch

from skelnas.training import kernels
from skelnas.training.fused import kernel_check
from skelnas.training.fused import stacked_operations as exact
from skelnas.training.fused.stacked_operations import BIAS, CONVOLUTION, NOTHING, POOL, SKIP
from skelnas.training.kernels import convolution

# Entries without work have undefined contents, on which the interpreter may compute.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")

ENTRIES, SLOTS, SAMPLES, HEIGHT, WIDTH = 3, 5, 2, 4, 6
LISTED = torch.tensor([4, -1, 1], dtype=torch.int32)  # the middle entry has no work
WORKING = [0, 2]
SHAPES = {"3x3": (16, 16, 3, 1), "1x1": (16, 32, 1, 1), "halving": (16, 32, 3, 2)}
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


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("relu", [True, False])
def test_convolve(layer, dtype, relu):
    weight, outer, inner, stride = layer
    source = random(SLOTS, *outer, dtype=dtype)
    out, expected = torch.zeros(ENTRIES, *inner, dtype=dtype), torch.zeros(ENTRIES, *inner, dtype=torch.float64)
    weight = weight.to(dtype).float()  # the interpreter rounds to bfloat16 in its own way
    mean, variance = kernels.convolve(source, LISTED, weight, out, stride, relu)
    exact_mean, exact_variance = exact.convolve(source.double(), LISTED, weight.double(), expected, stride, relu)
    assert_close(out, expected, dtype)
    assert_close(mean, exact_mean, torch.float32)
    assert_close(variance, exact_variance, torch.float32)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_convolve_transposed(layer, dtype):
    weight, outer, inner, stride = layer
    gradient = random(ENTRIES, *inner, dtype=dtype)
    out, expected = torch.zeros(ENTRIES, *outer, dtype=dtype), torch.zeros(ENTRIES, *outer, dtype=torch.float64)
    weight = weight.to(dtype).float()
    kernels.convolve_transposed(gradient, LISTED, weight, out, stride)
    exact.convolve_transposed(gradient.double(), LISTED, weight.double(), expected, stride)
    assert_close(out, expected, dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("least", [16, 2048])
def test_weight_gradient(layer, dtype, least, monkeypatch):
    """In several ranges of pixels, and in one."""
    monkeypatch.setattr(convolution, "LEAST_RANGE", least)
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
    mean, variance = kernels.image_moments(images)
    exact_mean, exact_variance = exact.image_moments(images.double())
    torch.testing.assert_close(mean.double(), exact_mean, rtol=1e-6, atol=0)
    torch.testing.assert_close(variance.double(), exact_variance, rtol=2e-2, atol=0)


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
def test_batchnorm_backward(dtype):
    shape = (7, 9, 11, 16)  # more than one tile, the last one ragged
    gradients, images = random(SLOTS, *shape, dtype=dtype), random(ENTRIES, *shape, dtype=dtype, seed=1)
    mean, factor, slope, constant = (random(ENTRIES, 16, seed=seed) for seed in range(4))
    found = kernels.gradient_sums(gradients, LISTED, images, mean)
    expected = exact.gradient_sums(gradients.double(), LISTED, images.double(), mean.double())
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other, torch.float32)
    exactly = images.double()
    exact.combine_gradient(gradients.double(), LISTED, exactly, factor.double(), slope.double(), constant.double())
    kernels.combine_gradient(gradients, LISTED, images, factor, slope, constant)
    assert_close(images, exactly, dtype)


def test_pixel_means():
    images, factor, offset = random(ENTRIES, SAMPLES, 8, 9, 16), random(ENTRIES, 16), random(ENTRIES, 16, seed=1)
    found = kernels.pixel_means(images, factor, offset)
    expected = exact.pixel_means(images.double(), factor.double(), offset.double())
    assert_close(found, expected, torch.float32, slice(None))


def test_an_entry_computes_the_same_in_any_company():
    weight, source = random(ENTRIES, 9, 16, 16), random(SLOTS, SAMPLES, HEIGHT, WIDTH, 16)
    together, alone = torch.zeros(ENTRIES, *source.shape[1:]), torch.zeros(1, *source.shape[1:])
    kernels.convolve(source, LISTED, weight, together)
    kernels.convolve(source, LISTED[2:], weight[2:], alone)
    assert torch.equal(together[2:], alone)
    gradient, to_weight, alone_to_weight = together.clone(), torch.zeros_like(weight), torch.zeros_like(weight[2:])
    kernels.weight_gradient(source, LISTED, gradient, to_weight)
    kernels.weight_gradient(source, LISTED[2:], gradient[2:], alone_to_weight)
    assert torch.equal(to_weight[2:], alone_to_weight)


def test_nan_passes_the_rectifier():
    source = torch.full((1, 1, 4, 4, 16), torch.nan)
    out = torch.zeros(1, 1, 4, 4, 16)
    kernels.convolve(source, torch.zeros(1, dtype=torch.int32), random(1, 1, 16, 16), out)
    assert out.isnan().all()


@pytest.mark.parametrize("narrow", kernel_check.ALLOWED)
def test_a_whole_training_step_of_a_group(narrow):
    kernel_check.check(kernels, torch.device("cpu"), narrow)


def test_the_check_notices_a_wrong_kernel():
    def wrong(*arguments):
        exact.sum_gradients(*arguments)
        arguments[-1][1] *= 1.01

    broken = SimpleNamespace(**{name: getattr(exact, name) for name in kernels.__all__} | {"sum_gradients": wrong})
    with pytest.raises(ArithmeticError, match="gradients computed with kernels are"):
        kernel_check.check(broken, torch.device("cpu"))
