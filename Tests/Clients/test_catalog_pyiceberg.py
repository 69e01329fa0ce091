"""PyIceberg against the running catalog and store, with what `lakehouse connect env` sets."""

import datetime
import os
import uuid

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    TruncateTransform,
    YearTransform,
)
from pyiceberg.types import (
    DoubleType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

pytestmark = pytest.mark.usefixtures("appliance")

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "region", StringType(), required=False),
    NestedField(3, "at", TimestamptzType(), required=False),
    NestedField(4, "amount", DoubleType(), required=False),
)


def connect():
    properties = {
        "type": "rest",
        "uri": os.environ["CATALOG_URI"],
        "warehouse": os.environ.get("WAREHOUSE", "lakehouse"),
        "credential": os.environ["CATALOG_CREDENTIAL"],
    }
    if "CATALOG_OAUTH2_URI" in os.environ:
        properties["oauth2-server-uri"] = os.environ["CATALOG_OAUTH2_URI"]
    return load_catalog("lakehouse", **properties)


def rows(first, count):
    ids = list(range(first, first + count))
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "region": pa.array([["north", "south", None][i % 3] for i in ids], pa.string()),
            "at": pa.array(
                [start + datetime.timedelta(hours=7 * i) for i in ids],
                pa.timestamp("us", tz="UTC"),
            ),
            "amount": pa.array([i / 4 for i in ids], pa.float64()),
        }
    )


def ids(scan):
    return sorted(scan.to_arrow()["id"].to_pylist())


@pytest.fixture(scope="module")
def catalog(appliance):
    return connect()


@pytest.fixture
def namespace(catalog):
    name = f"py_{uuid.uuid4().hex[:10]}"
    catalog.create_namespace(name, {"owner": "tests"})
    yield name
    for table in catalog.list_tables(name):
        catalog.drop_table(table)
    catalog.drop_namespace(name)


def test_namespaces(catalog, namespace):
    assert catalog.load_namespace_properties(namespace)["owner"] == "tests"
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace(namespace)
    catalog.create_namespace((namespace, "inner"))
    assert (namespace, "inner") in catalog.list_namespaces(namespace)
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(namespace)
    summary = catalog.update_namespace_properties(namespace, {"owner"}, {"team": "a"})
    assert summary.removed == ["owner"] and summary.updated == ["team"]
    catalog.drop_namespace((namespace, "inner"))
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties((namespace, "inner"))


def test_create_append_scan(catalog, namespace):
    table = catalog.create_table(f"{namespace}.t", SCHEMA)
    table.append(rows(0, 10))
    table.append(rows(10, 5))
    again = connect().load_table(f"{namespace}.t")
    assert ids(again.scan()) == list(range(15))
    assert ids(again.scan("id >= 12")) == [12, 13, 14]
    assert ids(again.scan("region is null")) == [2, 5, 8, 11, 14]
    assert again.current_snapshot().summary["total-records"] == "15"
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table(f"{namespace}.t", SCHEMA)


def test_schema_evolution(catalog, namespace):
    schema = Schema(
        NestedField(1, "id", IntegerType(), required=False),
        NestedField(2, "name", StringType(), required=False),
    )
    table = catalog.create_table(f"{namespace}.evolves", schema)
    table.append(pa.table({"id": pa.array([1], pa.int32()), "name": ["a"]}))
    with table.update_schema() as update:
        update.add_column("note", StringType(), doc="a note")
        update.rename_column("name", "title")
        update.update_column("id", LongType())
    table = catalog.load_table(f"{namespace}.evolves")
    table.append(pa.table({"id": pa.array([2**40], pa.int64()), "title": ["b"], "note": ["n"]}))
    with table.update_schema() as update:
        update.delete_column("title")
    found = catalog.load_table(f"{namespace}.evolves").scan().to_arrow().to_pylist()
    assert sorted(found, key=lambda row: row["id"]) == [
        {"id": 1, "note": None},
        {"id": 2**40, "note": "n"},
    ]


def test_delete_and_overwrite(catalog, namespace):
    table = catalog.create_table(f"{namespace}.changes", SCHEMA)
    table.append(rows(0, 12))
    table.delete("region = 'north'")
    assert ids(table.scan()) == [1, 2, 4, 5, 7, 8, 10, 11]
    table.overwrite(rows(100, 2), overwrite_filter="id < 6")
    assert ids(table.scan()) == [7, 8, 10, 11, 100, 101]
    table.overwrite(rows(200, 3))
    assert ids(catalog.load_table(f"{namespace}.changes").scan()) == [200, 201, 202]


