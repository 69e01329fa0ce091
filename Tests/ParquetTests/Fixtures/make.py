"""Writes the Parquet fixtures and what they hold, by pyarrow and DuckDB.

Run in an environment with pyarrow and duckdb; the files are committed, so that tests need neither.
Each line of a .txt file is one row of all columns in the form that `Rendering.swift` prints.
"""
import datetime, decimal, os, random, struct, sys, uuid
import pyarrow as pa, pyarrow.parquet as pq, duckdb

here = sys.argv[1]
random.seed(20)
D = decimal.Decimal


def render(v, t):
    if v is None: return "null"
    if pa.types.is_boolean(t): return "true" if v else "false"
    if pa.types.is_integer(t): return str(v)
    if pa.types.is_floating(t): return "d%016x" % struct.unpack(">Q", struct.pack(">d", float(v)))[0]
    if pa.types.is_decimal(t): return str(int(v.scaleb(t.scale)))
    if pa.types.is_date(t): return str((v - datetime.date(1970, 1, 1)).days)
    if pa.types.is_string(t) or pa.types.is_large_string(t): return "'" + v.replace("\n", "\\n") + "'"
    if pa.types.is_binary(t) or pa.types.is_fixed_size_binary(t): return "x" + v.hex()
    if pa.types.is_list(t): return "[" + ",".join(render(x, t.value_type) for x in v) + "]"
    if pa.types.is_map(t): return "{" + ",".join(render(k, t.key_type) + "=" + render(x, t.item_type) for k, x in v) + "}"
    if pa.types.is_struct(t): return "(" + ",".join(render(v[f.name], f.type) for f in t) + ")"
    raise ValueError(t)


def cell(array, i):
    t = array.type
    if pa.types.is_timestamp(t):
        s = array[i]
        if not s.is_valid: return "null"
        n = s.value * {"ms": 1_000_000, "us": 1_000, "ns": 1}[t.unit]
        micros, nanos = divmod(n, 1000)
        if t.tz: return f"{micros}.{nanos * 1000}.0"
        return str(micros) if t.unit != "ns" else f"{micros}.{nanos * 1000}"
    if pa.types.is_time(t):
        s = array[i]
        return "null" if not s.is_valid else str(s.value * {"ms": 10**9, "us": 10**6, "ns": 1000}[t.unit])
    return render(array[i].as_py(), t)


def expect(name, table):
    table = table.combine_chunks()
    columns = [c.chunk(0) if c.num_chunks else None for c in table.columns]
    with open(f"{here}/{name}.txt", "w") as f:
        for i in range(table.num_rows):
            f.write("\t".join(cell(c, i) for c in columns) + "\n")


def write(name, table, like=None, **options):
    pq.write_table(table, f"{here}/{name}.parquet", store_schema=False, **options)
    if like is None: expect(name, table)


def nullable(values, share=0.2):
    return [None if random.random() < share else v for v in values]


