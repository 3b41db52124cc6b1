"""Score untrained networks of some cells with one zero-cost proxy."""

from skelnas.images.image_set import read_image_set
from skelnas.script import run
from skelnas.training.proxies import score_shard


def score(images_path: str, proxy: str, cells: list[int], shard: str, processes: int) -> None:
    """Score the networks of `cells` on the image set, and write the shard."""
    score_shard(read_image_set(images_path), proxy, cells, shard, processes)


if __name__ == "__main__":
    run(
        score,
        snakemake.log[0],
        images_path=snakemake.input.images,
        proxy=snakemake.wildcards.proxy,
        cells=list(snakemake.params.cells),
        shard=snakemake.output.shard,
        processes=snakemake.threads,
    )
