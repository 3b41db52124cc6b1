import json
from pathlib import Path

import pytest
import yaml

from skelnas.study.configuration import checked
from skelnas.study.portable import study_configuration

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
SPLIT = {"rule": "subjects", "train": [1, 2], "valid": [2]}


def config(*sources):
    return checked(
        {
            "study": "mine",
            "datasets": {
                "ours": {"reader": "table", "sources": list(sources), "split": SPLIT},
                "theirs": {"reader": "ntu", "sources": [{"file": "secret/of/others.zip"}], "split": SPLIT},
            },
            "recipes": {name: {"epochs": 3, "batch-size": 4} for name in ("short", "shorter", "unused")},
            "studies": {
                "mine": {
                    "runs": [{"dataset": "ours", "recipe": "short", "seeds": [1], "cells": "3"}],
                    "comparisons": [{"dataset": "ours", "recipe": "short", "other": "shorter"}],
                },
                "other": {"runs": [{"dataset": "theirs", "recipe": "unused", "seeds": [1], "cells": "3"}]},
            },
        },
        SCHEMA,
    )


def test_only_what_the_study_needs_is_kept():
    kept = study_configuration(config({"file": "a.zip"}, {"file": "a.csv"}), "mine")
    assert list(kept["datasets"]) == ["ours"]
    assert list(kept["recipes"]) == ["short", "shorter"]
    assert list(kept["studies"]) == ["mine"]
    assert "training" not in kept
    assert checked(kept, SCHEMA)["studies"] == kept["studies"]  # it is a configuration of its own


@pytest.mark.parametrize(
    ("source", "secret", "shown"),
    [
        ({"file": "a.zip", "url": "https://me:pass@host.org/a.zip"}, "pass", "https://***@host.org/a.zip"),
        ({"file": "a.zip", "url": "https://host.org/a.zip?token=key"}, "key", "https://host.org/a.zip?***"),
        ({"file": "a.zip", "url": "http://host.org/a.zip#key"}, "key", "http://host.org/a.zip#***"),
        ({"file": "a.zip", "url": "/home/me/data/a.zip"}, "/home", '"a.zip"'),
        ({"file": "a.zip", "url": "~/data/a.zip"}, "~", '"a.zip"'),
        ({"file": "a.zip", "url": "file:///home/me/a.zip"}, "/home", '"a.zip"'),
        ({"folder": "/home/me/recordings"}, "/home", '"recordings"'),
        ({"file": "a.zip", "register": "https://host.org/?user=me"}, "user", "https://host.org/?***"),
    ],
)
def test_no_secret_and_nothing_of_the_machine_is_kept(source, secret, shown):
    text = json.dumps(study_configuration(config(source, {"file": "a.csv"}), "mine"))
    assert secret not in text
    assert shown in text
