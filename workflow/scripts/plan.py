"""Print what a study will cost before it runs (`make plan`): trainings left, device-hours, end, disk."""

from datetime import datetime, timedelta

from study_arguments import Asked, answer

from skelnas.progress import span
from skelnas.study.outlook import RunOutlook, ends
from skelnas.study.plan import CALIBRATION, free_bytes
from skelnas.text import size, text_table

HEADER = ("run", "shards", "finished", "trainings", "done", "left", "hours left", "ends", "disk")


def say(asked: Asked) -> str:
    """The plan of a study as text."""
    outlooks = asked.outlooks(asked.jobs)
    until = ends(outlooks, asked.jobs, asked.devices)
    rows = [row(one, end(one, seconds)) for one, seconds in zip(outlooks, until, strict=True)]
    at_a_time = f"{asked.jobs} jobs" if asked.jobs > 1 else "one job"
    if asked.devices > 1:
        at_a_time += f" of {asked.devices} GPUs"
    need, free = sum(one.need for one in outlooks), free_bytes("results")
    left, all_hours = sum(one.standing.left for one in outlooks), [one.hours for one in outlooks]
    together = f"{hours(sum(all_hours))} hours of one device" if None not in all_hours else "not every rate is known"
    parts = [
        f"Study {asked.study}: {left:,} trainings left, {together}; {at_a_time} at a time from now on",
        text_table(HEADER, rows),
        "\n".join(rate_sentence(one) for one in outlooks if one.standing.left),
        f"Disk: at most {size(need)} more, {size(free)} are free"
        + (" - that is too little." if need > free else " (a quota may allow less)."),
        *stale_sentence(outlooks),
    ]
    return "\n\n".join(part for part in parts if part)


def row(one: RunOutlook, ends_at: str) -> tuple[str, ...]:
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
        images = f"results/images/{standing.run.dataset}.json"
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


if __name__ == "__main__":
    answer("Say what a study will cost before it runs.", say)
