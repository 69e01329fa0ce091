"""The trino Python client, unchanged: types, parameters, errors, cancellation, DDL and DML on Iceberg."""

import base64
import datetime
import decimal
import json
import os
import threading
import time
import uuid
import warnings
import zoneinfo

import pytest
import trino
from trino.auth import BasicAuthentication, JWTAuthentication
from trino.exceptions import TrinoUserError

pytestmark = pytest.mark.usefixtures("appliance")


def connect(**changes):
    arguments = {
        "host": os.environ["TRINO_HOST"],
        "port": int(os.environ["TRINO_PORT"]),
        "http_scheme": "https",
        "verify": os.environ["LAKEHOUSE_CA"],
        "auth": BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
        "catalog": os.environ["TRINO_CATALOG"],
    }
    return trino.dbapi.connect(**{**arguments, **changes})


@pytest.fixture(scope="module")
def connection(appliance):
    with connect() as made:
        yield made


def rows(connection, sql, parameters=None):
    cursor = connection.cursor()
    cursor.execute(sql, parameters)
    return [tuple(row) for row in cursor.fetchall()]


@pytest.fixture
def schema(connection):
    name = f"s_{uuid.uuid4().hex[:10]}"
    rows(connection, f"create schema {name}")
    yield name
    for (table,) in rows(connection, f"show tables from {name}"):
        rows(connection, f'drop table {name}."{table}"')
    rows(connection, f"drop schema {name}")


def test_one_row(connection):
    assert rows(connection, "select 1, 'a', null") == [(1, "a", None)]


@pytest.mark.parametrize(
    "expression, value, type_name",
    [
        ("true", True, "boolean"),
        ("cast(-128 as tinyint)", -128, "tinyint"),
        ("cast(32767 as smallint)", 32767, "smallint"),
        ("2147483647", 2147483647, "integer"),
        ("9223372036854775807", 9223372036854775807, "bigint"),
        ("cast(1.5 as real)", 1.5, "real"),
        ("1e300", 1e300, "double"),
        ("infinity()", float("inf"), "double"),
        ("decimal '12345678901234567890.123'", decimal.Decimal("12345678901234567890.123"), "decimal(23, 3)"),
        ("cast('ab' as varchar(5))", "ab", "varchar(5)"),
        ("cast('ab' as char(4))", "ab  ", "char(4)"),
        ("'日本 \U0001f600'", "日本 \U0001f600", "varchar(4)"),
        ("X'00ff10'", b"\x00\xff\x10", "varbinary"),
        ("date '2024-02-29'", datetime.date(2024, 2, 29), "date"),
        ("time '01:02:03.456'", datetime.time(1, 2, 3, 456000), "time(3)"),
        ("timestamp '2024-02-29 01:02:03.456789'", datetime.datetime(2024, 2, 29, 1, 2, 3, 456789), "timestamp(6)"),
        (
            "timestamp '2024-07-01 12:00:00.000 Europe/Berlin'",
            datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
            "timestamp(3) with time zone",
        ),
        ("uuid '12151fd2-7586-11e9-8f9e-2a86e4085a59'", uuid.UUID("12151fd2-7586-11e9-8f9e-2a86e4085a59"), "uuid"),
        ("array[1, null, 3]", [1, None, 3], "array(integer)"),
        ("map(array['a', 'b'], array[1, null])", {"a": 1, "b": None}, "map(varchar(1), integer)"),
        ("array[array['x'], array[]]", [["x"], []], "array(array(varchar(1)))"),
        ("json '{\"a\": [1, null]}'", '{"a":[1,null]}', "json"),
        ("cast(null as bigint)", None, "bigint"),
    ],
)
def test_values_arrive_as_the_types_of_python(connection, expression, value, type_name):
    cursor = connection.cursor()
    cursor.execute(f"select {expression} as x")
    assert [tuple(row) for row in cursor.fetchall()] == [(value,)]
    assert cursor.description[0][0] == "x"
    assert cursor.description[0][1] == type_name


def test_rows_arrive_with_names(connection):
    ((row,),) = rows(connection, "select cast(row(1, 'a') as row(n bigint, t varchar))")
    assert (row.n, row.t) == (1, "a")


def test_fields_without_a_name_arrive(connection):
    assert rows(connection, "select ?", ((1, ("a", None)),)) == [((1, ("a", None)),)]


def test_set_role_is_of_the_system(connection):
    with connect(catalog="tpch") as other:
        cursor = other.cursor()
        cursor.execute("set role all")
        cursor.fetchall()
        assert other._client_session.roles == {"system": "ALL"}
        assert rows(other, "select 1") == [(1,)]


