import copy
import dataclasses
import os
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml

from skelnas.analysis.catalogue import ACROSS, ANALYSES
from skelnas.errors import InputError, Misconfigured
from skelnas.images.encodings import ENCODINGS
from skelnas.images.folds import FoldOptions
from skelnas.images.options import ImageOptions
from skelnas.images.splits import RULES
from skelnas.options import keys, stated
from skelnas.recipe import PRECISIONS, PROXIES, Recipe
from skelnas.skeletons.readers import READERS, ArchiveOptions, GapOptions, JointOptions
from skelnas.study import runs as study
from skelnas.study.configuration import FILES, checked, located_in_files, read
from skelnas.study.datasets import COMMON
from skelnas.training.engines import ENGINES
from skelnas.untrusted import Limits

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_FILE = ROOT / "workflow/schemas/config.schema.yaml"
SCHEMA = yaml.safe_load(SCHEMA_FILE.read_text())
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def objects(schema, place="config"):
    """Every object schema, by its place."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield place, schema
        for key, part in schema.items():
            yield from objects(part, f"{place}.{key}")


def changed(*keys, value):
    config = copy.deepcopy(CONFIG)
    place = config
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    return config


def test_shipped_configuration_is_valid_and_complete():
    config = checked(CONFIG, SCHEMA)
    assert config["training"]["checkpoint-minutes"] == 5
    assert "encoding" not in config["datasets"]["utd_mhad"]  # only what is written reaches an image set's parameters
    assert config["studies"]["demo"]["analyses"] == [*ANALYSES, *ACROSS]
    assert "encoding" not in CONFIG["datasets"]["utd_mhad"]


@pytest.mark.parametrize(
    ("place", "schema"), list(objects(SCHEMA)), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_object_is_closed_and_every_key_explained(place, schema):
    keys = schema.get("properties", {})
    assert "additionalProperties" in schema
    assert schema["additionalProperties"] is False or not keys
    for key, part in keys.items():
        assert part.get("description", "").endswith("."), f"{place}: {key} is not explained"
        # Which keys a source or a split must have depends on its kind, so they have no defaults of their own.
        optional = key not in schema.get("required", []) and "oneOf" not in schema and not place.endswith(".split")
        assert not optional or "default" in part, f"{place}: {key} has no default"


def test_every_key_of_the_schema_is_a_word_of_the_code():
    defs = SCHEMA["$defs"]
    assert set(defs["split"]["properties"]["rule"]["enum"]) == set(RULES)
    assert defs["dataset"]["properties"]["encoding"]["enum"] == list(ENCODINGS)
    assert set(defs["recipe"]["properties"]["precision"]["enum"]) == set(PRECISIONS)
    assert set(SCHEMA["properties"]["training"]["properties"]["engine"]["enum"]) == set(ENGINES)
    assert defs["study"]["properties"]["analyses"]["items"]["enum"] == [*ANALYSES, *ACROSS]
    assert defs["study"]["properties"]["proxies"]["items"]["enum"] == list(PROXIES)


@pytest.mark.parametrize(
    "options", [ImageOptions, GapOptions, JointOptions, *dict.fromkeys(reader.options for reader in READERS.values())]
)
def test_the_schema_has_each_option_of_the_code_with_its_type_and_default(options):
    properties = SCHEMA["$defs"]["dataset"]["properties"]
    kinds = {
        str: "string",
        int: "integer",
        float: "number",
        tuple[str, ...]: "array",
        tuple[int, ...]: "array",
        tuple[float, ...]: "array",
    }
    for field in dataclasses.fields(options):
        part = properties[field.name.replace("_", "-")]
        if field.name == "split":  # this or `folds`
            continue
        if dataclasses.is_dataclass(field.default):
            inner = SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]["properties"]
            assert part["default"] == {}
            assert {key: inner[key]["default"] for key in inner} == dict(
                zip(keys(field.type), dataclasses.astuple(field.default), strict=True)
            )
            continue
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        assert part["default"] == default
        if get_origin(field.type) is Literal:
            assert part["enum"] == list(get_args(field.type))
        else:
            assert part.get("type", "string") == kinds[field.type]


def test_every_option_of_a_data_set_in_the_schema_is_one_of_the_code():
    of_readers = {key for reader in READERS.values() for key in keys(reader.options)}
    assert set(SCHEMA["$defs"]["dataset"]["properties"]) == {*COMMON, *of_readers}


def test_a_key_that_the_reader_does_not_use_is_refused_with_those_that_it_has():
    with pytest.raises(InputError) as caught:
        checked(changed("datasets", "utd_mhad", "body", value="both"), SCHEMA)
    assert str(caught.value) == (
        "config.yaml: datasets.utd_mhad has an unknown key: body; with the reader utd_mhad there are reader, sources, "
        "folds, split, encoding, height, width, on-bad-recording, limits, empty-frames, missing-joints, most-missing, "
        "joints, content"
    )
    with pytest.raises(InputError, match=r"datasets\.utd_mhad\.reader is 'kinect', expected one of csv, ctrgcn, ntu, "):
        checked(changed("datasets", "utd_mhad", "reader", value="kinect"), SCHEMA)
    with pytest.raises(InputError, match=r"datasets\.utd_mhad is 'x', expected a block of keys"):
        checked(changed("datasets", "utd_mhad", value="x"), SCHEMA)


def test_the_schema_has_each_option_of_folds():
    properties = SCHEMA["$defs"]["folds"]["properties"]
    assert set(properties) == set(keys(FoldOptions))
    defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
    assert FoldOptions(5) == stated(FoldOptions, {"count": 5, **defaults})


def test_a_split_or_folds():
    def told(**block):
        with pytest.raises(InputError) as caught:
            checked({**CONFIG, "datasets": {"a": {"reader": "table", "sources": [{"folder": "x"}], **block}}}, SCHEMA)
        return str(caught.value)

    split = {"rule": "table"}
    assert told(split=split, folds={"count": 3}) == (
        "config.yaml: datasets.a has both split and folds; keep one: every fold is a split of its own"
    )
    assert told().startswith("config.yaml: datasets.a lacks split (or folds); add it")
    assert told(folds={"count": 1}) == (
        "config.yaml: datasets.a.folds.count is 1, expected a whole number from 2 to 1000: a fold is tested by "
        "networks that are trained on the others"
    )


def test_a_job_tells_the_line_of_a_mistake(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("datasets:\n  a:\n    folds:\n      count: 9\n")
    (tmp_path / "more.yaml").write_text("# more\ndatasets: {a: {folds: {seed: 1}}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FILES, os.pathsep.join(["config.yaml", "more.yaml", "gone.yaml"]))

    def wrong(key):
        raise Misconfigured(f"datasets.a.folds.{key}", " is 9, too many")

    with pytest.raises(InputError, match=r"^config\.yaml, line 4: datasets\.a\.folds\.count is 9, too many$"):
        located_in_files(wrong, "count")
    with pytest.raises(InputError, match=r"^more\.yaml, line 2: datasets\.a\.folds\.seed is 9"):
        located_in_files(wrong, "seed")


def test_defaults_of_a_recipe_are_the_ones_of_the_code():
    config = checked({**CONFIG, "recipes": {"a": {"epochs": 3, "batch-size": 4}}, "studies": CONFIG["studies"]}, SCHEMA)
    assert study.recipe(config, "a") == Recipe(epochs=3, batch_size=4)


def test_limits_reach_the_reader_and_decide_no_image_unless_they_are_stated():
    config = checked(changed("datasets", "utd_mhad", "limits", value={"json-depth": 9}), SCHEMA)
    assert "limits" not in study.image_options(config, "synthetic")
    assert stated(ArchiveOptions, study.image_options(config, "utd_mhad")).limits == Limits(json_depth=9)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (changed("studdy", value="demo"), "the top level has an unknown key: studdy; known there are"),
        (changed("datasets", "utd_mhad", "widht", value=68), "datasets.utd_mhad has an unknown key: widht"),
        (changed("datasets", "utd_mhad", "width", value=70), "datasets.utd_mhad.width is 70"),
        (changed("datasets", "utd_mhad", "encoding", value="rainbow"), "is 'rainbow', expected one of swap-axes"),
        (changed("recipes", "demo", "epochs", value="12"), "recipes.demo.epochs is '12', expected a whole number"),
        (changed("recipes", "demo", value={"epochs": 12}), "recipes.demo lacks batch-size"),
        (changed("recipes", "demo", "batch-size", value=0), "recipes.demo.batch-size is 0; Samples a step"),
        (changed("studies", "demo", "runs", 0, "seeds", value=777), "runs[0].seeds is 777, expected a list"),
        (
            changed("studies", "demo", "proxies", value=["synflow", "snip"]),
            r"studies.demo.proxies[1] is 'snip', expected one of synflow, naswot",
        ),
        (changed("training", "engine", value="warp"), "training.engine is 'warp', expected one of fused, "),
        (
            changed("datasets", "utd_mhad", "sources", value=[{"url": "x"}]),
            "sources[0] is a block with url; Either a `file`",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(config, words):
    with pytest.raises(InputError) as caught:
        checked(config, SCHEMA)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_are_read_one_over_the_other(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "recipes: {a: {epochs: 3, batch-size: 4}, b: {epochs: 5, batch-size: 4}}\nstudy: x\n"
    )
    (tmp_path / "b.yaml").write_text("recipes: {b: {epochs: 7}}\nstudies: {}\ndatasets: {}\n")
    config = read([tmp_path / "a.yaml", tmp_path / "b.yaml"], SCHEMA_FILE).values
    assert {name: recipe["epochs"] for name, recipe in config["recipes"].items()} == {"a": 3, "b": 7}
    assert (config["study"], config["recipes"]["b"]["momentum"]) == ("x", 0.9)


@pytest.mark.parametrize("content", ["a: [", "- a", ""])
def test_a_file_that_is_no_configuration_is_named(tmp_path, content):
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(InputError, match=r"a\.yaml(, line 1: this is no YAML| holds no configuration)"):
        read([tmp_path / "a.yaml"], SCHEMA_FILE)


BASE = """study: s
datasets:
  d:
    reader: synthetic
    sources: [{file: x.zip}]
    split: {rule: subjects, train: [001, 010, 012], valid: [012]}
