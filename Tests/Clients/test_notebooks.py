"""What people do in notebooks: JupySQL's magic, pandas over SQLAlchemy."""

import datetime
import os
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture(scope="module")
def engine(appliance):
    name = f"notebook_{uuid.uuid4().hex[:8]}"
    address = URL.create(
        "trino", username=os.environ["TRINO_USER"], password=os.environ["TRINO_PASSWORD"],
        host=os.environ["TRINO_HOST"], port=int(os.environ["TRINO_PORT"]), database=f"lakehouse/{name}")
    made = sa.create_engine(address, connect_args={"http_scheme": "https", "verify": os.environ["LAKEHOUSE_CA"]})
    with made.connect() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    yield made
    with made.connect() as connection:
        connection.execute(sa.text(f"drop schema {name} cascade"))
    made.dispose()


@pytest.fixture(scope="module")
def frame():
    import pandas

    return pandas.DataFrame({
        "id": range(1, 501),
        "name": [f"n{number} 'é'" if number % 5 else None for number in range(1, 501)],
        "price": [number / 4 for number in range(1, 501)],
        "day": [datetime.date(2024, 1, 1) + datetime.timedelta(number) for number in range(500)],
        "at": pandas.date_range("2024-01-01", periods=500, freq="61min"),
        "new": [number % 2 == 0 for number in range(500)],
    })


def test_pandas_writes_and_reads(engine, frame):
    import pandas

    for mode, rows in (("replace", 500), ("append", 1000), ("replace", 500)):
        assert frame.to_sql("sales", engine, if_exists=mode, index=False, method="multi", chunksize=200) == 500
        assert pandas.read_sql("select count(*) as n from sales", engine).n[0] == rows
    found = pandas.read_sql_table("sales", engine, columns=["id", "name", "price", "new"]).sort_values("id")
    assert found.id.tolist() == frame.id.tolist()
    assert found.price.tolist() == frame.price.tolist() and found.new.tolist() == frame.new.tolist()
    assert [name for name in found.name if isinstance(name, str)] == [name for name in frame.name if name]
    query = sa.text("select day, at from sales where id = :id")
    with engine.connect() as connection:
        day, at = connection.execute(query, {"id": 7}).one()
    assert day == datetime.date(2024, 1, 7) and at == datetime.datetime(2024, 1, 1, 6, 6)
    chunks = list(pandas.read_sql("select * from sales order by id", engine, chunksize=300))
    assert [len(chunk) for chunk in chunks] == [300, 200]


def test_jupysql(engine, frame):
    """The cells of a notebook, run by IPython."""
    from IPython.core.interactiveshell import InteractiveShell

    frame.to_sql("cells", engine, if_exists="replace", index=False, method="multi", chunksize=200)
    shell = InteractiveShell.instance()
    shell.user_ns["engine"] = engine
    for line in (
        "%load_ext sql", "%sql engine --alias lakehouse", "%config SqlMagic.displaycon = False",
        "%config SqlMagic.feedback = 0",
    ):
        assert shell.run_cell(line).success
    assert shell.run_cell("found = %sql select id, price from cells where id <= 3 order by id").success
    assert [tuple(row) for row in shell.user_ns["found"]] == [(1, 0.25), (2, 0.5), (3, 0.75)]
    cell = "%%sql --save doubled\nselect id, price * 2 as twice from cells where new"
    assert shell.run_cell(cell).success
    assert shell.run_cell("both = %sql --with doubled select sum(twice) as s, count(*) as n from doubled").success
    both = shell.user_ns["both"].DataFrame()
    assert both.s[0] == sum(frame.price[frame.new] * 2) and both.n[0] == 250
    shell.user_ns["limit"] = 2
    assert shell.run_cell("few = %sql select id from cells order by id desc limit {{limit}}").success
    assert [row[0] for row in shell.user_ns["few"]] == [500, 499]
    tables = shell.run_cell("names = %sqlcmd tables")
    assert tables.success and "cells" in str(shell.user_ns["names"])
