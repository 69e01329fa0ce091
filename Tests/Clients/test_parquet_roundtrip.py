"""Parquet files of other writers, read by `lakehouse sql`, and files of ours, read by other engines.

Values are compared exactly, one JSON line a row. `LAKEHOUSE_LONG=1` takes every codec with every encoding,
draws more random data and does more damage; without it each codec and each encoding has its turn.
"""

import base64
import datetime
import decimal
import json
import math
import os
import random
import struct
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from appliance import lakehouse
from pyiceberg.catalog import load_catalog

LONG = os.environ.get("LAKEHOUSE_LONG") == "1"
D = decimal.Decimal
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1)
CODECS = ["none", "snappy", "zstd", "gzip", "lz4_raw", "brotli"]


# How `sql --json` writes a value.


def instant(value, unit):
    """A timestamp given as a count of `unit` since 1970, with as many digits as the unit has."""
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds, fraction = divmod(value, scale)
    text = str(EPOCH + datetime.timedelta(seconds=seconds))
    digits = {"s": 3, "ms": 3, "us": 6, "ns": 9}[unit]
    if unit == "s":
        fraction = 0
    return f"{text}.{fraction:0{digits}d}"


def clock(value, unit):
    scale = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds, fraction = divmod(value, scale)
    digits = {"ms": 3, "us": 6, "ns": 9}[unit]
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:0{digits}d}"


def shown(value, kind):
    """A pyarrow scalar of type `kind` as the JSON line has it."""
    if value is None or not value.is_valid:
        return None
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return str(uuid.UUID(bytes=value.value.as_py()))
    if types.is_timestamp(kind):
        text = instant(value.value, kind.unit)
        return text + " UTC" if kind.tz else text
    if types.is_time(kind):
        return clock(value.value, kind.unit)
    if types.is_date(kind):
        return value.as_py().isoformat()
    if types.is_decimal(kind):
        return f"{value.as_py():f}"
    if types.is_uint64(kind):
        return str(value.as_py())
    if types.is_floating(kind):
        number = value.as_py()
        if math.isnan(number):
            return "NaN"
        if math.isinf(number):
            return "Infinity" if number > 0 else "-Infinity"
        return ("real", struct.pack("<f", number)) if kind != pa.float64() else number
    if types.is_binary(kind) or types.is_fixed_size_binary(kind) or types.is_large_binary(kind):
        return base64.b64encode(value.as_py()).decode()
    if types.is_map(kind):
        entries = value.values
        keys, items = entries.field(0), entries.field(1)
        return {
            key_text(shown(keys[i], kind.key_type)): shown(items[i], kind.item_type)
            for i in range(len(keys))
        }
    if types.is_list(kind) or types.is_large_list(kind):
        return [shown(element, kind.value_type) for element in value.values]
    if types.is_struct(kind):
        return [shown(value[i], kind.field(i).type) for i in range(kind.num_fields)]
    return value.as_py()


def key_text(key):
    return key if isinstance(key, str) else json.dumps(key)


def same(ours, theirs):
    if isinstance(theirs, tuple):
        return isinstance(ours, (int, float)) and struct.pack("<f", ours) == theirs[1]
    if isinstance(theirs, float):
        return isinstance(ours, (int, float)) and struct.pack("<d", ours) == struct.pack("<d", theirs)
    if isinstance(theirs, list):
        return (
            isinstance(ours, list)
            and len(ours) == len(theirs)
            and all(same(a, b) for a, b in zip(ours, theirs))
        )
    if isinstance(theirs, dict):
        return (
            isinstance(ours, dict)
            and ours.keys() == theirs.keys()
            and all(same(ours[key], theirs[key]) for key in theirs)
        )
    return type(ours) is type(theirs) and ours == theirs


def read_by_us(path, query=None, **options):
    # One thread takes the row groups in their order.
    words = ["--json", "--threads", "1", "-c", query or f"select * from {path.stem}"]
    done = lakehouse("sql", *words, path, **options)
    return [json.loads(line) for line in done.stdout.splitlines()]


EXPECTED = {}


