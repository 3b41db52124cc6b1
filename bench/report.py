"""From measured seconds to figures and to a table; `python -m bench.report [FILE]` prints it as Markdown."""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.roofline import Shape, epoch_bytes, epoch_flop
from bench.shapes import Study
from skelnas.cells import space
from skelnas.cells.cost import costs
from skelnas.cells.edges import pruned
from skelnas.study.estimate import CALIBRATION_FORMAT
from skelnas.text import size, text_table

FORMAT = "skelnas bench 1"
BUSY = 0.5  # load average per core before the bench, from which its figures are marked
HEADER = ("shape", "cells", "engine", "precision", "arch-epochs/s", "x ref.", "bytes", "FLOP", "study", "memory")


def row(
    study: Study,
    used: Shape,
    cell_set: str,
    cells: tuple[int, ...],
    names: dict[str, str],
    seconds: dict[tuple, list[float]],
    peaks: dict[tuple, int],
    failures: dict[tuple, str],
    top: dict[str, Any],
    case: Any,
) -> dict[str, Any]:
    """Everything about one line of the table; times are per arch-epoch (one cell, one epoch) of the full data set."""
    key = (study.name, cell_set, case)
    base = {"study": study.name, "cell_set": cell_set, **names, "cells": list(cells)}
    if key in failures:
        return base | {"failure": failures[key]}
    if not seconds.get(key):
        return base | {"skipped": True}
    factor = study.full.train / used.train
    rounds = seconds[key]
    references = [found for (*place, other), found in seconds.items() if place == [*key[:2]] and _is_reference(other)]
    baseline = [min(these) for these in zip(*references, strict=False)]
    ratios = [first / second for first, second in zip(baseline, rounds, strict=False)]
    full = factor * statistics.median(rounds)
    live = [pruned(space.cell(cell)) for cell in cells]
    moved = statistics.mean(epoch_bytes(cell, study.full, case.precision) for cell in live)
    computed = statistics.mean(epoch_flop(cell, study.full) for cell in live)
    return base | {
        "height": used.height,
        "width": used.width,
        "classes": used.classes,
        "batch_size": used.batch_size,
        "samples_measured": [used.train, used.valid, used.test],
        "extrapolated": factor != 1,
        "seconds_measured": rounds,
        "seconds": full,
        "arch_epochs_per_second": 1 / full,
        "ratio": statistics.median(ratios) if ratios else None,
        "bytes_share": moved / top["bytes_per_second"] / full,
        "flop_share": computed / top["flop_per_second"][case.precision] / full,
        "study_hours": full * study_arch_epochs(study, cells) / 3600 if len(cells) > 1 else None,
        "peak_bytes": peaks[key],
    }


def _is_reference(case: Any) -> bool:
    return case.engine.startswith("reference")


def study_arch_epochs(study: Study, cells: tuple[int, ...]) -> float:
    """The whole study as a number of epochs of a mean cell of `cells`, by multiply-accumulates."""
    _, macs = costs(study.full.classes, study.full.height, study.full.width)
    return study.seeds * study.epochs * float(macs.sum() / macs[np.array(cells)].mean())


def calibration(result: dict[str, Any]) -> dict[str, Any]:
    """The rates of the stratified samples, in the form that `skelnas.study.estimate` reads."""
    rates = [
        {
            "height": one["height"],
            "width": one["width"],
            "classes": one["classes"],
            "samples": one["samples_measured"][0],
            "epochs": 1,
            "batch-size": one["batch_size"],
            "precision": one["precision"],
            "engine": one["engine"],
            "device": result["device"],
            "cells": one["cells"],
            "seconds": statistics.median(one["seconds_measured"]) * len(one["cells"]),
        }
        for one in result["rows"]
        if "seconds" in one and len(one["cells"]) > 1 and not one["engine"].startswith("reference")
    ]
    return {"format": CALIBRATION_FORMAT, "rates": rates}


def lines(result: dict[str, Any]) -> list[list[str]]:
    """The table's cells as text."""
    found = []
    for one in result["rows"]:
        names = [one["study"], one["cell_set"], one["engine"], one["precision"]]
        if "seconds" not in one:
            found.append([*names, "failed" if "failure" in one else "no time", "", "", "", "", ""])
            continue
        mark = "*" if one["extrapolated"] else ""
        study = f"{one['study_hours']:,.1f} h" if one["study_hours"] else ""
        shares = [f"{100 * one[key]:.1f} %" for key in ("bytes_share", "flop_share")]
        speed = f"{one['arch_epochs_per_second']:.3g}{mark}"
        ratio = f"{one['ratio']:.2f}" if one["ratio"] else ""  # where the reference failed there is none
        found.append([*names, speed, ratio, *shares, study, size(one["peak_bytes"])])
    return found


def facts(result: dict[str, Any]) -> str:
    """One paragraph: the machine, its ceilings, and how to read the columns."""
    top = result["ceilings"]
    flop = ", ".join(f"{1e-12 * value:.3g} TFLOP/s {name}" for name, value in top["flop_per_second"].items())
    cores = f", {result['cores']} cores" if result["kind"] == "cpu" else ""
    memory = "largest process" if result["kind"] == "cpu" else "reserved by PyTorch"
    text = (
        f"{result['device']}{cores}; torch {result['torch']}; {result['rounds']} rounds in {result['minutes']} "
        f"minutes, {result['finished']}. Ceilings in the same run: copy "
        f"{1e-9 * top['bytes_per_second']:,.1f} GB/s, {flop}. x ref.: times the faster reference-style loop. "
        f"bytes, FLOP: share of these ceilings. study: device-hours of the whole study at this rate. memory: {memory}."
    )
    if result["load_before"] > BUSY * result["cores"]:
        text += f" THE MACHINE WAS BUSY (load {result['load_before']:.1f}): speeds are too low, and ratios only rough."
    if any(one.get("extrapolated") for one in result["rows"]):
        text += " *: measured on a part of the data set and extrapolated by the number of samples."
    return text


def report(result: dict[str, Any]) -> str:
    """Facts and table for a terminal."""
    return f"{facts(result)}\n\n{text_table(HEADER, lines(result), left=4)}"


def markdown(result: dict[str, Any]) -> str:
    """Facts and table for a page."""
    rows = [HEADER, ["---"] * 4 + ["---:"] * (len(HEADER) - 4), *lines(result)]
    return facts(result) + "\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "build/bench.json"
    print(markdown(json.loads(file.read_text(encoding="utf-8"))))
