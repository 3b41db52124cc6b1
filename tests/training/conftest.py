"""A tiny image set for training tests."""

import numpy as np
import pytest

from skelnas.images.image_set import ImageSet, sealed


def tiny_image_set(classes: int = 4, train: int = 11, valid: int = 6, test: int = 7, size: tuple = (8, 12)) -> ImageSet:
    """Images whose brightness tells their class, with noise; the pool alternates between train and valid."""
    random = np.random.default_rng(5)

    def images(number: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(number, dtype=np.int64) % classes
        noise = random.integers(0, 60, (number, *size, 3))
        return (noise + 40 * labels[:, None, None, None] % 190).astype(np.uint8), labels

    pool, pool_labels = images(train + valid)
    test_images, test_labels = images(test)
    valid_index = np.linspace(1, train + valid - 2, valid).astype(np.int64)
    return sealed(
        ImageSet(
            name="tiny",
            pool_images=pool,
            pool_labels=pool_labels,
            pool_names=tuple(f"p{i}" for i in range(len(pool))),
            pool_subjects=np.ones_like(pool_labels),
            test_images=test_images,
            test_labels=test_labels,
            test_names=tuple(f"t{i}" for i in range(test)),
            test_subjects=np.ones_like(test_labels),
            train_index=np.setdiff1d(np.arange(len(pool)), valid_index),
            valid_index=valid_index,
            class_names=tuple(f"class {i}" for i in range(classes)),
            mean=pool.mean((0, 1, 2)),
            std=pool.std((0, 1, 2)),
            encoding="swap-axes",
            fingerprint="",
        )
    )


@pytest.fixture(scope="session")
def tiny() -> ImageSet:
    """11 training, 6 validation and 7 test images of 8x12 in 4 classes."""
    return tiny_image_set()


@pytest.fixture(scope="session")
def make_tiny():
    """The function that makes tiny image sets of other shapes."""
    return tiny_image_set
