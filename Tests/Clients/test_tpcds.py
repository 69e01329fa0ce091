"""TPC-DS in process: the answers of all 99 queries beside DuckDB's on the same files.

SF0.1; `LAKEHOUSE_LONG=1` adds SF1.
"""

import csv
import io
import json
import math
import os

import pytest
from appliance import lakehouse
from tpcds import NUMBERS, in_trinos_words, tpcds_folder

SCALES = ["0.1", "1"] if os.environ.get("LAKEHOUSE_LONG") == "1" else ["0.1"]


def typed(value):
    if value == "" or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return value.strip()


def is_equal(one, other):
    if isinstance(one, float) and isinstance(other, float):
        # Half of the last of two digits, where we keep the scale of a decimal and DuckDB does not.
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=0.0051)
    return one == other


def in_order(rows):
    """Ties come in any order: rows are compared as a multiset."""
    return sorted(
        rows, key=lambda row: [(value is None, isinstance(value, str), 0 if value is None else value) for value in row]
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("number", NUMBERS)
def test_answers_are_duckdbs(number, scale, tmp_path):
    place = tpcds_folder(scale)
    query = tmp_path / f"{number}.sql"
    query.write_text(in_trinos_words(number, (place / f"{number}.sql").read_text()))
    done = lakehouse("sql", "--csv", "-f", query, *sorted(place.glob("*.parquet")), timeout=170)
    ours = in_order([list(map(typed, row or [""])) for row in list(csv.reader(io.StringIO(done.stdout)))[1:]])
    theirs = in_order([list(map(typed, row)) for row in json.loads((place / "answers.json").read_text())[number]])
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs):
        assert len(one) == len(other) and all(map(is_equal, one, other)), f"{one}\nis not\n{other}"
