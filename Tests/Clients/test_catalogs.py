"""Catalogs beyond Iceberg through the trino client: PostgreSQL, SQLite, generated TPC-H, files in buckets."""

import datetime
import os
import sqlite3
import uuid
from decimal import Decimal

import boto3
import postgres
import pytest
import trino
from trino.auth import JWTAuthentication
from trino.exceptions import TrinoQueryError

pytestmark = pytest.mark.usefixtures("appliance")


class Person:
    """Somebody who asks through the trino client."""

    def __init__(self, variables):
        self.name = variables["TRINO_USER"]
        self.connection = trino.dbapi.connect(
            host=variables["TRINO_HOST"], port=int(variables["TRINO_PORT"]), user=self.name,
            http_scheme="https", verify=variables["LAKEHOUSE_CA"], catalog="lakehouse",
            auth=JWTAuthentication(variables["LAKEHOUSE_TOKEN"]), encoding=None,
        )

    def rows(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    def fails(self, sql, name, words=""):
        with pytest.raises(TrinoQueryError) as caught:
            self.rows(sql)
        assert caught.value.error_name == name, caught.value
        assert words in str(caught.value)


@pytest.fixture(scope="module")
def boss(appliance):
    return Person(os.environ)


# MARK: PostgreSQL


@pytest.fixture(scope="module")
def server():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed: make test-packages")
    made = postgres.Postgres()
    made.sql(
        """
        create schema sales;
        create type mood as enum ('calm', 'Angry');
        create table sales.kinds (
            a smallint, b integer, c bigint, d real, e double precision, f numeric(12,3), g varchar(10),
            h text, i char(4), j boolean, k date, l timestamp(3), m timestamptz, n uuid, o jsonb, p bytea,
            q mood, r time, s numeric, t inet, u numeric(38,10)
        );
        insert into sales.kinds values
            (1, -2, 9223372036854775807, 1.1, 1e300, 123456789.125, 'Straße', E'it''s\n', 'ab', true,
             '2024-02-29', '2024-02-29 23:59:59.125', '2024-03-10 12:00:00.123456+05:30',
             'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"x": [1, 2]}', '\\x00ff10', 'Angry', '13:14:15.5',
             1.50, '10.0.0.1', 1234567890123456789012345678.0123456789),
            (null, null, null, 'NaN', '-Infinity', null, '', '', '', false, '0001-01-01', null,
             '1969-12-31 23:59:59.999999+00', null, 'null', '', 'calm', null, null, null, null),
            (-32768, 2147483647, -9223372036854775808, null, 'NaN', -0.001, 'a', 'Z', 'zzzz', null, null,
             '1900-01-01', null, 'ffffffff-ffff-ffff-ffff-ffffffffffff', null, null, null, '00:00', 0,
             null, -1);
        create table sales.customers (id bigint primary key, name text, city varchar(20), since date);
        create table sales.orders (
            id bigint primary key, customer bigint, amount numeric(10,2), placed timestamp, weight float8,
            note text
        );
        insert into sales.customers select n, case when n % 5 = 0 then null else 'name ' || n end,
            (array['Bern', 'bern', 'Ähtäri', 'Zug', null])[n % 5 + 1], date '2020-01-01' + n::int
            from generate_series(1, 200) n;
        insert into sales.orders select n, case when n % 11 = 0 then null else n % 230 end,
            (n * 37 % 10000)::numeric / 100, timestamp '2024-01-01' + n * interval '97 minutes',
            case when n % 50 = 0 then 'NaN' else n / 7.0::float8 end, repeat('x', (n % 4)::int)
            from generate_series(1, 5000) n;
        create view sales.large as select id, amount from sales.orders where amount > 90;
        create table sales."Mixed Case" ("Some Column" int);
        insert into sales."Mixed Case" values (7);
        analyze;
        """
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shop(boss, server):
    name = f"shop_{uuid.uuid4().hex[:6]}"
    boss.rows(
        f"""create catalog {name} using postgresql with ("connection-url" = '{server.url}',
        "connection-user" = 'reader', "connection-password" = '{postgres.PASSWORD}')"""
    )
    yield name
    boss.rows(f"drop catalog {name}")


def test_postgres_is_browsed(boss, shop):
    assert (shop,) in boss.rows("show catalogs")
    assert boss.rows(f"show schemas from {shop}") == [("information_schema",), ("public",), ("sales",)]
    assert boss.rows(f"show tables from {shop}.sales") == [
        ("customers",), ("kinds",), ("large",), ("mixed case",), ("orders",)]
    assert boss.rows(f"describe {shop}.sales.orders") == [
        ("id", "bigint", "", ""), ("customer", "bigint", "", ""), ("amount", "decimal(10,2)", "", ""),
        ("placed", "timestamp(6)", "", ""), ("weight", "double", "", ""), ("note", "varchar", "", "")]
    assert boss.rows(
        f"select connector_name from system.metadata.catalogs where catalog_name = '{shop}'"
    ) == [("postgresql",)]
    assert boss.rows(f'select "some column" from {shop}.sales."mixed case"') == [(7,)]
    boss.fails(f"select * from {shop}.sales.ordres", "TABLE_NOT_FOUND", "orders")


def test_postgres_types(boss, shop):
    names = [row[0] for row in boss.rows(f"describe {shop}.sales.kinds")]
    # inet and numeric without digits have no counterpart, as in Trino.
    assert names == list("abcdefghijklmnopqr") + ["u"]
    by_first = {row[0]: row for row in boss.rows(f"select * from {shop}.sales.kinds")}
    one = by_first[1]
    assert one[1:3] == (-2, 9223372036854775807)
    assert one[4] == 1e300 and one[5] == Decimal("123456789.125")
    assert one[6:10] == ("Straße", "it's\n", "ab", True)
    assert one[10] == datetime.date(2024, 2, 29)
    assert one[11] == datetime.datetime(2024, 2, 29, 23, 59, 59, 125000)
    assert one[12] == datetime.datetime(2024, 3, 10, 6, 30, 0, 123456, tzinfo=datetime.timezone.utc)
    assert str(one[13]) == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert one[14] == '{"x": [1, 2]}' and one[15] == b"\x00\xff\x10" and one[16] == "Angry"
    assert one[17] == datetime.time(13, 14, 15, 500000)
    assert one[18] == Decimal("1234567890123456789012345678.0123456789")
    low = by_first[-32768]
    assert low[1:3] == (2147483647, -9223372036854775808) and low[5] == Decimal("-0.001")
    assert str(low[13]) == "ffffffff-ffff-ffff-ffff-ffffffffffff"
    none = by_first[None]
    assert none[10] == datetime.date(1, 1, 1) and none[3] != none[3] and none[4] == float("-inf")


QUESTIONS = [
    "select count(*), sum(id), min(amount), max(amount), sum(amount) from {t}.orders",
    "select count(*) from {t}.orders where amount > 50.5 and note <> 'xx'",
    "select count(*) from {t}.orders where weight > 100",
    "select count(*) from {t}.orders where not (weight > 100)",
    "select count(*) from {t}.orders where weight <> 10 or weight is null",
    "select city, count(*), min(name), max(name), count(distinct since) from {t}.customers group by city",
    "select city from {t}.customers where city < 'b' group by city",
    "select count(*) from {t}.customers where city = 'bern' or city like 'Ä%' or name like '%\\_%' escape '\\'",
    "select year(placed), month(placed), count(*) from {t}.orders group by 1, 2",
    "select c.city, sum(o.amount) from {t}.orders o join {t}.customers c on o.customer = c.id "
    "where o.placed < timestamp '2024-06-01' group by c.city",
    "select count(*) from {t}.orders o left join {t}.customers c on o.customer = c.id where c.id is null",
    "select count(*) from {t}.customers c where exists (select 1 from {t}.orders o where o.customer = c.id)",
    "select count(*) from {t}.customers c where id not in (select customer from {t}.orders)",
    "select count(*) from {t}.customers c where not exists (select 1 from {t}.orders o where o.customer = c.id)",
    "select id, amount from {t}.orders order by amount desc, id limit 7",
    "select id, city from {t}.customers order by city nulls first, id desc limit 60",
    "select id from {t}.orders order by weight desc, id limit 5",
    "select id, amount * 2 + 1, id / 7, id % 7, -id from {t}.orders where id between 100 and 103",
    "select case when amount > 50 then 'much' when amount is null then '?' else 'little' end, count(*) "
    "from {t}.orders group by 1",
    "select sum(case when note = 'x' then id else 0 end) from {t}.orders",
    "select coalesce(city, name, '-'), count(*) from {t}.customers group by 1",
    "select length(note), count(*) from {t}.orders group by 1",
    "select sum(weight) is null, count(weight), max(weight) from {t}.orders where id < 40",
    "select * from {t}.large where id < 1000",
    "select distinct note from {t}.orders",
    "select count(*) from {t}.orders where placed >= date '2024-02-01' and placed < date '2024-02-02'",
    "select id from {t}.orders where customer in (3, 5, null) and amount < 20",
    "select a.id from {t}.orders a join {t}.orders b on a.id = b.id + 4990",
    "select count(*) filter (where amount > 50), sum(amount) filter (where note = '') from {t}.orders",
    "select c.id, count(o.id) from {t}.customers c left join {t}.orders o on o.customer = c.id and o.amount > 99 "
    "group by c.id having count(o.id) > 1",
]


@pytest.fixture(scope="module")
def copy(boss, shop):
    """The same tables in the lakehouse."""
    schema = f"copy_{uuid.uuid4().hex[:6]}"
    boss.rows(f"create schema {schema}")
    for table in ("customers", "orders", "large"):
        boss.rows(f"create table {schema}.{table} as select * from {shop}.sales.{table}")
    yield schema
    boss.rows(f"drop schema {schema} cascade")


def key(row):
    return [(value is None, str(value)) for value in row]


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_goes_over_answers_as_what_stays_here(boss, shop, copy, question):
    there = sorted(boss.rows(question.format(t=f"{shop}.sales")), key=key)
    here = sorted(boss.rows(question.format(t=f"lakehouse.{copy}")), key=key)
    assert [key(row) for row in there] == [key(row) for row in here]


def plan(boss, sql):
    return "\n".join(row[0] for row in boss.rows(f"explain {sql}"))


def test_plans_show_what_goes_over(boss, shop):
    t = f"{shop}.sales"
    aggregated = plan(boss, f"select city, count(*) from {t}.customers where id > 5 group by city")
    assert f"{shop}.remote.SELECT" in aggregated and "GROUP BY" in aggregated
    joined = plan(boss, f"select c.name, o.amount from {t}.orders o join {t}.customers c on o.customer = c.id")
    assert "INNER JOIN" in joined
    top = plan(boss, f"select id from {t}.orders order by amount desc limit 3")
    assert "ORDER BY" in top and "LIMIT 3" in top
    # The rows of a scan have no order: whoever asks for one has it made here.
    ordered = plan(boss, f"select id from {t}.orders order by weight desc, id limit 3")
    assert "TopN" in ordered and "LIMIT 3" in ordered
    # Sums of doubles depend on the order of rows, and so stay here.
    assert "remote" not in plan(boss, f"select sum(weight) from {t}.orders")
    # Tables of two sources meet here.
    mixed = plan(boss, f"select * from {t}.customers c join tpch.tiny.nation n on c.id = n.nationkey")
    assert "Join inner" in mixed


@pytest.mark.parametrize("order", ["amount desc, id", "note nulls first, id desc", "weight desc, id", "placed"])
def test_orders_are_ours(boss, shop, copy, order):
    for limit in ("limit 40", "offset 3 limit 5", ""):
        there = boss.rows(f"select id, note from {shop}.sales.orders order by {order} {limit}")
        here = boss.rows(f"select id, note from lakehouse.{copy}.orders order by {order} {limit}")
        assert there == here


def test_postgres_errors_have_names(boss, shop, server):
    boss.fails(f"select 1 / (id - id) from {shop}.sales.orders where id = 1", "DIVISION_BY_ZERO")
    boss.fails(
        f"select sum(c) from (select c from {shop}.sales.kinds where c > 0 union all "
        f"select c from {shop}.sales.kinds where c > 0)", "NUMERIC_VALUE_OUT_OF_RANGE")
    boss.fails(f"delete from {shop}.sales.orders", "NOT_SUPPORTED")
    boss.fails(
        f"""create catalog nope using postgresql with ("connection-url" = '{server.url}',
        "connection-user" = 'reader', "connection-password" = 'wrong')""",
        "EXTERNAL_SOURCE_ERROR", "authentication failed")
    boss.fails(
        """create catalog nope using postgresql with (
        "connection-url" = 'jdbc:postgresql:///shop?host=/nowhere')""", "EXTERNAL_SOURCE_ERROR")
    assert ("nope",) not in boss.rows("show catalogs")


def test_secrets_are_never_shown_and_survive_a_restart(server, start, tmp_path):
    first = start()
    boss = Person(first.variables())
    boss.rows(
        f"""create catalog shop using postgresql with ("connection-url" = '{server.url}',
        "connection-user" = 'reader', "connection-password" = '{postgres.PASSWORD}')"""
    )
    ((text,),) = boss.rows("show create catalog shop")
    assert postgres.PASSWORD not in text and "connection-password" in text and "********" in text
    asked = [row[0] for row in boss.rows("select query from system.runtime.queries")]
    assert any("********" in text for text in asked)
    assert not any(postgres.PASSWORD in text for text in asked)
    first.stop()
    for file in first.directory.rglob("*"):
        if file.is_file():
            assert postgres.PASSWORD.encode() not in file.read_bytes(), file
    second = start()
    boss = Person(second.variables())
    assert boss.rows("select count(*) from shop.sales.customers") == [(200,)]
    boss.rows("drop catalog shop")
    boss.fails("select count(*) from shop.sales.customers", "CATALOG_NOT_FOUND")
    second.stop()


def test_catalogs_of_the_configuration(server, start, tmp_path):
    place = tmp_path / "store.sqlite"
    with sqlite3.connect(place) as connection:
        connection.execute("create table t (a integer)")
        connection.execute("insert into t values (1), (2)")
    connection.close()
    configuration = tmp_path / "lakehouse.yml"
    configuration.write_text(
        f"""
catalogs:
  shop:
    connector: postgresql
    connection-url: {server.url}
    connection-user: reader
    connection-password: ${{ENV:SHOP_PASSWORD}}
  store:
    connector: sqlite
    path: {place}
"""
    )
    running = start(None, "--config", configuration, environment={"SHOP_PASSWORD": postgres.PASSWORD})
    boss = Person(running.variables())
    assert boss.rows("select (select count(*) from shop.sales.orders), (select sum(a) from store.main.t)") == [
        (5000, 3)]
    boss.fails("drop catalog shop", "NOT_SUPPORTED", "configuration")
    ((text,),) = boss.rows("show create catalog shop")
    assert postgres.PASSWORD not in text
    running.stop()


# MARK: Rights


def test_rights_are_as_for_any_table(appliance, boss, shop):
    mark = uuid.uuid4().hex[:8]
    role, name = f"clerk-{mark}", f"cleo-{mark}"
    appliance.command("role", "create", role, "--grant", "query.run,warehouse.use@*")
    appliance.command("user", "create", name, "--role", role)
    cleo = Person(appliance.variables(user=name))
    cleo.fails(f"select count(*) from {shop}.sales.orders", "PERMISSION_DENIED")
    cleo.fails("create catalog c using tpch", "PERMISSION_DENIED")
    cleo.fails(f"drop catalog {shop}", "PERMISSION_DENIED")
    # Generated data is nobody's secret.
    assert cleo.rows("select count(*) from tpch.tiny.nation") == [(25,)]
    boss.rows(f'grant select on {shop}.sales.orders to user "{name}"')
    assert cleo.rows(f"select count(*) from {shop}.sales.orders") == [(5000,)]
    cleo.fails(f"select count(*) from {shop}.sales.customers", "PERMISSION_DENIED")


# MARK: SQLite


def test_a_sqlite_file(boss, tmp_path):
    place = tmp_path / "shop.sqlite"
    with sqlite3.connect(place) as connection:
        connection.execute("create table items (id integer primary key, name text, price decimal(8,2))")
        connection.executemany(
            "insert into items values (?, ?, ?)", [(n, f"item {n}", n / 4) for n in range(1, 1001)])
    connection.close()
    name = f"lite_{uuid.uuid4().hex[:6]}"
    boss.rows(f"create catalog {name} using sqlite with (path = '{place}')")
    assert boss.rows(f"select count(*), sum(id), min(name) from {name}.main.items where id <= 100") == [
        (100, 5050, "item 1")]
    assert boss.rows(f"select price from {name}.main.items where id = 3") == [(Decimal("0.75"),)]
    explained = plan(boss, f"select count(*) from {name}.main.items where id <= 100")
    assert f"{name}.remote.SELECT" in explained
    # What is written there afterwards is seen.
    with sqlite3.connect(place) as connection:
        connection.execute("delete from items where id > 10")
    connection.close()
    assert boss.rows(f"select count(*) from {name}.main.items") == [(10,)]
    boss.rows(f"drop catalog {name}")
    assert place.exists()


def test_the_appliances_own_databases_are_closed(appliance, boss):
    own = appliance.directory / "identity.sqlite"
    boss.fails(f"create catalog own using sqlite with (path = '{own}')", "PERMISSION_DENIED")


# MARK: TPC-H and files


@pytest.fixture(scope="module")
def reference(boss, tpch_files):
    """The files of tpchgen-cli as external tables."""
    bucket = f"reference-{uuid.uuid4().hex[:8]}"
    store = boto3.client("s3")
    store.create_bucket(Bucket=bucket)
    boss.rows("create schema if not exists files.reference")
    tables = []
    for file in sorted(tpch_files(0.1).glob("*.parquet")):
        store.upload_file(str(file), bucket, f"{file.stem}/{file.name}")
        boss.rows(
            f"create table files.reference.{file.stem} "
            f"with (external_location = 's3://{bucket}/{file.stem}/', format = 'PARQUET')")
        tables.append(file.stem)
    name = f"bench_{uuid.uuid4().hex[:6]}"
    boss.rows(
        f"""create catalog {name} using tpch with
        ("tpch.column-naming" = 'STANDARD', "tpch.double-type-mapping" = 'DECIMAL')""")
    yield name, tables
    boss.rows(f"drop catalog {name}")
    boss.rows("drop schema files.reference cascade")


def test_tpch_is_what_tpchgen_writes(boss, reference):
    name, tables = reference
    assert len(tables) == 8
    for table in tables:
        ours, theirs = f'{name}."sf0.1".{table}', f"files.reference.{table}"
        if table == "lineitem":
            # Six times as many rows as all the others: the last ones, which are made from the middle on.
            ours, theirs = (f"(select * from {t} where l_orderkey > 550000)" for t in (ours, theirs))
        counts = boss.rows(
            f"select (select count(*) from {ours}), (select count(*) from {theirs}), "
            f"(select count(*) from (select * from {ours} except select * from {theirs}))")
        assert counts[0][0] == counts[0][1] and counts[0][2] == 0, (table, counts)


def test_tpch_statistics_are_known_without_reading(boss):
    rows = boss.rows("show stats for tpch.sf100.lineitem")
    assert rows[-1][4] == 600037902
    by_name = {row[0]: row for row in rows}
    assert by_name["partkey"][2] == 20000000 and by_name["shipdate"][5] == "1992-01-02"
    assert by_name["discount"][6] == "0.1"


def test_files_in_buckets(appliance, boss):
    bucket = f"drop-{uuid.uuid4().hex[:8]}"
    store = boto3.client("s3")
    store.create_bucket(Bucket=bucket)
    store.put_object(Bucket=bucket, Key="t/day=2024-01-01/a.csv", Body=b"id,name\n1,x\n2,y\n")
    boss.rows("create schema if not exists files.landed")
    boss.rows(f"create table files.landed.t with (external_location = 's3://{bucket}/t/', format = 'CSV')")
    question = "select count(*), min(day) from files.landed.t"
    assert boss.rows(question) == [(2, datetime.date(2024, 1, 1))]
    # A new partition is there at once; the call that Hive needs is accepted.
    store.put_object(Bucket=bucket, Key="t/day=2023-12-31/b.csv", Body=b"id,name\n3,z\n")
    boss.rows("call files.system.sync_partition_metadata('landed', 't', 'FULL')")
    assert boss.rows(question) == [(3, datetime.date(2023, 12, 31))]
    mark = uuid.uuid4().hex[:8]
    role, name = f"maker-{mark}", f"max-{mark}"
    appliance.command("role", "create", role, "--grant", "query.run,warehouse.use,table.*,namespace.*@*")
    appliance.command("user", "create", name, "--role", role)
    maker = Person(appliance.variables(user=name))
    # A table is no way around the right to read the files.
    maker.fails(
        f"create table files.landed.mine (id bigint) with (external_location = 's3://{bucket}/t/', "
        "format = 'CSV')", "PERMISSION_DENIED")
    boss.rows("drop table files.landed.t")
    assert store.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    boss.rows("drop schema files.landed")


# MARK: Warehouses of one's own


def test_a_catalog_of_iceberg_is_a_warehouse(boss):
    name = "own_" + uuid.uuid4().hex[:8]
    boss.rows(f"create catalog {name} using iceberg")
    assert [name] in [list(row) for row in boss.rows("show catalogs")]
    boss.rows(f"create schema {name}.s")
    boss.rows(f"create table {name}.s.t as select 1 as a")
    assert boss.rows(f"select a from {name}.s.t") == [(1,)]
    boss.fails(f"create catalog {name} using iceberg", "ALREADY_EXISTS")
    boss.rows(f"create catalog if not exists {name} using iceberg")
    # It lies in a bucket of its name, or where one says.
    ((path,),) = boss.rows(f'select "$path" from {name}.s.t')
    assert path.startswith(f"s3://{name.replace('_', '-')}/")
    other = "own_" + uuid.uuid4().hex[:8]
    boss.fails("create catalog landing using iceberg", "INVALID_ARGUMENTS", "location")
    boss.rows(f"create catalog {other} using iceberg with (location = 's3://{name.replace('_', '-')}/{other}')")
    boss.rows(f"create schema {other}.s")
    boss.rows(f"create table {other}.s.t as select 2 as a")
    ((path,),) = boss.rows(f'select "$path" from {other}.s.t')
    assert path.startswith(f"s3://{name.replace('_', '-')}/{other}/")
    boss.fails("create catalog x1 using iceberg with (nonsense = '1')", "INVALID_ARGUMENTS", "nonsense")
    boss.fails("create catalog x1 using memory", "NOT_SUPPORTED", "iceberg")