@pytest.mark.parametrize(
    "value",
    [0, -5, 2**62, 1.25, "it's; -- not SQL", "", None, True, b"\x00\x01", decimal.Decimal("1.50"),
     datetime.date(1969, 12, 31), datetime.datetime(2024, 1, 2, 3, 4, 5, 6000), [1, 2], "日本"],
)
def test_parameters_go_there_and_back(connection, value):
    assert rows(connection, "select ?", (value,)) == [(value,)]


def test_many_rows_and_fetch_by_pieces(connection):
    cursor = connection.cursor()
    cursor.execute("select n from unnest(sequence(1, 10000)) as t(n) cross join unnest(sequence(1, 20)) as u(m)")
    assert cursor.fetchone() is not None
    assert 1 + len(cursor.fetchall()) == 200_000
    assert rows(connection, "select n from unnest(sequence(1, 5)) as t(n) where n > 9") == []


@pytest.mark.parametrize(
    "sql, name, kind",
    [
        ("selct 1", "SYNTAX_ERROR", "USER_ERROR"),
        ("select nope from (values 1) t(n)", "COLUMN_NOT_FOUND", "USER_ERROR"),
        ("select * from nope", None, "USER_ERROR"),
        ("select * from nope.none", None, "USER_ERROR"),
        ("select start_with('a', 'b')", "FUNCTION_NOT_FOUND", "USER_ERROR"),
        ("select 1 / 0", "DIVISION_BY_ZERO", "USER_ERROR"),
        ("select cast('x' as bigint)", "INVALID_CAST_ARGUMENT", "USER_ERROR"),
        ("select 1 + 'a'", "TYPE_MISMATCH", "USER_ERROR"),
        ("select n from (values 1, 2) t(n) where n = (select m from (values 1, 2) u(m))", "SUBQUERY_MULTIPLE_ROWS", "USER_ERROR"),
        ("select 9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE", "USER_ERROR"),
        ("select a, count(*) from (values (1, 2)) t(a, b) group by b", "EXPRESSION_NOT_AGGREGATE", "USER_ERROR"),
    ],
)
def test_errors_have_trinos_names_and_places(connection, sql, name, kind):
    with pytest.raises(TrinoUserError) as failure:
        rows(connection, sql)
    assert failure.value.error_type == kind
    if name:
        assert failure.value.error_name == name, failure.value
    if name in ("SYNTAX_ERROR", "COLUMN_NOT_FOUND", "FUNCTION_NOT_FOUND"):
        line, column = failure.value.error_location
        assert line == 1 and column >= 1


def test_a_query_that_is_cancelled_is_gone(connection):
    cursor = connection.cursor()
    text = "select count(*) from {} where a.n * b.n + c.n = -1".format(
        ", ".join(f"unnest(sequence(1, 3000)) as {name}(n)" for name in "abc")
    )
    failed, begun = [], threading.Event()

    def run():
        try:
            cursor.execute(text)
            begun.set()
            cursor.fetchall()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    own = connect().cursor()
    query = None
    for _ in range(500):
        own.execute("select query_id from system.runtime.queries where state = 'RUNNING' and query like '%b.n + c.n = -1%' and query not like '%system.runtime%'")
        if found := own.fetchall():
            query = found[0][0]
            break
    assert query, "the query is not among the running ones"
    rows(connection, f"call system.runtime.kill_query(query_id => '{query}', message => 'enough')")
    thread.join(30)
    assert not thread.is_alive()
    assert failed and "enough" in str(failed[0])


def test_tables_live(connection, schema):
    t = f"{schema}.t"
    rows(connection, f"create table {t} (id bigint not null, name varchar, at timestamp(6), price decimal(10, 2))")
    rows(connection, f"insert into {t} values (1, 'one', timestamp '2024-01-01 00:00:00', 1.50), (2, 'two', null, null)")
    assert rows(connection, f"select id, name, price from {t} order by id") == [
        (1, "one", decimal.Decimal("1.50")),
        (2, "two", None),
    ]
    cursor = connection.cursor()
    cursor.execute(f"insert into {t} select id + 10, name, at, price from {t}")
    cursor.fetchall()
    assert cursor.rowcount == 2
    rows(connection, f"update {t} set name = upper(name) where id > 10")
    assert rows(connection, f"select name from {t} order by id") == [("one",), ("two",), ("ONE",), ("TWO",)]
    rows(connection, f"delete from {t} where id = 2")
    rows(
        connection,
        f"""merge into {t} t using (values (1, 'changed'), (99, 'new')) s(id, name) on t.id = s.id
            when matched then update set name = s.name
            when not matched then insert (id, name) values (s.id, s.name)""",
    )
    assert rows(connection, f"select id, name from {t} order by id") == [
        (1, "changed"), (11, "ONE"), (12, "TWO"), (99, "new"),
    ]
    first = rows(connection, f'select snapshot_id from {schema}."t$snapshots" order by committed_at limit 1')[0][0]
    assert rows(connection, f"select count(*) from {t} for version as of {first}") in ([(0,)], [(2,)])
    rows(connection, f"alter table {t} add column extra integer")
    assert rows(connection, f"select extra from {t} where id = 99") == [(None,)]
    with pytest.raises(TrinoUserError):
        rows(connection, f"insert into {t} (id) values (null)")


