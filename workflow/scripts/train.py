"""Train the cells of one shard with one seed."""

from skelnas.script import run
from skelnas.training.heartbeat import heartbeat


def train(
    images_path: str,
    manifest_path: str,
    cells: str,
    seed: int,
    dataset: str,
    recipe_name: str,
    recipe: dict,
    settings: dict,
    shard: str,
) -> None:
    """Train `cells` (a selection) on the image set with `recipe`, and write the shard and its timing sidecar."""
    with heartbeat(shard):
        # From here on `skelnas status` sees the job: importing PyTorch can take long, and fail.
        from skelnas.cells.selection import select
        from skelnas.images.folds import read_images
        from skelnas.recipe import Recipe
        from skelnas.training.settings import Settings
        from skelnas.training.shard import train_shard

        train_shard(
            read_images(images_path, manifest_path),
            Recipe(**recipe),
            select(cells),
            seed,
            shard,
            Settings(**settings),
            dataset=dataset,
            recipe_name=recipe_name,
        )


if __name__ == "__main__":
    run(
        train,
        snakemake.log[0],
        images_path=snakemake.input.images,
        manifest_path=snakemake.input.manifest,
        cells=snakemake.params.cells,
        seed=int(snakemake.wildcards.seed),
        dataset=snakemake.wildcards.dataset,
        recipe_name=snakemake.wildcards.recipe,
        recipe=snakemake.params.recipe,
        settings={
            **{key.replace("-", "_"): value for key, value in snakemake.config["training"].items()},
            "processes": snakemake.threads,
        },
        shard=snakemake.output.shard,
    )
