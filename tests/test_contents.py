"""What is packed is opened first, and what is verified is opened too."""

import os
import shutil
import stat
import zipfile

import h5py
import pytest

from skelnas import contents
from skelnas.analysis.style import new_figure, save_figure, style
from skelnas.archive import verify_archive, write_archive
from skelnas.commands import verify
from skelnas.crate import CRATE, MANIFEST, Metadata
from skelnas.errors import InputError
from skelnas.images.build import build_image_set, manifest
from skelnas.images.image_set import write_image_set
from skelnas.images.manifest import read_manifest, write_manifest
from skelnas.pages.html import page
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Expected, loss_path
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table, summarise, write_table

from .images.small import RULE, small_source

METADATA = Metadata("A study", "Three cells.", "2026-11-22", "https://spdx.org/licenses/CC-BY-4.0", ("Ada Lovelace",))
IMAGES, MANIFEST_OF_IMAGES = "results/images/tiny.h5", "results/images/tiny.json"
BENCHMARK, LOSSES, SUMMARY = (f"results/benchmark/tiny/short{end}" for end in (".h5", ".loss.h5", ".parquet"))
PAGE = "results/explorer/tiny.html"
FIGURE, VECTORS, TABLE = (f"results/analysis/tiny/short/figure.{end}" for end in ("png", "svg", "csv"))


@pytest.fixture(scope="session")
def built():
    source = small_source()
    image_set, report = build_image_set("tiny", source, {"split": RULE})
    return image_set, manifest(image_set, source, report)


@pytest.fixture
def files(request, tmp_path, tmp_path_factory):
    """A small study that could be packed: made once, and copied for each test."""
    study = tmp_path_factory.getbasetemp() / "study"
    if not study.exists():
        make_study(study, request.getfixturevalue("built"), request.getfixturevalue("make_benchmark"))
    shutil.copytree(study, tmp_path / "in")
    (tmp_path / "in/Snakefile").write_text("rule all:\n")
    names = ("Snakefile", IMAGES, MANIFEST_OF_IMAGES, BENCHMARK, LOSSES, SUMMARY, FIGURE, VECTORS, TABLE, PAGE)
    return {name: tmp_path / "in" / name for name in names}


