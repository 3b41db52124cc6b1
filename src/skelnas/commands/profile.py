"""Make a profile for a kind of SLURM site: the shipped one with other lines for what a job asks for.

    skelnas profile gres
    snakemake --profile slurm-gres thesis

The first command without a KIND lists them; docs/cluster.md says which kind a site is.
"""

import argparse

from skelnas.study.profile import kinds, make_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", metavar="KIND", help="a kind of site; without it all kinds are listed")
    parser.add_argument("--to", metavar="FOLDER", help="where to put it; else slurm-KIND")


def run(given: argparse.Namespace) -> int:
    if given.kind is None:
        width = max(map(len, kinds()))
        print("\n".join(f"{name:{width}}  {does}" for name, does in kinds().items()))
        return 0
    path = make_profile(given.kind, given.to or f"slurm-{given.kind}")
    print(f"{path}: put your partition, account, time and memory into it, then: snakemake --profile {path.parent} ...")
    return 0
