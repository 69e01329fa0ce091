"""DuckDB's iceberg extension on the catalog: attach, read, write, and what each side sees of the other."""

import json
import subprocess

import pytest
from appliance import ROOT, lakehouse

PYTHON = ROOT / ".venv/tpcds/bin/python"


class DuckDB:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [PYTHON, ROOT / "Tests/Clients/duckdb_catalog.py", *arguments], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, statement):
        self.process.stdin.write(json.dumps(statement) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, f"{statement}: {answer['error']}"
        return answer["rows"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


@pytest.fixture(scope="module")
def ours(appliance):
    def ask(text):
        done = lakehouse("sql", "--data", appliance.directory, "--json", "-c", text)
        return [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]

    ask("CREATE SCHEMA lakehouse.ducks")
    return ask


@pytest.fixture(scope="module")
def duckdb(ours):
    session = DuckDB()
    yield session
    session.close()


def test_duckdb_reads_partitions_and_deletes_of_ours(ours, duckdb):
    ours("CREATE TABLE lakehouse.ducks.read (id bigint, name varchar, amount decimal(10,2), "
         "at timestamp(6), region varchar) WITH (partitioning = ARRAY['region'])")
    ours("INSERT INTO lakehouse.ducks.read VALUES (1, 'a', 1.5, timestamp '2026-01-01 00:00:00', 'n'), "
         "(2, 'b', 2.5, timestamp '2026-01-02 00:00:00', 's'), (3, 'c', NULL, NULL, 'n')")
    ours("DELETE FROM lakehouse.ducks.read WHERE id = 1")
    ours("ALTER TABLE lakehouse.ducks.read RENAME COLUMN name TO title")
    assert duckdb("SELECT * FROM lh.ducks.read ORDER BY id") == [
        [2, "b", "2.50", "2026-01-02 00:00:00", "s"], [3, "c", None, None, "n"]]
    assert duckdb("SELECT count(*) FROM lh.ducks.read WHERE region = 'n'") == [[1]]


def test_duckdb_writes_and_we_read(ours, duckdb):
    duckdb("CREATE TABLE lh.ducks.made (id BIGINT, name VARCHAR, amount DECIMAL(12,2), at TIMESTAMPTZ)"
           .replace(" at ", ' "at" '))
    assert duckdb("INSERT INTO lh.ducks.made SELECT i, 'n' || i, i / 4, "
                  "TIMESTAMPTZ '2026-01-01 00:00:00+00' FROM range(1000) r(i)") == [[1000]]
    assert duckdb("DELETE FROM lh.ducks.made WHERE id % 2 = 0") == [[500]]
    assert duckdb("UPDATE lh.ducks.made SET name = 'x' WHERE id < 10") == [[5]]
    duckdb("BEGIN")
    duckdb("INSERT INTO lh.ducks.made VALUES (5000, 't', 1, NULL)")
    duckdb("DELETE FROM lh.ducks.made WHERE id = 1")
    before = ours("SELECT count(*) FROM lakehouse.ducks.made")
    duckdb("COMMIT")
    assert before == [(500,)]
    question = ("SELECT count(*), CAST(sum(amount) AS varchar), count(DISTINCT name) "
                "FROM {}.ducks.made")
    theirs = [tuple(row) for row in duckdb(question.format("lh"))]
    assert ours(question.format("lakehouse")) == theirs == [(500, "62500.75", 497)]


def test_duckdb_inserts_into_partitions_of_ours(ours, duckdb):
    ours("CREATE TABLE lakehouse.ducks.parts (id bigint, region varchar) "
         "WITH (partitioning = ARRAY['region'])")
    duckdb("INSERT INTO lh.ducks.parts VALUES (1, 'n'), (2, 's'), (3, 'n')")
    assert ours("SELECT region, count(*) FROM lakehouse.ducks.parts GROUP BY 1 ORDER BY 1") == [
        ("n", 2), ("s", 1)]
    assert ours('SELECT count(*) FROM lakehouse.ducks."parts$partitions"') == [(2,)]


def test_duckdb_attaches_with_a_bearer_token(ours):
    ours("CREATE TABLE lakehouse.ducks.token AS SELECT 7 AS seven")
    session = DuckDB("--token")
    try:
        assert session("SELECT seven FROM lh.ducks.token") == [[7]]
    finally:
        session.close()
