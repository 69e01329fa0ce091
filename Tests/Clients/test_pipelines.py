"""A file that lands becomes rows, once."""

import os
import time

import boto3
import pytest
import trino


@pytest.fixture
def s3(appliance):
    return boto3.client("s3")


@pytest.fixture
def sql(appliance):
    connection = trino.dbapi.connect(
        host=os.environ["TRINO_HOST"],
        port=int(os.environ["TRINO_PORT"]),
        http_scheme="https",
        verify=os.environ["LAKEHOUSE_CA"],
        auth=trino.auth.BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
    )

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return cursor.fetchall()

    return run


def until(question, wanted, seconds=120):
    """Asks again until the answer is the wanted one; the last answer otherwise."""
    end = time.monotonic() + seconds
    answer = None
    while time.monotonic() < end:
        try:
            answer = question()
        except trino.exceptions.TrinoUserError as error:
            answer = error.error_name
        if answer == wanted:
            return answer
    return answer


def test_a_csv_that_lands_becomes_rows_once(s3, sql):
    name = f"landed_{os.urandom(4).hex()}"
    count = lambda: sql(f"select count(*), sum(amount) from bronze.inbox.{name}")  # noqa: E731
    sql("create schema if not exists bronze.inbox")
    s3.put_object(Bucket="landing", Key=f"bronze/inbox/{name}/a.csv", Body=b"id,amount,day\n1,2.50,2026-01-01\n2,3.25,\n")
    answer = until(lambda: [[str(value) for value in row] for row in count()], [["2", "5.75"]])
    assert answer == [["2", "5.75"]]
    types = dict(row[:2] for row in sql(f"describe bronze.inbox.{name}"))
    assert types["id"] == "bigint" and types["day"] == "date" and types["amount"].startswith("decimal")
    s3.put_object(Bucket="landing", Key=f"bronze/inbox/{name}/b.csv", Body=b"id,amount,day\n3,1.00,2026-01-02\n")
    answer = until(lambda: [[str(value) for value in row] for row in count()], [["3", "6.75"]])
    assert answer == [["3", "6.75"]]
