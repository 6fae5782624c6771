"""Whether our description of the API says the same as the service's own, for the parts that we use.

`compare_descriptions.py <ours> <theirs>`: prints what differs, and how much was compared.
"""

import pathlib
import sys

import yaml

# What decides whether a document fits; titles and words do not.
KEYS = [
    "type", "format", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems",
]  # fmt: skip

differences = []
compared = 0


def read(path):
    return yaml.safe_load(pathlib.Path(path).read_text("utf-8"))


def resolved(root, schema):
    while "$ref" in schema:
        target = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        schema = target
    return schema


def differ(where, ours, theirs):
    differences.append(f"{where}: ours {ours!r}, theirs {theirs!r}")


def same(where, ours, theirs):
    global compared
    compared += 1
    if ours != theirs:
        differ(where, ours, theirs)


def compare(where, ours, theirs):
    ours, theirs = resolved(OURS, ours), resolved(THEIRS, theirs)
    for key in KEYS:
        of = [schema.get(key) for schema in (ours, theirs)]
        if key == "enum":
            of = [values and sorted(values) for values in of]
        # `oneOf` says more than the type beside it.
        if key != "type" or "oneOf" not in ours:
            same(f"{where} {key}", *of)
    same(f"{where} required", *(sorted(s.get("required", [])) for s in without_event(ours, theirs)))
    mine, other = ours.get("properties", {}), theirs.get("properties", {})
    if "oneOf" in ours:
        compare_kinds(where, ours, theirs)
    else:
        same(f"{where} properties", sorted(mine), sorted(other))
        for name in mine.keys() & other.keys():
            compare(f"{where}.{name}", mine[name], other[name])
    if "items" in ours and "items" in theirs:
        compare(f"{where}[]", ours["items"], theirs["items"])


def without_event(ours, theirs):
    """Each kind of event says for itself what the list of kinds says once more."""
    return ({}, {}) if "oneOf" in ours else (ours, theirs)


def compare_kinds(where, ours, theirs):
    mine, other = (s["discriminator"]["mapping"] for s in (ours, theirs))
    same(f"{where} kinds", sorted(mine), sorted(other))
    for kind in mine.keys() & other.keys():
        compare(f"{where}<{kind}>", {"$ref": mine[kind]}, {"$ref": other[kind]})


def compare_content(where, ours, theirs):
    same(f"{where} media types", sorted(ours), sorted(theirs))
    for kind in ours.keys() & theirs.keys():
        compare(f"{where} {kind}", without_example(ours[kind]), without_example(theirs[kind]))


def without_example(content):
    return {key: value for key, value in content["schema"].items() if key != "example"}


def compare_call(where, ours, theirs):
    same(f"{where} needs a token", "security" in ours, "security" in theirs)
    if "requestBody" in ours:
        compare_content(where, ours["requestBody"]["content"], theirs["requestBody"]["content"])
    mine, other = (
        {p["name"]: (p["in"], p.get("required", False)) for p in call.get("parameters", [])}
        for call in (ours, theirs)
    )
    same(f"{where} parameters", mine, other)
    # What is answered without a good token stands with some calls only, and is the same there.
    statuses = [set(call["responses"]) - {"401", "403"} for call in (ours, theirs)]
    same(f"{where} statuses", *(sorted(of) for of in statuses))
    for status in ours["responses"].keys() & theirs["responses"].keys():
        contents = [call["responses"][status]["content"] for call in (ours, theirs)]
        compare_content(f"{where} {status}", *contents)


OURS, THEIRS = (read(path) for path in sys.argv[1:])
for path, calls in OURS["paths"].items():
    for method, call in calls.items():
        their_call = THEIRS["paths"].get(path, {}).get(method)
        if their_call is None:
            differ(f"{method} {path}", "there", "missing")
        else:
            compare_call(f"{method} {path}", call, their_call)
for difference in differences:
    print(difference)
print(f"compared {compared}, different {len(differences)}")
sys.exit(1 if differences else 0)
