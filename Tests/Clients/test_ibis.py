"""ibis over the Trino protocol: reflection, expressions, tables in memory, DDL."""

import datetime
import decimal
import os
import uuid

import pytest

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture(scope="module")
def connection(appliance):
    import ibis
    from trino.auth import BasicAuthentication

    made = ibis.trino.connect(
        user=os.environ["TRINO_USER"],
        auth=BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
        host=os.environ["TRINO_HOST"], port=int(os.environ["TRINO_PORT"]), database="lakehouse",
        http_scheme="https", verify=os.environ["LAKEHOUSE_CA"],
    )
    schema = f"ibis_{uuid.uuid4().hex[:8]}"
    made.create_database(schema)
    made.raw_sql(f"use lakehouse.{schema}").fetchall()
    yield made
    # Tables in memory are tables here until their Python objects are gone.
    made.raw_sql(f"drop schema {schema} cascade").fetchall()
    made.disconnect()


@pytest.fixture(scope="module")
def people(connection):
    import pyarrow

    made = connection.create_table(
        "people",
        pyarrow.table({
            "id": pyarrow.array([1, 2, 3, 4], pyarrow.int64()),
            "name": ["Ada", None, "it's", "日本 🙂"],
            "height": [1.5, 2.25, -1.0, 0.1],
            "born": pyarrow.array(
                [datetime.datetime(2020, 2, 29), datetime.datetime(2021, 2, 3, 4, 5, 6, 123456),
                 datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(2020, 2, 1)],
                pyarrow.timestamp("us")),
            "member": [True, False, None, True],
        }))
    yield made
    connection.drop_table("people")


def rows(expression, *order):
    """An expression's rows in an order, without pandas' missing values."""
    table = expression.order_by(*order).to_pyarrow() if order else expression.to_pyarrow()
    return [tuple(row.values()) for row in table.to_pylist()]


def test_reflection(connection, people):
    assert {"lakehouse", "system"} <= set(connection.list_catalogs())
    assert connection.current_database in connection.list_databases()
    assert "people" in connection.list_tables(like="people")
    assert [f"{name} {kind}" for name, kind in connection.table("people").schema().items()] == [
        "id int64", "name string", "height float64", "born timestamp(6)", "member boolean",
    ]


def test_the_schema_of_a_query_without_running_it(connection):
    schema = connection.sql(
        "select cast(1.5 as decimal(10, 2)) d, array[1, 2] a, map(array['x'], array[1]) m, row(1, 'b') r, "
        "timestamp '2020-01-01 00:00:00.123 UTC' t, uuid() u, json '{}' j, cast(1 as real) f"
    ).schema()
    kinds = {name: str(kind) for name, kind in schema.items()}
    assert kinds["d"] == "decimal(10, 2)" and kinds["a"] == "array<int32>" and kinds["t"] == "timestamp('UTC', 3)"
    assert kinds["u"] == "uuid" and kinds["j"] == "json" and kinds["f"] == "float32"
    assert kinds["m"].startswith("map<string") and kinds["r"].startswith("struct<")


def test_values_come_back(people):
    assert rows(people, "id") == [
        (1, "Ada", 1.5, datetime.datetime(2020, 2, 29), True),
        (2, None, 2.25, datetime.datetime(2021, 2, 3, 4, 5, 6, 123456), False),
        (3, "it's", -1.0, datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), None),
        (4, "日本 🙂", 0.1, datetime.datetime(2020, 2, 1), True),
    ]


def test_groups_and_windows(people):
    import ibis

    grouped = people.group_by(odd=people.id % 2).agg(
        n=people.count(), names=people.name.nunique(), high=people.height.max(), ids=people.id.collect().sort())
    assert rows(grouped, "odd") == [(0, 2, 1, 2.25, [2, 4]), (1, 2, 2, 1.5, [1, 3])]
    windowed = people.select(
        "id", place=ibis.row_number().over(order_by=ibis.desc("height")), before=people.id.lag().over(order_by="id"),
        total=people.id.cumsum(order_by="id"))
    assert rows(windowed, "id") == [(1, 1, None, 1), (2, 0, 1, 3), (3, 3, 2, 6), (4, 2, 3, 10)]


def test_dates_and_strings(people):
    import ibis

    found = people.select(
        "id", year=people.born.year(), month=people.born.truncate("M"), text=people.born.strftime("%Y/%m"),
        later=people.born + ibis.interval(days=2), upper=people.name.upper(), length=people.name.length(),
        found=people.name.re_search("^[A-Z]"), padded=people.name.lpad(5, "-"), parts=people.name.split("'"))
    assert rows(found.filter(found.id.isin([1, 3])), "id") == [
        (1, 2020, datetime.datetime(2020, 2, 1), "2020/02", datetime.datetime(2020, 3, 2), "ADA", 3, True, "--Ada", ["Ada"]),
        (3, 1969, datetime.datetime(1969, 12, 1), "1969/12", datetime.datetime(1970, 1, 2, 23, 59, 59, 999999),
         "IT'S", 4, False, "-it's", ["it", "s"]),
    ]


def test_joins_views_and_tables_in_memory(connection, people):
    import ibis

    connection.create_view("tall", people.filter(people.height > 1), overwrite=True)
    try:
        tall = connection.table("tall")
        assert rows(people.anti_join(tall, "id").select("id"), "id") == [(3,), (4,)]
        bonus = ibis.memtable({"id": [1, 4], "bonus": ["x", "y"]})
        joined = people.left_join(bonus, "id").select("id", "bonus")
        assert rows(joined, "id") == [(1, "x"), (2, None), (3, None), (4, "y")]
    finally:
        connection.drop_view("tall")


def test_nested_values(connection):
    import ibis

    nested = connection.sql(
        "select cast(row(1, 'b') as row(x integer, y varchar)) r, array[3, 1, 2] a, map(array['k'], array[2]) m")
    found = nested.select(
        x=nested.r.x, second=nested.a[1], length=nested.a.length(), sorted=nested.a.sort(),
        kept=nested.a.filter(lambda value: value > 1), value=nested.m["k"])
    assert rows(found) == [(1, 1, 3, [1, 2, 3], [3, 2], 2)]
    assert sorted(rows(nested.select(e=nested.a.unnest()))) == [(1,), (2,), (3,)]
    assert rows(connection.table("people").agg(n=ibis._.count())) == [(4,)]


def test_tables_by_schema(connection):
    import ibis

    wanted = {
        "a": "int64", "b": "string", "c": "array<int64>", "d": "struct<x: int64>", "e": "map<string, int64>",
        "t": "timestamp(6)", "n": "decimal(10, 2)",
    }
    made = connection.create_table("typed", schema=ibis.schema(wanted))
    try:
        assert {name: str(kind) for name, kind in made.schema().items()} == wanted
        connection.raw_sql(
            "insert into typed values (1, 'x', array[2], row(3), map(array['k'], array[4]), "
            "timestamp '2020-01-01 00:00:00.000001', 1.25)").fetchall()
        assert rows(made) == [
            (1, "x", [2], {"x": 3}, [("k", 4)], datetime.datetime(2020, 1, 1, microsecond=1), decimal.Decimal("1.25")),
        ]
    finally:
        connection.drop_table("typed")
