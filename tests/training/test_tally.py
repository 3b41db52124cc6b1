"""Ranks and sums, against NumPy's sorting."""

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from skelnas.training.metrics import Tally, ranks

logit = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0])  # few values, so that ties are frequent


@given(st.integers(1, 9).flatmap(lambda k: st.lists(st.tuples(*[logit] * k), min_size=1, max_size=6)), st.data())
def test_rank_is_the_place_in_a_stable_descending_sort(rows, data):
    classes = len(rows[0])
    labels = [data.draw(st.integers(0, classes - 1)) for _ in rows]
    places = [
        int(np.flatnonzero(np.argsort(-np.array(row), kind="stable") == label)[0])
        for row, label in zip(rows, labels, strict=True)
    ]
    assert ranks(torch.tensor(rows), torch.tensor(labels)).tolist() == places


def test_nan_is_never_right():
    logits = torch.tensor([[math.nan, math.nan, math.nan], [math.nan, 5.0, 1.0], [math.inf, 0.0, math.nan]])
    assert ranks(logits, torch.tensor([0, 1, 0])).tolist() == [3, 1, 1]


def test_figures_of_two_batches():
    tally = Tally(torch.device("cpu"))
    logits = torch.eye(7)[[0, 1, 2]]  # the right class first, then classes 0, 1, 2, ... in this order
    tally.add(logits, torch.tensor([0, 1, 2]), torch.tensor([1.0, 2.0, 3.0]))
    tally.add(logits[:1], torch.tensor([5]), torch.tensor([4.0]))
    tally.add(logits[:1], torch.tensor([4]), torch.tensor([5.0]))
    assert tally.metrics().tolist() == [3.0, 3.0, 4.0]


def test_top5_is_top_k_with_fewer_than_five_classes():
    tally = Tally(torch.device("cpu"))
    tally.add(torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([2]), torch.tensor([0.5]))
    tally.add(torch.full((1, 3), math.nan), torch.tensor([2]), torch.tensor([0.5]))
    assert tally.metrics().tolist() == [0.5, 0.0, 1.0]
