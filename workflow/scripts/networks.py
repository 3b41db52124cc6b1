"""Train chosen cells of a benchmark once more, and keep what they predict, and weights of those that are wanted."""

from pathlib import Path

from skelnas.images.folds import read_images
from skelnas.images.image_set import read_image_set
from skelnas.images.manifest import read_manifest
from skelnas.recipe import Recipe
from skelnas.results.chosen import kept
from skelnas.results.query import Benchmark
from skelnas.script import run
from skelnas.training.networks import Keeping, train_networks
from skelnas.training.settings import Settings


def networks(
    images_path: str,
    fold_path: str,
    manifest_path: str,
    benchmark_path: str,
    wishes: list[str | int],
    keep: str | list[str | int],
    options: dict,
    licence: str,
    recipe: dict,
    settings: dict,
    output: str,
    folder: str,
) -> None:
    """Choose the cells that `wishes` and `keep` name, train them as the benchmark's were, and write their files.

    `manifest_path`: of the whole image set. `fold_path`: the manifest of the fold that was trained on; empty where it
    was the whole set.
    """
    manifest = read_manifest(manifest_path)
    Path(folder).mkdir(parents=True, exist_ok=True)
    keeping = Keeping(kept(keep), Path(folder), options, manifest["joints"], manifest["parents"], licence)
    images = read_images(images_path, fold_path) if fold_path else read_image_set(images_path)
    with Benchmark(benchmark_path) as benchmark:
        train_networks(images, Recipe(**recipe), benchmark, wishes, output, Settings(**settings), keeping)


if __name__ == "__main__":
    run(
        networks,
        snakemake.log[0],
        images_path=snakemake.input.images,
        fold_path=snakemake.input.fold or "",
        manifest_path=snakemake.input.manifest,
        benchmark_path=snakemake.input.benchmark,
        wishes=list(snakemake.params.wishes),
        keep=snakemake.params.keep,
        options=snakemake.params.options,
        licence=snakemake.params.licence,
        recipe=snakemake.params.recipe,
        settings={
            **{key.replace("-", "_"): value for key, value in snakemake.config["training"].items()},
            "processes": snakemake.threads,
        },
        output=snakemake.output.networks,
        folder=snakemake.output.weights,
    )
