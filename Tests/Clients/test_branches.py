"""Branches of whole warehouses: SQL, PyIceberg through `silver@etl`, the command line, rights, readers meanwhile."""

import json
import os
import threading
import uuid

import pyarrow as pa
import pytest
import trino
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, RESTError

pytestmark = pytest.mark.usefixtures("appliance")


def connect():
    return trino.dbapi.connect(
        host=os.environ["TRINO_HOST"],
        port=int(os.environ["TRINO_PORT"]),
        http_scheme="https",
        verify=os.environ["LAKEHOUSE_CA"],
        auth=trino.auth.BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
    )


@pytest.fixture(scope="module")
def sql(appliance):
    connection = connect()

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return cursor.fetchall()

    return run


def pyiceberg(warehouse):
    properties = {
        "type": "rest",
        "uri": os.environ["CATALOG_URI"],
        "warehouse": warehouse,
        "credential": os.environ["CATALOG_CREDENTIAL"],
    }
    if "CATALOG_OAUTH2_URI" in os.environ:
        properties["oauth2-server-uri"] = os.environ["CATALOG_OAUTH2_URI"]
    return load_catalog("lakehouse", **properties)


@pytest.fixture
def schema(sql):
    name = "b" + uuid.uuid4().hex[:8]
    sql(f"create schema silver.{name}")
    sql(f"create table silver.{name}.t as select * from (values (1, 'a'), (2, 'b')) as v (id, name)")
    return name


@pytest.fixture
def branch(sql):
    name = "w" + uuid.uuid4().hex[:8]
    sql(f"create branch {name} in silver")
    yield name
    sql(f"drop branch if exists {name} in silver")


def batch(*rows):
    return pa.table(
        {"id": pa.array([row[0] for row in rows], pa.int32()), "name": [row[1] for row in rows]}
    )


def refused(sql, text):
    with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
        sql(text)
    return caught.value.error_name, caught.value.message


def test_statements_on_a_branch(sql, schema, branch):
    at = f'"silver@{branch}".{schema}'
    sql(f"insert into {at}.t values (3, 'c')")
    sql(f"create table {at}.made as select 1 as x")
    sql(f"alter table {at}.t add column note varchar")
    session = connect()
    cursor = session.cursor()
    cursor.execute(f"use {at}")
    cursor.fetchall()
    cursor.execute("create view v as select count(*) as n from t")
    cursor.fetchall()
    assert sql(f"select count(*) from {at}.t") == [[3]]
    assert sql(f"select n from {at}.v") == [[3]]
    assert sql(f"select count(*) from silver.{schema}.t") == [[2]]
    assert [row[0] for row in sql(f"show tables from {at}")] == ["made", "t", "v"]
    assert [row[0] for row in sql(f"show tables from silver.{schema}")] == ["t"]
    names = f'select table_name from "silver@{branch}".information_schema.tables where table_schema = '
    assert sorted(row[0] for row in sql(names + f"'{schema}'")) == ["made", "t", "v"]
    columns = (
        f'select column_name from "silver@{branch}".information_schema.columns '
        f"where table_schema = '{schema}' and table_name = 't' order by ordinal_position"
    )
    assert [row[0] for row in sql(columns)] == ["id", "name", "note"]
    cursor.execute("select count(*) from t")
    assert cursor.fetchall() == [[3]]
    changes = {row[1]: row[3:5] + row[7:9] for row in sql(f"show branch changes {branch} in silver")}
    assert changes["t"] == ["changed", "forward", 2, 3]
    assert changes["made"] == ["created", "forward", 0, 1]
    rows = sql(f"merge branch {branch} in silver dry run")
    assert {row[4] for row in rows} == {"forward"}
    assert sql(f"select count(*) from silver.{schema}.t") == [[2]]
    sql(f"merge branch {branch} in silver into main and drop")
    assert sql(f"select count(*), count(note) from silver.{schema}.t") == [[3, 0]]
    assert sql(f"select x from silver.{schema}.made") == [[1]]
    # A view that was merged reads the tables where it is now.
    sql(f"insert into silver.{schema}.t values (4, 'd', 'n')")
    assert sql(f"select n from silver.{schema}.v") == [[4]]
    assert branch not in [row[0] for row in sql("show branches from silver")]


