"""Measures beside the peers, in the same run on the same machine and files, and prints ratios.

    bench.py [start] [s3] [catalog] [landing] [csv] [demo] [tpch] [tpcds] [scans] [wide] [peers] [large] [clients]
             [protocol] [iceberg]
             [--scale 1] [--runs 3] [--queries q01,q06]

Without a word it runs everything. Results go to Tests/Bench/results.md, each part to its own section.
Wall time is the best of the runs, inside of a process that is warm; CPU time is the mean of the runs, that of all
threads. Of ours, what the process needs to start and to open the files is taken off, as the peers are loaded
and have their files open before the clock starts.
"""

import argparse
import json
import math
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Clients"))
from appliance import BINARY, ROOT, Appliance, plain_environment  # noqa: E402
from catalog import bench_catalog  # noqa: E402,F401
from csv_load import bench_csv  # noqa: E402,F401
from iceberg import bench_iceberg as deletes  # noqa: E402
from landing import bench_landing  # noqa: E402,F401
from protocol import bench_protocol as protocol  # noqa: E402
from s3_load import bench_s3  # noqa: E402,F401
from peers import bench_clients as clients_together, bench_large as large, bench_peers as more_peers, start_cpu  # noqa: E402
from tpcds import NUMBERS, in_trinos_words, tpcds_folder  # noqa: E402
from wide import QUERIES, SCANS, wide_file  # noqa: E402

PARTS = ["start", "s3", "catalog", "landing", "csv", "demo", "tpch", "tpcds", "scans", "wide", "peers", "large", "clients",
         "protocol", "iceberg"]
RESULTS = ROOT / "Tests" / "Bench" / "results.md"


def geomean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else float("nan")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def tpch_files(scale):
    place = ROOT / ".cache" / f"tpch-sf{scale}"
    if not (place / "made").exists():
        place.mkdir(parents=True, exist_ok=True)
        program = Path(sys.executable).parent / "tpchgen-cli"
        subprocess.run([program, "parquet", "-s", scale, "--output-dir", place], check=True, capture_output=True)
        (place / "made").touch()
    return place


