"""Pack a study into one archive with checksums."""

import json
import tempfile
from pathlib import Path

import pandas as pd
import yaml

from skelnas.archive import TRAINED_ON, Metadata, write_archive
from skelnas.files import write_json, write_text
from skelnas.results.trained_on import trained_on
from skelnas.script import run


def pack(
    study: str, files: list[str], timings: dict[str, str], citation_path: str, config: dict, archive_path: str
) -> None:
    """Pack `files` under their own paths, and what the study needs of the configuration, into `archive_path`.

    `timings` names the measured times of each {dataset}/{recipe} that was trained: processors are taken from it.
    """
    citation = yaml.safe_load(Path(citation_path).read_text(encoding="utf-8"))
    runs = [
        f"{run['dataset']} with {run['recipe']}, seeds {', '.join(map(str, run['seeds']))}, cells {run['cells']}"
        for run in config["studies"][study]["runs"]
    ]
    imports = [f"{one['dataset']} by {one['importer']}" for one in config["studies"][study]["imports"]]
    parts = [f"trained on {'; '.join(runs)}"] * bool(runs) + [f"imported: {'; '.join(imports)}"] * bool(imports)
    metadata = Metadata(
        title=f"The study {study}, made with skelnas {citation['version']}",
        description=f"Cells of the NAS-Bench-201 search space {'; '.join(parts)}.",
        date=str(citation["date-released"]),
        license=f"https://spdx.org/licenses/{citation['license']}",
        authors=tuple(author["name"] for author in citation["authors"]),
    )
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "configuration.json")
        write_text(configuration, json.dumps(config, indent=2, sort_keys=True) + "\n")
        origins = Path(folder, TRAINED_ON)
        write_json(origins, {name: trained_on(pd.read_parquet(path)) for name, path in timings.items()})
        made = {file.name: file for file in (configuration, origins)}
        every = [one for file in files for one in (_inside(Path(file)) if Path(file).is_dir() else [file])]
        packed = {file: Path(file) for file in every} | made
        write_archive(study, packed, metadata, archive_path)


def _inside(folder: Path) -> list[str]:
    """The files of a folder, less the hidden one that snakemake puts there."""
    return [str(file) for file in folder.iterdir() if not file.name.startswith(".")]


if __name__ == "__main__":
    run(
        pack,
        snakemake.log[0],
        study=snakemake.wildcards.study,
        files=[file for file in snakemake.input if file not in snakemake.input.timings],
        timings=dict(zip(snakemake.params.runs, snakemake.input.timings, strict=True)),
        citation_path=snakemake.input.citation,
        config=snakemake.params.config,
        archive_path=snakemake.output.archive,
    )
