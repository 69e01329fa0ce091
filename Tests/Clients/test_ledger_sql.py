"""The audit trail as a table of SQL: who may read it, and that conditions find what the page finds."""

import os
import uuid

import pytest
import requests

pytestmark = pytest.mark.usefixtures("appliance")


def sql(appliance, text, token=None):
    token = token or os.environ["LAKEHOUSE_TOKEN"]
    return requests.post(
        appliance.url + "/api/v1/sql", json={"sql": text}, headers={"Authorization": f"Bearer {token}"}, timeout=60
    )


def rows(appliance, text, token=None):
    answer = sql(appliance, text, token)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


@pytest.fixture(scope="module")
def reader(appliance):
    """An analyst, who may not view the ledger."""
    name = f"reader{uuid.uuid4().hex[:6]}"
    appliance.command("user", "create", name, "--role", "analyst")
    return name, appliance.variables(user=name)["LAKEHOUSE_TOKEN"]


@pytest.fixture(scope="module")
def table(appliance):
    schema = f"lakehouse.trail_{uuid.uuid4().hex[:8]}"
    rows(appliance, f"CREATE SCHEMA {schema}")
    rows(appliance, f"CREATE TABLE {schema}.t AS SELECT 1 AS n")
    return f"{schema}.t"


def test_the_trail_is_described_and_listed(appliance):
    assert ["ledger"] in rows(appliance, "SHOW SCHEMAS FROM system")
    assert ["entries"] in rows(appliance, "SHOW TABLES FROM system.ledger")
    columns = rows(appliance, "DESCRIBE system.ledger.entries")
    assert [(column[0], column[1]) for column in columns] == [
        ("sequence", "bigint"), ("at", "timestamp(6) with time zone"), ("principal", "varchar"),
        ("principal_id", "varchar"), ("request_id", "varchar"), ("door", "varchar"), ("action", "varchar"),
        ("resource", "varchar"), ("decision", "varchar"), ("query_id", "varchar"), ("run_id", "varchar"),
        ("snapshot_id", "bigint"), ("detail", "varchar"),
    ]


def test_a_read_is_found_by_person_table_query_and_time(appliance, table, reader):
    name, token = reader
    before = rows(appliance, "SELECT to_iso8601(current_timestamp)")[0][0]
    rows(appliance, f"SELECT n FROM {table}", token)
    resource = "table:" + table.replace(".", "/")
    found = rows(
        appliance,
        "SELECT principal, action, door, decision, query_id, json_extract_scalar(detail, '$.sql') "
        f"FROM system.ledger.entries WHERE resource = '{resource}' AND principal = '{name}' "
        f"AND action = 'table.read' AND at >= from_iso8601_timestamp('{before}')",
    )
    assert len(found) == 1
    assert found[0][:2] == [name, "table.read"] and found[0][3] == "allowed"
    assert found[0][5] == f"SELECT n FROM {table}"
    query = found[0][4]
    whole = rows(
        appliance, f"SELECT count(*), count(DISTINCT principal), min(principal) FROM system.ledger.entries WHERE query_id = '{query}'"
    )
    assert whole[0][0] >= 1 and whole[0][1:] == [1, name]
    # Conditions that go down to the index and those that do not give the same rows.
    for plain, hidden in [
        (f"principal = '{name}'", f"concat(principal, '') = '{name}'"),
        (f"principal = '{name}' AND decision = 'allowed'", f"lower(principal) = '{name}' AND decision <> 'denied'"),
        ("action IN ('table.read', 'table.select')", "action || '' IN ('table.read', 'table.select')"),
    ]:
        bound = rows(appliance, "SELECT max(sequence) FROM system.ledger.entries")[0][0]
        counts = [
            rows(appliance, f"SELECT count(*), sum(sequence) FROM system.ledger.entries WHERE {c} AND sequence <= {bound}")
            for c in (plain, hidden)
        ]
        assert counts[0] == counts[1] and counts[0][0][0] > 0
    assert rows(appliance, f"SELECT count(*) FROM system.ledger.entries WHERE at < from_iso8601_timestamp('2020-01-01T00:00:00Z')") == [[0]]


def test_a_commit_is_found_by_its_snapshot(appliance, table):
    catalog, schema, name = table.split(".")
    snapshot = rows(appliance, f'SELECT snapshot_id FROM {catalog}.{schema}."{name}$snapshots"')[0][0]
    found = rows(
        appliance,
        "SELECT action, resource FROM system.ledger.entries "
        f"WHERE snapshot_id = {snapshot} AND action LIKE 'catalog.table.%'",
    )
    assert ["table:" + table.replace(".", "/")] == sorted({row[1] for row in found})


def test_who_may_not_view_the_ledger_reads_none_of_it_and_is_noted(appliance, reader):
    name, token = reader
    answer = sql(appliance, "SELECT count(*) FROM system.ledger.entries", token)
    assert answer.status_code != 200 and "Access Denied" in answer.text
    assert rows(
        appliance,
        f"SELECT count(*) > 0 FROM system.ledger.entries WHERE principal = '{name}' AND action = 'ledger.view' "
        "AND decision = 'denied'",
    ) == [[True]]


def test_looking_at_pipelines_is_no_attempt_to_list_their_buckets(appliance):
    name = f"guest{uuid.uuid4().hex[:6]}"
    appliance.command("user", "create", name)
    token = appliance.variables(user=name)["LAKEHOUSE_TOKEN"]
    asked = f"SELECT count(*) FROM system.ledger.entries WHERE principal = '{name}' AND action = 'object.list'"

    def get(path):
        return requests.get(
            appliance.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code

    assert get("/pipelines") == 200
    assert rows(appliance, asked) == [[0]]
    # Whoever asks for the bucket itself is noted.
    assert get("/storage/landing") != 200
    assert rows(appliance, asked + " AND decision = 'denied'")[0][0] > 0