def expected(table):
    """The columns as JSON has them; worked out once for the tables that many tests use."""
    if id(table) not in EXPECTED:
        # The table is kept, so that its identity stays its own.
        EXPECTED[id(table)] = (table, {
            name: [shown(value, table[name].type) for value in table[name]]
            for name in table.column_names
        })
    return EXPECTED[id(table)][1]


def check(path, table):
    """Our answer for a file is the table."""
    ours = read_by_us(path)
    assert len(ours) == table.num_rows
    for name, column in expected(table).items():
        for row, wanted in enumerate(column):
            assert same(ours[row][name], wanted), (
                f"{path.name}, column {name} ({table[name].type}), row {row}: "
                f"{ours[row][name]!r}, wanted {wanted!r}"
            )


# Columns, by the encodings that they can have.


def with_nulls(values, seed):
    chance = random.Random(seed)
    return [None if chance.random() < 0.15 else value for value in values]


def integers(kind, count, seed):
    low, high = {
        "int8": (-(2**7), 2**7 - 1), "int16": (-(2**15), 2**15 - 1), "int32": (-(2**31), 2**31 - 1),
        "int64": (-(2**63), 2**63 - 1), "uint8": (0, 2**8 - 1), "uint16": (0, 2**16 - 1),
        "uint32": (0, 2**32 - 1), "uint64": (0, 2**64 - 1),
    }[kind]
    chance = random.Random(seed)
    edges = [low, high, 0, 1, max(low, -1)]
    return edges + [chance.randint(low, high) if i % 3 else i % 100 for i in range(count - 5)]


def digits(precision, scale, count, seed):
    chance = random.Random(seed)
    limit = 10**precision - 1
    edges = [limit, -limit, 0, 1, -1]
    numbers = edges + [chance.randint(-limit, limit) for _ in range(count - 5)]
    with decimal.localcontext(decimal.Context(prec=60)):
        return [D(number).scaleb(-scale) for number in numbers]


TEXTS = ["", "a", "Grüße", "日本語", "🦆" * 5, "x" * 300, "line\nbreak", '"quoted", ', "prefix-1",
         "prefix-12", "prefix-123", "\u0000nul", "twelve bytes", "thirteen byte"]


def texts(count, seed):
    chance = random.Random(seed)
    return TEXTS + [
        chance.choice(TEXTS) + str(chance.randint(0, 10**9)) for _ in range(count - len(TEXTS))
    ]