def test_time_travel_and_tags(catalog, namespace):
    table = catalog.create_table(f"{namespace}.history", SCHEMA)
    table.append(rows(0, 3))
    first = table.current_snapshot().snapshot_id
    table.manage_snapshots().create_tag(first, "v1").create_branch(first, "dev").commit()
    table.append(rows(3, 3))
    table = catalog.load_table(f"{namespace}.history")
    assert ids(table.scan(snapshot_id=first)) == [0, 1, 2]
    assert ids(table.scan().use_ref("v1")) == [0, 1, 2]
    assert ids(table.scan()) == [0, 1, 2, 3, 4, 5]
    table.append(rows(50, 1), branch="dev")
    table = catalog.load_table(f"{namespace}.history")
    assert ids(table.scan().use_ref("dev")) == [0, 1, 2, 50]
    assert ids(table.scan()) == [0, 1, 2, 3, 4, 5]
    assert len(table.history()) == 2


@pytest.mark.parametrize(
    "source, transform",
    [
        (2, IdentityTransform()),
        (1, BucketTransform(4)),
        (1, TruncateTransform(5)),
        (2, TruncateTransform(2)),
        (3, YearTransform()),
        (3, MonthTransform()),
        (3, DayTransform()),
        (3, HourTransform()),
    ],
)
def test_partition_transforms(catalog, namespace, source, transform):
    pytest.importorskip("pyiceberg_core")
    spec = PartitionSpec(PartitionField(source, 1000, transform, "part"))
    table = catalog.create_table(f"{namespace}.parts", SCHEMA, partition_spec=spec)
    table.append(rows(0, 20))
    table = catalog.load_table(f"{namespace}.parts")
    assert ids(table.scan()) == list(range(20))
    assert ids(table.scan("id = 7")) == [7]
    assert ids(table.scan("at < '2024-01-02T00:00:00+00:00'")) == [0, 1, 2, 3]
    assert table.specs()[table.spec().spec_id].fields[0].transform == transform


def test_rename_and_drop(catalog, namespace):
    catalog.create_table(f"{namespace}.old", SCHEMA).append(rows(0, 2))
    catalog.rename_table(f"{namespace}.old", f"{namespace}.new")
    assert not catalog.table_exists(f"{namespace}.old")
    assert ids(catalog.load_table(f"{namespace}.new").scan()) == [0, 1]
    catalog.purge_table(f"{namespace}.new")
    with pytest.raises(NoSuchTableError):
        catalog.load_table(f"{namespace}.new")


def test_register(catalog, namespace):
    table = catalog.create_table(f"{namespace}.a", SCHEMA)
    table.append(rows(0, 4))
    location = catalog.load_table(f"{namespace}.a").metadata_location
    catalog.drop_table(f"{namespace}.a")
    assert ids(catalog.register_table(f"{namespace}.b", location).scan()) == [0, 1, 2, 3]


def test_staged_creation(catalog, namespace):
    with catalog.create_table_transaction(f"{namespace}.staged", SCHEMA) as transaction:
        transaction.append(rows(0, 3))
        transaction.set_properties(owner="tests")
    table = catalog.load_table(f"{namespace}.staged")
    assert ids(table.scan()) == [0, 1, 2] and table.properties["owner"] == "tests"


def test_lost_race_is_a_conflict(catalog, namespace):
    catalog.create_table(f"{namespace}.race", SCHEMA)
    left = catalog.load_table(f"{namespace}.race")
    right = catalog.load_table(f"{namespace}.race")
    with left.update_schema() as update:
        update.add_column("a", StringType())
    with pytest.raises(CommitFailedException):
        with right.update_schema() as update:
            update.add_column("b", StringType())


def test_properties_and_sort_free_metadata(catalog, namespace):
    table = catalog.create_table(f"{namespace}.props", SCHEMA, properties={"a": "1"})
    with table.transaction() as transaction:
        transaction.set_properties(b="2")
        transaction.remove_properties("a")
    assert catalog.load_table(f"{namespace}.props").properties == {"b": "2"}
