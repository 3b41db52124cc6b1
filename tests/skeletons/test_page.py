"""The blocks of docs/your-own-data.md for formats of others, each opened as it stands with files made here."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from skelnas.images.build import build_image_set
from skelnas.images.options import ImageOptions
from skelnas.inspection import inspect
from skelnas.options import keys
from skelnas.skeletons.readers import READERS, GapOptions, JointOptions

from .formats import write_ctrgcn, write_mediapipe, write_openpose, write_pyskl

PAGE = Path(__file__).parents[2] / "docs/your-own-data.md"
SECTION = re.compile(r"^### `(\w+)`: [^\n]*\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(SECTION.findall(PAGE.read_text(encoding="utf-8").split("\n## Other formats\n")[1].split("\n## ")[0]))
WRITE: dict[str, Callable[[Path], Path]] = {
    "pyskl": write_pyskl,
    "ctrgcn": write_ctrgcn,
    "openpose": write_openpose,
    "csv": write_mediapipe,
}


def test_every_format_that_is_made_here_has_a_block():
    assert list(BLOCKS) == list(WRITE)


@pytest.mark.parametrize("reader", WRITE)
def test_the_block_makes_an_image_set(reader: str, tmp_path: Path) -> None:
    block = yaml.safe_load(BLOCKS[reader])
    (source,) = block.pop("sources")
    path = tmp_path / source.get("folder", source.get("file"))
    path.parent.mkdir(parents=True)
    WRITE[reader](path)
    assert block.pop("reader") == reader
    known = [key for kind in (READERS[reader].options, GapOptions, JointOptions, ImageOptions) for key in keys(kind)]
    assert set(block) <= set(known)
    image_set, _ = build_image_set("mine", READERS[reader].open([path], block), block)
    assert sum(image_set.counts.values()) == 8
    assert min(image_set.counts.values()) > 0
    assert inspect(path).reader == reader