def sample(count=800, seed=1):
    """A table with a column of every flat type."""
    chance = random.Random(seed)
    day = lambda: datetime.date(1, 1, 1) + datetime.timedelta(days=chance.randint(0, 3_652_058))
    columns = {
        kind: pa.array(with_nulls(integers(kind, count, seed), seed), getattr(pa, kind)())
        for kind in "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
    }
    columns["required"] = pa.array(range(-50, count - 50), pa.int64())
    columns["constant"] = pa.array([7] * count, pa.int32())
    columns["all_null"] = pa.array([None] * count, pa.int32())
    floats = [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1]
    many = floats + [chance.uniform(-1e9, 1e9) for _ in range(count - len(floats))]
    columns["float64"] = pa.array(with_nulls(many, seed), pa.float64())
    single = [struct.unpack("<f", struct.pack("<f", n if abs(n) < 3e38 or not math.isfinite(n) else 1))[0] for n in many]
    columns["float32"] = pa.array(with_nulls(single, seed), pa.float32())
    columns["float16"] = pa.array(with_nulls([0.5, -2.0, 65504.0, 0.0] * (count // 4), seed), pa.float16())
    for precision, scale in [(9, 2), (18, 4), (38, 10), (1, 0), (38, 38), (19, 0)]:
        columns[f"decimal_{precision}_{scale}"] = pa.array(
            with_nulls(digits(precision, scale, count, seed), seed), pa.decimal128(precision, scale)
        )
    columns["boolean"] = pa.array(with_nulls([chance.random() < 0.4 for _ in range(count)], seed))
    columns["flag"] = pa.array([i % 500 < 400 for i in range(count)])
    columns["date"] = pa.array(with_nulls([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)] + [day() for _ in range(count - 2)], seed))
    for unit, scale in [("ms", 10**3), ("us", 10**6), ("ns", 10**9)]:
        wide = 250_000_000_000 if unit != "ns" else 9_000_000_000
        low = 62_000_000_000 if unit != "ns" else wide
        counts = [0, -1, 1] + [chance.randint(-low * scale, wide * scale) for _ in range(count - 3)]
        columns[f"timestamp_{unit}"] = pa.array(with_nulls(counts, seed), pa.timestamp(unit))
        columns[f"zoned_{unit}"] = pa.array(with_nulls(counts, seed), pa.timestamp(unit, "UTC"))
        times = [0, 86_400 * scale - 1] + [chance.randint(0, 86_400 * scale - 1) for _ in range(count - 2)]
        kind = pa.time32(unit) if unit == "ms" else pa.time64(unit)
        columns[f"time_{unit}"] = pa.array(with_nulls(times, seed), kind)
    columns["uuid"] = pa.array(
        with_nulls([chance.randbytes(16) for _ in range(count)], seed), pa.uuid())
    columns["string"] = pa.array(with_nulls(texts(count, seed), seed), pa.string())
    columns["low"] = pa.array(with_nulls([TEXTS[i % 7] for i in range(count)], seed), pa.string())
    columns["binary"] = pa.array(
        with_nulls([chance.randbytes(chance.choice([0, 1, 12, 13, 200])) for _ in range(count)], seed),
        pa.binary())
    columns["fixed"] = pa.array(with_nulls([chance.randbytes(5) for _ in range(count)], seed), pa.binary(5))
    return pa.table(columns)


def nested(count=500, seed=2):
    """Lists, structs and maps with NULLs and empties at every level."""
    chance = random.Random(seed)
    maybe = lambda make: None if chance.random() < 0.2 else make()
    many = lambda make: [maybe(make) for _ in range(chance.choice([0, 0, 1, 2, 5]))]
    number = lambda: chance.randint(-(10**6), 10**6)
    text = lambda: chance.choice(TEXTS)
    entry = lambda: {"x": maybe(number), "y": maybe(text)}
    keys = lambda: chance.sample(["k1", "k2", "", "ü", "long key beyond the inline size"], chance.randint(0, 5))
    kinds = {
        "numbers": (pa.list_(pa.int64()), lambda: many(number)),
        "strings": (pa.list_(pa.string()), lambda: many(text)),
        "deep": (pa.list_(pa.list_(pa.list_(pa.int32()))), lambda: many(lambda: many(lambda: many(number)))),
        "pair": (pa.struct([("x", pa.int64()), ("y", pa.string())]), entry),
        "pairs": (pa.list_(pa.struct([("x", pa.int64()), ("y", pa.string())])), lambda: many(entry)),
        "inner": (
            pa.struct([("l", pa.list_(pa.float64())), ("s", pa.struct([("x", pa.int64()), ("y", pa.string())]))]),
            lambda: {"l": maybe(lambda: many(lambda: number() / 8)), "s": maybe(entry)}),
        "map": (pa.map_(pa.string(), pa.int32()), lambda: [(key, maybe(number)) for key in keys()]),
        "map_of_lists": (
            pa.map_(pa.string(), pa.list_(pa.decimal128(20, 3))),
            lambda: [(key, maybe(lambda: many(lambda: D(number()).scaleb(-3)))) for key in keys()]),
        "maps": (
            pa.list_(pa.map_(pa.string(), pa.struct([("x", pa.int64()), ("y", pa.string())]))),
            lambda: many(lambda: [(key, maybe(entry)) for key in keys()])),
        "flags": (pa.list_(pa.bool_()), lambda: many(lambda: chance.random() < 0.5)),
        "days": (pa.list_(pa.date32()), lambda: many(lambda: datetime.date(2000, 1, 1) + datetime.timedelta(days=number() % 9999))),
    }
    return pa.table(
        {"id": pa.array(range(count))}
        | {name: pa.array([maybe(make) for _ in range(count)], kind) for name, (kind, make) in kinds.items()}
    )


def takes(kind):
    """The encodings of pyarrow's writer that a type can have, besides dictionaries."""
    types = pa.types
    if types.is_boolean(kind):
        return {"PLAIN", "RLE"}
    if types.is_floating(kind) and kind != pa.float16():
        return {"PLAIN", "BYTE_STREAM_SPLIT"}
    if types.is_integer(kind) or types.is_temporal(kind):
        return {"PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"}
    if types.is_string(kind) or types.is_binary(kind):
        return {"PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"}
    return {"PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"}


FLAT, NESTED = sample(), nested()
ENCODINGS = [
    "DICTIONARY", "PLAIN", "RLE", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
    "BYTE_STREAM_SPLIT",
]


def leaf_encodings(table, path, encoding):
    """For each leaf of a file: the encoding if its type takes it, else PLAIN."""
    pq.write_table(table.slice(0, 0), path)
    schema = pq.ParquetFile(path).schema
    result = {}
    for index in range(len(schema)):
        column = schema.column(index)
        kinds = {
            "BOOLEAN": {"RLE"},
            "FLOAT": {"BYTE_STREAM_SPLIT"},
            "DOUBLE": {"BYTE_STREAM_SPLIT"},
            "INT32": {"DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"},
            "INT64": {"DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"},
            "BYTE_ARRAY": {"DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"},
            "FIXED_LEN_BYTE_ARRAY": {"BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"},
        }[column.physical_type]
        result[column.path] = encoding if encoding in kinds else "PLAIN"
    return result


def arrow_file(table, path, codec, encoding, page_version, **options):
    options = {
        "compression": "lz4" if codec == "lz4_raw" else codec,
        "data_page_version": page_version, "row_group_size": 300, "data_page_size": 700,
        "write_page_index": page_version == "2.0", "version": "2.6", **options,
    }
    if encoding == "DICTIONARY":
        pq.write_table(table, path, use_dictionary=True, **options)
    else:
        pq.write_table(
            table, path, use_dictionary=False,
            column_encoding=leaf_encodings(table, path, encoding), **options)


@pytest.mark.parametrize("page_version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", CODECS)
def test_files_of_pyarrow_read_equal(tmp_path, codec, page_version):
    # Two encodings a codec and page version, so that each encoding is read of three codecs or more.
    turn = CODECS.index(codec) * 2 + (page_version == "2.0") * 3
    chosen = ENCODINGS if LONG else [ENCODINGS[(turn + step) % 7] for step in range(2)]
    for encoding in chosen:
        for name, table in [("flat", FLAT), ("nested", NESTED)]:
            path = tmp_path / f"{name}_{encoding.lower()}.parquet"
            arrow_file(table, path, codec, encoding, page_version)
            check(path, table)


@pytest.mark.parametrize("whole", [False, True])
def test_decimals_of_every_physical_type(tmp_path, whole):
    """Decimals as int32 and int64 (pyarrow's option) and as fixed bytes (its default)."""
    table = FLAT.select([name for name in FLAT.column_names if name.startswith("decimal")])
    path = tmp_path / "decimals.parquet"
    pq.write_table(table, path, store_decimal_as_integer=whole)
    kinds = {pq.ParquetFile(path).schema.column(i).physical_type for i in range(table.num_columns)}
    assert kinds == ({"INT32", "INT64", "FIXED_LEN_BYTE_ARRAY"} if whole else {"FIXED_LEN_BYTE_ARRAY"})
    check(path, table)


def test_old_timestamps_of_96_bits(tmp_path):
    names = ["timestamp_ns"]
    path = tmp_path / "old.parquet"
    pq.write_table(FLAT.select(names), path, use_deprecated_int96_timestamps=True)
    check(path, FLAT.select(names))


@pytest.mark.parametrize("version", ["V1", "V2"])
@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "zstd", "gzip", "lz4_raw", "brotli"])
def test_files_of_duckdb_read_equal(tmp_path, codec, version):
    """What DuckDB writes, compared with what DuckDB reads (pyarrow stumbles over its deltas)."""
    database = duckdb.connect()
    # DuckDB has no type of its own for these.
    plain = FLAT.drop_columns(
        ["float16", "time_ms", "time_ns", "all_null", "fixed", "timestamp_ms", "zoned_ms"])
    database.register("plain", plain)
    database.register("nested", NESTED)
    for limit in ["", ", DICTIONARY_SIZE_LIMIT 1"]:
        for name in ["plain", "nested"]:
            path = tmp_path / f"{name}.parquet"
            database.execute(
                f"COPY {name} TO '{path}' (FORMAT parquet, CODEC '{codec}', ROW_GROUP_SIZE 2048, "
                f"PARQUET_VERSION {version}{limit})")
            check(path, arrow(database.sql(f"SELECT * FROM '{path}'")))


