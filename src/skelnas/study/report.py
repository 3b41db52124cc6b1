"""What `skelnas plan` and `skelnas status` print of a study."""

import re
from datetime import datetime, timedelta

from skelnas.progress import span
from skelnas.study import paths
from skelnas.study import runs as study_runs
from skelnas.study.outlook import RunOutlook, ends, outlook
from skelnas.study.plan import CALIBRATION, free_bytes, read_calibration
from skelnas.study.profile import Profile
from skelnas.study.slurm import queued_jobs
from skelnas.study.state import ShardStanding, last_line, run_standing
from skelnas.text import size, text_table

PLAN_HEADER = ("run", "shards", "finished", "trainings", "done", "left", "hours left", "ends", "disk")
STATUS_HEADER = (
    *("run", "shards", "finished", "running", "waiting"),
    *("trainings", "done", "last hour", "hours left", "ends"),
)
# A log that ends so is of a job that goes on.
GOING_ON = re.compile(r"^$| gone, .* left|in the journal already$| go(es)? on from ")
NAMED = 6  # stopped shards that are listed


def outlooks(study: str, config: study_runs.Config, jobs: int) -> list[RunOutlook]:
    """The outlook of each run of a study, from the files in this folder, with `jobs` shards at a time.

    Raises:
        InputError: the configuration has no such study; the measured rates cannot be read.
    """
    training = config["training"]
    standings = [
        run_standing(run, study_runs.recipe(config, run.recipe), training["engine"])
        for run in study_runs.runs(config, study)
    ]
    return outlook(standings, read_calibration(CALIBRATION), training, jobs)


def plan_text(study: str, config: study_runs.Config, profile: Profile) -> str:
    """What a study will cost before it runs."""
    found = outlooks(study, config, profile.jobs)
    until = ends(found, profile.jobs, profile.devices)
    rows = [_plan_row(one, end(one, seconds)) for one, seconds in zip(found, until, strict=True)]
    at_a_time = f"{profile.jobs} jobs" if profile.jobs > 1 else "one job"
    if profile.devices > 1:
        at_a_time += f" of {profile.devices} GPUs"
    need, free = sum(one.need for one in found), free_bytes(paths.RESULTS)
    left, all_hours = sum(one.standing.left for one in found), [one.hours for one in found]
    together = f"{hours(sum(all_hours))} hours of one device" if None not in all_hours else "not every rate is known"
    parts = [
        f"Study {study}: {left:,} trainings left, {together}; {at_a_time} at a time from now on",
        text_table(PLAN_HEADER, rows),
        "\n".join(rate_sentence(one) for one in found if one.standing.left),
        f"Disk: at most {size(need)} more, {size(free)} are free"
        + (" - that is too little." if need > free else " (a quota may allow less)."),
        *stale_sentence(found),
    ]
    return "\n\n".join(part for part in parts if part)


def _plan_row(one: RunOutlook, ends_at: str) -> tuple[str, ...]:
    """One line of the table."""
    standing = one.standing
    finished = sum(shard.finished for shard in standing.shards)
    return (
        standing.run.folder,
        f"{len(standing.shards):,}",
        f"{finished:,}",
        f"{standing.trainings:,}",
        f"{standing.trainings - standing.left:,}",
        f"{standing.left:,}",
        hours(one.hours),
        ends_at,
        size(one.need),
    )


def status_text(study: str, config: study_runs.Config, profile: Profile) -> str:
    """How far a study is."""
    queue = queued_jobs(profile.job_names) if profile else None
    patience = 60 * max(10.0, 2 * config["training"]["checkpoint-minutes"])
    found = outlooks(study, config, profile.jobs)
    states = [[state(shard, queue, patience) for shard in one.standing.shards] for one in found]
    running = sum(row.count("running") for row in states)
    at_a_time = running or profile.jobs
    until = ends(found, at_a_time, profile.devices)
    rows = [
        _status_row(one, states_of_run, end(one, seconds))
        for one, states_of_run, seconds in zip(found, states, until, strict=True)
    ]
    done = sum(one.standing.trainings - one.standing.left for one in found)
    total = sum(one.standing.trainings for one in found)
    jobs = "job" if at_a_time == 1 else "jobs"
    parts = [
        f"Study {study}: {done:,} of {total:,} trainings done ({done / total:.0%}), "
        f"{sum(map(last_hour, found)):,} in the last hour; ends as with {at_a_time} {jobs} at a time",
        text_table(STATUS_HEADER, rows),
        how_known(queue, patience),
        "\n".join(rate_sentence(one) for one in found if one.standing.left),
        *stopped_shards(found, states),
        *stale_sentence(found),
    ]
    return "\n\n".join(part for part in parts if part)


