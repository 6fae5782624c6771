"""Validates documents against a JSON Schema: `check_json.py <schema> <document>...`."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for document in map(pathlib.Path, sys.argv[2:]):
    wrong = list(validator.iter_errors(json.loads(document.read_text(encoding="utf-8"))))
    if wrong:
        told = [f"{error.json_path}: {error.message}" for error in wrong[0].context or wrong]
        sys.exit(f"{document.name}: {told}")
    print(document.name, "is valid")
