"""What `skelnas status` prints of a study."""

from collections.abc import Mapping

from skelnas.study import runs as study_runs
from skelnas.study.estimate import RunEstimate, ends
from skelnas.study.profile import Profile
from skelnas.study.slurm import last_states, queued_jobs
from skelnas.study.state import ShardState
from skelnas.study.wording import end, estimates, hours, only_reads, rate_sentence, regroup_sentence, stale_sentence
from skelnas.text import span, text_table
from skelnas.training.heartbeat import SILENCE, is_beating

STATUS_HEADER = (
    *("run", "shards", "finished", "running", "waiting"),
    *("trainings", "done", "last hour", "hours left", "ends"),
)
NAMED = 6  # stopped shards that are listed


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
