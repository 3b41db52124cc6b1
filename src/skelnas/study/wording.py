"""What `skelnas plan` and `skelnas status` both say of a study."""

from datetime import datetime, timedelta

from skelnas.study import paths
from skelnas.study import runs as study_runs
from skelnas.study.estimate import (
    CALIBRATION,
    RunEstimate,
    estimate,
    read_calibration,
)
from skelnas.study.state import run_state
from skelnas.text import counted, span


def estimates(study: str, config: study_runs.Config, jobs: int) -> list[RunEstimate]:
    """The estimate of each run of a study, from the files in this folder, with `jobs` shards at a time.

    Raises:
        InputError: the configuration has no such study; the measured rates cannot be read.
    """
    training = config["training"]
    states = [
        run_state(run, study_runs.recipe(config, run.recipe), training["engine"])
        for run in study_runs.runs(config, study)
    ]
    return estimate(states, read_calibration(CALIBRATION), training, jobs)


def only_reads(study: str, config: study_runs.Config) -> str:
    """What there is to say of a study that trains nothing."""
    benchmarks = counted(len(config["studies"][study]["imports"]), "benchmark")
    return f"Study {study} trains nothing: it reads {benchmarks} of others, which takes minutes"


def hours(number: float | None) -> str:
    """Device-hours in as many digits as they deserve."""
    if number is None:
        return "unknown"
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 or not number else f"{number:.2f}"


def end(one: RunEstimate, seconds: float | None) -> str:
    """Day and time at which a run will be trained, that many seconds from now."""
    if all(shard.finished for shard in one.state.shards):
        return "trained"
    if seconds is None:
        return "unknown"
    return f"{datetime.now() + timedelta(seconds=seconds):%a %d %b %H:%M} (in {span(seconds)})"


def rate_sentence(one: RunEstimate) -> str:
    """Where the run's rate comes from, or how to get one."""
    state, name = one.state, one.state.run.folder
    if state.manifest is None:
        images = paths.manifest(state.run.dataset)
        return f"{name}: no rate is known before the images are made: snakemake --cores all {images}"
    if one.rate is None:
        return (
            f"{name}: no rate is known; `make bench` on the kind of machine that will train measures one "
            f"(into {CALIBRATION}), and so does the first shard that finishes"
        )
    pace = f": {state.left / one.hours:,.0f} trainings per hour" if one.hours else ""
    return f"{name}{pace}, from {one.rate.origin}"


def regroup_sentence(study: str, estimates: list[RunEstimate]) -> list[str]:
    """What other finished shards hold of a study, and the command that needs no job for it."""
    cells, whole = sum(one.state.elsewhere for one in estimates), [one.state.regrouped for one in estimates]
    if not cells:
        return []
    said = f"{cells:,} trainings are finished in other shards and are taken over, not trained again"
    if shards := sum(map(len, whole)):
        plural = "shards are" if shards > 1 else "shard is"
        said += f"; {shards:,} {plural} there whole: `skelnas regroup {study}` writes them without a job"
    return [f"{said}."]


def stale_sentence(estimates: list[RunEstimate]) -> list[str]:
    """A warning, where finished shards no longer fit the configuration."""
    stale = [shard.path for one in estimates for shard in one.state.shards if shard.stale]
    if not stale:
        return []
    return [f"{len(stale)} shards fit today's recipe or images no more and will be trained again, {stale[0]} first."]
