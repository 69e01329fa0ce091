"""Equality deletes and deletion vectors that other engines write, read by `lakehouse sql`.

Nothing that pip installs writes them: the files are pyarrow's, the manifests made by hand. What must
be left is worked out here, row by row, from the specification's rules. `LAKEHOUSE_LONG=1` draws more.
"""

import datetime
import decimal
import io
import json
import os
import random
import struct
import uuid
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from iceberg_manifests import DATA, EQUALITY_DELETES, POSITION_DELETES, commit, field, put
from pyiceberg.catalog import load_catalog
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType

LONG = os.environ.get("LAKEHOUSE_LONG") == "1"
D = decimal.Decimal
UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def catalog(appliance):
    known = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    known.create_namespace("deletes")
    return known


@pytest.fixture
def ask(appliance):
    """Rows of a statement, as the JSON lines have them."""

    def run(text, code=0, **options):
        done = appliance.command("sql", "--json", "-c", text, code=code, **options)
        if code:
            return done.stderr
        # Statements that change something say how many rows, which is no JSON.
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


def parquet(table, columns, name):
    """A Parquet file of a table's columns, with their field ids; its path, rows and size."""
    schema = table.schema()
    arrow = pa.table(columns)
    ids = [schema.find_field(column).field_id for column in arrow.column_names]
    return file_of(table, arrow, ids, name)


def file_of(table, arrow, ids, name):
    fields = [
        each.with_metadata({"PARQUET:field_id": str(id)}) for each, id in zip(arrow.schema, ids)
    ]
    stream = io.BytesIO()
    pq.write_table(arrow.cast(pa.schema(fields)), stream)
    payload = stream.getvalue()
    return {
        "file_path": put(table, f"data/{name}.parquet", payload), "file_format": "PARQUET",
        "record_count": arrow.num_rows, "file_size_in_bytes": len(payload)}


def equality(table, columns, name, ids=None, **more):
    file = parquet(table, columns, name) if ids is None else file_of(table, pa.table(columns), ids, name)
    schema = table.schema()
    ids = ids or [schema.find_field(column).field_id for column in columns]
    return {"content": EQUALITY_DELETES, "equality_ids": ids, **file, **more}


def create(catalog, name, schema, **options):
    return catalog.create_table(
        ("deletes", name), schema=schema, properties={"format-version": "2"}, **options)


IDS = pa.schema([("id", pa.int64()), ("name", pa.string()), ("region", pa.string())])


def people(first, count, region="north"):
    return pa.table(
        {"id": list(range(first, first + count)),
         "name": [f"name {i % 5}" for i in range(first, first + count)], "region": [region] * count},
        schema=IDS)


def ids_of(rows):
    return sorted(row["id"] for row in rows)


def test_older_rows_go_and_newer_ones_stay(catalog, ask):
    table = create(catalog, "ages", IDS)
    table.append(people(0, 10))
    before = table.current_snapshot().snapshot_id
    # Rows of the same commit have the same sequence number and stay.
    same = parquet(table, people(3, 1).to_pydict(), "same")
    table = commit(
        catalog, table,
        [equality(table, {"id": pa.array([3, 4, 99], pa.int64())}, "d1"), {"content": DATA, **same}])
    assert ids_of(ask("select id from lakehouse.deletes.ages")) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    table.append(people(4, 1))
    assert ids_of(ask("select id from lakehouse.deletes.ages")) == list(range(10))
    table = commit(catalog, table, [equality(table, {"id": pa.array([4], pa.int64())}, "d2")])
    assert ids_of(ask("select id from lakehouse.deletes.ages")) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert len(ask(f"select * from lakehouse.deletes.ages for version as of {before}")) == 10


