"""A folder for the Hugging Face Hub: the benchmark file itself, Parquet tables, a card, and Croissant metadata.

The card's front matter names the tables as configurations (https://huggingface.co/docs/hub/datasets-cards).
`croissant.json` follows Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html): each file
with its SHA-256, each column of the tables with its meaning.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from skelnas.errors import InputError
from skelnas.exporters import Options
from skelnas.results import clock, tables
from skelnas.results.benchmark import loss_path
from skelnas.results.query import Benchmark

REQUIRED = (
    "name",
    "description",
    "license",
    "url",
    "creator",
    "datePublished",
    "distribution",
    "recordSet",
    "conformsTo",
)
TABLES = {
    "final": "one row for each training, after its last epoch",
    "curves": "one row for each training, split and epoch",
}
MEANINGS = {
    "index": "architecture index of NAS-Bench-201, 0 to 15,624",
    "architecture": "the cell as NAS-Bench-201 writes it",
    "parameters": "trainable parameters",
    "macs": "multiply-accumulates for one image",
    "dataset": "name of the image set",
    "recipe": "name of the training recipe",
    "seed": "seed of the training",
    "epoch": "epochs are counted from 0",
    "split": "train, valid or test",
    "samples": "images of the split",
    "top1_correct": "images whose class was predicted",
    "top5_correct": "images whose class was among five",
    "top1": "percent of the split's images",
    "top5": "percent of the split's images",
    "loss": "mean cross-entropy, nats",
    "test_top1_at_best_valid": "test percent after the epoch with the best validation accuracy of this training",
    "seconds": "of the training, wall clock",
    "device": "what the seconds were measured on",
}
TYPES = {"int64": "sc:Integer", "double": "sc:Float", "int32": "sc:Integer"}


def write(benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Write the folder.

    Raises:
        InputError: nobody says who publishes it, or where.
    """
    (benchmark,) = benchmarks
    if not options.creator or not options.url:
        raise InputError("a published data set needs somebody and an address: give --creator NAME and --url ADDRESS")
    (target / "data").mkdir(parents=True)
    made = {"final": tables.trainings(benchmark), "curves": tables.curves(benchmark)}
    arrows = {name: pa.Table.from_pandas(table, preserve_index=False) for name, table in made.items()}
    for name, arrow in arrows.items():
        pyarrow.parquet.write_table(arrow, target / f"data/{name}.parquet", compression="zstd")
    for file in (benchmark.path, loss_path(benchmark.path), clock.timing_table(benchmark.path)):
        if file.is_file():
            shutil.copyfile(file, target / file.name)
    (target / "README.md").write_text(_card(benchmark, made, options), encoding="utf-8")
    described = croissant(benchmark, arrows, target, options)
    if missing := [field for field in REQUIRED if not described.get(field)]:
        raise InputError(f"the description of {benchmark.path} would lack {', '.join(missing)}")
    (target / "croissant.json").write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [
        f"{len(made['final']):,} trainings; look at README.md, then `hf upload NAME {{folder}} . --repo-type dataset`"
    ]


def croissant(benchmark: Benchmark, arrows: dict[str, pa.Table], folder: Path, options: Options) -> dict[str, Any]:
    """The metadata document; `folder` holds the files that it describes."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".h5", ".parquet"))
    formats = {".h5": "application/x-hdf5", ".parquet": "application/x-parquet"}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"skelnas_{benchmark.dataset}_{benchmark.recipe_name}".replace("-", "_"),
        "description": f"{_sentence(benchmark)} {benchmark.source}.",
        "license": f"https://spdx.org/licenses/{options.licence}",
        "url": options.url,
        "creator": {"@type": "Organization", "name": options.creator},
        "datePublished": _date(),
        "version": "1.0.0",
        "citeAs": f"{options.creator}: {_sentence(benchmark)} {options.url}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path.relative_to(folder).as_posix(),
                "name": path.relative_to(folder).as_posix(),
                "contentUrl": path.relative_to(folder).as_posix(),
                "encodingFormat": formats[path.suffix],
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": name,
                "name": name,
                "description": TABLES[name],
                "field": [_field(name, column) for column in arrow.schema],
            }
            for name, arrow in arrows.items()
        ],
    }


def _field(table: str, column: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "description": _meaning(column.name),
        "dataType": TYPES.get(str(column.type), "sc:Text"),
        "source": {"fileObject": {"@id": f"data/{table}.parquet"}, "extract": {"column": column.name}},
    }


def _meaning(column: str) -> str:
    if column in MEANINGS:
        return MEANINGS[column]
    if column.startswith("edge_"):
        source, target = column.removeprefix("edge_").split("_")
        return f"operation on the edge from node {source} to node {target}"
    split, _, rest = column.partition("_")
    return f"{split}: {MEANINGS[rest]}"


def _sentence(benchmark: Benchmark) -> str:
    return (
        f"{len(benchmark):,} cells of the NAS-Bench-201 search space trained on {benchmark.dataset} (recipe "
        f"{benchmark.recipe_name}, {benchmark.epochs} epochs, seeds {', '.join(map(str, benchmark.seeds))}): "
        "accuracies and losses of every epoch."
    )


def _date() -> str:
    import datetime

    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _card(benchmark: Benchmark, made: dict[str, Any], options: Options) -> str:
    size = len(made["curves"])
    category = next(name for most, name in SIZES if size < most)
    columns = "\n".join(f"| `{name}` | {_meaning(name)} |" for name in made["final"])
    return f"""---
license: {options.licence.lower()}
pretty_name: NAS-Bench-201 cells on {benchmark.dataset}
tags: [neural-architecture-search, tabular-benchmark, skeleton-based-action-recognition]
size_categories: [{category}]
configs:
- config_name: final
  data_files: data/final.parquet
  default: true
- config_name: curves
  data_files: data/curves.parquet
---

# NAS-Bench-201 cells on {benchmark.dataset}

{_sentence(benchmark)} Published by {options.creator}, {options.url}. Source: {benchmark.source}. Made with skelnas;
`{benchmark.path.name}` is the benchmark itself, identity `{benchmark.identity}`.

```python
from skelnas import Benchmark

benchmark = Benchmark("{benchmark.path.name}")
benchmark.best()
```

Quote `test` accuracy of cells chosen by `valid`, as the mean over seeds with their number. `max` over epochs of `test`
is chosen by looking at the test split, and too good.

## Columns of `final`

| column | meaning |
|---|---|
{columns}

`curves` has `split`, `samples`, `top1_correct`, `top5_correct`, `top1`, `top5` and `loss` of every epoch. What nobody
has is missing; a loss of a diverged training is not a number.
"""


SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (10**12, "100M<n<1B"),
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
