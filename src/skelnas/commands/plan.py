"""Say what a study will cost before it runs: trainings that are left, hours of one device, when it ends, disk.

skelnas plan --study thesis --profile slurm
"""

import argparse

from skelnas.commands.asked import add_study_arguments, read_asked
from skelnas.study.plan_report import plan_text

add_arguments = add_study_arguments


def run(given: argparse.Namespace) -> int:
    asked = read_asked(given)
    print(plan_text(asked.study, asked.config, asked.profile))
    return 0
