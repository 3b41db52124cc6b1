"""The crate of an archive against the validator of the profile that it claims, with the true context and no network."""

import copy
import gzip
import json
from pathlib import Path

import pytest
import requests
from rocrate_validator.models import ValidationSettings
from rocrate_validator.services import validate

from skelnas.crate import CRATE, WORKFLOW, Metadata, crate

# https://w3id.org/ro/crate/1.1/context, version 1.1.1, in the public domain (CC0)
CONTEXT = Path(__file__).parent / "oracle/ro-crate-1.1-context.json.gz"
SIZES = {WORKFLOW: 10, "results/analysis/tiny/figure one.svg": 3, "environment.json": 4}
METADATA = Metadata(
    "A study", "Three cells.", "2026-11-22", "https://spdx.org/licenses/CC-BY-4.0", ("Ada Lovelace", "Grace Hopper")
)


@pytest.fixture
def asked(monkeypatch):
    """The addresses that were asked for; the context is answered, and nothing else is there."""
    addresses = []

    def answer(adapter, request, **options):
        addresses.append(request.url)
        response = requests.Response()
        response.url, response.request, response.status_code = request.url, request, 404
        if request.url.endswith("/ro/crate/1.1/context"):
            response.status_code, response._content = 200, gzip.decompress(CONTEXT.read_bytes())
            response.headers["Content-Type"] = "application/ld+json"
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    return addresses


def problems(folder, document):
    """What the REQUIRED checks of the profile say of an unpacked archive with this crate."""
    for name in SIZES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / CRATE).write_text(json.dumps(document))
    settings = ValidationSettings(rocrate_uri=str(folder), profile_identifier="workflow-run-crate-0.5", no_cache=True)
    result = validate(settings)
    assert len(result.executed_checks) > 50
    return [issue.check.identifier for issue in result.get_issues()]


def test_an_archive_is_a_workflow_run_crate(tmp_path, asked):
    assert problems(tmp_path, crate("tiny", SIZES, METADATA)) == []
    assert "https://w3id.org/ro/crate/1.1/context" in asked


@pytest.mark.parametrize("fault", ["no workflow", "no run", "no profile", "no licence"])
@pytest.mark.slow
def test_the_validator_would_notice(tmp_path, asked, fault):
    document = copy.deepcopy(crate("tiny", SIZES, METADATA))
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    if fault == "no run":
        document["@graph"].remove(entities["#run"])
    else:
        del entities["./"][{"no workflow": "mainEntity", "no profile": "conformsTo", "no licence": "license"}[fault]]
    assert problems(tmp_path, document)


def test_the_same_members_give_the_same_document():
    first, second = (json.dumps(crate("tiny", SIZES, METADATA)) for _ in range(2))
    assert first == second
