import numpy as np

from skelnas.analysis.data.encoding_gallery import encoding_gallery
from skelnas.images.encodings import ENCODINGS
from skelnas.skeletons.recording import Recording, Sample


def test_the_gallery_shows_every_encoding_of_every_recording(texts):
    rng = np.random.default_rng(0)
    recordings = [Recording(Sample(f"r{i}", i, 1), rng.normal(size=(4, 20 + i, 3))) for i in range(2)]
    figure = encoding_gallery(recordings, (-1, 0, 1, 2))
    shown = [image.get_array() for axes in figure.axes for image in axes.get_images()]
    expected = [
        encode(recording.coordinates, (-1, 0, 1, 2)) for encode in ENCODINGS.values() for recording in recordings
    ]
    assert len(shown) == len(expected) == 10
    assert all(np.array_equal(a, b) for a, b in zip(shown, expected, strict=True))
    assert {"r0", "r1", *ENCODINGS} <= set(texts(figure))


def test_without_a_joint_tree_the_gallery_says_so(texts):
    recording = Recording(Sample("r", 0, 1), np.random.default_rng(0).normal(size=(4, 20, 3)))
    figure = encoding_gallery([recording], ())
    assert sum(len(axes.get_images()) for axes in figure.axes) == 3
    assert sum("each joint's" in text for text in texts(figure)) == 2
