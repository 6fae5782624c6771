"""Reads `/metrics` as Prometheus does, and prints each family and its kind.

`read_metrics.py <file>`
"""

import pathlib
import sys

from prometheus_client.parser import text_string_to_metric_families

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
seen = set()
for family in text_string_to_metric_families(text):
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        assert key not in seen, f"twice: {key}"
        seen.add(key)
    assert family.documentation, f"no help: {family.name}"
    print(family.name, family.type, len(family.samples))