def ours(sql, files, runs):
    """Best wall time and CPU time a run, in milliseconds; the error instead when it fails."""
    start = start_cpu(files)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(";\n".join([sql] * runs))
        script.flush()
        done = subprocess.run(
            [BINARY, "sql", "--timing", "-f", script.name, *files],
            capture_output=True, text=True, env=plain_environment(), timeout=600,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        return done.stderr.strip().split("\n")[0][:120]
    walls = [float(found) for found in re.findall(r"^\(.*?([\d.]+) ms\)$", done.stdout, re.M)]
    cpu = ((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 - start) / runs
    return min(walls), cpu


def duckdbs(connection, sql, runs):
    best, cpu = math.inf, time.process_time()
    for _ in range(runs):
        began = time.perf_counter()
        connection.execute(sql).fetchall()
        best = min(best, (time.perf_counter() - began) * 1000)
    return best, (time.process_time() - cpu) * 1000 / runs


def compare(title, files, queries, options):
    """Queries are (name, our text, DuckDB's text); both run in turns, so that both see the same machine."""
    import duckdb

    connection = duckdb.connect()
    for file in files:
        connection.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
    rows, walls, cpus, failed = [], [], [], []
    for name, text, other in queries:
        if options.queries and name not in options.queries.split(","):
            continue
        theirs = duckdbs(connection, other, options.runs)
        mine = ours(text, files, options.runs)
        if isinstance(mine, str):
            failed.append(name)
            rows.append((name, mine, "", f"{theirs[0]:.0f}", f"{theirs[1]:.0f}", "", ""))
            print(name, mine)
            continue
        wall, cpu = mine[0] / theirs[0], mine[1] / theirs[1]
        walls.append(wall)
        cpus.append(cpu)
        rows.append(
            (name, f"{mine[0]:.0f}", f"{mine[1]:.0f}", f"{theirs[0]:.0f}", f"{theirs[1]:.0f}",
             f"{wall:.2f}", f"{cpu:.2f}")
        )
        print(f"{name}: {mine[0]:7.0f} ms, DuckDB {theirs[0]:7.0f} ms, wall {wall:.2f}, CPU {cpu:.2f}", flush=True)
    head = ["query", "wall ms", "CPU ms", "DuckDB wall ms", "DuckDB CPU ms", "wall ratio", "CPU ratio"]
    summary = (
        f"Wall geomean {geomean(walls):.2f}, CPU geomean {geomean(cpus):.2f}, worst wall "
        f"{max(walls, default=float('nan')):.2f} over {len(walls)} queries"
        + (f"; failed: {', '.join(failed)}." if failed else ".")
    )
    print(summary)
    return (
        f"## {title}, beside DuckDB {duckdb.__version__}\n\n"
        f"{summary} Lower than 1 is faster than DuckDB; best of {options.runs}.\n\n{table(head, rows)}\n"
    )


def bench_tpch(options):
    queries = sorted((ROOT / "Tests" / "SQL" / "tpch").glob("q*.sql"))
    return compare(
        f"TPC-H SF{options.scale} on Parquet", sorted(tpch_files(options.scale).glob("*.parquet")),
        [(query.stem, query.read_text(), query.read_text()) for query in queries], options,
    )


def bench_tpcds(options):
    """The texts differ in how they write dates; see tpcds.py."""
    folder = tpcds_folder(options.scale)
    texts = [(number, (folder / f"{number}.sql").read_text()) for number in NUMBERS]
    return compare(
        f"TPC-DS SF{options.scale} on Parquet", sorted(folder.glob("*.parquet")),
        [(f"q{number}", in_trinos_words(number, text), text) for number, text in texts], options,
    )


def bench_scans(options):
    return compare(
        f"Scans of TPC-H SF{options.scale}", [tpch_files(options.scale) / "lineitem.parquet"],
        [(name, text, text) for name, text in SCANS.items()], options,
    )


def bench_wide(options):
    """Five million rows of 25 columns, in ClickBench's style."""
    return compare(
        "A wide table of 5 million rows", [wide_file(ROOT / ".cache" / "wide")],
        [(f"w{number:02}", text, text) for number, text in enumerate(QUERIES, 1)], options,
    )


def bench_peers(options):
    return more_peers(options, tpch_files, table)


def bench_large(options):
    return large(options, tpch_files, table)


def bench_clients(options):
    return clients_together(options, table)


def bench_protocol(options):
    return protocol(options, table)


def bench_iceberg(options):
    return deletes(options, table)


def memory_mebibytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def duckdb_shell():
    """DuckDB's own program where it is installed, else its module: the interpreter's start is in that."""
    program = shutil.which("duckdb")
    return [program, "-c", "SELECT 1"] if program else [
        sys.executable, "-c", "import duckdb; duckdb.sql('SELECT 1').fetchall()"]


def shell_starts(command):
    """Milliseconds of runs from start to end."""
    times = []
    for _ in range(10):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=plain_environment())
        times.append((time.perf_counter() - began) * 1000)
    return times


def bench_start(options):
    with tempfile.TemporaryDirectory() as folder:
        first, again, idle = [], [], []
        for number in range(options.runs):
            place = Path(folder) / str(number)
            for kept in (first, again):
                with Appliance(place) as server:
                    kept.append(server.start_seconds * 1000)
                    if kept is again:
                        idle.append(memory_mebibytes(server.pid))
    ours, theirs = min(shell_starts([BINARY, "sql", "-c", "SELECT 1"])), min(shell_starts(duckdb_shell()))
    rows = [
        ("`lakehouse sql -c 'SELECT 1'`", f"{ours:.0f} ms", f"DuckDB's {theirs:.0f} ms"),
        ("first start to /readyz", f"{min(first):.0f} ms", "600 ms"),
        ("restart to /readyz", f"{min(again):.0f} ms", "150 ms"),
        ("resident when idle", f"{max(idle):.0f} MiB", "60 MB"),
        ("size of the binary", f"{BINARY.stat().st_size / 2**20:.0f} MiB", ""),
    ]
    for row in rows:
        print(*row)
    return f"## Start\n\n{table(['what', 'measured', 'to hold'], rows)}\n"


def bench_demo(options):
    """The walkthroughs, each claim checked; time and memory are those of the receipt."""
    rows = []
    for name, flags, hold in (
        ("banking-fraud", [], "15 s"), ("banking-fraud --rows 1000000", ["--rows", "1000000"], "90 s"), ("sales", [], ""),
    ):
        done = subprocess.run(
            [BINARY, "demo", name.split()[0], "--json", *flags], capture_output=True, text=True,
            env=plain_environment(), timeout=600,
        )
        receipt = json.loads(done.stdout)
        rows.append((
            name, f"{receipt['claimsHeld']} of {receipt['claims']} claims", f"{receipt['milliseconds'] / 1000:.1f} s",
            f"{receipt['peakMemoryBytes'] / 2**20:.0f} MiB", hold))
        print(*rows[-1])
    return f"## Walkthroughs\n\n{table(['demo', 'held', 'time', 'peak memory', 'to hold'], rows)}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--scale", default="1")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--queries", default="")
    options = parser.parse_args()
    # What is not measured now keeps its section and its day.
    kept = re.split(r"(?m)^(?=## )", RESULTS.read_text())[1:] if RESULTS.exists() else []
    for part in options.parts or PARTS:
        section = globals()[f"bench_{part}"](options)
        title, rest = section.split("\n", 1)
        day = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {platform.machine()}."
        section = f"{title}\n\n{day}\n{rest}\n"
        same = [index for index, other in enumerate(kept) if other.split(",")[0].split("\n")[0] == title.split(",")[0]]
        if same:
            kept[same[0]] = section
        else:
            kept.append(section)
        texts = "\n".join(text.strip() + "\n" for text in kept)
        RESULTS.write_text(f"# Measured\n\n`make bench` prints and rewrites this.\n\n{texts}")


main()
