"""Digests and shapes through Trino's client: their types and values, stored as bytes, refused as columns."""

import base64
import os
import uuid

import pytest
import trino

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture(scope="module")
def cursor(appliance):
    connection = trino.dbapi.connect(
        host=os.environ["TRINO_HOST"],
        port=int(os.environ["TRINO_PORT"]),
        http_scheme="https",
        verify=os.environ["LAKEHOUSE_CA"],
        auth=trino.auth.BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
    )
    return connection.cursor()


def test_types_and_values(cursor):
    cursor.execute(
        "SELECT ST_Point(1, 2) a, to_spherical_geography(ST_Point(1, 2)) b, approx_set(x) c, tdigest_agg(x) d, "
        "qdigest_agg(x) e, make_set_digest(x) f, empty_approx_set() g, array_agg(ST_Point(x, 0)) h FROM (VALUES 1) t (x)"
    )
    row = cursor.fetchone()
    assert [column.type_code for column in cursor.description] == [
        "Geometry", "SphericalGeography", "HyperLogLog", "tdigest", "qdigest(bigint)", "SetDigest", "HyperLogLog",
        "array(Geometry)",
    ]
    assert row[0] == row[1] == "POINT (1 2)" and row[7] == ["POINT (1 0)"]
    # The format of an empty sketch: tag 2, 12 bits of index, no entries.
    assert base64.b64decode(row[6]) == bytes([2, 12, 0, 0])
    assert all(base64.b64decode(value) for value in row[2:6])


def test_the_example_of_the_documentation(cursor):
    name = f"lakehouse.digests_{uuid.uuid4().hex[:8]}"
    cursor.execute(f"CREATE SCHEMA {name}").fetchall()
    cursor.execute(f"CREATE TABLE {name}.visits (visit_date date, hll varbinary)").fetchall()
    cursor.execute(
        f"INSERT INTO {name}.visits SELECT d, CAST(approx_set(u) AS varbinary) "
        "FROM (VALUES (DATE '2026-01-01', 1), (DATE '2026-01-01', 2), (DATE '2026-01-02', 2), (DATE '2026-01-02', 3)) "
        "t (d, u) GROUP BY d"
    ).fetchall()
    cursor.execute(f"SELECT cardinality(merge(CAST(hll AS HyperLogLog))) FROM {name}.visits")
    assert cursor.fetchall() == [[3]]
    cursor.execute(f"DROP TABLE {name}.visits").fetchall()
    for column in ("p Geometry", "h HyperLogLog", "q qdigest(double)"):
        with pytest.raises(trino.exceptions.TrinoUserError) as refused:
            cursor.execute(f"CREATE TABLE {name}.t (a int, {column})").fetchall()
        assert refused.value.error_name == "NOT_SUPPORTED"
        assert "Type not supported for Iceberg" in refused.value.message
    cursor.execute(f"DROP SCHEMA {name}").fetchall()
