"""TPC-DS in process: the answers of all 99 queries beside DuckDB's on the same files.

SF0.1; `LAKEHOUSE_LONG=1` adds SF1. The queries are those of DuckDB's extension, and say in DuckDB's words what
Trino has no implicit form for: a text as a date, a date plus a number. Where DuckDB divides decimals as doubles,
and an order or a comparison hangs on the digits behind, the query asks for doubles here as well.
"""

import csv
import io
import json
import math
import os
import re
import subprocess

import pytest
from appliance import ROOT, lakehouse, plain_environment

SCALES = ["0.1", "1"] if os.environ.get("LAKEHOUSE_LONG") == "1" else ["0.1"]
NUMBERS = [f"{number:02}" for number in range(1, 100)]
# Averages and quotients of decimals, in order or compared.
DOUBLES = {
    **dict.fromkeys(["44", "53", "63"], (r"(?i)\bavg\((\w+|sum\(\w+\))\)", r"avg(CAST(\1 AS double))")),
    **dict.fromkeys(["58", "83"], (r"(?i)\bsum\((\w+)\)", r"CAST(sum(\1) AS double)")),
    "75": (r"DECIMAL\(17,2\)", "double"),
}


@pytest.fixture(scope="module")
def world():
    """A function from a scale to the folder with files, queries and answers, made once."""

    def folder(scale):
        place = ROOT / ".cache" / f"tpcds-sf{scale}"
        if not (place / "made").exists():
            place.mkdir(parents=True, exist_ok=True)
            subprocess.run(
                [ROOT / ".venv/tpcds/bin/python", ROOT / "Tests/Clients/tpcds_answers.py", scale, place],
                check=True, capture_output=True, env=plain_environment(),
            )
            (place / "made").touch()
        return place

    return folder


def in_trinos_words(number, text):
    text = re.sub(r"(?i)\binterval\s+(\d+)\s+(day|month|year)s?\b", r"INTERVAL '\1' \2", text)
    text = re.sub(r"(?<!DATE )'(\d{4}-\d\d-\d\d)'", r"DATE '\1'", text)
    text = text.replace("d1.d_date + 5", "d1.d_date + INTERVAL '5' DAY")
    if number in DOUBLES:
        text = re.sub(*DOUBLES[number], text)
    return text.rstrip().rstrip(";")


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
def test_answers_are_duckdbs(number, scale, world, tmp_path):
    place = world(scale)
    query = tmp_path / f"{number}.sql"
    query.write_text(in_trinos_words(number, (place / f"{number}.sql").read_text()))
    done = lakehouse("sql", "--csv", "-f", query, *sorted(place.glob("*.parquet")), timeout=170)
    ours = in_order([list(map(typed, row or [""])) for row in list(csv.reader(io.StringIO(done.stdout)))[1:]])
    theirs = in_order([list(map(typed, row)) for row in json.loads((place / "answers.json").read_text())[number]])
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs):
        assert len(one) == len(other) and all(map(is_equal, one, other)), f"{one}\nis not\n{other}"
