"""Materialized views through the trino Python client, and their storage through pyiceberg."""

import uuid

import pytest
from trino.exceptions import TrinoUserError

from test_trino_client import connect, rows

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture(scope="module")
def connection(appliance):
    with connect() as made:
        yield made


@pytest.fixture
def schema(connection):
    name = f"mv_{uuid.uuid4().hex[:10]}"
    rows(connection, f"create schema {name}")
    rows(connection, f"create table {name}.orders as select * from (values (1, 'a', 10), (2, 'b', 20)) t (id, customer, price)")
    yield name
    rows(connection, f"drop schema {name} cascade")


def freshness(connection, schema, name):
    return rows(
        connection,
        "select freshness, last_fresh_time is null from system.metadata.materialized_views "
        f"where schema_name = '{schema}' and name = '{name}'")


def test_refresh_and_freshness(connection, schema):
    rows(
        connection,
        f"create materialized view {schema}.totals grace period interval '0' second comment 'sums' as "
        f"select customer, sum(price) as total from {schema}.orders group by customer")
    query = f"select customer, total from {schema}.totals order by 1"
    assert rows(connection, query) == [("a", 10), ("b", 20)]
    cursor = connection.cursor()
    cursor.execute(f"refresh materialized view {schema}.totals")
    assert cursor.fetchall() == [[2]]
    assert cursor.update_type == "REFRESH MATERIALIZED VIEW"
    assert freshness(connection, schema, "totals") == [("FRESH", True)]
    rows(connection, f"insert into {schema}.orders values (3, 'a', 5)")
    assert freshness(connection, schema, "totals") == [("STALE", False)]
    assert rows(connection, query) == [("a", 15), ("b", 20)]


def test_appends_are_added(connection, schema):
    rows(
        connection,
        f"create materialized view {schema}.large as select id, price from {schema}.orders where price >= 10")
    assert rows(connection, f"refresh materialized view {schema}.large") == [(2,)]
    rows(connection, f"insert into {schema}.orders values (3, 'c', 30), (4, 'd', 1)")
    assert rows(connection, f"refresh materialized view {schema}.large") == [(1,)]
    assert rows(connection, f"select id from {schema}.large order by 1") == [(1,), (2,), (3,)]


def test_what_dbt_asks(connection, schema):
    """dbt-trino's listing of relations, and its replacement and removal of a materialized view."""
    rows(connection, f"create materialized view {schema}.m as select 1 as x")
    rows(connection, f"create or replace materialized view {schema}.m as select 2 as x")
    listed = rows(
        connection,
        "select t.table_name, case when mv.name is not null then 'materialized_view' "
        "when t.table_type = 'BASE TABLE' then 'table' else lower(t.table_type) end "
        "from information_schema.tables t left join system.metadata.materialized_views mv "
        "on mv.catalog_name = t.table_catalog and mv.schema_name = t.table_schema and mv.name = t.table_name "
        f"where t.table_schema = '{schema}' order by 1")
    assert listed == [("m", "materialized_view"), ("orders", "table")]
    with pytest.raises(TrinoUserError) as failure:
        rows(connection, f"drop view {schema}.m")
    assert failure.value.error_name == "TABLE_NOT_FOUND"
    rows(connection, f"drop materialized view {schema}.m")
    assert rows(connection, f"show tables from {schema}") == [("orders",)]
