"""Validates tables against their CSVW metadata: `check_table.py <metadata> <table>...`.

Where the metadata describes several tables, the one whose name is a part of the file's name is meant.
"""

import json
import pathlib
import sys
import tempfile

from csvw import CSVW


def metadata_of(table, metadata):
    described = metadata.get("tables")
    if described is None:
        return metadata
    shared = {key: value for key, value in metadata.items() if key != "tables"}
    kinds = table.name.split(".")
    meant = [one for one in described if any(part.startswith(one["url"][:-4]) for part in kinds)]
    if len(meant) != 1:
        sys.exit(f"{table.name}: {len(meant)} tables of the metadata are meant")
    return shared | meant[0]


metadata = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
for table in map(pathlib.Path, sys.argv[2:]):
    own = metadata_of(table, metadata)
    with tempfile.TemporaryDirectory() as folder:
        # The metadata names its table, and stands beside it.
        (pathlib.Path(folder) / table.name).write_bytes(table.read_bytes())
        described = pathlib.Path(folder) / "metadata.json"
        described.write_text(json.dumps(own | {"url": table.name}), encoding="utf-8")
        checked = CSVW(str(described), validate=True)
        if not checked.is_valid:
            sys.exit(f"{table.name}: {[str(warning.message) for warning in checked.warnings]}")
        header = table.read_text(encoding="utf-8").splitlines()[0].split(",")
        columns = [column["name"] for column in own["tableSchema"]["columns"]]
        if header != columns:
            sys.exit(f"{table.name} has the columns {header}, not {columns}")
        print(table.name, "is valid")