def test_every_way_of_asking(catalog, ask):
    """Columns that the query does not name are compared all the same."""
    table = create(catalog, "ways", IDS)
    for part in range(4):
        table.append(people(part * 1000, 1000))
    gone = list(range(500, 3500, 7))
    commit(catalog, table, [equality(table, {"id": pa.array(gone, pa.int64())}, "d")])
    left = 4000 - len(gone)
    one = lambda text: list(ask(text)[0].values())[0]
    assert one("select count(*) from lakehouse.deletes.ways") == left
    assert one("select count(name) from lakehouse.deletes.ways") == left
    assert one("select sum(id) from lakehouse.deletes.ways") == sum(range(4000)) - sum(gone)
    assert one("select count(*) from lakehouse.deletes.ways where name = 'name 3'") == len(
        [i for i in range(4000) if i % 5 == 3 and i not in set(gone)])
    assert ask("select id from lakehouse.deletes.ways where id = 500") == []
    assert ids_of(ask("select id from lakehouse.deletes.ways where id between 498 and 502")) == [
        498, 499, 501, 502]
    assert one(
        "select count(*) from lakehouse.deletes.ways a join lakehouse.deletes.ways b on a.id = b.id"
    ) == left
    assert one("select max(id) from (select id from lakehouse.deletes.ways order by id limit 510)") == max(
        sorted(set(range(4000)) - set(gone))[:510])


def test_nulls_equal_nulls(catalog, ask):
    schema = pa.schema([("id", pa.int64()), ("a", pa.int32()), ("b", pa.string())])
    table = create(catalog, "nulls", schema)
    rows = [(1, None, "x"), (2, 1, None), (3, None, None), (4, 1, "x"), (5, None, "x"), (6, 0, "")]
    table.append(pa.table({n: [r[i] for r in rows] for i, n in enumerate(schema.names)}, schema=schema))
    table = commit(catalog, table, [equality(
        table, {"a": pa.array([None, None, 7], pa.int32()), "b": pa.array(["x", None, "x"])}, "d")])
    assert ids_of(ask("select id from lakehouse.deletes.nulls")) == [2, 4, 6]
    table = commit(catalog, table, [equality(table, {"b": pa.array([None, ""], pa.string())}, "e")])
    assert ids_of(ask("select id from lakehouse.deletes.nulls")) == [4]


def test_several_sets_of_columns_at_once(catalog, ask):
    table = create(catalog, "sets", IDS)
    table.append(people(0, 20))
    table = commit(catalog, table, [
        equality(table, {"id": pa.array([1, 2], pa.int64())}, "by_id"),
        equality(table, {"name": pa.array(["name 4"])}, "by_name"),
        equality(table, {"name": pa.array(["name 3"]), "id": pa.array([13], pa.int64())}, "by_both"),
        equality(table, {"id": pa.array([19], pa.int64()), "name": pa.array(["name 0"])}, "no_match"),
    ])
    left = [i for i in range(20) if i not in (1, 2, 13) and i % 5 != 4]
    assert ids_of(ask("select id from lakehouse.deletes.sets")) == left
    # Position deletes of our own beside them.
    ask("delete from lakehouse.deletes.sets where id = 0")
    assert ids_of(ask("select id from lakehouse.deletes.sets")) == left[1:]
    ask("update lakehouse.deletes.sets set name = 'new' where id > 10")
    assert ids_of(ask("select id from lakehouse.deletes.sets where name = 'new'")) == [
        i for i in left if i > 10]
    assert ids_of(ask("select id from lakehouse.deletes.sets")) == left[1:]
    ask("alter table lakehouse.deletes.sets execute optimize")
    assert ids_of(ask("select id from lakehouse.deletes.sets")) == left[1:]