def test_pyiceberg_writes_to_a_branch_unchanged(sql, schema, branch):
    catalog = pyiceberg(f"silver@{branch}")
    table = catalog.load_table(f"{schema}.t")
    table.append(batch((3, "c"), (4, "d")))
    table.delete("id = 1")
    created = catalog.create_table(f"{schema}.fresh", schema=batch((1, "x")).schema)
    created.append(batch((1, "x")))
    assert len(catalog.load_table(f"{schema}.t").scan().to_arrow()) == 3
    main = pyiceberg("silver")
    assert len(main.load_table(f"{schema}.t").scan().to_arrow()) == 2
    with pytest.raises(NoSuchTableError):
        main.load_table(f"{schema}.fresh")
    sql(f"merge branch {branch} in silver")
    assert len(main.load_table(f"{schema}.t").scan().to_arrow()) == 3
    assert len(main.load_table(f"{schema}.fresh").scan().to_arrow()) == 1
    with pytest.raises(RESTError):
        pyiceberg("silver@nobody-made-it")


def test_two_branches_that_append_go_together(sql, schema):
    names = [f"p{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        sql(f"create branch {name} in silver")
    for index, name in enumerate(names):
        pyiceberg(f"silver@{name}").load_table(f"{schema}.t").append(batch((10 + index, name)))
        sql(f"""insert into "silver@{name}".{schema}.t values ({20 + index}, 'sql')""")
    sql(f"merge branch {names[0]} in silver and drop")
    outcome = sql(f"merge branch {names[1]} in silver and drop")
    assert [row[4] for row in outcome] == ["combined"]
    ids = [row[0] for row in sql(f"select id from silver.{schema}.t order by id")]
    assert ids == [1, 2, 10, 11, 20, 21]
    # Other engines read what the merge wrote.
    found = pyiceberg("silver").load_table(f"{schema}.t").scan().to_arrow()
    assert sorted(found["id"].to_pylist()) == ids


def test_conflicts_are_named_and_nothing_is_merged(sql, schema, branch):
    sql(f"create table silver.{schema}.calm as select 1 as x")
    sql(f"""update "silver@{branch}".{schema}.t set name = 'z' where id = 1""")
    sql(f"""create table "silver@{branch}".{schema}.extra as select 2 as y""")
    sql(f"insert into silver.{schema}.t values (9, 'main')")
    name, message = refused(sql, f"merge branch {branch} in silver")
    assert name == "TRANSACTION_CONFLICT"
    assert f"{schema}.t:" in message and "extra" not in message
    assert sql(f"select count(*) from silver.{schema}.t where name = 'z'") == [[0]]
    assert [row[0] for row in sql(f"show tables from silver.{schema}")] == ["calm", "t"]
    rows = {row[1]: row[4] for row in sql(f"merge branch {branch} in silver dry run")}
    assert rows["t"] == "conflict" and rows["extra"] == "forward"


def test_tags_keep_their_state(sql, schema):
    tag = "t" + uuid.uuid4().hex[:8]
    sql(f"create tag {tag} in silver")
    sql(f"delete from silver.{schema}.t")
    assert sql(f'select count(*) from "silver@{tag}".{schema}.t') == [[2]]
    assert refused(sql, f"""insert into "silver@{tag}".{schema}.t values (1, 'x')""")[0] == "INVALID_ARGUMENTS"
    with pytest.raises((CommitFailedException, RESTError)):
        pyiceberg(f"silver@{tag}").load_table(f"{schema}.t").append(batch((1, "x")))
    assert tag in [row[0] for row in sql("show tags from catalog silver")]
    assert refused(sql, f"drop branch {tag} in silver")[0] == "INVALID_ARGUMENTS"
    sql(f"drop tag {tag} in silver")
    assert refused(sql, f'select * from "silver@{tag}".{schema}.t')[0] == "BRANCH_NOT_FOUND"


def test_the_command_line(appliance, sql, schema):
    name = "c" + uuid.uuid4().hex[:8]
    at = f"silver@{name}"
    appliance.command("branch", "create", at)
    listed = json.loads(appliance.command("branch", "list", "silver", "--json").stdout)
    assert {"name": name, "kind": "branch", "from": "main"}.items() <= next(
        row for row in listed if row["name"] == name
    ).items()
    sql(f"""insert into "{at}".{schema}.t values (3, 'c')""")
    diff = json.loads(appliance.command("branch", "diff", at, "--json").stdout)
    assert [(row["name"], row["base_rows"], row["rows"]) for row in diff] == [(f"{schema}.t", 2, 3)]
    merged = json.loads(appliance.command("branch", "merge", at, "--delete", "--json").stdout)
    assert [row["outcome"] for row in merged] == ["forward"]
    log = json.loads(appliance.command("branch", "log", "silver", "--limit", "3", "--json").stdout)
    assert [log[0]["operation"], log[0]["subject"]] == ["catalog.branch.merged", name]
    assert appliance.command("branch", "diff", at, code=1).stderr.count("not found") == 1
    assert appliance.command("branch", "create", "etl", code=2)


def test_rights(appliance, sql, schema, branch):
    """Who may only read may neither make a branch nor merge one."""
    name = "r" + uuid.uuid4().hex[:8]
    appliance.command("user", "create", name, "--role", "analyst")
    variables = appliance.variables(user=name)
    connection = trino.dbapi.connect(
        host=variables["TRINO_HOST"], port=int(variables["TRINO_PORT"]), http_scheme="https",
        verify=variables["LAKEHOUSE_CA"],
        auth=trino.auth.BasicAuthentication(variables["TRINO_USER"], variables["TRINO_PASSWORD"]),
    )

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return cursor.fetchall()

    sql(f"""insert into "silver@{branch}".{schema}.t values (3, 'c')""")
    assert run(f'select count(*) from "silver@{branch}".{schema}.t') == [[3]]
    for text in (
        "create branch x in silver", f"drop branch {branch} in silver", f"merge branch {branch} in silver",
    ):
        assert refused(run, text)[0] == "PERMISSION_DENIED"
    assert sql(f"select count(*) from silver.{schema}.t") == [[2]]


def test_readers_see_all_or_nothing(sql, schema):
    """Two tables change on branches, written by PyIceberg, while a reader polls main."""
    sql(f"create table silver.{schema}.a (id integer, name varchar)")
    sql(f"create table silver.{schema}.b (id integer, name varchar)")
    reader = connect().cursor()
    seen, stop = [], threading.Event()

    def poll():
        while not stop.is_set():
            reader.execute(
                f"select (select count(*) from silver.{schema}.a), (select count(*) from silver.{schema}.b)"
            )
            seen.append(tuple(reader.fetchall()[0]))

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        for turn in range(1, 6):
            name = f"wap{turn}{uuid.uuid4().hex[:6]}"
            sql(f"create branch {name} in silver")
            catalog = pyiceberg(f"silver@{name}")
            for table in ("a", "b"):
                for part in range(2):
                    catalog.load_table(f"{schema}.{table}").append(batch((turn, str(part))))
            sql(f"merge branch {name} in silver and drop")
    finally:
        stop.set()
        thread.join()
    assert sql(f"select count(*) from silver.{schema}.a") == [[10]]
    # A query reads its two tables one after the other: what it sees of the second is never older.
    assert all(a % 2 == 0 and b % 2 == 0 for a, b in seen), seen
    assert all(b in (a, a + 2) for a, b in seen), seen
    assert len(seen) >= 5
