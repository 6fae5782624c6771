"""Validates tables against their CSVW metadata: `check_table.py <metadata> <table>...`."""

import json
import pathlib
import sys
import tempfile

from csvw import CSVW

metadata = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
for table in map(pathlib.Path, sys.argv[2:]):
    with tempfile.TemporaryDirectory() as folder:
        # The metadata names its table, and stands beside it.
        (pathlib.Path(folder) / table.name).write_bytes(table.read_bytes())
        described = pathlib.Path(folder) / "metadata.json"
        described.write_text(json.dumps(metadata | {"url": table.name}), encoding="utf-8")
        checked = CSVW(str(described), validate=True)
        if not checked.is_valid:
            sys.exit(f"{table.name}: {[str(warning.message) for warning in checked.warnings]}")
        header = table.read_text(encoding="utf-8").splitlines()[0].split(",")
        columns = [column["name"] for column in metadata["tableSchema"]["columns"]]
        if header != columns:
            sys.exit(f"{table.name} has the columns {header}, not {columns}")
        print(table.name, "is valid")