def arrow(relation):
    """A relation of DuckDB as a table with the types of the source."""
    return relation.to_arrow_table()


def test_duckdb_uses_the_newer_encodings(tmp_path):
    """The files above are worth something: version 2 has more than PLAIN and dictionaries."""
    database = duckdb.connect()
    database.register("plain", FLAT.select(["int64", "float64", "string"]))
    path = tmp_path / "plain.parquet"
    database.execute(f"COPY plain TO '{path}' (FORMAT parquet, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1)")
    used = {row[0] for row in database.execute(f"SELECT encodings FROM parquet_metadata('{path}')").fetchall()}
    assert any("DELTA" in text for text in used), used


def test_bloom_filters_of_duckdb_lose_no_row(tmp_path):
    """DuckDB writes bloom filters beside dictionaries; equality asks them before it reads a row."""
    path = tmp_path / "bloom.parquet"
    duckdb.sql(
        "COPY (SELECT 'key number ' || (i % 5000) AS s, (i % 7000) * 7919 AS k FROM range(100000) t(i)) "
        f"TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 25000, DICTIONARY_SIZE_LIMIT 100000)")
    offsets = duckdb.sql(f"SELECT count(bloom_filter_offset) FROM parquet_metadata('{path}')").fetchall()
    assert offsets[0][0] > 0
    for number in range(0, 5000, 617):
        wanted = duckdb.sql(
            f"SELECT count(*) FROM '{path}' WHERE s = 'key number {number}'").fetchall()[0][0]
        ours = read_by_us(path, f"select count(*) as n from bloom where s = 'key number {number}'")
        assert ours == [{"n": wanted}] and wanted == 20
        keys = ", ".join(str((number + each) * 7919) for each in range(3))
        wanted = duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE k IN ({keys})").fetchall()[0][0]
        assert read_by_us(path, f"select count(*) as n from bloom where k in ({keys})") == [{"n": wanted}]
    assert read_by_us(path, "select count(*) as n from bloom where s = 'absent'") == [{"n": 0}]


