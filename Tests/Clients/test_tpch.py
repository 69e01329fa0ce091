"""TPC-H at SF0.1 in process: all 22 answers beside DuckDB's on the same files; also under 64 MiB."""

import csv
import decimal
import io
import math

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
    """DuckDB's answers by query."""
    folder = tpch_files("0.1")
    connection = duckdb.connect()
    for file in folder.glob("*.parquet"):
        connection.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
    return {
        query.stem: [tuple(map(typed, row)) for row in connection.execute(query.read_text()).fetchall()]
        for query in QUERIES
    }


def test_there_are_22_queries():
    assert len(QUERIES) == 22


@pytest.mark.parametrize("words", [[], ["--memory-limit", "64MiB"], ["--threads", "1"]], ids=["plain", "64MiB", "1 thread"])
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.stem)
def test_answers_are_duckdbs(query, words, expected, tpch_files):
    files = sorted(tpch_files("0.1").glob("*.parquet"))
    done = lakehouse("sql", "--csv", *words, "-f", query, *files, timeout=110)
    found = list(csv.reader(io.StringIO(done.stdout)))[1:]
    wanted = expected[query.stem]
    assert len(found) == len(wanted)
    for number, (ours, theirs) in enumerate(zip(found, wanted)):
        assert len(ours) == len(theirs)
        for column, (left, right) in enumerate(zip(ours, theirs)):
            assert equal(left, right), f"row {number}, column {column}: {left} is not {right}"
