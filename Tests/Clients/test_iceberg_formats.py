"""What other engines leave in tables: Avro data and delete files, files without field ids (name mapping),
files without their partition's columns; and version 3's lineage of rows and nanoseconds.
"""

import datetime
import decimal
import io
import json
import os
import uuid

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from iceberg_manifests import DATA, EQUALITY_DELETES, POSITION_DELETES, commit, field, put
from pyiceberg.catalog import load_catalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType, IntegerType,
    ListType, LongType, MapType, NestedField, StringType, StructType, TimestampType,
    TimestamptzType, TimeType, UUIDType)


@pytest.fixture(scope="module")
def catalog(appliance):
    known = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    known.create_namespace("formats")
    return known


@pytest.fixture
def ask(appliance):
    def run(text, code=0):
        done = appliance.command("sql", "--json", "-c", text, code=code)
        if code:
            return done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


def avro_file(table, fields, records, name, codec="deflate"):
    """An Avro file with these fields; what a manifest says of it."""
    stream = io.BytesIO()
    schema = {"type": "record", "name": "table", "fields": fields}
    fastavro.writer(stream, schema, records, codec=codec, sync_interval=200)
    payload = stream.getvalue()
    return {
        "content": DATA, "file_path": put(table, f"data/{name}.avro", payload),
        "file_format": "AVRO", "record_count": len(records), "file_size_in_bytes": len(payload)}


SIMPLE = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))
SIMPLE_AVRO = [field(1, "id", "long"), field(2, "name", "string")]


def simple(first, count):
    return [{"id": n, "name": None if n % 5 == 0 else f"n{n}"} for n in range(first, first + count)]


def as_pairs(rows):
    return sorted((row["id"], row["name"]) for row in rows)


# Every type.


EVERYTHING = Schema(
    NestedField(1, "b", BooleanType()), NestedField(2, "i", IntegerType()),
    NestedField(3, "l", LongType()), NestedField(4, "f", FloatType()),
    NestedField(5, "d", DoubleType()), NestedField(6, "day", DateType()),
    NestedField(7, "t", TimeType()), NestedField(8, "ts", TimestampType()),
    NestedField(9, "tz", TimestamptzType()), NestedField(10, "s", StringType()),
    NestedField(11, "u", UUIDType()), NestedField(12, "fx", FixedType(3)),
    NestedField(13, "bin", BinaryType()), NestedField(14, "small", DecimalType(9, 2)),
    NestedField(15, "large", DecimalType(38, 10)),
    NestedField(16, "list", ListType(17, LongType(), False)),
    NestedField(18, "map", MapType(19, StringType(), 20, IntegerType(), False)),
    NestedField(21, "imap", MapType(22, IntegerType(), 23, StringType(), False)),
    NestedField(24, "row", StructType(
        NestedField(25, "x", IntegerType()), NestedField(26, "y", StringType()))),
)


def everything_avro(schema):
    # The catalog gives out ids of its own.
    def id_of(name):
        return schema.find_field(name).field_id

    def optional(path, kind):
        return {"name": path.split(".")[-1], "type": ["null", kind], "default": None,
                "field-id": id_of(path)}

    def decimal_type(name, size, precision, scale):
        return {"type": "fixed", "name": name, "size": size, "logicalType": "decimal",
                "precision": precision, "scale": scale}

    def micros(utc):
        return {"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": utc}

    entry = {"type": "record", "name": "k22_v23", "fields": [
        {"name": "key", "type": "int", "field-id": id_of("imap.key")},
        optional("imap.value", "string")]}
    row = {"type": "record", "name": "r24", "fields": [
        optional("row.x", "int"), optional("row.y", "string")]}
    return [
        optional("b", "boolean"), optional("i", "int"), optional("l", "long"),
        optional("f", "float"), optional("d", "double"),
        optional("day", {"type": "int", "logicalType": "date"}),
        optional("t", {"type": "long", "logicalType": "time-micros"}),
        optional("ts", micros(False)), optional("tz", micros(True)),
        optional("s", "string"),
        optional("u", {
            "type": "fixed", "name": "uuid_fixed", "size": 16, "logicalType": "uuid"}),
        optional("fx", {"type": "fixed", "name": "fixed_3", "size": 3}),
        optional("bin", "bytes"), optional("small", decimal_type("d9", 4, 9, 2)),
        optional("large", decimal_type("d38", 16, 38, 10)),
        optional("list", {"type": "array", "items": ["null", "long"], "element-id": id_of("list.element")}),
        optional("map", {
            "type": "map", "values": ["null", "int"], "key-id": id_of("map.key"),
            "value-id": id_of("map.value")}),
        optional("imap", {"type": "array", "logicalType": "map", "items": entry}),
        optional("row", row),
    ]


