"""`lakehouse bench tpch`: the files that it makes, the rows that it counts, and DuckDB beside it."""

import json
import sys

import duckdb
from appliance import ROOT, lakehouse

QUERIES = sorted((ROOT / "Tests" / "SQL" / "tpch").glob("q*.sql"))


def test_queries_beside_duckdb_over_the_same_files(tmp_path):
    arguments = ("bench", "tpch", "--scale", "0.01", "--runs", "1", "--files", tmp_path, "--json")
    made = json.loads(lakehouse(*arguments, "--duckdb", sys.executable, timeout=300).stdout)
    assert made["duckdb"] == duckdb.__version__
    assert made["geometricMean"] > 0
    connection = duckdb.connect()
    for file in sorted((tmp_path / "tpch-sf0.01").glob("*.parquet")):
        connection.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
    assert [entry["query"] for entry in made["queries"]] == [query.stem for query in QUERIES]
    for entry, query in zip(made["queries"], QUERIES):
        assert entry["rows"] == len(connection.execute(query.read_text()).fetchall()), query.stem
        assert entry["wallMilliseconds"] > 0 and entry["duckdbWallMilliseconds"] > 0, query.stem
    # The files are those of the standard: so many orders and lines at this scale.
    assert connection.execute("select count(*), sum(o_totalprice) from orders").fetchone()[0] == 15000
    assert connection.execute("select count(*) from lineitem").fetchone()[0] == 60175

    stamps = {file: file.stat().st_mtime_ns for file in (tmp_path / "tpch-sf0.01").iterdir()}
    text = lakehouse(*arguments[:-1], "--queries", "q06,q01", "--duckdb", "none", timeout=300).stdout
    assert "q06" in text and "q01" in text and "q02" not in text
    assert stamps == {file: file.stat().st_mtime_ns for file in (tmp_path / "tpch-sf0.01").iterdir()}


def test_what_is_asked_wrongly_is_said():
    for flags, words in (
        (("--scale", "big"), "--scale wants a number"),
        (("--scale", "1000"), "--scale wants a number"),
        (("--queries", "q23"), "no such query: q23"),
        (("--duckdb", "/nowhere/duckdb"), "this is no DuckDB"),
        (("--memory-limit", "some"), "--memory-limit wants"),
    ):
        assert words in lakehouse("bench", "tpch", *flags, code=2).stderr
