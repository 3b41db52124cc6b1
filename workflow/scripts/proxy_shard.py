"""Score untrained networks of some cells with one zero-cost proxy."""

from skelnas.images.folds import read_images
from skelnas.script import run
from skelnas.training.proxies import score_shard


def score(images_path: str, manifest_path: str, proxy: str, cells: list[int], shard: str, processes: int) -> None:
    """Score the networks of `cells` on the image set, and write the shard."""
    score_shard(read_images(images_path, manifest_path), proxy, cells, shard, processes)


if __name__ == "__main__":
    run(
        score,
        snakemake.log[0],
        images_path=snakemake.input.images,
        manifest_path=snakemake.input.manifest,
        proxy=snakemake.wildcards.proxy,
        cells=list(snakemake.params.cells),
        shard=snakemake.output.shard,
        processes=snakemake.threads,
    )