def test_avro_files_of_every_type_read_as_parquet_does(catalog, ask):
    known = uuid.UUID("12345678-1234-5678-9234-567812345678")
    moment = datetime.datetime(2026, 2, 3, 4, 5, 6, 789012)
    values = {
        "b": True, "i": -7, "l": 1 << 60, "f": 1.5, "d": -2.25,
        "day": datetime.date(2026, 2, 3), "t": datetime.time(1, 2, 3, 4), "ts": moment,
        "tz": moment.replace(tzinfo=datetime.timezone.utc), "s": "naïve, longer than twelve bytes",
        "u": known.bytes, "fx": b"abc", "bin": b"\x00\xff", "small": decimal.Decimal("-12.34"),
        "large": decimal.Decimal("12345678901234567890.0123456789"), "list": [1, None, 3],
        "map": {"one": 1, "none": None}, "imap": [{"key": 5, "value": "five"}],
        "row": {"x": 4, "y": "yes"},
    }
    nulls = dict.fromkeys(values)
    table = catalog.create_table("formats.everything", EVERYTHING)
    # fastavro wants whole numbers for logical types that it does not turn into the file's.
    epoch = datetime.datetime(1970, 1, 1)
    micros = (moment - epoch) // datetime.timedelta(microseconds=1)
    stored = {**values, "ts": micros, "tz": micros}
    commit(catalog, table, [avro_file(
        table, everything_avro(table.schema()), [stored, nulls, stored], "everything")])
    plain = catalog.create_table("formats.everything_parquet", EVERYTHING)
    arrow = {**values, "u": known.bytes, "map": list(values["map"].items()), "imap": [(5, "five")]}
    target = plain.schema().as_arrow()
    plain.append(pa.Table.from_pylist([arrow, nulls, arrow], schema=target))
    wanted = ask("SELECT * FROM lakehouse.formats.everything_parquet ORDER BY i")
    assert len(wanted) == 3 and wanted[0]["small"] is not None
    assert ask("SELECT * FROM lakehouse.formats.everything ORDER BY i") == wanted


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_avro_codecs(catalog, ask, codec):
    table = catalog.create_table(f"formats.codec_{codec}", SIMPLE)
    file = avro_file(table, SIMPLE_AVRO, simple(0, 5000), "rows", codec)
    commit(catalog, table, [file])
    assert as_pairs(ask(f"SELECT * FROM lakehouse.formats.codec_{codec}")) == as_pairs(simple(0, 5000))


# Deletes, changes and rewriting.


