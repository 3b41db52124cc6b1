"""The loss, as the engines that write derivatives out by hand compute it; the plain engine's is `plain.forward`.

Another loss is a field of the recipe, a branch there and a branch in each of these two functions.
"""

import torch
from torch import Tensor


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Each sample's softmax cross-entropy (..., N) from logits (..., N, K) and labels int64 (..., N)."""
    return _picked(-torch.log_softmax(logits, -1), labels)


def losses_and_gradient(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """As `losses`, and the gradient (..., N, K) of their mean over N with respect to the logits."""
    likelihood = torch.log_softmax(logits, -1)
    gradient = likelihood.exp()
    gradient.scatter_add_(-1, labels[..., None], -torch.ones_like(likelihood[..., :1]))
    return -_picked(likelihood, labels), gradient.div_(logits.shape[-2])


def _picked(values: Tensor, labels: Tensor) -> Tensor:
    return values.gather(-1, labels[..., None])[..., 0]
