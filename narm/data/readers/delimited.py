"""CSV, TSV, and the tab-separated `.txt` of GRU4Rec and session-rec: a header, then one event a line."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa

from narm.config import DataConfig
from narm.data.readers.columns import find_columns
from narm.data.readers.layout import TextLayout, read_header_line
from narm.data.readers.text import read_text
from narm.errors import InputError

DELIMITERS = "\t,;|"


def read_delimited(path: Path, config: DataConfig) -> pa.Table:
    """Read a CSV, TSV or text file; the header tells its delimiter.

    Raises:
        InputError: as `find_columns` and `read_text`.
    """
    line = read_header_line(path)
    delimiter = max(DELIMITERS, key=line.count)
    if delimiter not in line:
        raise InputError(f"{path}, line 1: one column, '{line}'; columns are separated by tab, comma, ; or |")
    header = tuple(next(csv.reader([line], delimiter=delimiter)))
    columns = find_columns(header, config, f"{path}, line 1")
    return read_text(TextLayout(path=path, header=header, delimiter=delimiter, quoted=True, columns=columns))
