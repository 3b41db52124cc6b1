"""The outlook of a study: for each run what is left, at which rate, and the bytes that it still needs on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from skelnas.cells.cost import costs
from skelnas.study import plan
from skelnas.study.state import RunStanding, measured_seconds

AUTO_GROUP = 32  # cells whose checkpoints a job keeps at a time, where the configuration leaves their number to the GPU


@dataclass(frozen=True)
class RunOutlook:
    """One run; `shard_seconds` are those of the shards that are not finished, None where no rate is known."""

    standing: RunStanding
    rate: plan.Rate | None
    shard_seconds: tuple[float, ...] | None
    need: int  # bytes

    @property
    def hours(self) -> float | None:
        """Device-hours left."""
        return None if self.shard_seconds is None else sum(self.shard_seconds) / 3600


def outlook(
    standings: Sequence[RunStanding], calibration: Sequence[dict[str, Any]], training: dict[str, Any], jobs: int
) -> list[RunOutlook]:
    """The outlook of each run; `training` is the configuration's block, `jobs` the number that train at a time."""
    found = []
    for standing in standings:
        images = _images(standing)
        rate = _rate(standing, standings, calibration, training["engine"])
        seconds = None
        if rate and images:
            left = [shard.left for shard in standing.shards if not shard.finished]
            seconds = tuple(
                rate.seconds_per_mac * plan.work(cells, images, standing.recipe.epochs) if cells else 0.0
                for cells in left
            )
        elif not standing.left:
            seconds = ()
        found.append(RunOutlook(standing, rate, seconds, _need(standing, training["group-size"], jobs)))
    return found


def ends(outlooks: Sequence[RunOutlook], jobs: int, devices: int = 1) -> list[float | None]:
    """Seconds until each run is finished, `jobs` shards at a time on `devices` each, in the order of the runs.

    None from the first run on that has no rate.
    """
    known = list(takewhile(lambda seconds: seconds is not None, (one.shard_seconds for one in outlooks)))
    until = [plan.duration(sum(known[: position + 1], ()), jobs) / devices for position in range(len(known))]
    return until + [None] * (len(outlooks) - len(known))


def _images(standing: RunStanding) -> plan.Images | None:
    manifest = standing.manifest
    if manifest is None:
        return None
    return plan.Images(manifest["height"], manifest["width"], len(manifest["classes"]), manifest["images"]["train"])


def _rate(
    standing: RunStanding, standings: Sequence[RunStanding], calibration: Sequence[dict[str, Any]], engine: str
) -> plan.Rate | None:
    """The rate of the run itself; else of another of the same images, batches and precision; else of `make bench`."""
    images = _images(standing)
    if images is None:
        return None
    alike = [
        other
        for other in standings
        if other.run.dataset == standing.run.dataset
        and (other.recipe.batch_size, other.recipe.precision) == (standing.recipe.batch_size, standing.recipe.precision)
    ]
    for other in sorted(alike, key=lambda other: other is not standing):
        measured, origin = measured_seconds(other)
        where = "" if other is standing else f" of {other.run.folder}"
        if rate := plan.measured_rate(measured, images, other.recipe.epochs, f"{origin}{where}"):
            return rate
    return plan.calibrated_rate(calibration, images, standing.recipe, engine)


def _need(standing: RunStanding, group: int | str, jobs: int) -> int:
    """Bytes that the run still writes: shards, its benchmark, figures, a copy of these two in the archive, and what
    the jobs keep while they train."""
    run, epochs = standing.run, standing.recipe.epochs
    open_shards = sorted((len(shard.cells) for shard in standing.shards if not shard.finished), reverse=True)
    at_work = open_shards[:jobs]
    parameters, _ = costs(len(standing.manifest["classes"]) if standing.manifest else 60, 4, 4)
    group = AUTO_GROUP if group == "auto" else int(group)
    final = plan.benchmark_bytes(len(run.cells), len(run.seeds), epochs) + plan.ANALYSIS_BYTES
    if standing.aggregated and not open_shards:
        return 0
    return (
        sum(plan.shard_bytes(cells, epochs) for cells in open_shards)
        + sum(plan.journal_bytes(cells, epochs) for cells in at_work)
        + plan.checkpoint_bytes(float(parameters[list(run.cells)].mean()), sum(min(group, cells) for cells in at_work))
        + 2 * final
    )
