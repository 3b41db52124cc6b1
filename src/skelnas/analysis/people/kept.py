"""The networks that belong to a benchmark, and the words that all findings on them share."""

import pandas as pd

from skelnas import kinds
from skelnas.analysis.provenance import Facts
from skelnas.errors import InputError
from skelnas.results.networks import Networks, networks_path, read_networks
from skelnas.results.query import Benchmark

NONE = "No cell was trained once more, so nobody knows what it predicts: name some by `predictions` of the study."


def networks_of(benchmark: Benchmark) -> Networks | None:
    """The networks beside a benchmark; None where there are none.

    Raises:
        InputError: they are damaged, or those of another benchmark.
    """
    path = networks_path(benchmark.path)
    if not path.is_file():
        return None
    networks = read_networks(path)
    if networks.benchmark != benchmark.identity:
        raise InputError(f"{path} has the networks of another benchmark; {kinds.again(path)}")
    return networks


def agreement(networks: Networks) -> dict[str, int]:
    """How many networks there are, and how many have the benchmark's counts: columns of every table."""
    return {"networks": len(networks.cell), "as_in_table": int(networks.as_in_table.sum())}


def caveat(table: pd.DataFrame) -> str:
    """What is to be said where trainings did not give the benchmark's counts again; otherwise nothing."""
    same, every = int(table["as_in_table"].iloc[0]), int(table["networks"].iloc[0])
    return "" if same == every else f" ({every - same} of {every} networks have other counts than the benchmark)"


def line(table: pd.DataFrame, facts: Facts) -> str:
    """What a figure says below its title of where it comes from."""
    return f"{facts.line('test')}\n{len(pd.unique(table['network']))} networks, trained once more{caveat(table)}"
