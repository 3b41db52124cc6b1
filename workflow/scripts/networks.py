"""Train chosen cells of a benchmark once more, and keep what they predict."""

from skelnas.images.folds import read_images
from skelnas.images.image_set import read_image_set
from skelnas.recipe import Recipe
from skelnas.results.query import Benchmark
from skelnas.script import run
from skelnas.training.networks import train_networks
from skelnas.training.settings import Settings


def networks(
    images_path: str,
    fold_path: str,
    benchmark_path: str,
    wishes: list[str | int],
    recipe: dict,
    settings: dict,
    output: str,
) -> None:
    """Choose the cells that `wishes` name, train them as the benchmark's were, and write the networks file.

    `fold_path`: the manifest of the fold that was trained on; empty where it was the whole image set.
    """
    images = read_images(images_path, fold_path) if fold_path else read_image_set(images_path)
    with Benchmark(benchmark_path) as benchmark:
        train_networks(images, Recipe(**recipe), benchmark, wishes, output, Settings(**settings))


if __name__ == "__main__":
    run(
        networks,
        snakemake.log[0],
        images_path=snakemake.input.images,
        fold_path=snakemake.input.fold or "",
        benchmark_path=snakemake.input.benchmark,
        wishes=list(snakemake.params.wishes),
        recipe=snakemake.params.recipe,
        settings={
            **{key.replace("-", "_"): value for key, value in snakemake.config["training"].items()},
            "processes": snakemake.threads,
        },
        output=snakemake.output.networks,
    )