# Random nested data.


def random_kind(chance, depth=0):
    flat = [
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.bool_(), pa.string(),
        pa.binary(), pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.time64("us"),
        pa.decimal128(7, 2), pa.decimal128(16, 5), pa.decimal128(33, 9), pa.uint32(), pa.uint64(), pa.binary(7),
    ]
    draw = chance.random()
    if depth >= 4 or draw < 0.45:
        return chance.choice(flat)
    if draw < 0.65:
        return pa.list_(random_kind(chance, depth + 1))
    if draw < 0.85:
        return pa.struct([
            pa.field(f"f{i}", random_kind(chance, depth + 1), nullable=chance.random() < 0.8)
            for i in range(chance.randint(1, 4))
        ])
    return pa.map_(chance.choice([pa.string(), pa.int32(), pa.int64()]), random_kind(chance, depth + 1))


def random_value(chance, kind, nullable=True):
    if nullable and chance.random() < 0.15:
        return None
    types = pa.types
    if types.is_map(kind):
        keys = {random_value(chance, kind.key_type, False) for _ in range(chance.choice([0, 1, 3]))}
        return [(key, random_value(chance, kind.item_type)) for key in sorted(keys)]
    if types.is_list(kind):
        return [random_value(chance, kind.value_type) for _ in range(chance.choice([0, 1, 2, 7]))]
    if types.is_struct(kind):
        return {
            kind.field(i).name: random_value(chance, kind.field(i).type, kind.field(i).nullable)
            for i in range(kind.num_fields)
        }
    if types.is_integer(kind):
        return chance.choice(integers(str(kind), 12, chance.randint(0, 99)))
    if types.is_floating(kind):
        number = chance.choice([0.0, -0.0, math.nan, math.inf, 1.5, chance.uniform(-1e6, 1e6)])
        return struct.unpack("<f", struct.pack("<f", number))[0] if kind == pa.float32() else number
    if types.is_boolean(kind):
        return chance.random() < 0.5
    if types.is_string(kind):
        return chance.choice(TEXTS) + chance.choice(["", str(chance.randint(0, 99))])
    if types.is_fixed_size_binary(kind) and not types.is_decimal(kind):
        return chance.randbytes(kind.byte_width)
    if types.is_binary(kind):
        return chance.randbytes(chance.randint(0, 20))
    if types.is_date(kind):
        return datetime.date(1900, 1, 1) + datetime.timedelta(days=chance.randint(0, 90_000))
    if types.is_timestamp(kind):
        return chance.randint(-(10**15), 10**15) * (1000 if kind.unit == "ns" else 1)
    if types.is_time(kind):
        return chance.randint(0, 86_400 * 10**6 - 1)
    return digits(kind.precision, kind.scale, 12, chance.randint(0, 99))[chance.randint(0, 11)]


