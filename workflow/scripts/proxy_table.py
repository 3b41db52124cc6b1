"""Gather the shards of a run's zero-cost proxies into one table."""

from pathlib import Path

from skelnas.cells.selection import select
from skelnas.images.manifest import read_manifest
from skelnas.results.proxies import gather
from skelnas.results.summary import write_table
from skelnas.script import run


def table(shards: list[str], manifest_path: str, cells: str, proxies: list[str], output: str) -> None:
    """Write one row for each cell, with a column for each of `proxies`; a shard's folder is that of its proxy."""
    by_proxy = {proxy: [shard for shard in shards if Path(shard).parent.name == proxy] for proxy in proxies}
    write_table(output, gather(by_proxy, select(cells), read_manifest(manifest_path)["fingerprint"]))


if __name__ == "__main__":
    run(
        table,
        snakemake.log[0],
        shards=list(snakemake.input.shards),
        manifest_path=snakemake.input.manifest,
        cells=snakemake.params.cells,
        proxies=list(snakemake.params.proxies),
        output=snakemake.output.table,
    )
