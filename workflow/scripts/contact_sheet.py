"""Draw one recording of each class as the network sees it."""

from skelnas.analysis.data.contact_sheet import contact_sheet
from skelnas.analysis.style import save_figure
from skelnas.images.image_set import read_image_set
from skelnas.script import run


def draw(images_path: str, figures: list[str]) -> None:
    """Draw the contact sheet of the image set into every file of `figures` (png, svg)."""
    figure = contact_sheet(read_image_set(images_path))
    save_figure(figure, *figures)


if __name__ == "__main__":
    run(draw, snakemake.log[0], images_path=snakemake.input.images, figures=list(snakemake.output.figures))
