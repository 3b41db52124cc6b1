"""The figure of a comparison of precisions: accuracy against accuracy, and the differences against the seed noise."""

import numpy as np
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.precision import CONFIDENCE, correlation_between, mean_interval, pooled_std, seed_noise
from skelnas.analysis.provenance import Facts
from skelnas.analysis.ranks import rank_correlation
from skelnas.analysis.style import ACCENT, MUTED, POINTS, RULE, headline, new_figure, style
from skelnas.results.query import seed_mean
from skelnas.text import counted


def precision_figure(first: np.ndarray, second: np.ndarray, facts: Facts, other: str, split: str = "test") -> Figure:
    """Final accuracies in percent, both (cells, seeds), of the cells to be compared.

    `facts` are of the first benchmark, all of its cells counted; `other` is the second's recipe.
    """
    with style():
        figure = new_figure(height=5.0)
        left, right = figure.subplots(1, 2)
        _accuracies(left, first, second, facts.recipe, other, split)
        _differences(right, first, second, facts.recipe, other)
        tau = rank_correlation(seed_mean(first), seed_mean(second))["kendall_tau_b"]
        agreement = f"Kendall τ-b of seed means {tau:.3f}"
        if first.shape[1] > 1:
            pairs = [correlation_between(*pair, "kendall_tau_b") for pair in ((first, second), (first, first))]
            agreement += f", of two seeds {pairs[0]:.3f} across and {pairs[1]:.3f} within {facts.recipe}"
        seeds = ", ".join(map(str, facts.seeds))
        size = [counted(facts.epochs, "epoch"), counted(len(first), "cell")]
        if alike := facts.cells - len(first):
            size.append(f"{alike} more train alike in both")
        about = "  ·  ".join([facts.dataset, *size, f"seeds {seeds}", agreement])
        headline(figure, "Does the precision of training matter?", about)
    return figure


def _accuracies(axes: Axes, first: np.ndarray, second: np.ndarray, one: str, other: str, split: str) -> None:
    """Seed mean against seed mean; bars are one standard deviation of a seed mean."""
    across, up = seed_mean(first), seed_mean(second)
    low, high = np.nanmin([across, up]) - 3, np.nanmax([across, up]) + 3
    axes.plot([low, high], [low, high], color=MUTED, lw=0.9, zorder=1)
    bars = [pooled_std(values) / np.sqrt(values.shape[1]) for values in (first, second)]
    shown = {} if np.isnan(bars).any() else {"xerr": bars[0], "yerr": bars[1]}
    axes.errorbar(across, up, **shown, fmt="o", ms=5, color=POINTS, ecolor=MUTED, elinewidth=1)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set_xlabel(f"{split} top-1 accuracy, {one} (%)")
    axes.set_ylabel(f"{split} top-1 accuracy, {other} (%)")
    axes.set_title("one point per cell")


def _differences(axes: Axes, first: np.ndarray, second: np.ndarray, one: str, other: str) -> None:
    """Each cell's difference of seed means, by accuracy, over the band that seed noise alone would fill."""
    difference, accuracy = seed_mean(second) - seed_mean(first), seed_mean(first)
    noise, cells, seeds = seed_noise(first, second), *first.shape
    if not np.isnan(noise):
        half = noise * scipy.stats.t.ppf((1 + CONFIDENCE) / 2, 2 * cells * (seeds - 1))
        axes.axhspan(-half, half, color=RULE, lw=0, label=f"{CONFIDENCE:.0%} by seed noise alone")
    axes.axhline(0, color=MUTED, lw=0.9)
    mean, low, high = mean_interval(difference)
    interval = "" if np.isnan(low) else f" ({low:+.2f} to {high:+.2f})"
    axes.axhline(mean, color=ACCENT, lw=1.4, ls=(0, (4, 3)), label=f"mean {mean:+.2f}{interval}")
    axes.scatter(accuracy, difference, s=28, color=POINTS, zorder=3, linewidths=0)
    axes.set_xlabel(f"accuracy, {one} (%)")
    axes.set_ylabel(f"{other} less {one} (points)")
    axes.set_title("difference of seed means")
    axes.legend(loc="best")
