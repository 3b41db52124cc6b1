import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from skelnas.errors import InputError
from skelnas.images.resize import check_size, default_height, default_width, resize


@given(st.integers(1, 60), st.integers(1, 130), st.integers(1, 12), st.integers(1, 25))
def test_resize_is_pillows_bilinear(rows: int, frames: int, height: int, width: int) -> None:
    image = np.random.default_rng(rows * 1000 + frames).integers(0, 256, (rows, frames, 3), dtype=np.uint8)
    result = resize(image, 4 * height, 4 * width)
    assert result.shape == (4 * height, 4 * width, 3)
    assert np.array_equal(result, np.asarray(Image.fromarray(image).resize((4 * width, 4 * height), Image.BILINEAR)))


def test_shrinking_averages_over_all_pixels() -> None:
    image = np.zeros((4, 64, 3), dtype=np.uint8)
    image[:, ::2] = 200  # taking single pixels would give 0 or 200
    assert np.abs(resize(image, 4, 4).astype(int) - 100).max() <= 4


@given(st.integers(1, 500))
def test_default_height_is_the_next_multiple_of_four(rows: int) -> None:
    height = default_height(rows)
    assert height % 4 == 0
    assert rows <= height < rows + 4


@pytest.mark.parametrize(
    ("lengths", "width"),
    [([67, 68, 68, 68], 68), ([68], 68), ([68, 69], 72), ([1], 4), ([47, 102], 76), ([65, 67], 68)],
)
def test_default_width_is_the_mean_length_brought_up_to_a_multiple_of_four(lengths: list[int], width: int) -> None:
    assert default_width(lengths) == width


def test_sizes_that_the_network_cannot_halve_twice_are_refused() -> None:
    check_size(20, 68)
    with pytest.raises(InputError, match=r"width 70 .* set width to 72"):
        check_size(20, 70)
    with pytest.raises(InputError, match=r"height 25 .* set height to 24"):
        check_size(25, 68)
    with pytest.raises(InputError, match="height -4"):
        check_size(-4, 68)
