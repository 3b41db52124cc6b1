"""A local registry for OptunaHub: `load_local_module(package="benchmarks/...", registry_root=folder)`.

A package is a folder with `__init__.py` (`problem.py` of this room, unchanged), a README with front matter, LICENSE and
example.py, as https://github.com/optuna/optunahub-registry asks for; the accuracies lie beside as `table.npz`, which
NumPy reads without pickle. The problem reports every epoch, so that pruners work.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.exporters import Options
from skelnas.results.query import Benchmark

MIT = """MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def package(benchmark: Benchmark) -> str:
    """The name of the package in its registry."""
    return f"benchmarks/skelnas_{benchmark.dataset}_{benchmark.recipe_name}".replace("-", "_").lower()


def write(benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Write the registry with its one package.

    Raises:
        InputError: there is no validation split to optimise.
    """
    (benchmark,) = benchmarks
    if not benchmark.samples["valid"]:
        raise InputError(f"{benchmark.path} has no validation split, which a search needs")
    folder = target / package(benchmark)
    folder.mkdir(parents=True)
    digits = np.array([space.cell(int(cell)) for cell in benchmark.cells], dtype=np.uint8)
    np.savez_compressed(
        folder / "table.npz",
        cell=benchmark.cells,
        digits=digits,
        seed=np.array(benchmark.seeds),
        samples=np.array([benchmark.samples["valid"], benchmark.samples["test"]]),
        valid=benchmark.counts("valid"),
        test=benchmark.counts("test"),
    )
    source = Path(__file__).with_name("problem.py").read_text(encoding="utf-8")
    readme, example = _readme(benchmark, options), _example(benchmark)
    for name, text in {"__init__.py": source, "README.md": readme, "example.py": example, "LICENSE": MIT}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [
        f'load_local_module(package="{package(benchmark)}", registry_root="{{folder}}").Problem()',
        "a trial of a cell that nobody trained is pruned before its first epoch",
    ]


def _readme(benchmark: Benchmark, options: Options) -> str:
    return f"""---
author: {options.creator or "the skelnas maintainers"}
title: Cells of NAS-Bench-201 on {benchmark.dataset}
description: Validation accuracy of {len(benchmark):,} cells after each of {benchmark.epochs} epochs, from a table.
tags: [benchmark, neural architecture search, pruning]
optuna_versions: [5.0.0]
license: MIT License
---

## APIs

`Problem(seed=None)`: the search space is the operation on each of six edges; the value is the validation accuracy
(percent) after the last epoch, of one training (`seed`: {", ".join(map(str, benchmark.seeds))}) or the mean of those
that a cell has. Each epoch is reported, so pruners work. `Problem.test(params)` is the test accuracy: for the end, not
for the search.

## Installation

`pip install optuna optunahub numpy`

## Example

See example.py. The table was made by skelnas of `{benchmark.path.name}`, identity `{benchmark.identity}`; source of the
results: {benchmark.source}.
"""


def _example(benchmark: Benchmark) -> str:
    return f'''"""Search with pruning; call it in the folder of the registry."""

from pathlib import Path

import optuna
import optunahub

root = str(Path(__file__).resolve().parents[2])
problem = optunahub.load_local_module("{package(benchmark)}", registry_root=root).Problem()
study = optuna.create_study(directions=problem.directions, pruner=optuna.pruners.MedianPruner(n_startup_trials=5))
study.optimize(problem, n_trials=60)
pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
print(f"best validation {{study.best_value:.2f}} %, test {{problem.test(study.best_params):.2f}} %, {{pruned}} pruned")
'''
