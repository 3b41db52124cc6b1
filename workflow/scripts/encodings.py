"""Draw the same recordings under every encoding."""

import contextlib
import itertools
from collections.abc import Iterator

from skelnas.analysis.data.encoding_gallery import encoding_gallery
from skelnas.analysis.style import save_figure
from skelnas.errors import InputError
from skelnas.script import run
from skelnas.skeletons import open_source
from skelnas.skeletons.recording import BadRecording, Recording, Source
from skelnas.skeletons.synthetic.reader import write_archive
from skelnas.study.sources import checked_sources

RECORDINGS = 3


def draw(dataset: str, config: dict, options: dict, figures: list[str]) -> None:
    """Draw the first usable recordings of as many different classes into every file of `figures` (png, svg)."""
    files, _ = checked_sources(config, dataset, write_archive if options["reader"] == "synthetic" else None)
    source = open_source(files, options)
    chosen = list(itertools.islice(first_of_each_class(source), RECORDINGS))
    if not chosen:
        raise InputError(
            f"{', '.join(map(str, files))}: no recording can be used, so there is nothing to draw; mend them"
        )
    figure = encoding_gallery(chosen, source.parents)
    save_figure(figure, *figures)


def first_of_each_class(source: Source) -> Iterator[Recording]:
    """The first recording of each class that can be used, class by class."""
    for label in range(len(source.class_names)):
        for sample in (sample for sample in source.samples if sample.label == label):
            with contextlib.suppress(BadRecording):
                yield source.read(sample)
                break


if __name__ == "__main__":
    run(
        draw,
        snakemake.log[0],
        dataset=snakemake.wildcards.dataset,
        config=snakemake.config,
        options=snakemake.params.options,
        figures=list(snakemake.output.figures),
    )