def test_avro_and_parquet_files_change_and_become_parquet(catalog, ask):
    name = "lakehouse.formats.mixed"
    table = catalog.create_table("formats.mixed", SIMPLE)
    commit(catalog, table, [
        avro_file(table, SIMPLE_AVRO, simple(0, 3000), "first"),
        avro_file(table, SIMPLE_AVRO, simple(3000, 3000), "second")])
    ask(f"INSERT INTO {name} VALUES (9000, 'late')")
    wanted = {row["id"]: row["name"] for row in simple(0, 6000)} | {9000: "late"}

    def check():
        assert as_pairs(ask(f"SELECT * FROM {name}")) == sorted(wanted.items())
        [row] = ask(f"SELECT count(*) AS n, count(name) AS m, max(id) AS top FROM {name} WHERE id < 8000")
        ids = [id for id in wanted if id < 8000]
        assert (row["n"], row["m"], row["top"]) == (
            len(ids), sum(wanted[id] is not None for id in ids), max(ids))

    check()
    ask(f"DELETE FROM {name} WHERE id % 7 = 3")
    wanted = {id: text for id, text in wanted.items() if id % 7 != 3}
    check()
    ask(f"UPDATE {name} SET name = 'even' WHERE id BETWEEN 2990 AND 3010 AND id % 2 = 0")
    wanted.update({id: "even" for id in wanted if 2990 <= id <= 3010 and id % 2 == 0})
    check()
    # The first rows of a wide order are looked up again in their files.
    [row] = ask(f"SELECT id, name FROM {name} ORDER BY id DESC LIMIT 1")
    assert row == {"id": 9000, "name": "late"}
    assert [row["id"] for row in ask(f"SELECT id, name FROM {name} ORDER BY id LIMIT 3")] == [0, 1, 2]
    ask(f"ALTER TABLE {name} EXECUTE optimize")
    check()
    assert ask(f'SELECT DISTINCT file_format FROM lakehouse.formats."mixed$files"') == [
        {"file_format": "PARQUET"}]
    assert sorted(catalog.load_table("formats.mixed").scan().to_arrow()["id"].to_pylist()) == sorted(wanted)


def test_avro_delete_files(catalog, ask):
    table = catalog.create_table("formats.deletes", SIMPLE)
    first = avro_file(table, SIMPLE_AVRO, simple(0, 100), "rows")
    table = commit(catalog, table, [first])
    positions = avro_file(
        table, [field(2147483546, "file_path", "string", True), field(2147483545, "pos", "long", True)],
        [{"file_path": first["file_path"], "pos": n} for n in (0, 10, 99)], "positions")
    equalities = avro_file(table, [field(1, "id", "long")], [{"id": 50}], "equalities")
    commit(catalog, table, [
        {**positions, "content": POSITION_DELETES},
        {**equalities, "content": EQUALITY_DELETES, "equality_ids": [1]}])
    left = [row for row in simple(0, 100) if row["id"] not in (0, 10, 50, 99)]
    assert as_pairs(ask("SELECT * FROM lakehouse.formats.deletes")) == as_pairs(left)


def test_avro_files_of_older_schemas(catalog, ask):
    name = "lakehouse.formats.evolved"
    table = catalog.create_table("formats.evolved", SIMPLE)
    narrow = [field(1, "id", "int"), field(2, "name", "string")]
    commit(catalog, table, [avro_file(table, narrow, simple(0, 4), "old")])
    ask(f"ALTER TABLE {name} RENAME COLUMN name TO title")
    ask(f"ALTER TABLE {name} ADD COLUMN name varchar")
    assert ask(f"SELECT id, title, name FROM {name} WHERE id = 1") == [
        {"id": 1, "title": "n1", "name": None}]


def test_damaged_and_foreign_files_are_named(catalog, ask):
    good = None
    for name, payload, file_format, code, word in [
        ("cut", lambda bytes: bytes[:-20], "AVRO", "ICEBERG_BAD_DATA", "cut.avro"),
        ("none", lambda bytes: b"no avro at all", "AVRO", "ICEBERG_BAD_DATA", "none.avro"),
        ("orc", lambda bytes: b"ORC", "ORC", "NOT_SUPPORTED", "ORC"),
    ]:
        table = catalog.create_table(f"formats.bad_{name}", SIMPLE)
        good = avro_file(table, SIMPLE_AVRO, simple(0, 50), "good")
        with table.io.new_input(good["file_path"]).open() as stream:
            damaged = payload(stream.read())
        path = put(table, f"data/{name}.avro", damaged)
        commit(catalog, table, [{**good, "file_path": path, "file_format": file_format}])
        error = ask(f"SELECT * FROM lakehouse.formats.bad_{name}", code=1)
        assert code in error and word in error, error
    assert good is not None


