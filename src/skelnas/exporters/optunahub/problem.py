"""Cells of NAS-Bench-201 as a problem for Optuna: accuracies that were trained once are looked up in a table."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import optunahub

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")  # source and target node


class Problem(optunahub.benchmarks.BaseProblem):
    """Maximise the validation accuracy (percent) after the last epoch.

    seed: one training of each cell; without it the mean over the trainings that a cell has.
    """

    def __init__(self, seed: int | None = None) -> None:
        with np.load(Path(__file__).with_name("table.npz"), allow_pickle=False) as table:
            arrays = dict(table)
        seeds = arrays["seed"].tolist()
        if seed is not None and seed not in seeds:
            raise ValueError(f"there is no seed {seed}; there are {seeds}")
        self._curves = {
            split: self._of(
                np.where(arrays[split] < 0, np.nan, 100 * arrays[split] / max(int(samples), 1)), seeds, seed
            )
            for split, samples in zip(("valid", "test"), arrays["samples"], strict=True)
        }
        self._row = {tuple(digits): row for row, digits in enumerate(arrays["digits"].tolist())}

    @staticmethod
    def _of(curves: np.ndarray, seeds: list[int], seed: int | None) -> np.ndarray:
        """(cells, epochs) of (cells, seeds, epochs), NaN where nobody has them."""
        if seed is not None:
            return curves[:, seeds.index(seed)]
        there = ~np.isnan(curves)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(there, curves, 0).sum(axis=1) / there.sum(axis=1)

    @property
    def search_space(self) -> dict[str, optuna.distributions.BaseDistribution]:
        return {edge: optuna.distributions.CategoricalDistribution(OPERATIONS) for edge in EDGES}

    @property
    def directions(self) -> list[optuna.study.StudyDirection]:
        return [optuna.study.StudyDirection.MAXIMIZE]

    def __call__(self, trial: optuna.Trial) -> float:
        """The final value of a trial; every epoch is reported on the way."""
        params = {edge: trial.suggest_categorical(edge, OPERATIONS) for edge in EDGES}
        curve = self.curve(params)
        if np.isnan(curve).any():
            raise optuna.TrialPruned("nobody trained this cell")
        for epoch, value in enumerate(curve.tolist()):
            trial.report(value, step=epoch + 1)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(curve[-1])

    def evaluate(self, params: dict[str, Any]) -> float:
        """The validation accuracy after the last epoch; NaN where nobody trained the cell."""
        return float(self.curve(params)[-1])

    def curve(self, params: dict[str, Any], split: str = "valid") -> np.ndarray:
        """The accuracy after each epoch, percent."""
        curves = self._curves[split]
        row = self._row.get(tuple(OPERATIONS.index(params[edge]) for edge in EDGES))
        return np.full(curves.shape[1], np.nan) if row is None else curves[row]

    def test(self, params: dict[str, Any]) -> float:
        """The test accuracy after the last epoch, percent: for the end, not for the search."""
        return float(self.curve(params, "test")[-1])