VALUES = {
    "boolean": (pa.bool_(), [True, False, None]),
    "int": (pa.int32(), [0, -1, 2**31 - 1, None]),
    "long": (pa.int64(), [0, -(2**63), 2**63 - 1, None]),
    "float": (pa.float32(), [0.5, -0.0, 0.0, float("nan"), float("inf"), None]),
    "double": (pa.float64(), [0.1, -0.0, 0.0, float("nan"), float("-inf"), None]),
    "date": (pa.date32(), [datetime.date(1, 1, 1), datetime.date(2026, 11, 21), None]),
    "time": (pa.time64("us"), [datetime.time(0), datetime.time(23, 59, 59, 999999), None]),
    "timestamp": (pa.timestamp("us"), [datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(2026, 1, 1), None]),
    "timestamptz": (pa.timestamp("us", "UTC"), [datetime.datetime(1960, 1, 1, 0, 0, 0, 1, UTC), datetime.datetime(2026, 1, 1, tzinfo=UTC), None]),
    "string": (pa.string(), ["", "short", "twelve bytes", "thirteen byte", "x" * 1000, "Grüße", None]),
    "binary": (pa.binary(), [b"", b"\0", b"\0\0", b"a" * 40, None]),
    "decimal9": (pa.decimal128(9, 2), [D("0.00"), D("-1.23"), D("9999999.99"), None]),
    "decimal18": (pa.decimal128(18, 4), [D("0.0001"), D("-99999999999999.9999"), None]),
    "decimal38": (pa.decimal128(38, 0), [D(10) ** 37, D(-1), None]),
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_every_type(catalog, ask, kind):
    """Each value deletes its own row and no other."""
    type, values = VALUES[kind]
    schema = pa.schema([("id", pa.int64()), ("v", type)])
    table = create(catalog, f"type_{kind}", schema)
    table.append(pa.table({"id": range(len(values)), "v": pa.array(values, type)}, schema=schema))
    for number, value in enumerate(values):
        table = commit(catalog, table, [equality(table, {"v": pa.array([value], type)}, f"d{number}")])
        assert ids_of(ask(f"select id from lakehouse.deletes.type_{kind}")) == list(
            range(number + 1, len(values))), value


def test_deletes_stay_in_their_partition(catalog, ask):
    table = create(catalog, "parts", IDS)
    with table.update_spec() as update:
        update.add_field("region", IdentityTransform(), "region")
    table = catalog.load_table(("deletes", "parts"))
    table.append(pa.concat_tables([people(0, 5, "north"), people(0, 5, "south")]))
    region = field(1000, "region", "string")
    table = commit(
        catalog, table,
        [equality(table, {"id": pa.array([1, 2], pa.int64())}, "d", partition={"region": "north"})],
        partition=[region])
    left = ask("select id, region from lakehouse.deletes.parts")
    assert sorted((row["region"], row["id"]) for row in left) == [
        ("north", 0), ("north", 3), ("north", 4)] + [("south", i) for i in range(5)]
    # A file of the unpartitioned spec is about all partitions.
    table = commit(
        catalog, table, [equality(table, {"id": pa.array([0, 4], pa.int64())}, "global")], spec_id=0)
    left = ask("select id, region from lakehouse.deletes.parts")
    assert sorted((row["region"], row["id"]) for row in left) == [("north", 3)] + [
        ("south", i) for i in (1, 2, 3)]


def test_renamed_dropped_added_and_promoted_columns(catalog, ask):
    schema = pa.schema([("id", pa.int64()), ("code", pa.int32()), ("word", pa.string())])
    table = create(catalog, "evolved", schema)
    table.append(pa.table({"id": range(6), "code": range(6), "word": [f"w{i}" for i in range(6)]}, schema=schema))
    code, word = (table.schema().find_field(name).field_id for name in ("code", "word"))
    table = commit(catalog, table, [
        equality(table, {"code": pa.array([1], pa.int32())}, "d1"),
        equality(table, {"word": pa.array(["w2"])}, "d2")])
    with table.update_schema() as update:
        update.rename_column("code", "number")
    with catalog.load_table(table.name()).update_schema() as update:
        update.update_column("number", LongType())
    with catalog.load_table(table.name()).update_schema() as update:
        update.delete_column("word")
    with catalog.load_table(table.name()).update_schema(allow_incompatible_changes=True) as update:
        update.add_column("word", LongType())
    assert ids_of(ask("select id, number, word from lakehouse.deletes.evolved")) == [0, 3, 4, 5]
    # Wider values in the delete file, narrower ones in the data file.
    table = catalog.load_table(table.name())
    added = table.schema().find_field("word").field_id
    table = commit(catalog, table, [
        equality(table, {"number": pa.array([3], pa.int64())}, "d3", ids=[code]),
        # The dropped column, by its id.
        equality(table, {"was": pa.array(["w4"])}, "d4", ids=[word])])
    assert ids_of(ask("select * from lakehouse.deletes.evolved")) == [0, 5]
    # The added column is NULL in files that lack it.
    table = commit(catalog, table, [equality(table, {"word": pa.array([None], pa.int64())}, "d5", ids=[added])])
    assert ask("select * from lakehouse.deletes.evolved") == []


@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_random_histories(catalog, ask, seed):
    """Appends and deletes by changing columns, against a model."""
    chance = random.Random(seed)
    schema = pa.schema([("id", pa.int64()), ("a", pa.int32()), ("b", pa.string())])
    table = create(catalog, f"random_{seed}", schema)
    live, next_id = [], 0
    value_of = {"id": lambda: chance.randint(0, 400), "a": lambda: chance.choice([None, 1, 2, 3, 4, 5]),
                "b": lambda: chance.choice([None, "", "x", "a long text of over twelve bytes", "y"])}
    kinds = {"id": pa.int64(), "a": pa.int32(), "b": pa.string()}
    for step in range(8):
        if step == 0 or chance.random() < 0.5:
            rows = [{"id": next_id + i, "a": value_of["a"](), "b": value_of["b"]()} for i in range(150)]
            next_id += 150
            live += rows
            table = catalog.load_table(table.name())
            table.append(pa.Table.from_pylist(rows, schema=schema))
        else:
            columns = chance.sample(["id", "a", "b"], chance.randint(1, 3))
            if columns in (["a"], ["b"]):
                columns = ["a", "b"]
            keys = [[value_of[c]() for c in columns] for _ in range(chance.choice([1, 5, 40]))]
            file = equality(
                table, {c: pa.array([key[i] for key in keys], kinds[c]) for i, c in enumerate(columns)},
                f"d{step}")
            table = commit(catalog, table, [file])
            live = [row for row in live if [row[c] for c in columns] not in keys]
        ours = ask(f"select * from lakehouse.deletes.random_{seed}")
        assert sorted(ours, key=lambda row: row["id"]) == live


def test_what_cannot_be_read_says_so(catalog, ask):
    # Each file is in the table's own folder, as a file that is to be read has to be.
    for name, code, word in [
        ("bad", "ICEBERG_BAD_DATA", "bad.parquet"), ("orc", "NOT_SUPPORTED", "ORC"),
        ("nameless", "ICEBERG_BAD_DATA", "names no columns"), ("rows", "NOT_SUPPORTED", "ORC"),
    ]:
        table = create(catalog, f"damaged_{name}", IDS)
        table.append(people(0, 3))
        good = equality(table, {"id": pa.array([1], pa.int64())}, "good")
        file = {
            "bad": lambda: {
                "file_path": put(table, "data/bad.parquet", b"PAR1 this is no file PAR1")},
            "orc": lambda: {"file_format": "ORC"}, "nameless": lambda: {"equality_ids": []},
            "rows": lambda: {"file_format": "ORC", "content": DATA, "equality_ids": None},
        }[name]()
        commit(catalog, table, [{**good, **file}])
        error = ask(f"select * from lakehouse.deletes.damaged_{name}", code=1)
        assert code in error and word in error, error


# Deletion vectors: version 3.


def roaring(values):
    """The portable form of a 32-bit bitmap: arrays, bitmaps and runs, whichever fits."""
    groups = {}
    for value in sorted(values):
        groups.setdefault(value >> 16, []).append(value & 0xFFFF)
    runs = {key: run_pairs(low) for key, low in groups.items()}
    as_run = {key: len(pairs) * 4 + 2 < min(8192, 2 * len(groups[key])) for key, pairs in runs.items()}
    if any(as_run.values()):
        flags = bytearray((len(groups) + 7) // 8)
        for index, key in enumerate(groups):
            flags[index // 8] |= as_run[key] << (index % 8)
        head = struct.pack("<I", 12347 | (len(groups) - 1) << 16) + bytes(flags)
        offsets = len(groups) >= 4
    else:
        head, offsets = struct.pack("<II", 12346, len(groups)), True
    head += b"".join(struct.pack("<HH", key, len(low) - 1) for key, low in groups.items())
    bodies = []
    for key, low in groups.items():
        if as_run[key]:
            pairs = runs[key]
            bodies.append(struct.pack("<H", len(pairs)) + b"".join(struct.pack("<HH", *pair) for pair in pairs))
        elif len(low) > 4096:
            bits = bytearray(8192)
            for value in low:
                bits[value >> 3] |= 1 << (value & 7)
            bodies.append(bytes(bits))
        else:
            bodies.append(struct.pack(f"<{len(low)}H", *low))
    if offsets:
        start = len(head) + 4 * len(groups)
        for body in bodies:
            head += struct.pack("<I", start)
            start += len(body)
    return head + b"".join(bodies)


def run_pairs(low):
    pairs = []
    for value in low:
        if pairs and value == pairs[-1][0] + pairs[-1][1] + 1:
            pairs[-1][1] += 1
        else:
            pairs.append([value, 0])
    return pairs


def vector(positions):
    """The blob of a deletion vector. Source: Puffin specification, "deletion-vector-v1"."""
    body = b"\xd1\xd3\x39\x64" + struct.pack("<QI", 1, 0) + roaring(positions)
    return struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))


def puffin(table, name, blob, data_file, count):
    """A Puffin file with one blob behind its magic; the entry of the manifest."""
    footer = json.dumps({"blobs": [{
        "type": "deletion-vector-v1", "fields": [2147483645], "snapshot-id": -1, "sequence-number": -1,
        "offset": 4, "length": len(blob),
        "properties": {"referenced-data-file": data_file, "cardinality": str(count)}}]}).encode()
    payload = b"PFA1" + blob + b"PFA1" + footer + struct.pack("<II", len(footer), 0) + b"PFA1"
    return {
        "content": POSITION_DELETES, "file_path": put(table, f"data/{name}.puffin", payload),
        "file_format": "PUFFIN", "record_count": count, "file_size_in_bytes": len(payload),
        "referenced_data_file": data_file, "content_offset": 4, "content_size_in_bytes": len(blob)}


def version_three(catalog, ask, name, rows):
    ask(f"create table lakehouse.deletes.{name} with (format_version = 3) as "
        f"select n as id from unnest(sequence(0, {rows - 1})) as t(n)")
    return catalog.load_table(("deletes", name))


def data_files(ask, name):
    """Paths and row counts of a table's data files."""
    return [(row["path"], row["n"]) for row in ask(
        f'select "$path" as path, count(*) as n from lakehouse.deletes.{name} group by 1')]


@pytest.mark.parametrize("name,positions", [
    ("few", [0, 5, 199_999]), ("dense", range(0, 150_000, 2)), ("runs", range(60_000, 140_000)),
    ("mixed", [*range(10), *range(70_000, 72_000, 3), *range(131_072, 199_000)]), ("all", range(200_000)),
])
def test_deletion_vectors(catalog, ask, name, positions):
    rows = 200_000
    table = version_three(catalog, ask, f"vector_{name}", rows // 20)
    ask(f"insert into lakehouse.deletes.vector_{name} "
        f"select {rows // 20} + a * 10000 + b from unnest(sequence(0, {rows // 10000 - 1})) as t(a) "
        "cross join unnest(sequence(0, 9999)) as u(b)")
    files = data_files(ask, f"vector_{name}")
    path = max(files, key=lambda file: file[1])[0]
    where = f'from lakehouse.deletes.vector_{name} where "$path" = \'{path}\''
    offset = ask(f'select count(*) as n, min(id - "$pos") as low, max(id - "$pos") as high {where}')[0]
    assert offset["n"] == rows
    if offset["low"] == offset["high"]:
        at = range(offset["low"], offset["low"] + rows)
    else:
        # Two threads wrote the rows in another order.
        at = {row["p"]: row["id"] for row in ask(f'select "$pos" as p, id {where}')}
    table = catalog.load_table(table.name())
    commit(catalog, table, [puffin(table, "v", vector(positions), path, len(positions))])
    gone = {at[position] for position in positions}
    found = ask(f"select count(*) as n, sum(id) as s from lakehouse.deletes.vector_{name}")[0]
    left = [i for i in range(rows + rows // 20) if i not in gone]
    assert found == {"n": len(left), "s": sum(left)}


def test_damaged_deletion_vectors(catalog, ask):
    table = version_three(catalog, ask, "vector_damaged", 100)
    path = data_files(ask, "vector_damaged")[0][0]
    good = vector([1, 2, 3])
    flipped = good[:-6] + bytes([good[-6] ^ 1]) + good[-5:]
    behind = vector([1, 100])
    # A length that claims the world, with a sum that is right.
    body = b"\xd1\xd3\x39\x64" + struct.pack("<QI", 2**60, 0) + roaring([1])
    many = struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))
    for number, blob in enumerate([flipped, behind, many, good[:20], b"\0" * 30]):
        name = f"vector_damaged_{number}"
        table = version_three(catalog, ask, name, 100)
        path = data_files(ask, name)[0][0]
        commit(catalog, table, [puffin(table, "v", blob, path, 3)])
        error = ask(f"select * from lakehouse.deletes.{name}", code=1)
        assert "ICEBERG_BAD_DATA" in error and "v.puffin" in error, error
