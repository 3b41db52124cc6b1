import zipfile

import pytest

from skelnas.archive import write_archive
from skelnas.commands import main
from skelnas.crate import Metadata


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "config.yaml").write_text("study: tiny\n")
    path = tmp_path / "tiny.zip"
    metadata = Metadata("A study", "Three cells.", "2026-11-22", "https://spdx.org/licenses/CC-BY-4.0", ("Ada",))
    write_archive("tiny", {"config.yaml": tmp_path / "config.yaml"}, metadata, path)
    return path


def test_a_whole_archive(archive, capsys):
    assert main(["verify", str(archive)]) == 0
    assert capsys.readouterr().out == f"{archive}: whole, every checksum is right\n"


def test_each_problem_is_a_line_and_the_status_is_1(archive, tmp_path, capsys):
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(broken, "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, b"" if name == "config.yaml" else whole.read(name))
    assert main(["verify", str(archive), str(broken), str(tmp_path / "none.zip")]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith(f"{broken}: config.yaml is damaged")
    assert errors[1] == f"{tmp_path / 'none.zip'}: there is no such archive"