def state(shard: ShardStanding, queue: dict[str, str] | None, patience: float) -> str:
    """finished, running, waiting (in SLURM's queue), stopped (begun, and nobody is at it) or open."""
    if shard.finished:
        return "finished"
    if queue is not None and shard.comment in queue:
        return "waiting" if queue[shard.comment] == "PENDING" else "running"
    if shard.touched_ago is None:
        return "open"
    going_on = queue is None and shard.touched_ago < patience and GOING_ON.search(last_line(shard.log))
    return "running" if going_on else "stopped"


def _status_row(one: RunOutlook, states: list[str], ends_at: str) -> tuple[str, ...]:
    """One line of the table."""
    standing = one.standing
    return (
        standing.run.folder,
        f"{len(standing.shards):,}",
        *(f"{states.count(name):,}" for name in ("finished", "running", "waiting")),
        f"{standing.trainings:,}",
        f"{standing.trainings - standing.left:,}",
        f"{last_hour(one):,}",
        hours(one.hours),
        ends_at,
    )


def last_hour(one: RunOutlook) -> int:
    """Trainings of the run that ended in the last hour."""
    return sum(age < 3600 for shard in one.standing.shards for age in shard.seconds_ago)


def how_known(queue: dict[str, str] | None, patience: float) -> str:
    """Where the numbers of running and waiting jobs come from."""
    if queue is not None:
        return "Running and waiting: as squeue says."
    minutes = f"{patience / 60:.0f} minutes"
    return f"Running: whose journal or log was written in the last {minutes} (squeue did not answer or was not asked)."


def stopped_shards(outlooks: list[RunOutlook], states: list[list[str]]) -> list[str]:
    """The shards that nobody is at, the latest first, each with the last line of its log."""
    stopped = [
        shard
        for one, names in zip(outlooks, states, strict=True)
        for shard, name in zip(one.standing.shards, names, strict=True)
        if name == "stopped"
    ]
    if not stopped:
        return []
    lines = [f"Stopped: {len(stopped)}; the next snakemake goes on from their journals"]
    for shard in sorted(stopped, key=lambda shard: shard.touched_ago)[:NAMED]:
        recorded = f"{len(shard.recorded)} of {len(shard.cells)} cells kept"
        lines += [f"  {shard.path}, {span(shard.touched_ago)} ago, {recorded}", f"    {reason(shard)}"]
    if len(stopped) > NAMED:
        lines.append(f"  and {len(stopped) - NAMED} more")
    return ["\n".join(lines)]


def reason(shard: ShardStanding) -> str:
    """The last line of the shard's log; where SLURM ended the job, what it says of that."""
    slurm = sorted(shard.slurm_logs.glob("*.log"), key=lambda path: path.stat().st_mtime)
    said = last_line(slurm[-1], "slurmstepd: error") if slurm else ""
    return said or last_line(shard.log) or f"its log is empty: {shard.log}"


def hours(number: float | None) -> str:
    """Device-hours in as many digits as they deserve."""
    if number is None:
        return "unknown"
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 or not number else f"{number:.2f}"


def end(one: RunOutlook, seconds: float | None) -> str:
    """Day and time at which a run will be trained, that many seconds from now."""
    if all(shard.finished for shard in one.standing.shards):
        return "trained"
    if seconds is None:
        return "unknown"
    return f"{datetime.now() + timedelta(seconds=seconds):%a %d %b %H:%M} (in {span(seconds)})"


def rate_sentence(one: RunOutlook) -> str:
    """Where the run's rate comes from, or how to get one."""
    standing, name = one.standing, one.standing.run.folder
    if standing.manifest is None:
        images = paths.manifest(standing.run.dataset)
        return f"{name}: no rate is known before the images are made: snakemake --cores all {images}"
    if one.rate is None:
        return (
            f"{name}: no rate is known; `make bench` on the kind of machine that will train measures one "
            f"(into {CALIBRATION}), and so does the first shard that finishes"
        )
    pace = f": {standing.left / one.hours:,.0f} trainings per hour" if one.hours else ""
    return f"{name}{pace}, from {one.rate.origin}"


def stale_sentence(outlooks: list[RunOutlook]) -> list[str]:
    """A warning, where finished shards no longer fit the configuration."""
    stale = [shard.path for one in outlooks for shard in one.standing.shards if shard.stale]
    if not stale:
        return []
    return [f"{len(stale)} shards fit today's recipe or images no more and will be trained again, {stale[0]} first."]
