import copy
import dataclasses
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml

from skelnas.analysis.catalogue import ANALYSES
from skelnas.errors import InputError
from skelnas.images.encodings import ENCODINGS
from skelnas.images.options import ImageOptions
from skelnas.images.splits import RULES
from skelnas.options import keys, stated
from skelnas.recipe import PRECISIONS, Recipe
from skelnas.skeletons.readers import READERS, ArchiveOptions
from skelnas.study import runs as study
from skelnas.study.configuration import checked, read
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
    assert config["studies"]["demo"]["analyses"] == list(ANALYSES)
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
    assert defs["study"]["properties"]["analyses"]["items"]["enum"] == list(ANALYSES)


@pytest.mark.parametrize("options", [ImageOptions, *{reader.options for reader in READERS.values()}])
def test_the_schema_has_each_option_of_the_code_with_its_type_and_default(options):
    properties = SCHEMA["$defs"]["dataset"]["properties"]
    kinds = {str: "string", int: "integer", tuple[str, ...]: "array", tuple[int, ...]: "array"}
    for field in dataclasses.fields(options):
        part = properties[field.name.replace("_", "-")]
        if field.default is dataclasses.MISSING:
            assert field.name.replace("_", "-") in SCHEMA["$defs"]["dataset"]["required"]
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
        "split, encoding, height, width, on-bad-recording, content, limits"
    )
    with pytest.raises(InputError, match=r"datasets\.utd_mhad\.reader is 'kinect', expected one of ntu, synthetic, "):
        checked(changed("datasets", "utd_mhad", "reader", value="kinect"), SCHEMA)
    with pytest.raises(InputError, match=r"datasets\.utd_mhad is 'x', expected a block of keys"):
        checked(changed("datasets", "utd_mhad", value="x"), SCHEMA)


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
        (changed("training", "engine", value="warp"), "training.engine is 'warp', expected one of fused, plain"),
        (
            changed("datasets", "utd_mhad", "sources", value=[{"url": "x"}]),
            "sources[0] is {'url': 'x'}; Either a `file`",
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
    config = read([tmp_path / "a.yaml", tmp_path / "b.yaml"], SCHEMA_FILE)
    assert {name: recipe["epochs"] for name, recipe in config["recipes"].items()} == {"a": 3, "b": 7}
    assert (config["study"], config["recipes"]["b"]["momentum"]) == ("x", 0.9)


@pytest.mark.parametrize("content", ["a: [", "- a", ""])
def test_a_file_that_is_no_configuration_is_named(tmp_path, content):
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(InputError, match=r"a\.yaml (cannot be read as YAML|holds no configuration)"):
        read([tmp_path / "a.yaml"], SCHEMA_FILE)
