"""Everything that only a GPU can settle, in minutes that are lent: stages, each with a deadline of its own.

    python -m bench.gpu [--minutes 7] [--stages facts,compile,...] [--out FOLDER] [--device cuda|cpu]

Needs a source checkout and a Python with torch, triton, numpy, h5py, pandas and pillow. Each stage is a process, so
that nothing of it stays in the GPU's memory, and writes what it finds at once into FOLDER/STAGE.json. One that is over
its time is ended, and what it had found is kept; what others leave of their time the last one gets. FOLDER/report.md is
the page to read and to send in (docs/first-gpu-run.md). `--device cpu` rehearses the whole on tiny shapes. The exit
status is 1 where something failed.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from skelnas.files import write_json

ROOT = Path(__file__).resolve().parents[1]
# Seconds of each stage; on other minutes than their sum in proportion. `bench.gpu_stages` says what each does.
SECONDS = {
    "facts": 15,
    "compile": 40,
    "ops": 40,
    "exact": 50,
    "kernels": 60,
    "variants": 50,
    "simple": 50,
    "rates": 80,
    "faults": 60,
}
GRACE = 5  # seconds that a stage has to end when it is told to


def run_stage(name: str, device: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Run one stage for at most `seconds`; what it found, with `failure` where it failed or was ended."""
    out = folder / f"{name}.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.gpu_stages", name, "--device", device, "--out", str(out)]
    command += ["--seconds", str(max(1, seconds - GRACE))]
    begun, failure = time.monotonic(), ""
    with (folder / f"{name}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            if process.wait(seconds):
                failure = f"exit status {process.returncode}; see {log.name}"
        except subprocess.TimeoutExpired:
            failure = f"ended after {seconds:.0f} seconds"
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    found = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    found["seconds"] = round(time.monotonic() - begun, 1)
    if failure:
        found.setdefault("failure", failure)
    write_json(out, found)
    return found


def failures(found: dict[str, Any]) -> list[str]:
    """What of a stage failed, one line each."""
    lines = [found["failure"]] if "failure" in found else []
    for name, value in found.items():
        if isinstance(value, dict) and value.get("passed") is False:
            lines.append(f"{name}: {value.get('error') or {k: v for k, v in value.items() if k != 'passed'}}")
    return lines


def report(stages: dict[str, dict[str, Any]]) -> str:
    """The page: the stages, what failed, the kernels that take longest, the rates, what to do next."""
    lines = ["# A GPU, looked at", "", "| stage | seconds | found | failed |", "|---|---:|---:|---:|"]
    for name, found in stages.items():
        lines.append(f"| {name} | {found['seconds']} | {len(found) - 1} | {len(failures(found))} |")
    failed = [f"* {name}: {line}" for name, found in stages.items() for line in failures(found)]
    lines += ["", "## What failed", "", *(failed or ["Nothing."])]
    lines += ["", "## The machine", "", *_plain(stages.get("facts", {}))]
    lines += ["", "## The kernels that take longest: ms, share of all, GB/s asked for once", ""]
    for name, times in stages.get("kernels", {}).items():
        if name.endswith(": ms"):
            shape = name.removesuffix(": ms")
            rates = stages["kernels"].get(f"{shape}: GB/s", {})
            lines += [f"* {shape}: " + "; ".join(_kernel(one, rates) for one in list(times.items())[:3])]
    lines += ["", "## Rates", ""]
    for stage in ("simple", "rates"):
        lines += [f"* {stage}, {name} {value}" for name, value in stages.get(stage, {}).items() if "epochs/s" in name]
    lines += ["", "## What to do next", "", *_next(stages)]
    return "\n".join(lines) + "\n"


def _plain(found: dict[str, Any]) -> list[str]:
    return [f"* {name}: {str(value).strip()}" for name, value in found.items() if name != "seconds"]


def _kernel(one: tuple[str, list[float]], rates: dict[str, float]) -> str:
    """Milliseconds, share of all, and GB/s of the kernels that share its operations."""
    name, (ms, share) = one
    own = [rate for names, rate in rates.items() if name.startswith(tuple(names.split(" + ")))]
    return f"{name} {ms} ms ({100 * share:.0f} %" + (f", {own[0]} GB/s)" if own else ")")


def _next(stages: dict[str, dict[str, Any]]) -> list[str]:
    failed = {name for name, found in stages.items() if failures(found)}
    advice = {
        "facts": "* The machine itself: see facts.log before anything else.",
        "compile": "* Kernels do not compile: send in compile.log; `engine: graphed` trains meanwhile.",
        "ops": "* An operation is wrong here: send in ops.json; training falls back on `graphed` by itself.",
        "exact": "* Replays or groups differ: do not mix results of this card with others; send in exact.json.",
        "faults": "* A fault was not survived: train with short shards until it is mended; send in faults.json.",
    }
    found = [text for name, text in advice.items() if name in failed]
    return found or ["* Train: `python -m bench.first_study --images FILE --minutes N` (docs/first-gpu-run.md)."]


def main() -> int:
    """Run the stages; 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=7, help="for all stages (default 7)")
    parser.add_argument("--stages", default=",".join(SECONDS), help="which, with commas between (default all)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda", help="cpu rehearses on tiny shapes")
    parser.add_argument("--out", type=Path, default=ROOT / "build/gpu", help="folder (default build/gpu)")
    given = parser.parse_args()
    chosen = given.stages.split(",")
    if unknown := [name for name in chosen if name not in SECONDS]:
        parser.error(f"there is no stage {unknown[0]!r}; choose of {', '.join(SECONDS)}")
    given.out.mkdir(parents=True, exist_ok=True)
    ends, factor = time.monotonic() + 60 * given.minutes, 60 * given.minutes / sum(SECONDS[name] for name in chosen)
    stages: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(chosen):
        left = ends - time.monotonic() - GRACE
        seconds = left if place == len(chosen) - 1 else min(left, max(10, SECONDS[name] * factor))
        if seconds < GRACE:
            stages[name] = {"failure": "the minutes were over", "seconds": 0.0}
            continue
        sys.stderr.write(f"{name}: at most {seconds:.0f} s\n")
        stages[name] = run_stage(name, given.device, given.out, seconds)
        for line in failures(stages[name]):
            sys.stderr.write(f"  FAILED {line}\n")
        (given.out / "report.md").write_text(report(stages), encoding="utf-8")
    print(report(stages))
    return int(any(failures(found) for found in stages.values()))


if __name__ == "__main__":
    sys.exit(main())
