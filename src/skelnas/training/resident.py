"""The data set on the device, as uint8, and batches of it as the network reads them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet


@dataclass(frozen=True)
class ResidentImages:
    """An image set on a device: images uint8 (N, H, W, 3), labels int64 (N,), indices int64 into the pool.

    mean, std: (3,) in the type of computation, on the scale 0..1.
    """

    pool: Tensor
    pool_labels: Tensor
    test: Tensor
    test_labels: Tensor
    train_index: Tensor
    valid_index: Tensor
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, images: ImageSet, device: torch.device, dtype: torch.dtype) -> "ResidentImages":
        """Copy an image set to `device`; on a CPU the images are shared, not copied."""

        def there(array, kind: torch.dtype | None = None) -> Tensor:
            return torch.from_numpy(array).to(device=device, dtype=kind)

        return cls(
            pool=there(images.pool_images),
            pool_labels=there(images.pool_labels),
            test=there(images.test_images),
            test_labels=there(images.test_labels),
            train_index=there(images.train_index),
            valid_index=there(images.valid_index),
            mean=there(images.mean / 255, dtype),
            std=there(images.std / 255, dtype),
        )

    def normalised(self, images: Tensor) -> Tensor:
        """`normalised` with the constants of this image set."""
        return normalised(images, self.mean, self.std)


def normalised(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) to (N, 3, H, W): over 255, less the mean, over the standard deviation, both (3,) on 0..1."""
    values = images.to(mean.dtype).div_(255).sub_(mean).div_(std)
    return values.permute(0, 3, 1, 2).contiguous()


def check_images(images: ImageSet, batch_size: int) -> None:
    """Refuse images that the network cannot be trained on.

    A batch size larger than the training split is fine: each epoch is then a single, smaller batch.

    Raises:
        InputError: height or width is no multiple of 4; BatchNorm would meet a single value per channel.
    """
    height, width = images.height, images.width
    if height % 4 or width % 4 or not height or not width:
        raise InputError(
            f"{images.name}: its images are {height}x{width}, but the network halves both twice; "
            f"set the data set's height and width to multiples of 4"
        )
    last = (images.counts["train"] - 1) % batch_size + 1
    if last == 1 and (height, width) == (4, 4):
        raise InputError(
            f"{images.name}: with batches of {batch_size} the last one has a single 4x4 image, too little for "
            f"BatchNorm; choose another batch size"
        )
