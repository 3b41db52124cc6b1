"""What an archive says of itself to other programs: RO-Crate 1.1 metadata.

Source: https://www.researchobject.org/ro-crate/specification/1.1/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from skelnas import __version__

CRATE, MANIFEST = "ro-crate-metadata.json", "manifest-sha256.txt"
FORMATS = {
    ".csv": "text/csv",
    ".h5": "application/x-hdf5",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".html": "text/html",
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

    It holds the descriptor, the root data set, its files, licence and authors, the software and the run.
    """
    authors = [
        {"@id": f"#author-{number}", "@type": "Person", "name": name}
        for number, name in enumerate(metadata.authors, start=1)
    ]
    files = [
        {
            "@id": quote(name),
            "@type": "File",
            "name": PurePosixPath(name).name,
            "contentSize": str(size),
            "encodingFormat": FORMATS.get(PurePosixPath(name).suffix, "application/octet-stream"),
        }
        for name, size in sizes.items()
    ]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": metadata.title,
        "identifier": study,
        "description": f"{metadata.description} Checksums are in {MANIFEST}. Measured times are not part of this "
        "archive, so that the same study always gives the same bytes.",
        "datePublished": metadata.date,
        "license": {"@id": metadata.license},
        "author": [{"@id": author["@id"]} for author in authors],
        "hasPart": [{"@id": file["@id"]} for file in files],
        "mentions": {"@id": "#run"},
    }
    descriptor = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    context = [
        {"@id": metadata.license, "@type": "CreativeWork", "name": metadata.license.rstrip("/").rsplit("/", 1)[-1]},
        {"@id": "#skelnas", "@type": "SoftwareApplication", "name": "skelnas", "version": __version__},
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"run of the study {study}",
            "instrument": {"@id": "#skelnas"},
            "result": [{"@id": "./"}],
        },
    ]
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [descriptor, root, *files, *authors, *context],
    }
