"""Print how far a study is (`make status`): trainings done, in the last hour and left, jobs, and why some stopped."""

import re

from plan import end, hours, rate_sentence, stale_sentence
from study_arguments import Asked, answer

from skelnas.progress import span
from skelnas.study.outlook import RunOutlook, ends
from skelnas.study.slurm import queued_jobs
from skelnas.study.state import ShardStanding, last_line
from skelnas.text import text_table

HEADER = ("run", "shards", "finished", "running", "waiting", "trainings", "done", "last hour", "hours left", "ends")
# A log that ends so is of a job that goes on.
GOING_ON = re.compile(r"^$| gone, .* left|in the journal already$| go(es)? on from ")
NAMED = 6  # stopped shards that are listed


def say(asked: Asked) -> str:
    """The state of a study as text."""
    queue = queued_jobs(str(asked.profile.get("slurm-jobname-prefix", ""))) if asked.profile else None
    patience = 60 * max(10.0, 2 * asked.config["training"]["checkpoint-minutes"])
    outlooks = asked.outlooks(asked.jobs)
    states = [[state(shard, queue, patience) for shard in one.standing.shards] for one in outlooks]
    running = sum(row.count("running") for row in states)
    at_a_time = running or asked.jobs
    outlook_ends = ends(outlooks, at_a_time, asked.devices)
    rows = [
        row(one, states_of_run, end(one, seconds))
        for one, states_of_run, seconds in zip(outlooks, states, outlook_ends, strict=True)
    ]
    done = sum(one.standing.trainings - one.standing.left for one in outlooks)
    total = sum(one.standing.trainings for one in outlooks)
    jobs = "job" if at_a_time == 1 else "jobs"
    parts = [
        f"Study {asked.study}: {done:,} of {total:,} trainings done ({done / total:.0%}), "
        f"{sum(map(last_hour, outlooks)):,} in the last hour; ends as with {at_a_time} {jobs} at a time",
        text_table(HEADER, rows),
        how_known(queue, patience),
        "\n".join(rate_sentence(one) for one in outlooks if one.standing.left),
        *stopped_shards(outlooks, states),
        *stale_sentence(outlooks),
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


def row(one: RunOutlook, states: list[str], ends_at: str) -> tuple[str, ...]:
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


if __name__ == "__main__":
    answer("Say how far a study is.", say)
