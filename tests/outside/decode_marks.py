"""Prints `<file name><TAB><payload>` for each DataMatrix that libdmtx finds in each picture."""

import pathlib
import sys

from PIL import Image
from pylibdmtx.pylibdmtx import decode

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    with Image.open(path) as picture:
        # One more than a corner may hold, so that a second one is noticed.
        for symbol in decode(picture, max_count=2, timeout=2000):
            print(path.name, symbol.data.decode("ascii"), sep="\t")