# Files without field ids.


def test_files_without_ids_are_read_by_the_name_mapping(catalog, ask):
    name = "lakehouse.formats.mapped"
    table = catalog.create_table("formats.mapped", SIMPLE)
    stream = io.BytesIO()
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["a", "b"]}), stream)
    table.add_files([put(table, "data/foreign.parquet", stream.getvalue())])
    assert "schema.name-mapping.default" in catalog.load_table("formats.mapped").properties
    assert as_pairs(ask(f"SELECT * FROM {name}")) == [(1, "a"), (2, "b")]
    ask(f"ALTER TABLE {name} RENAME COLUMN name TO title")
    ask(f"ALTER TABLE {name} ADD COLUMN name varchar")
    ask(f"INSERT INTO {name} VALUES (3, 'c', 'new')")
    wanted = [
        {"id": 1, "title": "a", "name": None}, {"id": 2, "title": "b", "name": None},
        {"id": 3, "title": "c", "name": "new"}]
    assert ask(f"SELECT id, title, name FROM {name} ORDER BY id") == wanted
    assert ask(f"SELECT id FROM {name} WHERE title = 'b'") == [{"id": 2}]
    ask(f"ALTER TABLE {name} EXECUTE optimize")
    assert ask(f"SELECT id, title, name FROM {name} ORDER BY id") == wanted


def test_a_column_that_only_the_partition_has(catalog, ask):
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name"))
    table = catalog.create_table("formats.hive", SIMPLE, partition_spec=spec)
    file = avro_file(table, [field(1, "id", "long")], [{"id": 1}, {"id": 2}], "part")
    commit(catalog, table, [{**file, "partition": {"name": "north"}}],
           partition=[field(1000, "name", "string")])
    assert as_pairs(ask("SELECT * FROM lakehouse.formats.hive WHERE name = 'north'")) == [
        (1, "north"), (2, "north")]


# Version 3.


def lineage(ask, name):
    rows = ask(f'SELECT id, "$row_id" AS row, "$last_updated_sequence_number" AS at FROM {name}')
    return {row["id"]: (row["row"], row["at"]) for row in rows}


def test_rows_keep_their_ids(ask, catalog):
    name = "lakehouse.formats.lineage"
    ask(f"CREATE TABLE {name} (id bigint, name varchar) WITH (format_version = 3)")
    ask(f"INSERT INTO {name} SELECT n, 'a' FROM UNNEST(sequence(0, 9)) AS t (n)")
    ask(f"INSERT INTO {name} SELECT n, 'b' FROM UNNEST(sequence(10, 19)) AS t (n)")
    before = lineage(ask, name)
    assert sorted(row for row, _ in before.values()) == list(range(20))
    assert {at for id, (_, at) in before.items() if id < 10} == {1}
    assert {at for id, (_, at) in before.items() if id >= 10} == {2}

    ask(f"UPDATE {name} SET name = 'c' WHERE id IN (3, 12)")
    ask(f"MERGE INTO {name} t USING (VALUES (4, 'd'), (13, 'd'), (100, 'd')) s (id, name) ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET name = s.name "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)")
    changed = lineage(ask, name)
    added = changed.pop(100)
    assert {id: row for id, (row, _) in changed.items()} == {id: row for id, (row, _) in before.items()}
    assert added[0] not in {row for row, _ in before.values()} and added[1] == 4
    assert {id: at for id, (_, at) in changed.items() if before[id][1] != at} == {3: 3, 12: 3, 4: 4, 13: 4}

    known = lineage(ask, name)
    ask(f"ALTER TABLE {name} EXECUTE optimize")
    assert len(ask('SELECT 1 AS one FROM lakehouse.formats."lineage$files"')) == 1
    assert lineage(ask, name) == known
    # Again from files that keep the ids themselves.
    ask(f"DELETE FROM {name} WHERE id = 5")
    ask(f"UPDATE {name} SET name = 'e' WHERE id = 6")
    del known[5]
    last = lineage(ask, name)
    assert last.pop(6)[0] == known.pop(6)[0]
    assert last == known
    ask(f"ALTER TABLE {name} EXECUTE optimize")
    assert {id: row for id, (row, _) in lineage(ask, name).items() if id != 6} == {
        id: row for id, (row, _) in known.items()}
    # Readers that know nothing of it see the rows.
    assert catalog.load_table("formats.lineage").scan().to_arrow().num_rows == 20


