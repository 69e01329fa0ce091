"""Transactions through real clients: the trino Python client without autocommit, and SQLAlchemy."""

import os
import uuid

import pytest
import requests
import sqlalchemy as sa
from sqlalchemy.engine import URL
from trino.exceptions import DatabaseError, TrinoUserError
from trino.transaction import IsolationLevel

from test_trino_client import connect, rows

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture
def schema(appliance):
    name = f"tx_{uuid.uuid4().hex[:10]}"
    with connect() as connection:
        rows(connection, f"create schema {name}")
    yield name
    with connect() as connection:
        rows(connection, f"drop schema {name} cascade")


def outside(sql):
    """What somebody sees who is in no transaction."""
    with connect() as connection:
        return rows(connection, sql)


def test_a_connection_without_autocommit_commits_at_its_end(schema):
    outside(f"create table {schema}.a (x bigint)")
    outside(f"create table {schema}.b (x bigint)")
    with connect(isolation_level=IsolationLevel.REPEATABLE_READ) as connection:
        rows(connection, f"insert into {schema}.a values 1, 2")
        rows(connection, f"insert into {schema}.b select x * 10 from {schema}.a")
        rows(connection, f"create table {schema}.c as select sum(x) as s from {schema}.b")
        assert rows(connection, f"select s from {schema}.c") == [(30,)]
        assert outside(f"select count(*) from {schema}.a") == [(0,)]
        assert outside(f"show tables from {schema}") == [("a",), ("b",)]
    assert outside(f"select x from {schema}.b order by 1") == [(10,), (20,)]
    assert outside(f"show tables from {schema}") == [("a",), ("b",), ("c",)]


def test_rollback_and_the_next_transaction_of_a_connection(schema):
    outside(f"create table {schema}.a (x bigint)")
    connection = connect(isolation_level=IsolationLevel.SERIALIZABLE)
    rows(connection, f"insert into {schema}.a values 1")
    connection.rollback()
    connection = connect(isolation_level=IsolationLevel.SERIALIZABLE)
    rows(connection, f"insert into {schema}.a values 2")
    connection.commit()
    assert outside(f"select x from {schema}.a") == [(2,)]


def test_a_failed_statement_takes_everything_back(schema):
    outside(f"create table {schema}.a (x bigint)")
    connection = connect(isolation_level=IsolationLevel.READ_COMMITTED)
    rows(connection, f"insert into {schema}.a values 1")
    with pytest.raises(TrinoUserError) as failure:
        rows(connection, f"select 1 / 0 from {schema}.a")
    assert failure.value.error_name == "DIVISION_BY_ZERO"
    with pytest.raises(TrinoUserError) as failure:
        rows(connection, "select 1")
    assert failure.value.error_name == "TRANSACTION_ALREADY_ABORTED"
    with pytest.raises(DatabaseError):
        connection.commit()
    connection.rollback()
    assert outside(f"select count(*) from {schema}.a") == [(0,)]


def test_a_conflict_names_the_table(schema):
    outside(f"create table {schema}.a as select bigint '1' as x")
    connection = connect(isolation_level=IsolationLevel.REPEATABLE_READ)
    rows(connection, f"update {schema}.a set x = 2")
    outside(f"update {schema}.a set x = 3")
    with pytest.raises(DatabaseError, match=f"{schema}.a"):
        connection.commit()
    assert outside(f"select x from {schema}.a") == [(3,)]


def test_reads_are_of_one_state(schema):
    outside(f"create table {schema}.a as select 1 as x")
    with connect(isolation_level=IsolationLevel.READ_COMMITTED) as connection:
        assert rows(connection, f"select count(*) from {schema}.a") == [(1,)]
        outside(f"insert into {schema}.a values 2")
        assert rows(connection, f"select count(*) from {schema}.a") == [(1,)]
    assert outside(f"select count(*) from {schema}.a") == [(2,)]


def statement(sql, transaction="NONE"):
    """One statement by hand; all fields of its answers and its error."""
    address = f"https://{os.environ['TRINO_HOST']}:{os.environ['TRINO_PORT']}/v1/statement"
    fields = {"X-Trino-User": os.environ["TRINO_USER"], "X-Trino-Transaction-Id": transaction}
    with requests.Session() as session:
        session.auth = (os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"])
        session.verify = os.environ["LAKEHOUSE_CA"]
        answer = session.post(address, data=sql.encode(), headers=fields)
        found = dict(answer.headers)
        while "nextUri" in answer.json():
            answer = session.get(answer.json()["nextUri"], headers=fields)
            found.update(answer.headers)
        return found, answer.json().get("error", {}).get("errorName"), answer.json()


def test_the_fields_of_the_protocol(schema):
    found, error, _ = statement("START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE")
    assert error is None
    transaction = found["X-Trino-Started-Transaction-Id"]
    _, error, _ = statement(f"create table {os.environ['TRINO_CATALOG']}.{schema}.t (x int)", transaction)
    assert error is None
    assert outside(f"show tables from {schema}") == []
    found, error, document = statement("COMMIT", transaction)
    assert error is None
    assert found["X-Trino-Clear-Transaction-Id"] == "true"
    assert document["updateType"] == "COMMIT"
    assert outside(f"show tables from {schema}") == [("t",)]
    found, error, _ = statement("COMMIT", transaction)
    assert error == "UNKNOWN_TRANSACTION"
    assert found["X-Trino-Clear-Transaction-Id"] == "true"
    _, error, _ = statement("COMMIT")
    assert error == "NOT_IN_TRANSACTION"


def test_sqlalchemy_begins_commits_and_rolls_back(schema):
    address = URL.create(
        "trino", username=os.environ["TRINO_USER"], password=os.environ["TRINO_PASSWORD"],
        host=os.environ["TRINO_HOST"], port=int(os.environ["TRINO_PORT"]),
        database=os.environ["TRINO_CATALOG"])
    engine = sa.create_engine(
        address, connect_args={
            "http_scheme": "https", "verify": os.environ["LAKEHOUSE_CA"],
            "isolation_level": IsolationLevel.REPEATABLE_READ})
    outside(f"create table {schema}.a (x bigint)")
    with engine.begin() as connection:
        connection.execute(sa.text(f"insert into {schema}.a values 1"))
        connection.execute(sa.text(f"insert into {schema}.a values 2"))
        assert outside(f"select count(*) from {schema}.a") == [(0,)]
    assert outside(f"select count(*) from {schema}.a") == [(2,)]
    with pytest.raises(RuntimeError):
        with engine.begin() as connection:
            connection.execute(sa.text(f"insert into {schema}.a values 3"))
            raise RuntimeError("changed my mind")
    assert outside(f"select count(*) from {schema}.a") == [(2,)]
    engine.dispose()
