import numpy as np

from skelnas.analysis.data.contact_sheet import contact_sheet


def test_the_contact_sheet_shows_the_first_training_image_of_each_class(few, texts):
    image_set, _ = few
    figure = contact_sheet(image_set)
    shown = [image.get_array() for image in figure.axes[0].get_images()]
    assert len(shown) == 5
    for label, image in enumerate(shown):
        first = image_set.pool_images[image_set.pool_names.index(f"a{label}_s1")]
        expected = np.clip(0.5 + (first - image_set.mean) / image_set.std / 4, 0, 1)
        assert np.allclose(image, expected)
    assert {"1", "5", "do something with number 4"} <= set(texts(figure))
