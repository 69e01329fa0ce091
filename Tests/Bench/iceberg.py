"""Iceberg tables of ours: 100 files with and without position deletes on 1 % of the rows."""

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Clients"))
from appliance import Appliance  # noqa: E402
from landing import Statements  # noqa: E402

FILES = 100
QUERIES = {
    "Q1": """select returnflag, linestatus, sum(quantity), sum(extendedprice), sum(extendedprice * (1 - discount)),
        avg(quantity), count(*) from {0} where shipdate <= date '1998-09-02' group by 1, 2 order by 1, 2""",
    "Q6": """select sum(extendedprice * discount) from {0} where shipdate >= date '1994-01-01'
        and shipdate < date '1995-01-01' and discount between 0.05 and 0.07 and quantity < 24""",
    "groups": "select count(*) from (select suppkey, sum(quantity), max(shipdate) from {0} group by 1)",
    "texts": "select shipmode, count(*) from {0} where comment like '%special%' group by 1 order by 1",
}


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asked(statements, text):
    rows = statements.rows(text)
    assert rows is not None, f"fails: {text}"
    return rows


def measured(server, statements, texts, runs):
    """Best wall and least CPU milliseconds of each text, which are asked in turns."""
    best = [(float("inf"), float("inf"))] * len(texts)
    for _ in range(runs):
        for index, text in enumerate(texts):
            began, cpu = time.perf_counter(), processor_seconds(server.pid)
            asked(statements, text)
            took = (time.perf_counter() - began) * 1000, (processor_seconds(server.pid) - cpu) * 1000
            best[index] = tuple(map(min, zip(best[index], took)))
    return best


def bench_iceberg(options, table):
    """The same rows in as many files, once with deletes beside them."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder) / "data") as server:
        statements = Statements(server, server.variables())
        made = f'made."sf{options.scale}".lineitem' if options.scale != "0.01" else "made.tiny.lineitem"
        asked(statements, 'create catalog made using tpch with ("tpch.double-type-mapping" = \'DECIMAL\')')
        asked(statements, "create schema lakehouse.bench")
        last = int(float(options.scale) * 6_000_000)
        for name in ("plain", "holes"):
            asked(statements, f"create table lakehouse.bench.{name} as select * from {made} where false")
        for part in range(FILES):
            asked(statements, f"insert into lakehouse.bench.plain select * from {made} where orderkey between "
                  f"{last * part // FILES + 1} and {last * (part + 1) // FILES}")
            asked(statements, "insert into lakehouse.bench.holes select * from lakehouse.bench.plain where orderkey "
                  f"between {last * part // FILES + 1} and {last * (part + 1) // FILES}")
        asked(statements, "delete from lakehouse.bench.holes where (orderkey * 7 + linenumber) % 100 = 3")
        for name, text in QUERIES.items():
            plain, holes = measured(
                server, statements, [text.format(f"lakehouse.bench.{part}") for part in ("plain", "holes")],
                options.runs)
            rows.append((
                name, f"{plain[0]:.0f}", f"{plain[1]:.0f}", f"{holes[0]:.0f}", f"{holes[1]:.0f}",
                f"{holes[0] / plain[0]:.2f}", f"{holes[1] / plain[1]:.2f}"))
            print(*rows[-1], flush=True)
    head = ["query", "plain wall ms", "plain CPU ms", "deletes wall ms", "deletes CPU ms", "wall ratio", "CPU ratio"]
    return (
        f"## Iceberg of {FILES} files with position deletes on 1 % of rows\n\nlineitem SF{options.scale}, written by us; "
        f"the same files without deletes beside it; 1.1 to hold. Best of {options.runs}.\n\n{table(head, rows)}\n"
    )