def test_create_table_as_select_with_partitions(connection, schema):
    t = f"{schema}.parts"
    rows(
        connection,
        f"""create table {t} with (partitioning = array['region']) as
            select n, case n % 3 when 0 then 'north' when 1 then 'south' end as region
            from unnest(sequence(1, 300)) as u(n)""",
    )
    assert rows(connection, f"select region, count(*) from {t} group by 1 order by 1 nulls last") == [
        ("north", 100), ("south", 100), (None, 100),
    ]
    assert rows(connection, f'select count(*) from {schema}."parts$partitions"') == [(3,)]
    with pytest.raises(TrinoUserError) as failure:
        rows(connection, f"create table {t} (a bigint)")
    assert failure.value.error_name == "TABLE_ALREADY_EXISTS"
    rows(connection, f"create table if not exists {t} (a bigint)")


def test_what_sql_writes_pyiceberg_reads_and_the_reverse(connection, schema):
    import pyarrow as pa
    from test_catalog_pyiceberg import connect as load

    rows(connection, f"create table {schema}.shared (id bigint, name varchar)")
    rows(connection, f"insert into {schema}.shared values (1, 'sql'), (2, null)")
    table = load().load_table(f"{schema}.shared")
    assert sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["id"]) == [
        {"id": 1, "name": "sql"}, {"id": 2, "name": None},
    ]
    table.append(pa.table({"id": pa.array([3], pa.int64()), "name": ["py"]}))
    assert rows(connection, f"select * from {schema}.shared order by id") == [(1, "sql"), (2, None), (3, "py")]
    rows(connection, f"delete from {schema}.shared where id = 1")
    assert sorted(row["id"] for row in load().load_table(f"{schema}.shared").scan().to_arrow().to_pylist()) == [2, 3]


def test_listings(connection, schema):
    rows(connection, f"create table {schema}.listed (id bigint, name varchar)")
    assert ("lakehouse",) in rows(connection, "show catalogs")
    assert (schema,) in rows(connection, "show schemas")
    assert rows(connection, f"show tables from {schema}") == [("listed",)]
    assert [row[:2] for row in rows(connection, f"describe {schema}.listed")] == [("id", "bigint"), ("name", "varchar")]
    found = rows(
        connection,
        "select column_name, data_type from information_schema.columns "
        f"where table_schema = '{schema}' order by ordinal_position",
    )
    assert found == [("id", "bigint"), ("name", "varchar")]
    plan = rows(connection, f"explain select count(*) from {schema}.listed where id > 5")
    assert "listed" in plan[0][0]


def test_prepared_statements_and_sessions(connection):
    with connect(session_properties={"query_max_run_time": "5m"}, timezone="Asia/Tokyo") as made:
        assert rows(made, "select current_timezone()") == [("Asia/Tokyo",)]
        rows(made, "prepare plus from select ? + 1")
        assert rows(made, "execute plus using 41") == [(42,)]
    assert rows(connection, "select current_user") == [(os.environ["TRINO_USER"],)]


def test_a_token_opens_the_door_and_wrong_ones_do_not():
    with connect(auth=JWTAuthentication(os.environ["LAKEHOUSE_TOKEN"])) as made:
        assert rows(made, "select 1") == [(1,)]
    for auth in [BasicAuthentication(os.environ["TRINO_USER"], "wrong"), JWTAuthentication("a.b.c"), None]:
        with pytest.raises(Exception) as failure:
            with connect(auth=auth, user="admin") as made:
                rows(made, "select 1")
        assert "401" in str(failure.value)


def test_plain_http_with_a_token_in_the_head():
    """The client sends passwords over TLS only; a plain port still takes what a proxy would add."""
    with connect(
        http_scheme="http", auth=None, user=os.environ["TRINO_USER"],
        http_headers={"Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}"},
    ) as made:
        assert rows(made, "select 2") == [(2,)]


