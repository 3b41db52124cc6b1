"""Write those shards of a study whose cells finished shards of other studies, sizes or names hold already.

No job is needed and nothing is trained; what only a part of is there is left to its job, which takes that part over.

skelnas regroup thesis
"""

import argparse
import sys

from skelnas.commands.asked import add_configuration_arguments, read_asked
from skelnas.progress import Progress
from skelnas.study import runs as study_runs
from skelnas.study.state import finished_shards, run_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY", nargs="?", default="", help="a study of config.yaml; else its own")
    add_configuration_arguments(parser)


def run(given: argparse.Namespace) -> int:
    asked = read_asked(given)
    states = [
        run_state(one, study_runs.recipe(asked.config, one.recipe), asked.config["training"]["engine"])
        for one in study_runs.runs(asked.config, asked.study)
    ]
    whole = [(state, shard) for state in states for shard in state.regrouped]
    progress, written = Progress(f"regroup {asked.study}", len(whole), "shards"), 0
    for state, shard in whole:
        if state.manifest is not None:
            others = finished_shards(state.run, state.recipe, state.manifest, shard.seed)
            written += others.regroup(shard.cells, shard.path)
        progress.advance()
    left = sum(state.left for state in states)
    print(f"{written:,} shards written; {left:,} trainings of study {asked.study} are left to jobs")
    if written < len(whole):
        sys.stderr.write(f"{len(whole) - written:,} shards were left to jobs: what held their cells is damaged\n")
    return 0