def random_table(seed):
    chance = random.Random(seed)
    fields = [
        pa.field(f"c{i}", random_kind(chance), nullable=chance.random() < 0.8)
        for i in range(chance.randint(1, 6))
    ]
    count = chance.choice([0, 1, 3, 100, 700])
    columns = [
        pa.array([random_value(chance, field.type, field.nullable) for _ in range(count)], field.type)
        for field in fields
    ]
    return pa.table(columns, schema=pa.schema(fields)), chance


@pytest.mark.parametrize("seed", range(600 if LONG else 30))
def test_random_nested_data_of_pyarrow(tmp_path, seed):
    table, chance = random_table(seed)
    path = tmp_path / "random.parquet"
    arrow_file(
        table, path, chance.choice(CODECS), chance.choice(ENCODINGS), chance.choice(["1.0", "2.0"]),
        row_group_size=chance.choice([1, 50, 1000]), data_page_size=chance.choice([64, 1000, 100_000]))
    check(path, table)


# Damage.


def damaged(original, chance):
    """A truncated or changed copy."""
    data = bytearray(original)
    kind = chance.randint(0, 3)
    if kind == 0:
        return bytes(data[: chance.randint(0, len(data) - 1)])
    if kind == 1:
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randint(0, 7)
    elif kind == 2:
        # The footer, where lengths and offsets stand.
        footer = struct.unpack("<I", data[-8:-4])[0]
        for _ in range(chance.randint(1, 3)):
            data[len(data) - 8 - 1 - chance.randrange(footer)] = chance.randint(0, 255)
    else:
        start = chance.randrange(len(data))
        length = chance.randint(1, 30)
        data[start : start + length] = chance.randbytes(len(data[start : start + length]))
    return bytes(data)


@pytest.mark.parametrize("seed", range(40 if LONG else 8))
def test_damaged_files_are_an_error_and_no_crash(tmp_path, seed):
    chance = random.Random(seed)
    path = tmp_path / "broken.parquet"
    table = [FLAT.slice(0, 60), NESTED.slice(0, 60)][seed % 2]
    arrow_file(
        table, path, CODECS[seed % 6], ENCODINGS[seed % 7], ["1.0", "2.0"][seed % 3 % 2],
        row_group_size=chance.choice([7, 60]))
    original = path.read_bytes()
    for attempt in range(100 if LONG else 15):
        path.write_bytes(damaged(original, chance))
        done = lakehouse("sql", "--json", "-c", "select * from broken", path, code=None, timeout=30)
        # Some damage changes a value and nothing else; all that is an error says so in words.
        assert done.returncode in (0, 1), f"seed {seed}, attempt {attempt}: {done.returncode}\n{done.stderr}"
        if done.returncode == 1:
            assert "ICEBERG_BAD_DATA" in done.stderr, done.stderr


