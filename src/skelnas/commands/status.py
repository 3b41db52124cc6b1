"""Say how far a study is: trainings done and left, jobs that run, and why others stopped.

skelnas status --study thesis --profile slurm
"""

import argparse

from skelnas.commands.asked import add_study_arguments, read_asked
from skelnas.study.status_report import status_text

add_arguments = add_study_arguments


def run(given: argparse.Namespace) -> int:
    asked = read_asked(given)
    print(status_text(asked.study, asked.config, asked.profile))
    return 0
