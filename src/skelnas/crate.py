"""What an archive says of itself to other programs: a Workflow Run RO-Crate, made with the library `rocrate`.

Sources: RO-Crate 1.1 (https://www.researchobject.org/ro-crate/specification/1.1/) and the profiles Process Run Crate,
Workflow RO-Crate and Workflow Run Crate (https://www.researchobject.org/workflow-run-crate/).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.person import Person
from rocrate.rocrate import ROCrate

from skelnas import __version__

CRATE, MANIFEST = "ro-crate-metadata.json", "manifest-sha256.txt"
WORKFLOW = "Snakefile"  # the member that is the workflow
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
FORMATS = {
    ".csv": "text/csv",
    ".h5": "application/x-hdf5",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}


@dataclass(frozen=True)
class Metadata:
    """What the crate says of itself; `date` as 2026-11-22, `license` as the address of its text."""

    title: str
    description: str
    date: str
    license: str
    authors: tuple[str, ...]


def crate(study: str, sizes: Mapping[str, int], metadata: Metadata) -> dict[str, object]:
    """The metadata document of an archive with these members (name -> size in bytes), as a JSON value.

    It holds the descriptor, the root data set, its files, licence and authors, the workflow `Snakefile` and its run. No
    date but that of `metadata` is in it, so the same members give the same document.
    """
    document = ROCrate(version="1.1")
    authors = [
        document.add(Person(document, f"#author-{number}", properties={"name": name}))
        for number, name in enumerate(metadata.authors, start=1)
    ]
    licence = _context(document, metadata.license, "CreativeWork", metadata.license.rstrip("/").rsplit("/", 1)[-1])
    profiles = [_context(document, address, "CreativeWork", name) for address, name in PROFILES.items()]
    for profile in profiles:
        profile["version"] = str(profile.id).rsplit("/", 1)[-1]
    files = {name: _file(document, name, size) for name, size in sizes.items()}
    software = _context(document, "#skelnas", "SoftwareApplication", "skelnas")
    software["version"] = __version__
    workflow = files[WORKFLOW]
    workflow.append_to("isBasedOn", software)
    document.add_action(
        workflow,
        identifier="#run",
        result=[file for name, file in files.items() if name.startswith("results/")],
        properties={"name": f"run of the study {study}", "endTime": metadata.date, "agent": [{"@id": "#author-1"}]},
    )
    root = document.root_dataset
    root["name"] = metadata.title
    root["identifier"] = study
    root["description"] = (
        f"{metadata.description} Checksums are in {MANIFEST}. Measured times are not part of this archive, so that the "
        "same study always gives the same bytes."
    )
    root["datePublished"] = metadata.date
    root["license"] = licence
    root["author"] = authors
    root["conformsTo"] = profiles
    return document.metadata.generate()


def _context(document: ROCrate, identifier: str, kind: str, name: str) -> Any:
    return document.add(ContextEntity(document, identifier, properties={"@type": kind, "name": name}))


def _file(document: ROCrate, name: str, size: int) -> Any:
    about = {
        "name": PurePosixPath(name).name,
        "contentSize": str(size),
        "encodingFormat": FORMATS.get(PurePosixPath(name).suffix, "application/octet-stream"),
    }
    if name == WORKFLOW:
        workflow = document.add_workflow(dest_path=name, main=True, lang="snakemake")
        for key, value in {**about, "encodingFormat": "text/plain"}.items():
            workflow[key] = value
        return workflow
    return document.add_file(dest_path=name, properties=about)
