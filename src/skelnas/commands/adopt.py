"""Take in shards that were trained elsewhere: `python -m bench.first_study` packs them on a GPU machine.

Everything is checked first: checksums, the identity of each shard, sidecars, and the image set of this folder. The
recipe is the one of the configuration with the same values; where there is none, the block to add is printed and
nothing is written. Shards that are here already are left as they are.

skelnas adopt first-study.zip
"""

import argparse
from pathlib import Path

from skelnas.commands.asked import add_configuration_arguments, read_configuration
from skelnas.errors import InputError
from skelnas.files import whole_file
from skelnas.images.manifest import read_manifest
from skelnas.recipe import Recipe
from skelnas.results.parcel import Parcelled, unpack
from skelnas.results.shard import Shard, read_shard
from skelnas.results.timing import timing_path
from skelnas.study import paths
from skelnas.study import runs as study_runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="what `python -m bench.first_study` wrote")
    add_configuration_arguments(parser)


def run(given: argparse.Namespace) -> int:
    config = read_configuration(given).values
    parcel = unpack(given.file)
    shard = parcel[0].shard
    if paths.whole(shard.dataset) not in config["datasets"]:
        raise InputError(f"{given.file} is of the data set {shard.dataset}; config.yaml has none of that name, add it")
    manifest = Path(paths.manifest(shard.dataset))
    if manifest.is_file() and read_manifest(manifest)["fingerprint"] != shard.fingerprint:
        raise InputError(f"{given.file} was trained with other images than {paths.images(shard.dataset)}")
    name = recipe_name(config, shard)
    if name is None:
        raise InputError("config.yaml has no recipe of these values; add below `recipes:`", *block(shard).splitlines())
    folder = {one.shard.seed: Path(paths.shards(f"{shard.dataset}/{name}", one.shard.seed)) for one in parcel}
    written = sum(_place(one, folder[one.shard.seed] / f"{one.name}.h5") for one in parcel)
    cells = sum(len(one.shard.cells) for one in parcel)
    here = f"{written} of {len(parcel)} shards written" + (", the others were here" if written < len(parcel) else "")
    print(f"{here}: {cells:,} trainings of {shard.dataset}/{name}")
    print("`skelnas regroup` and jobs take over what they hold; `skelnas plan` says what is left")
    return 0


def recipe_name(config: dict, shard: Shard) -> str | None:
    """The recipe of the configuration that the shard was trained with."""
    names = [name for name in config["recipes"] if study_runs.recipe(config, name).as_dict() == shard.recipe]
    return names[0] if names else None


def block(shard: Shard) -> str:
    """A recipe of the shard's values as config.yaml writes it; what is as in the original study is left out."""
    usual = Recipe(0, 0).as_dict()
    kept = {key: shard.recipe[key] for key in usual if shard.recipe[key] != usual[key]}
    values = ", ".join(f"{key.replace('_', '-')}: {str(value).lower()}" for key, value in kept.items())
    return f"  adopted-e{shard.recipe['epochs']}: {{{values}}}"


def _place(one: Parcelled, path: Path) -> bool:
    """Write a shard and its sidecar; False where it is here already.

    Raises:
        InputError: another shard has its place.
    """
    if path.is_file():
        if read_shard(path).identity != one.shard.identity:
            raise InputError(f"{path} holds other trainings; move it away, then adopt again")
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    for file, content in ((timing_path(path), one.sidecar), (path, one.file)):  # the shard last: it tells the rest
        with whole_file(file) as temporary:
            temporary.write_bytes(content)
    return True