n = 260
words = ["", "a", "lakehouse", "exactly12byt", "thirteen byte", "größer als zwölf", "x" * 70, "iceberg"]
flat = {
    "b": pa.array(nullable([random.random() < 0.3 for _ in range(n)])),
    "i8": pa.array([random.randint(-128, 127) for _ in range(n)], pa.int8()),
    "u8": pa.array([random.randint(0, 255) for _ in range(n)], pa.uint8()),
    "i16": pa.array(nullable([random.randint(-2**15, 2**15 - 1) for _ in range(n)]), pa.int16()),
    "u16": pa.array([random.randint(0, 2**16 - 1) for _ in range(n)], pa.uint16()),
    "i32": pa.array([i * 7 - 1000 for i in range(n)], pa.int32()),
    "i32n": pa.array(nullable([random.randint(-2**31, 2**31 - 1) for _ in range(n)]), pa.int32()),
    "u32": pa.array([random.randint(0, 2**32 - 1) for _ in range(n)], pa.uint32()),
    "i64": pa.array([random.randint(-2**63, 2**63 - 1) for _ in range(n)], pa.int64()),
    "i64n": pa.array(nullable([i % 11 for i in range(n)], 0.5), pa.int64()),
    "u64": pa.array([random.randint(0, 2**64 - 1) for _ in range(n)], pa.uint64()),
    "f": pa.array(nullable([struct.unpack("f", struct.pack("f", random.uniform(-1e6, 1e6)))[0] for _ in range(n)]), pa.float32()),
    "d": pa.array([random.choice([0.0, -0.0, 1.5, float("inf"), random.random()]) for _ in range(n)], pa.float64()),
    "s": pa.array([random.choice(words) for _ in range(n)]),
    "sn": pa.array(nullable([f"unique value number {i}" if i % 3 else f"v{i}" for i in range(n)])),
    "bin": pa.array(nullable([os.urandom(0) if i % 5 == 0 else bytes([i % 256] * (i % 20)) for i in range(n)]), pa.binary()),
    "fix": pa.array([bytes([i % 256, 1, 2, 3, i // 256]) for i in range(n)], pa.binary(5)),
    "date": pa.array(nullable([datetime.date(1992, 1, 1) + datetime.timedelta(days=i * 3) for i in range(n)])),
    "t_ms": pa.array([i * 1000 + 7 for i in range(n)], pa.time32("ms")),
    "t_us": pa.array(nullable([i * 10**6 + 7 for i in range(n)]), pa.time64("us")),
    "t_ns": pa.array([i * 10**9 + 7 for i in range(n)], pa.time64("ns")),
    "ts_ms": pa.array([-10**12 + i * 86_400_123 for i in range(n)], pa.timestamp("ms")),
    "ts_us": pa.array(nullable([i * 86_400_000_123 - 10**15 for i in range(n)]), pa.timestamp("us")),
    "ts_ns": pa.array([i * 86_400_000_000_123 - 10**18 for i in range(n)], pa.timestamp("ns")),
    "tz": pa.array(nullable([i * 3_600_000_001 for i in range(n)]), pa.timestamp("us", tz="UTC")),
    "dec9": pa.array([D(random.randint(-10**9 + 1, 10**9 - 1)).scaleb(-2) for _ in range(n)], pa.decimal128(9, 2)),
    "dec18": pa.array(nullable([D(random.randint(-10**18 + 1, 10**18 - 1)).scaleb(-4) for _ in range(n)]), pa.decimal128(18, 4)),
    "dec38": pa.array([D(random.randint(-10**38 + 1, 10**38 - 1)).scaleb(-10, decimal.Context(prec=60)) for _ in range(n)], pa.decimal128(38, 10)),
}
decimal.getcontext().prec = 60
flat = pa.table(flat)
for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    write(f"flat_{codec}", like=None if codec in ("none", "snappy") else "flat_none", table=flat.slice(0, 120) if codec != "snappy" else flat, compression=codec,
          data_page_size=1000, row_group_size=100, data_page_version="1.0")
write("flat_v2", flat, like="flat_snappy", compression="zstd", data_page_version="2.0", data_page_size=700, row_group_size=260, write_page_index=True)
write("plain", flat.slice(0, 120), like="flat_none", compression="snappy", use_dictionary=False, data_page_size=900)

ints = flat.select(["i32", "i32n", "i64", "i64n", "ts_us", "date"])
write("delta_binary", ints, use_dictionary=False, data_page_size=900,
      column_encoding={c: "DELTA_BINARY_PACKED" for c in ints.column_names})
texts = flat.select(["s", "sn", "bin"])
write("delta_length", texts, use_dictionary=False, data_page_size=2000,
      column_encoding={c: "DELTA_LENGTH_BYTE_ARRAY" for c in texts.column_names})
texts = flat.select(["s", "sn", "bin", "fix", "dec38"])
write("delta_prefix", texts, use_dictionary=False, data_page_size=2000,
      column_encoding={c: "DELTA_BYTE_ARRAY" for c in texts.column_names})
split = flat.select(["i32", "i64n", "f", "d", "fix", "dec38"])
write("stream_split", split, use_dictionary=False, column_encoding={c: "BYTE_STREAM_SPLIT" for c in split.column_names})
write("bool_rle", flat.select(["b"]), use_dictionary=False, column_encoding={"b": "RLE"}, data_page_version="2.0")

ints96 = pa.table({"ts": pa.array([i * 86_400_000_000_123 - 10**18 for i in range(100)], pa.timestamp("ns"))})
write("int96", ints96, use_deprecated_int96_timestamps=True)


def tree(depth):
    r = random.random()
    if r < 0.15: return None
    return [None if random.random() < 0.2 else random.randint(-5, 5) for _ in range(random.randint(0, 4))]


point = pa.struct([("x", pa.int32()), ("name", pa.string())])
nested = pa.table({
    "l": pa.array([tree(1) for _ in range(150)], pa.list_(pa.int64())),
    "ll": pa.array([None if random.random() < 0.1 else [tree(1) for _ in range(random.randint(0, 3))] for _ in range(150)], pa.list_(pa.list_(pa.int32()))),
    "st": pa.array([None if random.random() < 0.2 else {"x": random.choice([None, 1, 2]), "name": random.choice([None, "p", "a longer name than twelve"])} for _ in range(150)], point),
    "m": pa.array([None if random.random() < 0.2 else [(f"key {j}", random.choice([None, 1.5])) for j in range(random.randint(0, 3))] for _ in range(150)], pa.map_(pa.string(), pa.float64())),
    "ls": pa.array([None if random.random() < 0.1 else [None if random.random() < 0.2 else {"x": j, "name": f"element number {j}"} for j in range(random.randint(0, 3))] for _ in range(150)], pa.list_(point)),
    "sl": pa.array([None if random.random() < 0.2 else {"tags": random.choice([None, [], ["red", "green and blue stripes"]]), "deep": {"v": random.choice([None, [[1], [], None]])}} for _ in range(150)],
                   pa.struct([("tags", pa.list_(pa.string())), ("deep", pa.struct([("v", pa.list_(pa.list_(pa.int32())))]))])),
    "id": pa.array(range(150), pa.int64()),
})
write("nested", nested, compression="snappy", data_page_size=400, row_group_size=90)
write("nested_v2", nested, like="nested", compression="zstd", data_page_version="2.0", data_page_size=400)
write("nested_plain", nested, like="nested", compression="none", use_dictionary=False, data_page_size=300)

con = duckdb.connect()
con.register("flat", flat.select(["i32", "i64n", "d", "sn", "date", "ts_us", "dec18", "dec38", "b"]))
con.register("nested", nested.select(["l", "ls", "st", "id"]))
con.execute(f"COPY flat TO '{here}/duck_flat.parquet' (FORMAT parquet, COMPRESSION zstd)")
con.execute(f"COPY nested TO '{here}/duck_nested.parquet' (FORMAT parquet, PARQUET_VERSION v2)")
expect("duck_flat", pq.read_table(f"{here}/duck_flat.parquet"))
expect("duck_nested", pq.read_table(f"{here}/duck_nested.parquet"))

sorted_table = pa.table({"k": pa.array(range(1200), pa.int64()), "s": pa.array([f"text for row {i}" for i in range(1200)])})
write("sorted", sorted_table, compression="snappy", data_page_size=1000, write_page_index=True, use_dictionary=False, row_group_size=700)
write("empty", flat.slice(0, 0).select(["i32", "s"]))