def test_every_truncation_is_an_error(tmp_path):
    path = tmp_path / "cut.parquet"
    arrow_file(FLAT.select(["int64", "string"]).slice(0, 20), path, "snappy", "DICTIONARY", "1.0")
    original = path.read_bytes()
    for length in range(0, len(original), max(1, len(original) // 40)):
        path.write_bytes(original[:length])
        done = lakehouse("sql", "--json", "-c", "select * from cut", path, code=1)
        assert "ICEBERG_BAD_DATA" in done.stderr, done.stderr


# What we write.


@pytest.fixture(scope="module")
def catalog(appliance):
    known = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"], **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    known.create_namespace("written")
    return known


WRITABLE = [name for name in FLAT.column_names if not name.startswith(("uint", "time_", "zoned_ns", "timestamp_ns"))
            and name not in ("float16", "all_null", "timestamp_ms", "zoned_ms", "int8", "int16")]


def source_table(catalog, path, name, table):
    """A table over one file of pyarrow's (PyIceberg's own append makes NULL lists of rows empty)."""
    made = catalog.create_table(("written", name), schema=table.schema)
    pq.write_table(table, path)
    place = f"{made.location()}/data/source.parquet"
    with made.io.new_output(place).create() as stream:
        stream.write(path.read_bytes())
    made.add_files([place])
    return made


def ordered(table):
    return table.sort_by("id").combine_chunks()


def equal(left, right):
    assert left.num_rows == right.num_rows
    for name in right.column_names:
        ours, theirs = left[name], right[name]
        # Arrow's own comparison is quick, but takes 0.0 for -0.0 and no NaN for another.
        if ours.type == theirs.type and "float" not in str(ours.type) and "double" not in str(ours.type):
            if ours.combine_chunks().equals(theirs.combine_chunks()):
                continue
        for row, (a, b) in enumerate(zip(ours, theirs)):
            assert repr(shown(a, ours.type)) == repr(shown(b, theirs.type)), f"{name}, row {row}"


@pytest.mark.parametrize("codec", ["ZSTD", "SNAPPY", "GZIP", "LZ4", "NONE"])
def test_files_of_ours_read_equal_everywhere(appliance, catalog, tmp_path, codec):
    """CREATE TABLE AS; the new files by pyarrow, DuckDB and PyIceberg."""
    flat = FLAT.select(WRITABLE).append_column("id", pa.array(range(FLAT.num_rows)))
    flat = pa.concat_tables([flat] * 4)
    flat = flat.set_column(flat.schema.get_field_index("id"), "id", pa.array(range(flat.num_rows)))
    for name, table in [("flat", flat), ("nested", NESTED)]:
        source = source_table(catalog, tmp_path / "source.parquet", f"{name}_{codec.lower()}_source", table)
        appliance.command(
            "sql", "-c",
            f"create table lakehouse.written.{name}_{codec.lower()} with (compression_codec = '{codec}') as "
            f"select * from lakehouse.written.{name}_{codec.lower()}_source")
        written = catalog.load_table(("written", f"{name}_{codec.lower()}"))
        equal(ordered(written.scan().to_arrow()), ordered(source.scan().to_arrow()))
        parts = []
        for number, task in enumerate(written.scan().plan_files()):
            local = tmp_path / f"{name}{number}.parquet"
            with written.io.new_input(task.file.file_path).open() as stream:
                local.write_bytes(stream.read())
            parts.append(str(local))
            metadata = pq.ParquetFile(local).metadata
            column = metadata.row_group(0).column(0)
            assert column.compression == {"NONE": "UNCOMPRESSED"}.get(codec, codec)
            assert column.has_column_index and column.has_offset_index
        equal(ordered(pa.concat_tables(pq.read_table(part) for part in parts)), ordered(table))
        equal(arrow(duckdb.sql(f"SELECT * FROM read_parquet({parts!r}) ORDER BY id")), ordered(table))


def test_bloom_filters_of_ours_are_duckdbs(appliance, catalog, tmp_path):
    """The table property; DuckDB asks our filters, finds what is there and skips what is not."""
    appliance.command(
        "sql", "-c",
        "create table lakehouse.written.bloomed with (parquet_bloom_filter_columns = ARRAY['s', 'k'], "
        "extra_properties = map(ARRAY['write.parquet.bloom-filter-fpp.column.s'], ARRAY['0.001'])) as "
        "select 'key number ' || cast(n * 7 as varchar) as s, n * 7919 as k, n as id "
        "from unnest(sequence(1, 9000)) as t(n)")
    written = catalog.load_table(("written", "bloomed"))
    assert written.properties["write.parquet.bloom-filter-enabled.column.s"] == "true"
    task, = written.scan().plan_files()
    local = tmp_path / "bloomed.parquet"
    with written.io.new_input(task.file.file_path).open() as stream:
        local.write_bytes(stream.read())
    columns = dict(duckdb.sql(
        f"SELECT path_in_schema, bloom_filter_length FROM parquet_metadata('{local}')").fetchall())
    assert columns["s"] > 9000 and columns["k"] > 8000 and columns["id"] is None
    probe = lambda column, value: duckdb.sql(
        f"SELECT bool_or(NOT bloom_filter_excludes) FROM parquet_bloom_probe('{local}', '{column}', {value})"
    ).fetchall()[0][0]
    for n in range(1, 9001, 501):
        assert probe("s", f"'key number {n * 7}'") and probe("k", n * 7919)
        rows = f"select id from lakehouse.written.bloomed where s = 'key number {n * 7}' and k = {n * 7919}"
        assert json.loads(appliance.command("sql", "--json", "-c", rows).stdout) == {"id": n}
        assert duckdb.sql(f"SELECT id FROM '{local}' WHERE k = {n * 7919}").fetchall() == [(n,)]
    absent = sum(probe("s", f"'key number {n * 7 + 3}'") for n in range(1, 200))
    assert absent <= 5


@pytest.mark.parametrize("seed", range(1000, 1040 if LONG else 1006))
def test_random_data_written_by_us(appliance, catalog, tmp_path, seed):
    """Random nested tables through the engine and back."""
    chance = random.Random(seed)
    # What Iceberg has no type for stays out.
    kinds = []
    while len(kinds) < 4:
        kind = random_kind(chance)
        if not any(word in str(kind) for word in ("uint", "int8", "int16", "ns", "fixed_size")):
            kinds.append(kind)
    count = chance.choice([1, 300, 3000])
    table = pa.table(
        {"id": pa.array(range(count))}
        | {f"c{i}": pa.array([random_value(chance, kind) for _ in range(count)], kind) for i, kind in enumerate(kinds)})
    source = source_table(catalog, tmp_path / "source.parquet", f"random_{seed}_source", table)
    appliance.command(
        "sql", "-c", f"create table lakehouse.written.random_{seed} as select * from lakehouse.written.random_{seed}_source")
    written = catalog.load_table(("written", f"random_{seed}"))
    equal(ordered(written.scan().to_arrow()), ordered(source.scan().to_arrow()))
    for task in written.scan().plan_files():
        local = tmp_path / "part.parquet"
        with written.io.new_input(task.file.file_path).open() as stream:
            local.write_bytes(stream.read())
        equal(pq.read_table(local), ordered(table))


@pytest.mark.parametrize("groups, pages", [(9, 9), (1, 2)])
def test_a_page_is_read_once_where_row_groups_suffice(tmp_path, groups, pages):
    """Row groups of one page each: cut, and so decompressed twice, only where workers would have nothing to do."""
    rows = 140_000
    table = pa.table({"n": pa.array(range(rows * groups), pa.int64())})
    pq.write_table(
        table, tmp_path / "n.parquet", row_group_size=rows, data_page_size=1 << 24, max_rows_per_page=rows,
        use_dictionary=False, compression="zstd")
    done = lakehouse(
        "sql", "--threads", "2", "-c", "explain analyze select sum(n), min(n) from n where n % 2 = 0",
        tmp_path / "n.parquet")
    assert f"pages {pages} read" in done.stdout, done.stdout
    total = lakehouse("sql", "--threads", "2", "--csv", "-c", "select sum(n) from n", tmp_path / "n.parquet").stdout
    assert total.split()[-1] == str(sum(range(rows * groups)))
