"""Compare what was seen here and on a compute node, and say what must be mended before training."""

import json
import sys
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import write_json
from skelnas.script import run
from skelnas.study import preflight


def compare(login_path: str, node_path: str, report_path: str) -> None:
    """Print every check, and write both machines' facts (JSON).

    Raises:
        InputError: a check did not pass.
    """
    login, node = (json.loads(Path(path).read_text(encoding="utf-8")) for path in (login_path, node_path))
    checks = [preflight.Check(**check) for facts in (login, node) for check in facts["checks"]]
    checks += preflight.same_versions(login["versions"], node["versions"], node["host"])
    for check in sorted(checks, key=lambda check: not check.passed):
        sys.stderr.write(f"{'ok      ' if check.passed else 'PROBLEM '}{check.sentence}\n")
    if problems := sum(not check.passed for check in checks):
        raise InputError(f"preflight: {problems} of {len(checks)} checks did not pass; mend what is marked PROBLEM")
    write_json(report_path, {"login": login, "node": node})


if __name__ == "__main__":
    run(
        compare,
        snakemake.log[0],
        login_path=snakemake.input.login,
        node_path=snakemake.input.node,
        report_path=snakemake.output.report,
    )
