import hashlib
import json
import re
import shutil
import subprocess
import zipfile

import pytest

from skelnas.archive import ENVIRONMENT, verify_archive, write_archive
from skelnas.crate import CRATE, MANIFEST, Metadata
from skelnas.errors import InputError

METADATA = Metadata(
    title="A study",
    description="Three cells.",
    date="2026-11-22",
    license="https://spdx.org/licenses/CC-BY-4.0",
    authors=("Ada Lovelace", "Grace Hopper"),
)


@pytest.fixture
def files(tmp_path):
    contents = {
        "Snakefile": b"rule all:\n",
        "config.yaml": b"study: tiny\n",
        "results/recordings/tiny/short.gz": bytes(range(256)) * 9000,
        "results/analysis/tiny/figure one.svg": b"<svg>" + b"<g/>" * 50 + b"</svg>",
        "results/benchmark/tiny/short.timing.parquet": b"measured",
    }
    for name, content in contents.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    return {name: tmp_path / "in" / name for name in contents}


@pytest.fixture
def archive(files, tmp_path):
    write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")
    return tmp_path / "tiny.zip"


def rewritten(archive, change):
    """A copy of the archive whose members {name: bytes} went through `change`."""
    with zipfile.ZipFile(archive) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    target = archive.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)
    return target


def test_members_have_their_contents_and_checksums(archive, files):
    measured = "results/benchmark/tiny/short.timing.parquet"
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        assert set(names) == files.keys() - {measured} | {MANIFEST, CRATE, ENVIRONMENT}
        assert names[:3] == sorted(names[:3])
        lines = packed.read(MANIFEST).decode().splitlines()
        assert lines == sorted(lines, key=lambda line: line[66:])
        assert {line[66:]: line[:64] for line in lines} == {
            name: hashlib.sha256(packed.read(name)).hexdigest() for name in names if name != MANIFEST
        }
        for name in files.keys() - {measured}:
            assert packed.read(name) == files[name].read_bytes()
    assert verify_archive(archive) == []


def test_the_same_study_is_the_same_file(archive, files, tmp_path):
    for file in files.values():
        copy = tmp_path / "later" / file.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)  # other times and permissions
        copy.chmod(0o600)
    later = {name: tmp_path / "later" / file.name for name, file in reversed(files.items())}
    write_archive("tiny", later, METADATA, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_crate_is_a_graph_whose_references_exist(archive):
    with zipfile.ZipFile(archive) as packed:
        crate = json.loads(packed.read(CRATE))
        sizes = {info.filename: str(info.file_size) for info in packed.infolist()}
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert {"@id": "https://w3id.org/ro/crate/1.1"} in entities[CRATE]["conformsTo"]
    root = entities[entities[CRATE]["about"]["@id"]]
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    assert [entities[author["@id"]]["name"] for author in root["author"]] == ["Ada Lovelace", "Grace Hopper"]
    references = re.findall(r'\{"@id": "([^"]+)"\}', json.dumps(crate))
    outside = {"https://w3id.org/ro/crate/1.1", "https://doi.org/10.1093/bioinformatics/bts480"}
    assert set(references) - entities.keys() == outside | {"https://snakemake.readthedocs.io"}
    figure = entities["results/analysis/tiny/figure%20one.svg"]
    assert figure["encodingFormat"] == "image/svg+xml"
    assert figure["contentSize"] == sizes["results/analysis/tiny/figure one.svg"]


def test_unpacked_files_check_with_sha256sum(archive, tmp_path):
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "out")
    subprocess.run(["sha256sum", "--quiet", "-c", MANIFEST], cwd=tmp_path / "out", check=True)


def test_changed_missing_and_extra_members_are_named(archive):
    def change(members):
        members["config.yaml"] = b"study: other\n"
        del members["results/recordings/tiny/short.gz"]
        members["notes.txt"] = b"hello"
        members["../outside"] = b"x"

    problems = "\n".join(verify_archive(rewritten(archive, change)))
    assert "config.yaml is damaged: its SHA-256 is" in problems
    assert f"results/recordings/tiny/short.gz is in {MANIFEST} but not in the archive" in problems
    assert f"notes.txt is in the archive but not in {MANIFEST}" in problems
    assert f"results/recordings/tiny/short.gz is described in {CRATE} but not in the archive" in problems
    assert "'../outside' is not a plain relative path" in problems


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (MANIFEST, None, f"{MANIFEST} is missing"),
        (MANIFEST, b"nonsense\n", f"{MANIFEST}, line 1, is not a checksum and a name"),
        (CRATE, b"{", f"{CRATE} is not an RO-Crate"),
        (CRATE, None, f"{CRATE} is missing"),
    ],
)
def test_broken_manifest_or_crate(archive, name, content, problem):
    def change(members):
        members.pop(name)
        if content is not None:
            members[name] = content

    assert any(problem in found for found in verify_archive(rewritten(archive, change)))


def test_every_flipped_byte_of_a_member_is_noticed(archive):
    content = archive.read_bytes()
    start = content.index(bytes(range(256)))
    for place in (start, start + 1_000_000):
        archive.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert verify_archive(archive) != []


def test_truncated_and_missing_archives(archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"tiny\.zip is not a whole zip archive"):
        verify_archive(archive)
    with pytest.raises(InputError, match="no such archive"):
        verify_archive(tmp_path / "none.zip")


@pytest.mark.parametrize("name", ["../up", "/root", "a//b", "a\\b", "", MANIFEST])
def test_names_that_are_no_plain_paths_are_refused(files, tmp_path, name):
    with pytest.raises(InputError, match="cannot be a name in an archive"):
        write_archive("tiny", {name: files["config.yaml"]}, METADATA, tmp_path / "tiny.zip")
    assert not (tmp_path / "tiny.zip").exists()


def test_missing_file_is_named_with_its_command(files, tmp_path):
    files["config.yaml"].unlink()
    with pytest.raises(InputError, match=r"config\.yaml is missing.*`snakemake --cores all "):
        write_archive("tiny", files, METADATA, tmp_path / "tiny.zip")
    assert not list(tmp_path.glob("*.zip*"))
