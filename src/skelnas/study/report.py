"""What `skelnas plan` and `skelnas status` print of a study."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from skelnas.study import paths, site
from skelnas.study import runs as study_runs
from skelnas.study.estimate import (
    AUTO_GROUP,
    CALIBRATION,
    RunEstimate,
    ends,
    estimate,
    files_at_peak,
    free_bytes,
    read_calibration,
)
from skelnas.study.modelled import modelled_hours
from skelnas.study.profile import Profile
from skelnas.study.slurm import last_states, queued_jobs
from skelnas.study.state import ShardState, engine_of, run_state
from skelnas.text import counted, size, span, text_table
from skelnas.training.heartbeat import SILENCE, is_beating

PLAN_HEADER = ("run", "shards", "finished", "trainings", "done", "taken over", "left", "hours left", "ends", "disk")
STATUS_HEADER = (
    *("run", "shards", "finished", "running", "waiting"),
    *("trainings", "done", "last hour", "hours left", "ends"),
)
NAMED = 6  # stopped shards that are listed


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


def plan_text(study: str, config: study_runs.Config, profile: Profile) -> str:
    """What a study will cost before it runs."""
    if not study_runs.runs(config, study):
        return only_reads(study, config)
    found, nodes = estimates(study, config, profile.jobs), site.nodes(profile)
    gpus = site.devices(profile, nodes)
    until = ends(found, profile.jobs, gpus)
    rows = [_plan_row(one, end(one, seconds)) for one, seconds in zip(found, until, strict=True)]
    at_a_time = f"{profile.jobs} jobs" if profile.jobs > 1 else "one job"
    if gpus > 1:
        at_a_time += f" of {gpus} GPUs"
    need, free = sum(one.need for one in found), free_bytes(paths.RESULTS)
    left, known = sum(one.state.left for one in found), [one.hours for one in found if one.hours is not None]
    together = f"{hours(sum(known))} hours of one device" if len(known) == len(found) else "not every rate is known"
    parts = [
        f"Study {study}: {left:,} trainings left, {together}; {at_a_time} at a time from now on",
        text_table(PLAN_HEADER, rows),
        "\n".join(rate_sentence(one) for one in found if one.state.left),
        *modelled(found, config["training"]),
        f"Disk: at most {size(need)} more, {size(free)} are free"
        + (" - that is too little." if need > free else " (a quota may allow less)."),
        *regroup_sentence(study, found),
        files_sentence(found),
        *site.idle_gpus(profile, nodes),
        *small_shards(found, gpus, config["training"]["group-size"]),
        *stale_sentence(found),
        *fallback_sentence(found, config["training"]["engine"]),
    ]
    return "\n\n".join(part for part in parts if part)


def modelled(estimates: list[RunEstimate], training: Mapping[str, object]) -> list[str]:
    """What a model says of the runs of which nothing was measured, and of the same in bf16; nothing for a CPU."""
    if training["engine"] != "fused" or training["device"] == "cpu":
        return []
    rows, header = [], ["run", "precision"]
    for one in estimates:
        if one.rate or not one.state.manifest or not one.state.left:
            continue
        left, recipe = [shard.left for shard in one.state.shards], one.state.recipe
        own = modelled_hours(left, one.state.manifest, recipe, recipe.precision)
        narrow = modelled_hours(left, one.state.manifest, recipe, "bf16")
        if own:
            header = ["run", "precision", *own, *(f"{card} in bf16" for card in narrow)]
            ranges = [f"{hours(low)}-{hours(high)}" for low, high in (*own.values(), *narrow.values())]
            rows.append((one.state.run.folder, recipe.precision, *ranges))
    if not rows:
        return []
    return [
        "Modelled hours of one device: counted from the kernels, confirmed by no GPU; the upper end is twice what the "
        "model says (docs/engines.md).\n\n" + text_table(header, rows)
    ]


def files_sentence(estimates: list[RunEstimate]) -> str:
    """How many files the study adds at its peak, which a quota may count."""
    at_work = max((one.files_at_work for one in estimates), default=0)
    return (
        f"Files: at most {files_at_peak(estimates):,} more at a time, {at_work:,} of them only while jobs train "
        "(a quota may count them)."
    )


def small_shards(estimates: list[RunEstimate], gpus: int, group_size: int | str) -> list[str]:
    """A sentence for every run whose shards do not fill the GPUs of a job."""
    group = AUTO_GROUP if group_size == "auto" else int(group_size)
    return [
        sentence
        for one in estimates
        for cells in [max((len(shard.cells) for shard in one.state.shards if not shard.finished), default=0)]
        for sentence in site.small_shards(one.state.run.folder, cells, gpus, group)
    ]


def _plan_row(one: RunEstimate, ends_at: str) -> tuple[str, ...]:
    """One line of the table."""
    state = one.state
    finished = sum(shard.finished for shard in state.shards)
    return (
        state.run.folder,
        f"{len(state.shards):,}",
        f"{finished:,}",
        f"{state.trainings:,}",
        f"{state.trainings - state.left - state.elsewhere:,}",
        f"{state.elsewhere:,}",
        f"{state.left:,}",
        hours(one.hours),
        ends_at,
        size(one.need),
    )


def status_text(study: str, config: study_runs.Config, profile: Profile) -> str:
    """How far a study is."""
    if not study_runs.runs(config, study):
        return only_reads(study, config)
    queue = queued_jobs(profile.job_names) if profile else None
    found = estimates(study, config, profile.jobs)
    states = [[job_state(shard, queue) for shard in one.state.shards] for one in found]
    running = sum(row.count("running") for row in states)
    at_a_time = running or profile.jobs
    until = ends(found, at_a_time, profile.devices)
    rows = [
        _status_row(one, states_of_run, end(one, seconds))
        for one, states_of_run, seconds in zip(found, states, until, strict=True)
    ]
    done = sum(one.state.trainings - one.state.left - one.state.elsewhere for one in found)
    total = sum(one.state.trainings for one in found)
    jobs = "job" if at_a_time == 1 else "jobs"
    parts = [
        f"Study {study}: {done:,} of {total:,} trainings done ({done / total:.0%}), "
        f"{sum(map(last_hour, found)):,} in the last hour; ends as with {at_a_time} {jobs} at a time",
        text_table(STATUS_HEADER, rows),
        how_known(queue),
        *regroup_sentence(study, found),
        "\n".join(rate_sentence(one) for one in found if one.state.left),
        *stopped_shards(found, states),
        *stale_sentence(found),
    ]
    return "\n\n".join(part for part in parts if part)


def only_reads(study: str, config: study_runs.Config) -> str:
    """What there is to say of a study that trains nothing."""
    benchmarks = counted(len(config["studies"][study]["imports"]), "benchmark")
    return f"Study {study} trains nothing: it reads {benchmarks} of others, which takes minutes"


def job_state(shard: ShardState, queue: dict[str, str] | None) -> str:
    """finished, running, waiting (in SLURM's queue), stopped (begun, and nobody is at it) or open."""
    if shard.finished:
        return "finished"
    if queue is not None and shard.comment in queue:
        return "waiting" if queue[shard.comment] == "PENDING" else "running"
    if shard.touched_ago is None:
        return "open"
    if shard.beat is None or (queue is not None and shard.beat.job):  # a job of SLURM's that its queue does not have
        return "stopped"
    return "running" if is_beating(shard.beat, shard.touched_ago) else "stopped"


def _status_row(one: RunEstimate, states: list[str], ends_at: str) -> tuple[str, ...]:
    """One line of the table."""
    state = one.state
    return (
        state.run.folder,
        f"{len(state.shards):,}",
        *(f"{states.count(name):,}" for name in ("finished", "running", "waiting")),
        f"{state.trainings:,}",
        f"{state.trainings - state.left - state.elsewhere:,}",
        f"{last_hour(one):,}",
        hours(one.hours),
        ends_at,
    )


def last_hour(one: RunEstimate) -> int:
    """Trainings of the run that ended in the last hour."""
    return sum(age < 3600 for shard in one.state.shards for age in shard.seconds_ago)


def how_known(queue: dict[str, str] | None) -> str:
    """Where the numbers of running and waiting jobs come from."""
    if queue is not None:
        return "Running and waiting: as squeue says."
    return f"Running: whose heartbeat is at most {SILENCE:.0f} s old (squeue did not answer or was not asked)."


def stopped_shards(estimates: list[RunEstimate], states: list[list[str]]) -> list[str]:
    """The shards that nobody is at, the latest first, each with what its last job said."""
    stopped = [
        (shard.touched_ago or 0.0, shard)
        for one, names in zip(estimates, states, strict=True)
        for shard, name in zip(one.state.shards, names, strict=True)
        if name == "stopped"
    ]
    if not stopped:
        return []
    lines = [f"Stopped: {len(stopped)}; the next snakemake goes on from their journals"]
    named = sorted(stopped, key=lambda pair: pair[0])[:NAMED]
    slurm = last_states(shard.beat.job for _, shard in named if shard.beat)
    for ago, shard in named:
        recorded = f"{len(shard.recorded)} of {len(shard.cells)} cells kept"
        lines += [f"  {shard.path}, {span(ago)} ago, {recorded}", f"    {reason(shard, slurm)}"]
    if len(stopped) > NAMED:
        lines.append(f"  and {len(stopped) - NAMED} more")
    return ["\n".join(lines)]


def reason(shard: ShardState, slurm: Mapping[str, str]) -> str:
    """What the shard's last job said when it ended, or how it was killed; `slurm` has the states of SLURM's jobs."""
    beat = shard.beat
    if beat is None:
        return f"its job left no word; its log is {shard.log}"
    if beat.state != "running":
        return beat.said or f"{beat.state} without a word; its log is {shard.log}"
    job = f" as job {beat.job}" if beat.job else ""
    by = f" ({slurm[beat.job]})" if beat.job in slurm else ""
    return f"killed without notice on {beat.host}{job}{by}" + (f"; it said last: {beat.said}" if beat.said else "")


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


def fallback_sentence(estimates: list[RunEstimate], engine: str) -> list[str]:
    """A warning, where finished shards were trained by another engine than the fused one that was asked for."""
    shards = [shard.path for one in estimates for shard in one.state.shards if shard.finished]
    others = [path for path in shards if engine == "fused" and engine_of(path) == "graphed"]
    if not others:
        return []
    return [
        f"{len(others)} finished shards were trained by the slower engine graphed, as the kernels of fused failed on "
        f"their GPU, {others[0]} first; its log in logs/train/ has the reason."
    ]


def stale_sentence(estimates: list[RunEstimate]) -> list[str]:
    """A warning, where finished shards no longer fit the configuration."""
    stale = [shard.path for one in estimates for shard in one.state.shards if shard.stale]
    if not stale:
        return []
    return [f"{len(stale)} shards fit today's recipe or images no more and will be trained again, {stale[0]} first."]
