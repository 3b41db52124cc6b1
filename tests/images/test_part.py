import numpy as np
import pytest

from skelnas.images.conversion import Converted
from skelnas.images.part import Part
from skelnas.images.resize import resize
from skelnas.skeletons.recording import Sample


def converted(number: int, width: int) -> Converted:
    image = np.random.default_rng(number).integers(0, 256, (8, width, 3), dtype=np.uint8)
    return Converted(Sample(f"a{number}", 0, 1), image, length=width)


@pytest.mark.parametrize("width", [12, 0])
def test_images_of_a_given_size_are_the_same_as_images_brought_to_it_later(width: int) -> None:
    recordings = [converted(number, 12 if width else 9 + number) for number in range(5)]
    part = Part(7, width)  # two more could have come
    for recording in recordings:
        part.add(recording)
    assert [recording.sample.name for recording in part.recordings] == ["a0", "a1", "a2", "a3", "a4"]
    assert part.rows() == 8
    images = part.stacked(8, 12)
    assert images.shape == (5, 8, 12, 3)
    for image, recording in zip(images, recordings, strict=True):
        assert np.array_equal(image, resize(recording.image, 8, 12))


def test_no_second_copy_of_an_image_of_given_size_is_kept() -> None:
    part = Part(1, 12)
    part.add(converted(0, 12))
    assert part.recordings[0].image is None
    assert part.recordings[0].length == 12