recipes:
  r: {epochs: 1.0, batch-size: 1e1, weight-decay: 1e-3}
studies:
  s:
    runs:
      - {dataset: d, recipe: r, seeds: [777.0], cells: 00123, cells-per-shard: 010}
"""


def read_text(folder, text, other="", single=()):
    (folder / "config.yaml").write_text(text)
    (folder / "other.yaml").write_text(other)
    files = [folder / "config.yaml", *([folder / "other.yaml"] if other else [])]
    written = read(files, SCHEMA_FILE, single)
    written.located(study.recipe, written.values, "r" if "r" in written.values["recipes"] else "no")
    written.located(study.runs_by_path, written.values)
    written.located(study.runs, written.values, written.values["study"])
    return written.values


def test_numbers_are_taken_as_they_are_meant(tmp_path):
    config = read_text(tmp_path, BASE)
    assert config["datasets"]["d"]["split"]["train"] == [1, 10, 12]
    (run,) = study.runs(config, "s")
    assert (run.cells, run.seeds, run.cells_per_shard, run.selection) == ((123,), (777,), 10, "00123")
    assert study.recipe(config, "r") == Recipe(epochs=1, batch_size=10, weight_decay=0.001)
    assert [type(config["recipes"]["r"][key]) for key in ("epochs", "batch-size")] == [int, int]
    assert type(run.seeds[0]) is int


def test_names_are_taken_as_they_are_typed(tmp_path):
    text = BASE.replace("  d:", "  012:").replace("  r:", "  no:").replace("dataset: d", "dataset: 012")
    config = read_text(tmp_path, text.replace("recipe: r", "recipe: no"))
    assert [run.folder for run in study.runs(config, "s")] == ["012/no"]


def test_single_values_are_read_in_the_same_way(tmp_path):
    single = ["training={engine: plain, group-size: 004}", "study=s"]
    config = read_text(tmp_path, BASE, "training: {device: cpu}\n", single)
    assert config["training"]["group-size"] == 4
    assert (config["training"]["engine"], config["training"]["device"]) == ("plain", "cpu")


# What stands in the files (BASE with a replacement, a second file, single values), and what is said about it.
MISTAKES = [
    (("cells: 00123", "cells: 1:30"), "", [], r"config\.yaml, line 12: studies\.s\.runs\[0\]\.cells: cells '1:30'"),
    (("cells: 00123", "cells: 1e3"), "", [], r"config\.yaml, line 12: studies\.s\.runs\[0\]\.cells: cells '1e3'"),
    (("1.0", "1.5"), "", [], r"config\.yaml, line 8: recipes\.r\.epochs is 1\.5, expected a whole number"),
    (("777.0", ".inf"), "", [], r"config\.yaml, line 12: studies\.s\.runs\[0\]\.seeds\[0\] is \.inf; write a finite"),
    (("[777.0]", "777"), "", [], r"line 12: .*seeds is 777, expected a list"),
    (("  r:", "  R 2:"), "", [], r"line 8: recipes has the name 'R 2'; expected a name of lower-case letters"),
    (("  s:", "  2:"), "", [], r"line 10: studies has the name '2'; expected a name of lower-case letters, .*in front"),
    (("  s:", '  "s\\n":'), "", [], r"line 10: studies has the key 's\\n'; use letters"),
    (("study: s", 'study: "s\\n"'), "", [], r"line 1: study is 's\\n'; write it without line breaks"),
    (("study: s", "study: t"), "", [], r"config\.yaml, line 1: there is no study 't'; there are s"),
    (("study: s", "study:"), "", [], r"line 1: study is empty, expected a text"),
    (
        ("weight-decay: 1e-3", "momentum: 0"),
        "",
        [],
        r"line 8: recipes\.r: momentum is 0.*write nesterov: false as well",
    ),
    (("a", "a"), "recipes:\n  r: {epochs: ten}\n", [], r"other\.yaml, line 2: recipes\.r\.epochs is 'ten', expected"),
    (("a", "a"), "study: t\n", [], r"other\.yaml, line 1: there is no study 't'"),
    (("a", "a"), "\n\ntraining: {warp: 9}\n", [], r"other\.yaml, line 3: training has an unknown key: warp"),
    (
        ("a", "a"),
        "studies: {s: {runs: [{dataset: e, recipe: r, seeds: [1], cells: 1}]}}",
        [],
        r"other\.yaml, line 1: .*'e'",
    ),
    (("a", "a"), "", ["study=t"], r"--config study: there is no study 't'; there are s"),
    (("a", "a"), "", ["training={engine: warp}"], r"--config training: training\.engine is 'warp', expected one of"),
    (("a", "a"), "", ["training={engine: plain"], r"--config training: this is no YAML"),
    (
        ("sources: [{file: x.zip}]", "sources: [{url: 'https://me:hunter2@h/a'}]"),
        "",
        [],
        r"line 5: datasets\.d\.sources\[0\] is a block with url; Either a `file`",
    ),
    (
        ("sources: [{file: x.zip}]", "sources: [{file: 'https://me:hunter2@h/a'}]"),
        "",
        [],
        r"file is 'https://\*\*\*@h/a', expected a relative path of letters",
    ),
    (
        ("sources: [{file: x.zip}]", "sources: [{folder: '${HOME}/a'}]"),
        "",
        [],
        r"folder is '\$\{HOME\}/a', expected a path as it is, without \{ \} and \$",
    ),
    (
        ("sources: [{file: x.zip}]", "sources: [{file: a, sha256: abc}]"),
        "",
        [],
        r"sha256 is 'abc', expected 64 hexadecimal digits",
    ),
]


@pytest.mark.parametrize(("change", "other", "single", "words"), MISTAKES)
def test_mistakes_are_told_with_file_and_line(tmp_path, monkeypatch, change, other, single, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_text(Path(), BASE.replace(*change), other, single)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
