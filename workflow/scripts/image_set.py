"""Turn the recordings of one data set into an image set and its manifest."""

from pathlib import Path

from skelnas.images.build import build_image_set, manifest
from skelnas.images.folds import FoldOptions, assign
from skelnas.images.image_set import write_image_set
from skelnas.images.journal import Journal
from skelnas.images.manifest import write_manifest
from skelnas.options import stated
from skelnas.progress import Progress
from skelnas.script import run
from skelnas.skeletons import open_source
from skelnas.skeletons.synthetic.reader import write_archive
from skelnas.study.configuration import located_in_files
from skelnas.study.sources import checked_sources


def make_image_set(
    dataset: str, config: dict, options: dict, workers: int, images_path: str, manifest_path: str
) -> None:
    """Read the sources as `options` says and write the HDF5 file and its manifest; go on where a killed job ended."""
    files, sources = checked_sources(config, dataset, write_archive if options["reader"] == "synthetic" else None)
    source = open_source(files, options)
    if "folds" in options:  # whether there are such folds is said before anything is converted
        folds = stated(FoldOptions, options["folds"])
        located_in_files(assign, source.samples, folds, dataset, source.class_names)
    journal = Journal(Path(images_path), files)
    progress = Progress(f"{dataset}: recordings", len(source.samples))
    image_set, report = build_image_set(dataset, source, options, progress, workers, journal)
    write_image_set(images_path, image_set)
    write_manifest(manifest_path, {**manifest(image_set, source, report), "sources": sources})
    journal.remove()


if __name__ == "__main__":
    run(
        make_image_set,
        snakemake.log[0],
        dataset=snakemake.wildcards.dataset,
        config=snakemake.config,
        options=snakemake.params.options,
        workers=snakemake.threads,
        images_path=snakemake.output.images,
        manifest_path=snakemake.output.manifest,
    )