def test_trusted_loopback_takes_a_name_without_a_password(start):
    server = start(None, "--trust-loopback")
    assert any("WARNING" in line for line in server.output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with trino.dbapi.connect(host="localhost", port=server.port, user="admin", catalog="lakehouse") as made:
            assert rows(made, "select current_user") == [("admin",)]
        strange = {"Origin": "http://evil.example"}
        with pytest.raises(Exception) as failure:
            with trino.dbapi.connect(host="localhost", port=server.port, user="admin", http_headers=strange) as made:
                rows(made, "select 1")
    assert "401" in str(failure.value) or "403" in str(failure.value)


def test_many_clients_at_once():
    results, errors = [], []

    def run(worker):
        try:
            with connect() as made:
                for number in range(5):
                    results.append(rows(made, f"select {worker} * 100 + {number}")[0][0])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors[0]
    assert sorted(results) == sorted(w * 100 + n for w in range(16) for n in range(5))


@pytest.mark.parametrize("encoding", ["json", "json+lz4", "json+zstd"])
def test_encoded_rows_are_the_same_rows(encoding):
    sql = (
        "select n, 'row ' || cast(n as varchar) || ' 日本', n / 4e0, array[n, null], if(n % 3 = 0, null, n) "
        "from (select a * 1000 + b as n from unnest(sequence(0, 149)) as x(a) cross join unnest(sequence(0, 999)) as y(b)) "
        "order by n"
    )
    found = rows(connect(encoding=encoding), sql)
    assert len(found) == 150_000
    assert found == rows(connect(encoding=[]), sql)


def answers(sql, encoding):
    """The documents of a query's pages, by hand."""
    import requests

    address = f"https://{os.environ['TRINO_HOST']}:{os.environ['TRINO_PORT']}/v1/statement"
    secret = base64.b64encode(f"{os.environ['TRINO_USER']}:{os.environ['TRINO_PASSWORD']}".encode()).decode()
    with requests.Session() as session:
        session.verify, session.trust_env = os.environ["LAKEHOUSE_CA"], False
        answer = session.post(
            address, data=sql.encode(),
            headers={"Authorization": f"Basic {secret}", "X-Trino-Query-Data-Encoding": encoding})
        while True:
            assert answer.status_code == 200, answer.text
            document = answer.json()
            yield session, answer.headers, document
            if "nextUri" not in document:
                return
            answer = session.get(document["nextUri"])


def test_small_results_are_inline_and_large_ones_are_fetched_once():
    # A small result is in an answer, not behind an address: as plain rows in the first one, else as an inline segment.
    found = []
    for token, (_, fields, document) in enumerate(answers("select 1, 'x'", "json")):
        assert ("X-Trino-Query-Data-Encoding" in fields) == (token > 0), token
        data = document.get("data", [])
        if isinstance(data, list):
            found += data
            continue
        assert token > 0 and all(segment["type"] == "inline" for segment in data["segments"])
        found += [row for segment in data["segments"] for row in json.loads(base64.b64decode(segment["data"]))]
    assert found == [[1, "x"]]

    sql = "select cast(uuid() as varchar) from unnest(sequence(1, 10000)) as a(n) cross join unnest(sequence(1, 10)) as b(m)"
    seen, spooled = 0, 0
    for session, fields, document in answers(sql, "json+nothing, json+lz4"):
        data = document.get("data", [])
        if isinstance(data, list):
            # The first answer has plain rows only where they are all.
            assert not data
            continue
        assert data["encoding"] == fields["X-Trino-Query-Data-Encoding"] == "json+lz4"
        for segment in data["segments"]:
            assert segment["metadata"]["rowOffset"] == seen
            seen += segment["metadata"]["rowsCount"]
            if segment["type"] != "spooled":
                continue
            spooled += 1
            # No credential: the address is a secret. It can be fetched again until it is acknowledged.
            for _ in range(2):
                fetched = session.get(segment["uri"])
                assert fetched.status_code == 200
                assert len(fetched.content) == segment["metadata"]["segmentSize"] < segment["metadata"]["uncompressedSize"]
            assert session.get(segment["ackUri"]).status_code == 200
            assert session.get(segment["uri"]).status_code == 404
            assert session.get(segment["ackUri"]).status_code == 200
    assert seen == 100_000 and spooled > 0


def test_cursors_that_nobody_reads_hold_nothing(connection):
    """More than run at a time, each with rows left to fetch: they end all the same, and others go on."""
    sql = "select n, 'unread' from unnest(sequence(1, 5000)) as t(n)"
    pages = [next(answers(sql, "json")) for _ in range(1000 if os.environ.get("LAKEHOUSE_LONG") else 150)]
    assert all("error" not in document for _, _, document in pages)
    assert rows(connection, "select count(*) from (values 1, 2) t(n)") == [(2,)]
    unread = "select count(*) from system.runtime.queries where state in ('QUEUED', 'RUNNING') and query like '%''unread''%' and query not like '%runtime%'"
    deadline = time.monotonic() + 120
    while rows(connection, unread) != [(0,)]:
        assert time.monotonic() < deadline
    for session, _, document in pages:
        if "nextUri" in document:
            assert session.delete(document["nextUri"]).status_code == 204


def test_an_unknown_encoding_is_plain_rows():
    for _, fields, document in answers("select n from unnest(sequence(1, 10000)) as t(n)", "json+nothing"):
        assert "X-Trino-Query-Data-Encoding" not in fields
        assert isinstance(document.get("data", []), list)
