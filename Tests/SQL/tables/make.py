"""Makes the tables of the SQL files: NAME.tsv, which the runner keeps in memory, and the same rows as
NAME.parquet, which it scans instead in one of its configurations. Run it after changing a table here.

The first line of a .tsv names each column and its type; NULL is a NULL; `\\t`, `\\n` and `\\\\` are escapes.
"""

import datetime
import decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
D = decimal.Decimal
DAY = datetime.date
AT = datetime.datetime

TYPES = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "date": pa.date32(),
    "timestamp(6)": pa.timestamp("us"),
    "decimal(10,2)": pa.decimal128(10, 2),
    "decimal(38,4)": pa.decimal128(38, 4),
}


def text(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, float):
        return repr(value)
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def table(name, columns, rows):
    names = [column.split(":")[0] for column in columns]
    types = [column.split(":")[1] for column in columns]
    lines = ["\t".join(columns)] + ["\t".join(map(text, row)) for row in rows]
    (HERE / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    arrays = [pa.array([row[i] for row in rows], TYPES[types[i]]) for i in range(len(names))]
    pq.write_table(pa.table(arrays, names=names), HERE / f"{name}.parquet", row_group_size=500)


def noise(seed):
    """A fixed sequence that looks random, the same on every machine."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


table(
    "departments", ["id:bigint", "name:varchar", "city:varchar", "budget:decimal(10,2)"],
    [
        (1, "engineering", "Berlin", D("500000.00")),
        (2, "sales", "Lyon", D("250000.50")),
        (3, "support", None, D("80000.00")),
        (4, "empty rooms", "Berlin", None),
    ],
)
table(
    "employees",
    ["id:bigint", "name:varchar", "department:bigint", "manager:bigint", "salary:decimal(10,2)", "hired:date"],
    [
        (1, "Ada", 1, None, D("9000.00"), DAY(2015, 1, 31)),
        (2, "Ben", 1, 1, D("7000.00"), DAY(2016, 2, 29)),
        (3, "Cleo", 1, 1, D("7000.00"), DAY(2018, 7, 1)),
        (4, "Dan", 2, 1, D("5000.00"), DAY(2019, 12, 31)),
        (5, "Eve", 2, 4, D("4500.50"), DAY(2020, 1, 1)),
        (6, "Finn", 2, 4, None, DAY(2021, 3, 15)),
        (7, "Gus", 3, 1, D("4000.00"), None),
        (8, "Hana", None, None, D("3000.25"), DAY(2022, 10, 10)),
        (9, "Åsa", 9, 7, D("3000.25"), DAY(1999, 12, 31)),
    ],
)
table(
    "mixed",
    ["k:integer", "flag:boolean", "small:integer", "big:bigint", "f:double", "r:real", "money:decimal(10,2)",
     "huge:decimal(38,4)", "word:varchar", "day:date", "moment:timestamp(6)"],
    [
        (1, True, 0, 0, 0.0, 0.0, D("0.00"), D("0.0000"), "", DAY(1970, 1, 1), AT(1970, 1, 1)),
        (2, False, 1, 9223372036854775807, 1.5, 1.5, D("99999999.99"), D("1234567890123456789012345678901234.5678"),
         "a", DAY(2024, 2, 29), AT(2024, 2, 29, 23, 59, 59, 999999)),
        (3, True, -1, -9223372036854775808, -1.5, -1.5, D("-99999999.99"),
         D("-1234567890123456789012345678901234.5678"), "A", DAY(1969, 12, 31), AT(1969, 12, 31, 23, 59, 59, 999999)),
        (4, None, 2147483647, 4294967296, 1e300, 3e38, D("0.01"), D("0.0001"), "ä", DAY(9999, 12, 31),
         AT(9999, 12, 31, 23, 59, 59)),
        (5, False, -2147483648, -4294967296, 1e-300, 1e-38, D("-0.01"), D("-0.0001"),
         "longer than twelve bytes", DAY(1, 1, 1), AT(1, 1, 1)),
        (6, None, None, None, None, None, None, None, None, None, None),
        (7, True, 7, 7, 7.25, 7.25, D("7.25"), D("7.2500"), "日本語", DAY(2000, 1, 1), AT(2000, 1, 1, 12, 30)),
        (8, False, 7, 7, 7.25, 7.25, D("7.25"), D("7.2500"), "tab\there", DAY(2000, 1, 1), AT(2000, 1, 1, 12, 30)),
    ],
)
table("nothing", ["id:bigint", "name:varchar"], [])
table("all_null", ["id:bigint", "name:varchar"], [(None, None)] * 10)
table("one_row", ["id:bigint", "name:varchar"], [(1, "only")])

regions = ["north", "south", "east", "west", None]
words = noise(42)
events = []
for number in range(3000):
    roll = next(words)
    # Half of all events are of ten users: skewed, as data is.
    user = roll % 10 if roll % 2 else 10 + roll // 7 % 500
    events.append(
        (
            number,
            user,
            regions[next(words) % 5],
            ["view", "click", "buy"][next(words) % 8 % 3],
            None if next(words) % 11 == 0 else (D(next(words) % 1_000_000) / 100).quantize(D("0.01")),
            None if next(words) % 13 == 0 else (next(words) % 100_000) / 64,
            AT(2024, 1, 1) + datetime.timedelta(seconds=number * 7919 % 7_776_000, microseconds=next(words) % 1_000_000),
            f"event number {number % 97}" if number % 5 else None,
        )
    )
table(
    "events",
    ["id:bigint", "person:bigint", "region:varchar", "kind:varchar", "amount:decimal(10,2)", "score:double",
     "moment:timestamp(6)", "note:varchar"],
    events,
)
table(
    "people", ["id:bigint", "name:varchar", "born:date", "country:varchar"],
    [
        (number, f"person {number}" if number % 17 else None,
         DAY(1950, 1, 1) + datetime.timedelta(days=number * 37), ["DE", "FR", "JP", "BR", None][number % 5])
        for number in range(0, 520, 2)
    ],
)
