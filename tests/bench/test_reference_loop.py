import numpy as np
import pytest
import torch

from bench.reference_loop import train_reference
from bench.roofline import Shape
from bench.shapes import MEAN_CELL, random_images
from skelnas.cells import space
from skelnas.recipe import Recipe
from skelnas.training.plain import train_cell


@pytest.mark.parametrize("index", [space.index(MEAN_CELL), 9])
def test_an_epoch_of_the_reference_is_that_of_the_plain_engine(index):
    # Four steps, the last with three images; six classes.
    images = random_images(Shape(8, 12, 6, batch_size=8, train=27, valid=9, test=14))
    recipe = Recipe(epochs=1, batch_size=8, precision="fp64")
    device = torch.device("cpu")
    reference = train_reference(index, 777, images, recipe, device, torch.float64)
    plain = train_cell(space.cell(index), 777, images, recipe, device)
    assert reference[0, :, 0] == pytest.approx(plain.loss[:, 0], rel=1e-6)  # the engine's losses are float32
    np.testing.assert_array_equal(reference[0, :, 1:].T, np.stack([plain.top1[:, 0], plain.top5[:, 0]]))
    assert 0 < plain.top1.sum() < 50
