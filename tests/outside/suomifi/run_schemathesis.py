"""Sends the stand-in what schemathesis draws from an OpenAPI description, right and wrong.

`run_schemathesis.py <description> <base url> <user> <password>`
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import yaml

# What an answer may be, and whether what the description rules out is refused.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
]
# Less than a minute for all of it; the same requests each time.
ARGUMENTS = [
    "--phases=examples,coverage,fuzzing",
    "--max-examples=10",
    "--max-failures=20",
    "--continue-on-failure",
    "--seed=1",
    "--generation-deterministic",
    "--suppress-health-check=all",
    "--request-timeout=10",
    "--warnings=off",
    "--no-color",
    "--exclude-deprecated",
]


def token(base_url, user, password):
    body = json.dumps({"username": user, "password": password}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{base_url}/v1/token", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["access_token"]


def with_401(description):
    """The service's own description has 401 with some of the calls that need a token, and says of all
    of them that they answer it."""
    document = yaml.safe_load(pathlib.Path(description).read_text("utf-8"))
    calls = [call for path in document["paths"].values() for call in path.values()]
    answers = [call["responses"]["401"] for call in calls if "401" in call["responses"]]
    for call in calls:
        if "security" in call:
            call["responses"].setdefault("401", answers[0])
    return document


def main(description, base_url, user, password):
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    header = f"Authorization: Bearer {token(base_url, user, password)}"
    arguments = [f"--url={base_url}", f"--header={header}", f"--checks={','.join(CHECKS)}"]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "description.json")
        file.write_text(json.dumps(with_401(description)), "utf-8")
        run = [program, "run", file, *arguments, *ARGUMENTS]
        ended = subprocess.run(run, cwd=folder, check=False)
    sys.exit(ended.returncode)


main(*sys.argv[1:])
