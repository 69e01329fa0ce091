"""The MCP door, driven by the `mcp` client: both eras of the protocol, the tools, what is refused."""

import asyncio
import json
import os
import uuid

import httpx2
import pytest
import requests
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

pytestmark = pytest.mark.usefixtures("appliance")

MODES = ["auto", "legacy"]


def talk(appliance, mode, conversation):
    """Opens a client, has the conversation, closes it."""

    async def run():
        headers = {"Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(appliance.url + "/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return await conversation(client)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def table(appliance):
    schema = f"mcp_{uuid.uuid4().hex[:8]}"

    def sql(text):
        answer = requests.post(
            appliance.url + "/api/v1/sql", json={"sql": text}, timeout=60,
            headers={"Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}"},
        )
        assert answer.status_code == 200, answer.text

    sql(f"CREATE SCHEMA lakehouse.{schema}")
    sql(
        f"CREATE TABLE lakehouse.{schema}.orders (id bigint COMMENT 'the order', country varchar) "
        "COMMENT 'orders of the shop'"
    )
    sql(f"INSERT INTO lakehouse.{schema}.orders SELECT n, 'NL' FROM UNNEST(sequence(1, 250)) t(n)")
    sql(f"ALTER TABLE lakehouse.{schema}.orders ALTER COLUMN country SET TAGS ('GEO')")
    sql(f"CREATE TABLE lakehouse.{schema}.totals AS SELECT count(*) AS n FROM lakehouse.{schema}.orders")
    return f"lakehouse.{schema}.orders"


@pytest.mark.parametrize("mode, version", [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_both_eras_are_spoken(appliance, mode, version):
    async def conversation(client):
        return client.protocol_version, [tool.name for tool in (await client.list_tools()).tools]

    spoken, tools = talk(appliance, mode, conversation)
    assert spoken == version
    assert {"list_catalogs", "list_tables", "describe_table", "query", "lineage"} <= set(tools)


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_finds_its_way(appliance, table, mode):
    catalog, schema, name = table.split(".")

    async def conversation(client):
        catalogs = (await client.call_tool("list_catalogs", {})).structured_content
        tables = (await client.call_tool("list_tables", {"catalog": catalog, "schema": schema})).structured_content
        described = (await client.call_tool("describe_table", {"table": table})).structured_content
        found = await client.call_tool("query", {"sql": f"SELECT id FROM {table} ORDER BY id", "limit": 10})
        origin = (await client.call_tool("lineage", {"table": f"{catalog}.{schema}.totals"})).structured_content
        return catalogs, tables, described, found, origin

    catalogs, tables, described, found, origin = talk(appliance, mode, conversation)
    assert schema in next(c for c in catalogs["catalogs"] if c["name"] == catalog)["schemas"]
    assert {"schema": schema, "name": name, "kind": "table"} in tables["tables"]
    assert described["comment"] == "orders of the shop"
    assert described["rowCount"] == 250
    assert described["columns"][0]["comment"] == "the order"
    assert described["columns"][0]["type"] == "bigint"
    assert described["columns"][1]["tags"] == ["GEO"]
    assert not found.is_error
    assert found.structured_content["rows"] == [[n] for n in range(1, 11)]
    assert found.structured_content["isTruncated"]
    assert json.loads(found.content[0].text) == found.structured_content
    assert origin["upstream"] == [table]
    assert origin["commits"][0]["reads"][0]["table"] == table


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM {t}", "INSERT INTO {t} VALUES (1, 'x')", "DROP TABLE {t}",
        "WITH gone AS (DELETE FROM {t}) SELECT * FROM gone",
        "EXPLAIN ANALYZE DELETE FROM {t}", "EXPLAIN ANALYZE VERBOSE INSERT INTO {t} SELECT * FROM {t}",
        "PREPARE p FROM DELETE FROM {t}", "EXECUTE p", "EXECUTE IMMEDIATE 'DELETE FROM {t}'",
        "CALL system.runtime.kill_query(query_id => 'x')", "SELECT 1; DELETE FROM {t}",
        "CREATE TABLE {t}_2 AS SELECT * FROM {t}", "ALTER TABLE {t} EXECUTE optimize",
    ],
)
def test_writes_are_refused_however_they_are_dressed(appliance, table, sql):
    async def conversation(client):
        answer = await client.call_tool("query", {"sql": sql.format(t=table)})
        count = await client.call_tool("query", {"sql": f"SELECT count(*) FROM {table}"})
        return answer, count

    answer, count = talk(appliance, "auto", conversation)
    assert answer.is_error
    assert answer.content[0].text.startswith(("agent.read_only", "agent.syntax_error"))
    assert count.structured_content["rows"] == [[250]]


def test_models_and_checks_are_listed(appliance, table):
    catalog, schema, _ = table.split(".")

    async def conversation(client):
        return [
            await client.call_tool("query", {"sql": sql})
            for sql in (f"SHOW MODELS FROM {catalog}.{schema}", "SHOW MODELS", f"SHOW CHECKS ON {table}",
                        f"DESCRIBE MODEL {catalog}.{schema}.nothing")
        ]

    answers = talk(appliance, "auto", conversation)
    assert [answer.is_error for answer in answers] == [False, False, False, True]
    assert "does not exist" in answers[3].content[0].text


def test_a_wrong_question_is_answered_with_what_is_wrong(appliance):
    async def conversation(client):
        return (
            await client.call_tool("query", {"sql": "SELECT nothing FROM lakehouse.nowhere.at_all"}),
            await client.call_tool("describe_table", {"table": "orders"}),
            await client.call_tool("query", {"sql": "SELECT 1", "rows": 5}),
        )

    for answer in talk(appliance, "auto", conversation):
        assert answer.is_error and answer.content[0].text


def test_without_a_token_it_says_where_to_get_one(appliance):
    answer = requests.post(appliance.url + "/mcp", json={}, timeout=10)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    place = challenge.split('resource_metadata="')[1].split('"')[0]
    document = requests.get(place, timeout=10).json()
    assert document["resource"] == place.split("/.well-known")[0] + "/mcp"
    found = requests.get(appliance.url + "/oidc/.well-known/openid-configuration", timeout=10).json()
    assert document["authorization_servers"] == [found["issuer"]]
    wrong = requests.post(
        appliance.url + "/mcp", json={}, headers={"Authorization": "Bearer x.y.z"}, timeout=10
    )
    assert wrong.status_code == 401 and "invalid_token" in wrong.headers["WWW-Authenticate"]


def test_pages_of_other_sites_are_refused(appliance):
    answer = requests.post(
        appliance.url + "/mcp", json={}, timeout=10,
        headers={
            "Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}", "Origin": "http://evil.example",
        },
    )
    assert answer.status_code == 403
