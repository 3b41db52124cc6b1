"""What `skelnas plan` prints of a study."""

from collections.abc import Mapping

from skelnas.study import paths, site
from skelnas.study import runs as study_runs
from skelnas.study.estimate import AUTO_GROUP, RunEstimate, ends, files_at_peak, free_bytes
from skelnas.study.modelled import modelled_hours
from skelnas.study.profile import Profile
from skelnas.study.state import engine_of
from skelnas.study.wording import end, estimates, hours, only_reads, rate_sentence, regroup_sentence, stale_sentence
from skelnas.text import size, text_table

PLAN_HEADER = ("run", "shards", "finished", "trainings", "done", "taken over", "left", "hours left", "ends", "disk")


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