def test_conditions_on_row_ids(ask):
    name = "lakehouse.formats.conditions"
    ask(f"CREATE TABLE {name} (id bigint) WITH (format_version = 3)")
    ask(f"INSERT INTO {name} SELECT n FROM UNNEST(sequence(0, 99)) AS t (n)")
    ask(f"UPDATE {name} SET id = id + 1000 WHERE id >= 90")
    assert ask(f'SELECT id FROM {name} WHERE "$row_id" = 95') == [{"id": 1095}]
    rows = ask(f'SELECT count(*) AS n FROM {name} WHERE "$last_updated_sequence_number" = 2')
    assert rows == [{"n": 10}]
    rows = ask(f'SELECT "$row_id" AS row FROM {name} ORDER BY "$row_id" DESC LIMIT 2')
    assert [row["row"] for row in rows] == [99, 98]


def test_nanoseconds_are_kept_in_version_3(ask, catalog):
    name = "lakehouse.formats.nanos"
    ask(f"CREATE TABLE {name} (id bigint, at timestamp(9), zoned timestamp(9) with time zone) "
        "WITH (format_version = 3)")
    ask(f"INSERT INTO {name} VALUES "
        "(1, timestamp '2026-01-02 03:04:05.123456789', timestamp '2026-01-02 03:04:05.987654321 UTC'), "
        "(2, timestamp '1969-12-31 23:59:59.999999999', timestamp '1969-12-31 23:59:59.000000001 UTC'), "
        "(3, NULL, NULL)")
    rows = ask(f"SELECT id, cast(at AS varchar) AS at, cast(zoned AS varchar) AS zoned FROM {name} ORDER BY id")
    assert [(row["at"], row["zoned"]) for row in rows] == [
        ("2026-01-02 03:04:05.123456789", "2026-01-02 03:04:05.987654321 UTC"),
        ("1969-12-31 23:59:59.999999999", "1969-12-31 23:59:59.000000001 UTC"), (None, None)]
    found = ask(f"SELECT id FROM {name} WHERE at = timestamp '2026-01-02 03:04:05.123456789'")
    assert found == [{"id": 1}]
    found = ask(f"SELECT id FROM {name} WHERE at > timestamp '2026-01-02 03:04:05.123456788'")
    assert found == [{"id": 1}]
    assert ask(f"SELECT id FROM {name} WHERE at < timestamp '1970-01-01 00:00:00'") == [{"id": 2}]
    kinds = [str(each.field_type) for each in catalog.load_table("formats.nanos").schema().fields]
    assert kinds == ["long", "timestamp_ns", "timestamptz_ns"]
    ask(f"CREATE TABLE {name}_copy WITH (format_version = 3) AS SELECT * FROM {name}")
    assert ask(f"SELECT count(*) AS n FROM {name} a JOIN {name}_copy b ON a.at = b.at "
               "AND a.zoned = b.zoned") == [{"n": 2}]
    # In version 2 there are six digits.
    ask(f"CREATE TABLE {name}_two AS SELECT id, at FROM {name}")
    [row] = ask(f"SELECT typeof(at) AS kind FROM {name}_two WHERE id = 1")
    assert row == {"kind": "timestamp(6)"}
