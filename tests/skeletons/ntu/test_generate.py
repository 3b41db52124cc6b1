import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench import ntu_generate
from skelnas.skeletons.ntu import parser as ntu_parser


def digest(names: list[str]) -> dict[str, object]:
    return {"count": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}


def test_the_names_are_the_real_ones(oracle: Callable[[str], dict]) -> None:
    real = oracle("ntu")
    subjects = {int(setup): subjects for setup, subjects in real["subjects"].items()}
    assert digest(ntu_generate.ntu60_names()) == real["names"]["60"]
    for actions in (60, 120):
        assert digest(ntu_generate.sample_names(subjects, actions)) == real["names"][str(actions)]


def test_an_archive_has_the_bodies_asked_for_and_always_the_same_bytes(tmp_path: Path) -> None:
    names = ["S001C001P001R001A001", "S001C001P001R001A050", "S017C003P020R002A049"]
    ntu_generate.write_archive(tmp_path / "one.zip", names, without_body=names[2:])
    ntu_generate.write_archive(tmp_path / "two.zip", names, without_body=names[2:])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == [f"nturgb+d_skeletons/{name}.skeleton" for name in names]
        bodies = [ntu_parser.parse(archive.read(member), member) for member in archive.namelist()]
    assert [len(np.unique(one.ids)) for one in bodies] == [1, 2, 0]
    assert all(3 <= one.frames <= 8 for one in bodies)


def test_numbers_are_written_as_the_sensor_does() -> None:
    assert [ntu_generate.number_text(value) for value in (9.9316281e-05, -0.25, 1184.5371, 0.0, 3.5618951)] == [
        "9.931628E-05",
        "-0.25",
        "1184.537",
        "0",
        "3.561895",
    ]
