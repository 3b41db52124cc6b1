import zipfile

import h5py
import pytest

from skelnas.archive import write_archive
from skelnas.commands import main
from skelnas.crate import Metadata
from skelnas.results.benchmark import loss_path
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise, write_table


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "config.yaml").write_text("study: tiny\n")
    path = tmp_path / "tiny.zip"
    metadata = Metadata("A study", "Three cells.", "2026-11-22", "https://spdx.org/licenses/CC-BY-4.0", ("Ada",))
    files = dict.fromkeys(("Snakefile", "config.yaml"), tmp_path / "config.yaml")
    write_archive("tiny", files, metadata, path)
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


def test_a_benchmark_file_with_what_lies_beside_it(make_benchmark, capsys):
    path = make_benchmark([0, 3, 123])
    with Benchmark(path) as benchmark:
        write_table(path.with_suffix(".parquet"), summarise(benchmark))
    assert main(["verify", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: whole, every checksum is right\n"
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        content[file["top1"].id.get_chunk_info(0).byte_offset + 2] ^= 8
    path.with_name("damaged.h5").write_bytes(content)
    path.with_name("half.h5").write_bytes(content[:3000])
    other = make_benchmark([0, 3])
    loss_path(path).rename(loss_path(other))
    for file, words in (
        ("damaged.h5", "cannot be opened"),
        ("half.h5", "cannot be read as a benchmark"),
        ("none.h5", "no such"),
    ):
        assert main(["verify", str(path.with_name(file))]) == 1
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1
    assert main(["verify", str(other)]) == 1
    assert "holds the losses of another benchmark" in capsys.readouterr().err
