"""How far a study is, read from its files alone: shards, journals, sidecars and the heartbeats of jobs."""

import contextlib
import json
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from skelnas.cells.selection import shard_name
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.finished import FinishedShards
from skelnas.results.shard import identity, read_header
from skelnas.results.timing import Timing, read_timing, timings_of
from skelnas.study import paths
from skelnas.study import runs as study
from skelnas.training.heartbeat import Heartbeat, heartbeat_path, read_heartbeat
from skelnas.training.journal import Journal

READ_FROM_JOURNALS = 200  # records that are read to learn how long a training takes, spread evenly over all of them


@dataclass(frozen=True)
class ShardState:
    """One shard: what of it is done.

    finished: the file is there, with the identity that it would get today. stale: it is there with another one, so that
    it will be trained again. recorded: cells in its journal. seconds_ago: how long ago its cells were finished, in any
    order. elsewhere: cells that other finished shards hold, which its job takes over. beat: the heartbeat of its last
    job. touched_ago: seconds since anything was written for it (heartbeat or journal), None if nothing ever was.
    """

    path: Path
    seed: int
    cells: tuple[int, ...]
    finished: bool = False
    stale: bool = False
    recorded: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    journal: Journal | None = None
    seconds_ago: tuple[float, ...] = ()
    beat: Heartbeat | None = None
    touched_ago: float | None = None

    @property
    def left(self) -> tuple[int, ...]:
        """The cells that are still to be trained."""
        recorded = {*self.recorded, *self.elsewhere}
        return () if self.finished else tuple(cell for cell in self.cells if cell not in recorded)

    @property
    def log(self) -> Path:
        """The log of the shard's last job, relative to the folder of the workflow."""
        return Path(paths.shard_log(*self._names))

    @property
    def comment(self) -> str:
        """What SLURM shows as the comment of the shard's job (`squeue --format %k`)."""
        return paths.shard_comment(*self._names)

    @property
    def _names(self) -> tuple[str, str, int, str]:
        return self.path.parts[-4], self.path.parts[-3], self.seed, self.path.stem


@dataclass(frozen=True)
class RunState:
    """One run of a study; `manifest` is its image set's, None before the images are made."""

    run: study.Run
    recipe: Recipe
    manifest: dict[str, Any] | None
    shards: tuple[ShardState, ...]
    aggregated: bool = False  # whether its benchmark file is there

    @property
    def trainings(self) -> int:
        """Cells x seeds."""
        return sum(len(shard.cells) for shard in self.shards)

    @property
    def left(self) -> int:
        """Trainings that are still to be done."""
        return sum(len(shard.left) for shard in self.shards)

    @property
    def elsewhere(self) -> int:
        """Trainings that are finished in other shards, and will be taken over."""
        return sum(len(set(shard.elsewhere) - set(shard.recorded)) for shard in self.shards)

    @property
    def regrouped(self) -> list[ShardState]:
        """The shards that other finished shards hold whole, so that nothing of them is to be trained."""
        return [shard for shard in self.shards if not shard.finished and len(shard.elsewhere) == len(shard.cells)]


def run_state(run: study.Run, recipe: Recipe, engine: str, folder: Path = Path()) -> RunState:
    """How far one run is, in the workflow's `folder`, when trained with `engine`."""
    manifest = _manifest(folder / paths.manifest(run.dataset))
    shards = []
    others = {seed: finished_shards(run, recipe, manifest, seed, folder) for seed in run.seeds} if manifest else {}
    for seed in run.seeds:
        seed_folder = folder / paths.shards(run.folder, seed)
        present, journals = _names(seed_folder), _names(seed_folder / ".journal")
        for cells in run.shards():
            path = seed_folder / f"{shard_name(cells)}.h5"
            own = identity(manifest["fingerprint"], recipe, cells, seed) if manifest else ""
            shard = ShardState(path, seed, cells)
            if path.name in present:
                current = not manifest or _identity_in(path) == own
                shard = ShardState(path, seed, cells, current, not current, seconds_ago=_ages_in_sidecar(path))
            if not shard.finished and manifest:
                kinds = [kind for kind in ("cuda", "cpu") if Journal(path, own, engine, kind).folder.name in journals]
                found = [_journal_state(shard, Journal(path, own, engine, kind)) for kind in kinds]
                shard = max(found, key=lambda one: len(one.recorded), default=shard)
            if not shard.finished and manifest:
                shard = replace(shard, elsewhere=tuple(sorted(others[seed].holding(cells, besides=path))))
            shards.append(shard if shard.finished else _with_heartbeat(shard))
    aggregated = (folder / paths.benchmark(run.study, run.folder)).is_file()
    return RunState(run, recipe, manifest, tuple(shards), aggregated)


def finished_shards(
    run: study.Run, recipe: Recipe, manifest: dict[str, Any], seed: int, folder: Path = Path()
) -> FinishedShards:
    """Every shard that may hold trainings of a run with one seed, its own and those of other runs."""
    return FinishedShards(folder / paths.trained(run.dataset), manifest["fingerprint"], recipe, seed)


def measured_seconds(state: RunState) -> tuple[list[tuple[int, float]], str]:
    """(architecture index, seconds) of finished trainings of a run, and in words where they were measured.

    Finished shards are asked first; only without one, some records of the journals.
    """
    measured: list[tuple[int, Timing]] = []
    what = "finished shards"
    for shard in state.shards:
        if shard.finished:
            measured += timings_of(shard.path).items()
    if not measured:
        what = "journals"
        step = sum(len(shard.recorded) for shard in state.shards) // READ_FROM_JOURNALS + 1
        for shard in state.shards:
            if shard.journal:
                measured += shard.journal.timings(shard.recorded[::step])
    devices = sorted({str(timing["device"]) for _, timing in measured})
    words = f"{len(measured):,} trainings in {what}, on {', '.join(devices)}"
    return [(cell, float(timing["seconds"])) for cell, timing in measured], words


def _manifest(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except OSError:
        return set()


def _identity_in(path: Path) -> str:
    """The identity that a shard file carries; empty when it cannot be read."""
    try:
        return read_header(path).identity
    except InputError:
        return ""


def engine_of(shard: Path) -> str:
    """The engine that trained a finished shard, as its sidecar says; empty where that is not to be had."""
    with contextlib.suppress(InputError):
        return read_timing(shard).engine
    return ""


def _ages_in_sidecar(shard: Path) -> tuple[float, ...]:
    now = time.time()
    return tuple(now - datetime.fromisoformat(timing["finished"]).timestamp() for timing in timings_of(shard).values())


def _journal_state(shard: ShardState, journal: Journal) -> ShardState:
    """The shard with what its journal holds; a record counts by its head, the job itself checks its bytes."""
    wanted, now = set(shard.cells), time.time()
    finished = {cell: when for cell, when in journal.finished().items() if cell in wanted}
    ages = [now - when for when in finished.values()]
    touched = min([*ages, *filter(None, [_age(journal.folder)])], default=None)
    return replace(
        shard, recorded=tuple(sorted(finished)), journal=journal, seconds_ago=tuple(ages), touched_ago=touched
    )


def _with_heartbeat(shard: ShardState) -> ShardState:
    ages = [age for age in (shard.touched_ago, _age(heartbeat_path(shard.path))) if age is not None]
    return replace(shard, beat=read_heartbeat(shard.path), touched_ago=min(ages, default=None))


def _age(path: Path) -> float | None:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return None