def make_study(folder, built, make_benchmark):
    for name in (IMAGES, BENCHMARK, FIGURE, PAGE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_image_set(folder / IMAGES, built[0])
    write_manifest(folder / MANIFEST_OF_IMAGES, built[1])
    image_set = built[0]
    size = {"classes": 3, "height": image_set.height, "width": image_set.width}
    wanted = Expected("tiny", image_set.fingerprint, "short", Recipe(epochs=3, batch_size=4), **size)
    benchmark = make_benchmark([0, 7, 11], wanted=wanted)
    shutil.copyfile(benchmark, folder / BENCHMARK)
    shutil.copyfile(loss_path(benchmark), folder / LOSSES)
    with Benchmark(folder / BENCHMARK) as benchmark:
        write_table(folder / SUMMARY, summarise(benchmark))
    with style():
        figure = new_figure(2, 2)
        figure.text(0.5, 0.5, "$x^$ {")
    save_figure(figure, folder / FIGURE)
    save_figure(figure, folder / VECTORS)
    (folder / TABLE).write_text("a,b\n1,2\n")
    (folder / PAGE).write_bytes(page("Tiny", "<h1>Tiny</h1>", ""))


def edit_manifest(files, **changes):
    write_manifest(files[MANIFEST_OF_IMAGES], {**read_manifest(files[MANIFEST_OF_IMAGES]), **changes})


def edit_summary(files, column, value):
    table = read_table(files[SUMMARY])
    table.loc[1, column] = value
    write_table(files[SUMMARY], table)


def cut(name, size):
    return lambda files: files[name].write_bytes(files[name].read_bytes()[:size])


def flip(name, share=0.5):
    def change(files):
        content = bytearray(files[name].read_bytes())
        content[int(share * len(content))] ^= 4
        files[name].write_bytes(content)

    return change


def foreign_benchmark(files):
    with h5py.File(files[BENCHMARK], "r+", locking=False) as file:
        file.attrs["fingerprint"] = "cd" * 32


FAULTS = {
    "benchmark cut off": (cut(BENCHMARK, 500), BENCHMARK),
    "benchmark empty": (cut(BENCHMARK, 0), f"{BENCHMARK} is empty"),
    "losses cut off": (cut(LOSSES, 500), LOSSES),
    "losses flipped": (flip(LOSSES), LOSSES),
    "benchmark flipped": (flip(BENCHMARK), BENCHMARK),
    "benchmark of other images": (foreign_benchmark, BENCHMARK),
    "image set flipped": (flip(IMAGES), IMAGES),
    "image set cut off": (cut(IMAGES, 1000), IMAGES),
    "manifest empty": (cut(MANIFEST_OF_IMAGES, 0), f"{MANIFEST_OF_IMAGES} is empty"),
    "manifest cut off": (cut(MANIFEST_OF_IMAGES, 100), MANIFEST_OF_IMAGES),
    "manifest with another height": (
        lambda files: edit_manifest(files, height=12),
        f"{MANIFEST_OF_IMAGES}: height is 12",
    ),
    "manifest with another class": (lambda files: edit_manifest(files, classes=["a"]), "classes is"),
    "manifest of another set": (lambda files: edit_manifest(files, fingerprint="ab" * 32), "fingerprint is"),
    "manifest that is a list": (lambda files: files[MANIFEST_OF_IMAGES].write_text("[1]"), MANIFEST_OF_IMAGES),
    "manifest nested too deep": (lambda files: files[MANIFEST_OF_IMAGES].write_text("[" * 99999), "json-depth"),
    "summary with another accuracy": (
        lambda files: edit_summary(files, "test_top1", 99.0),
        "the column test_top1 is not",
    ),
    "summary with another cell": (lambda files: edit_summary(files, "index", 8), "the column index is not"),
    "summary cut off": (cut(SUMMARY, 900), SUMMARY),
    "summary flipped": (flip(SUMMARY, 0.2), SUMMARY),
    "png empty": (cut(FIGURE, 0), f"{FIGURE} is empty"),
    "png cut off": (cut(FIGURE, 700), f"{FIGURE} cannot be opened"),
    "png flipped": (flip(FIGURE), f"{FIGURE} cannot be opened"),
    "svg cut off": (cut(VECTORS, 700), f"{VECTORS} cannot be opened"),
    "page cut off": (cut(PAGE, 700), f"{PAGE} cannot be opened"),
    "page flipped": (flip(PAGE), f"{PAGE} cannot be opened"),
    "table of uneven lines": (lambda files: files[TABLE].write_text("a,b\n1\n"), f"{TABLE} cannot be opened"),
}


def test_a_whole_study_is_packed_and_verified(files, tmp_path):
    assert list(contents.problems(files)) == []
    write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")
    assert verify_archive(tmp_path / "tiny.zip") == []


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_damaged_or_contradicts_is_not_packed(files, tmp_path, fault):
    change, words = FAULTS[fault]
    change(files)
    with pytest.raises(InputError) as refusal:
        write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")
    assert words in str(refusal.value)
    assert not list(tmp_path.glob("*.zip*"))


@pytest.mark.parametrize(
    "fault", ["benchmark cut off", "image set flipped", "png flipped", "summary with another cell"]
)
def test_what_was_packed_damaged_is_not_verified(files, tmp_path, monkeypatch, fault):
    change, words = FAULTS[fault]
    change(files)
    monkeypatch.setattr("skelnas.archive._looked_into", lambda files: [])
    write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")
    monkeypatch.undo()
    problems = verify_archive(tmp_path / "tiny.zip")
    assert any(words in problem for problem in problems)
    assert not any("/tmp" in problem for problem in problems)


def test_a_file_that_ends_the_program_is_a_problem(files, tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "problems", lambda files: os._exit(11))
    with pytest.raises(InputError, match="its contents cannot be opened: its process died with exit code 11"):
        write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")


def test_a_folder_of_this_machine_is_not_packed(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    edit_manifest(files, excluded={"clip": f"{tmp_path}/recordings: clip.npy cannot be read"})
    with pytest.raises(InputError, match=f"{MANIFEST_OF_IMAGES} names the folder {tmp_path} of this machine"):
        write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")


def test_an_input_that_may_not_be_read_is_not_called_damaged(files, tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setitem(contents.OPENED, ".csv", refuse)
    with pytest.raises(InputError, match=f"{TABLE} cannot be read .Permission denied.; correct its permissions"):
        write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")


def changed(archive, change):
    """The archive with entries [(ZipInfo, content)] that went through `change`, and the manifest made anew."""
    with zipfile.ZipFile(archive) as old:
        entries = {info.filename: (info, old.read(info)) for info in old.infolist()}
    change(entries)
    with zipfile.ZipFile(archive, "w") as new:
        for info, content in entries.values():
            new.writestr(info, content)
    return archive


@pytest.fixture
def archive(files, tmp_path):
    write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")
    return tmp_path / "tiny.zip"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(archive, kind):
    def link(entries):
        entries[TABLE][0].external_attr = (kind | 0o777) << 16

    assert f"{TABLE} is a link or something else than a file" in verify_archive(changed(archive, link))


@pytest.mark.parametrize(
    "crate",
    [b"[" * 100_000, b'{"@graph": [{"@id": {}, "@type": "File"}]}', b'{"@graph": 5}', b'{"@graph": [[]]}', b"\xff"],
)
def test_an_odd_crate_is_no_traceback(archive, crate):
    problems = verify_archive(changed(archive, lambda entries: entries.update({CRATE: (entries[CRATE][0], crate)})))
    assert any(CRATE in problem for problem in problems)


def test_names_are_shown_harmlessly(archive, capsys):
    def add(entries):
        for name in ("\x1b[31mred.csv", "a\u202ecsv.exe"):
            entries[name] = (zipfile.ZipInfo(name), b"1")

    problems = verify_archive(changed(archive, add))
    assert r"\x1b[31mred.csv is in the archive but not in manifest-sha256.txt" in problems
    assert all(problem.isprintable() for problem in problems)


def test_names_that_are_no_utf8_are_a_sentence(archive):
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"figure.csv", b"fig\xff\xfee.csv"))
    marked = bytearray(archive.read_bytes())
    at = marked.rindex(b"fig\xff\xfee.csv") - len(TABLE) + len("figure.csv") - 46
    marked[at + 9] |= 8  # the flag that says UTF-8
    archive.write_bytes(marked)
    with pytest.raises(InputError, match="is not a whole zip archive"):
        verify_archive(archive)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", [TABLE, CRATE, MANIFEST])
def test_damage_in_any_compression_is_a_problem(archive, compression, name):
    def pack(entries):
        entries[name][0].compress_type = compression

    changed(archive, pack)
    with zipfile.ZipFile(archive) as opened:
        entry = opened.getinfo(name)
    content = bytearray(archive.read_bytes())
    for place in range(
        entry.header_offset + 30 + len(name), entry.header_offset + 30 + len(name) + entry.compress_size
    ):
        content[place] ^= 0x55
    archive.write_bytes(content)
    assert verify_archive(archive) != []


def test_the_command_says_what_is_wrong(archive, files, capsys):
    changed(archive, lambda entries: entries.update({TABLE: (entries[TABLE][0], b"a,b\n1,3\n")}))
    assert verify.run(type("Given", (), {"files": [str(archive)]})()) == 1
    assert f"{archive}: {TABLE} is damaged" in capsys.readouterr().err
