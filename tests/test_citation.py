"""What machines read of the project (CITATION.cff, codemeta.json, .zenodo.json) says what pyproject.toml says."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import skelnas

ROOT = Path(__file__).parents[1]
CITATION: dict[str, Any] = YAML(typ="safe").load(ROOT / "CITATION.cff")
CODEMETA: dict[str, Any] = json.loads((ROOT / "codemeta.json").read_text())
ZENODO: dict[str, Any] = json.loads((ROOT / ".zenodo.json").read_text())
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Terms of CodeMeta 3.0 (https://w3id.org/codemeta/3.0) and of Zenodo's deposits that are used here.
CODEMETA_TERMS = {
    "@context", "type", "name", "description", "version", "softwareVersion", "license", "author",
    "programmingLanguage", "runtimePlatform", "operatingSystem", "softwareRequirements", "keywords",
    "applicationCategory", "developmentStatus", "readme", "referencePublication",
}  # fmt: skip
ZENODO_TERMS = {
    "upload_type", "title", "description", "version", "license", "access_right", "creators", "keywords",
}  # fmt: skip


def test_versions_and_licences_agree():
    versions = {PROJECT["version"], CITATION["version"], CODEMETA["version"], CODEMETA["softwareVersion"]}
    assert versions | {ZENODO["version"], skelnas.__version__} == {PROJECT["version"]}
    licences = {CITATION["license"], ZENODO["license"], CODEMETA["license"].removeprefix("https://spdx.org/licenses/")}
    assert licences == {PROJECT["license"]}


def test_titles_words_and_authors_agree():
    assert ZENODO["title"] == CITATION["title"]
    assert CITATION["title"].startswith(CODEMETA["name"])
    assert CODEMETA["description"] == ZENODO["description"] == PROJECT["description"]
    assert CODEMETA["keywords"] == ZENODO["keywords"] == CITATION["keywords"]
    names = [author["name"] for author in CITATION["authors"]]
    assert [author["name"] for author in CODEMETA["author"]] == names
    assert [creator["name"] for creator in ZENODO["creators"]] == names


def test_requirements_and_references_agree():
    assert CODEMETA["softwareRequirements"] == PROJECT["dependencies"]
    assert PROJECT["requires-python"].removeprefix(">=") in CODEMETA["runtimePlatform"]
    titles = [(work["name"], int(work["datePublished"])) for work in CODEMETA["referencePublication"]]
    assert titles == [(work["title"], work["year"]) for work in CITATION["references"]]
    assert (ROOT / CODEMETA["readme"]).is_file()


@pytest.mark.parametrize(("found", "known"), [(CODEMETA, CODEMETA_TERMS), (ZENODO, ZENODO_TERMS)])
def test_only_terms_that_the_vocabulary_has(found, known):
    assert set(found) <= known
