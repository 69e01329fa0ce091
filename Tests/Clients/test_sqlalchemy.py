"""SQLAlchemy's trino dialect: reflection, expressions, parameters, pandas-free."""

import os
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture(scope="module")
def engine(appliance):
    address = URL.create(
        "trino",
        username=os.environ["TRINO_USER"],
        password=os.environ["TRINO_PASSWORD"],
        host=os.environ["TRINO_HOST"],
        port=int(os.environ["TRINO_PORT"]),
        database=os.environ["TRINO_CATALOG"],
    )
    made = sa.create_engine(
        address, connect_args={"http_scheme": "https", "verify": os.environ["LAKEHOUSE_CA"]}
    )
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def orders(engine):
    """A table of 40 orders in a schema of its own."""
    name = f"sa_{uuid.uuid4().hex[:10]}"
    with engine.connect() as connection:
        connection.execute(sa.schema.CreateSchema(name))
        metadata = sa.MetaData(schema=name)
        table = sa.Table(
            "orders", metadata,
            sa.Column("id", sa.BigInteger), sa.Column("customer", sa.String),
            sa.Column("price", sa.Numeric(12, 2)), sa.Column("day", sa.Date),
            sa.Column("Mixed Case", sa.Integer),
        )
        metadata.create_all(connection)
        connection.execute(
            sa.text(
                f"insert into {name}.orders select n, 'c' || cast(n % 4 as varchar), cast(n as decimal(12, 2)) / 4, "
                "date '2024-01-01' + n * interval '1' day, cast(n as integer) from unnest(sequence(1, 40)) as t(n)"
            )
        )
        yield table
        metadata.drop_all(connection)
        connection.execute(sa.schema.DropSchema(name))


def test_scalars_and_parameters(engine):
    with engine.connect() as connection:
        assert connection.execute(sa.text("select 1")).scalar() == 1
        assert connection.execute(sa.text("select :a || :b"), {"a": "x'", "b": "y"}).scalar() == "x'y"


def test_reflection(engine, orders):
    inspector = sa.inspect(engine)
    assert orders.schema in inspector.get_schema_names()
    assert inspector.get_table_names(schema=orders.schema) == ["orders"]
    assert inspector.has_table("orders", schema=orders.schema)
    assert not inspector.has_table("none", schema=orders.schema)
    columns = {column["name"]: column for column in inspector.get_columns("orders", schema=orders.schema)}
    assert isinstance(columns["id"]["type"], sa.BigInteger)
    assert isinstance(columns["price"]["type"], sa.DECIMAL) and columns["price"]["type"].scale == 2
    assert isinstance(columns["day"]["type"], sa.Date)
    assert inspector.get_view_names(schema=orders.schema) == []


def test_expressions(engine, orders):
    total = sa.func.sum(orders.c.price).label("total")
    statement = (
        sa.select(orders.c.customer, total, sa.func.count().label("n"))
        .where(orders.c.id > 4)
        .group_by(orders.c.customer)
        .having(sa.func.count() > 1)
        .order_by(total.desc())
        .offset(1)
        .limit(2)
    )
    with engine.connect() as connection:
        found = [(row.customer, float(row.total), row.n) for row in connection.execute(statement)]
    sums = {f"c{r}": sum(n for n in range(5, 41) if n % 4 == r) / 4 for r in range(4)}
    expected = sorted(sums.items(), key=lambda pair: -pair[1])[1:3]
    assert found == [(name, value, 9) for name, value in expected]


def test_joins_windows_and_common_tables(engine, orders):
    ranked = sa.select(
        orders.c.id, orders.c.customer,
        sa.func.row_number().over(partition_by=orders.c.customer, order_by=orders.c.id.desc()).label("place"),
    ).cte("ranked")
    statement = (
        sa.select(ranked.c.customer, orders.c.price)
        .join(orders, orders.c.id == ranked.c.id)
        .where(ranked.c.place == 1)
        .order_by(ranked.c.customer)
    )
    with engine.connect() as connection:
        found = [(row.customer, float(row.price)) for row in connection.execute(statement)]
    assert found == [("c0", 10.0), ("c1", 9.25), ("c2", 9.5), ("c3", 9.75)]


def test_inserts_and_quoted_names(engine, orders):
    with engine.connect() as connection:
        connection.execute(
            orders.insert(), [{"id": 900, "customer": "x", "Mixed Case": 1}, {"id": 901, "customer": "y", "Mixed Case": None}]
        )
        found = connection.execute(
            sa.select(orders.c["Mixed Case"]).where(orders.c.id >= 900).order_by(orders.c.id)
        )
        assert [row[0] for row in found] == [1, None]
        connection.execute(orders.delete().where(orders.c.id >= 900))
        assert connection.execute(sa.select(sa.func.count()).select_from(orders)).scalar() == 40
