"""The unmodified mlcroissant on an exported folder: `python croissant_client.py FOLDER`; JSON."""

import json
import sys
from itertools import islice

import mlcroissant

dataset = mlcroissant.Dataset(jsonld=f"{sys.argv[1]}/croissant.json")
issues = dataset.metadata.ctx.issues
rows = [
    {key: value.decode() if isinstance(value, bytes) else value for key, value in row.items()}
    for row in islice(dataset.records("final"), 3)
]
answers = {
    "errors": sorted(issues.errors),
    "warnings": sorted(issues.warnings),
    "name": dataset.metadata.name,
    "record_sets": [one.name for one in dataset.metadata.record_sets],
    "rows": rows,
}
print("JSON", json.dumps(answers, default=str))
