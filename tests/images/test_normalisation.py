import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skelnas.images.normalisation import constants


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_constants_are_the_population_statistics(images: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (images, 4, 8, 3), dtype=np.uint8)
    mean, std = constants(pixels)
    assert np.abs(mean - pixels.mean(axis=(0, 1, 2), dtype=np.float64)).max() < 1e-9
    assert np.abs(std - pixels.std(axis=(0, 1, 2), dtype=np.float64)).max() < 1e-9


def test_order_of_the_images_does_not_matter_to_the_last_bit() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (3000, 4, 8, 3), dtype=np.uint8)
    mean, std = constants(pixels)
    again_mean, again_std = constants(pixels[::-1])
    assert mean.tobytes() == again_mean.tobytes()
    assert std.tobytes() == again_std.tobytes()


def test_many_images_are_summed_without_rounding() -> None:
    pixels = np.full((5000, 8, 8, 3), 255, dtype=np.uint8)  # the sum of squares, 2e10, is more than 32 bits hold
    pixels[0, 0, 0] = 254
    mean, std = constants(pixels)
    n = 5000 * 64
    assert np.allclose(255 - mean, 1 / n, rtol=1e-6, atol=0)
    assert np.allclose(std, np.sqrt((n - 1) / n**2), rtol=1e-12, atol=0)


def test_a_constant_channel_does_not_divide_by_zero() -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (10, 4, 8, 3), dtype=np.uint8)
    pixels[..., 2] = 77
    mean, std = constants(pixels)
    assert (mean[2], std[2]) == (77.0, 1.0)
