"""One of SLURM's commands, by the name it is called by, on a site that exists as a folder only (see fake_slurm.py).

Every call is a line of calls.jsonl. sbatch refuses and prints what site.json says, and runs the job at once; srun gives
the step as many cores as it asks for, as far as this machine has them.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    site = json.loads((FOLDER / "site.json").read_text())
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps([name, *arguments]) + "\n")
    if site["conf"] and os.environ.get("SLURM_CONF") != site["conf"]:
        sys.exit(f"{name}: error: could not establish a configuration source")
    globals()[name](arguments, site)


def sbatch(arguments: list[str], site: dict) -> None:
    line = " ".join(argument for argument in arguments if not argument.startswith("--wrap"))
    test_only = "--test-only" in arguments
    print(site["banner"], end="")
    for words, pattern in site["refuses"]:
        if re.search(pattern, line):
            sys.exit(words)
    if test_only:
        sys.stderr.write(
            "sbatch: Job 99 to start at 2026-12-01T10:00:00 using 8 processors on nodes n1 in partition p\n"
        )
        return
    if (times := FOLDER / "full").exists() and (left := int(times.read_text())):
        times.write_text(str(left - 1))
        sys.exit(site["full"])
    number = str(1000 + len(list(FOLDER.glob("*.state"))))
    state(number, "RUNNING")
    print(number if "--parsable" in line else f"Submitted batch job {number}")
    if wrap := next((argument for argument in arguments if argument.startswith("--wrap=")), ""):
        sys.stdout.flush()
        output = arguments[arguments.index("--output") + 1].replace("%j", number)
        environment = {**os.environ, "SLURM_JOB_ID": number, "SLURM_JOB_NAME": "x"}
        if site["home"]:
            environment["HOME"] = site["home"]
        if gpus := re.search(r"--gpus[= ](\S+)", line):
            environment["SLURM_GPUS"] = gpus[1]
        command = [sys.executable, __file__, number, output, wrap.removeprefix("--wrap=")]
        subprocess.Popen(
            command, env=environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )


def srun(arguments: list[str], site: dict) -> None:
    options = []
    while arguments and arguments[0].startswith("-"):
        options.append(arguments.pop(0))
    line = " ".join(options)
    number = {key: int(value) for key, value in re.findall(r"--([a-z-]+)=(?:\w+:)?(\d+)", line)}
    cores = number.get("cpus-per-task") or number.get("cpus-per-gpu", 1) * number.get("gpus", 1)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: max(1, cores)])
    os.execvp(arguments[0], arguments)


def sacct(arguments: list[str], site: dict) -> None:
    if "--name" in arguments:
        for file in sorted(FOLDER.glob("*.state")):
            print(f"{file.stem}|{file.read_text()}")


def squeue(arguments: list[str], site: dict) -> None:
    sacct(["--name"], site)


def sacctmgr(arguments: list[str], site: dict) -> None:
    print("\n".join(site["sacctmgr"].get(" ".join(arguments), site["accounts"])))


def sshare(arguments: list[str], site: dict) -> None:
    print("\n".join(site["accounts"]))


def sinfo(arguments: list[str], site: dict) -> None:
    print(site["sinfo"])


def scontrol(arguments: list[str], site: dict) -> None:
    print(site["scontrol"].get(" ".join(arguments), ""))


def scancel(arguments: list[str], site: dict) -> None:
    pass


def state(number: str, word: str) -> None:
    temporary = FOLDER / f"{number}.new"
    temporary.write_text(word)
    temporary.replace(FOLDER / f"{number}.state")


def run_job(number: str, output: str, command: str) -> None:
    """The job itself, in a process of its own."""
    with Path(output).open("w") as said:
        code = subprocess.call(["/bin/sh", "-c", command], stdout=said, stderr=subprocess.STDOUT)
    state(number, "FAILED" if code else "COMPLETED")


if __name__ == "__main__":
    if Path(sys.argv[0]).name == "command.py":
        run_job(*sys.argv[1:])
    else:
        main()
