"""Describe an image set in one figure and one table."""

from skelnas.analysis.data.card import data_card
from skelnas.analysis.data.numbers import data_card_table
from skelnas.analysis.style import save_figure
from skelnas.files import write_text
from skelnas.images.image_set import read_image_set
from skelnas.images.manifest import read_manifest
from skelnas.script import run


def describe(images_path: str, manifest_path: str, figures: list[str], table_path: str) -> None:
    """Draw the data card into every file of `figures` (png, svg) and write its numbers as a table (csv)."""
    image_set, manifest = read_image_set(images_path), read_manifest(manifest_path)
    figure = data_card(image_set, manifest)
    save_figure(figure, *figures)
    write_text(table_path, data_card_table(image_set, manifest).to_csv(index=False))


if __name__ == "__main__":
    run(
        describe,
        snakemake.log[0],
        images_path=snakemake.input.images,
        manifest_path=snakemake.input.manifest,
        figures=list(snakemake.output.figures),
        table_path=snakemake.output.table,
    )
