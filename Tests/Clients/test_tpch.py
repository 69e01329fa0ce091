"""TPC-H in process: all 22 answers beside DuckDB's on the same files.

SF0.1 also on one thread and under 64 MiB; `LAKEHOUSE_LONG=1` adds SF1, plain and under 256 MiB.
"""

import csv
import decimal
import io
import math
import os

import duckdb
import pytest
from appliance import ROOT, lakehouse

QUERIES = sorted((ROOT / "Tests" / "SQL" / "tpch").glob("q*.sql"))


def typed(value):
    """A printed value as DuckDB has it: numbers are numbers, dates are texts."""
    if value is None:
        return None
    if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
        return float(value)
    return str(value)


def equal(ours, theirs):
    if theirs is None:
        return ours == ""
    if isinstance(theirs, float):
        try:
            return math.isclose(float(ours), theirs, rel_tol=1e-9, abs_tol=0.006)
        except ValueError:
            return False
    return ours == theirs


@pytest.fixture(scope="module")
def expected(tpch_files):
    """DuckDB's answers by scale and query, worked out once."""
    connections = {}
    answers = {}

    def answer(scale, query):
        if scale not in connections:
            connections[scale] = duckdb.connect()
            for file in tpch_files(scale).glob("*.parquet"):
                connections[scale].execute(f"create view {file.stem} as select * from read_parquet('{file}')")
        if (scale, query) not in answers:
            rows = connections[scale].execute(query.read_text()).fetchall()
            answers[scale, query] = [tuple(map(typed, row)) for row in rows]
        return answers[scale, query]

    return answer


def test_there_are_22_queries():
    assert len(QUERIES) == 22


RUNS = {
    "SF0.1": ("0.1", []),
    "SF0.1 in 64MiB": ("0.1", ["--memory-limit", "64MiB"]),
    "SF0.1 on one thread": ("0.1", ["--threads", "1"]),
}
if os.environ.get("LAKEHOUSE_LONG") == "1":
    RUNS |= {"SF1": ("1", []), "SF1 in 256MiB": ("1", ["--memory-limit", "256MiB"])}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.stem)
def test_answers_are_duckdbs(query, run, expected, tpch_files):
    scale, words = RUNS[run]
    files = sorted(tpch_files(scale).glob("*.parquet"))
    done = lakehouse("sql", "--csv", *words, "-f", query, *files, timeout=110 if scale == "0.1" else 800)
    found = list(csv.reader(io.StringIO(done.stdout)))[1:]
    wanted = expected(scale, query)
    assert len(found) == len(wanted)
    for number, (ours, theirs) in enumerate(zip(found, wanted)):
        assert len(ours) == len(theirs)
        for column, (left, right) in enumerate(zip(ours, theirs)):
            assert equal(left, right), f"row {number}, column {column}: {left} is not {right}"
