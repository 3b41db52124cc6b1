"""Write the manifest of one fold of an image set."""

from skelnas.images.folds import FoldOptions, fold_manifest
from skelnas.images.image_set import read_image_set
from skelnas.images.manifest import write_manifest
from skelnas.options import stated
from skelnas.script import run
from skelnas.study.configuration import located_in_files


def write_fold(images_path: str, options: dict, fold: int, manifest_path: str) -> None:
    """Write which recordings test and validate in fold `fold` (from 1), and the fingerprint of what follows."""
    everyone = read_image_set(images_path)
    manifest = located_in_files(fold_manifest, everyone, stated(FoldOptions, options["folds"]), fold)
    write_manifest(manifest_path, manifest)


if __name__ == "__main__":
    run(
        write_fold,
        snakemake.log[0],
        images_path=snakemake.input.images,
        options=snakemake.params.options,
        fold=int(snakemake.wildcards.fold),
        manifest_path=snakemake.output.manifest,
    )
