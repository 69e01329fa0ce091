"""A CSV of lineitem into Parquet with zstd: ours as an Iceberg table, DuckDB's COPY as a file; and queries over the CSV."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from appliance import BINARY, ROOT, plain_environment

HOLD_MIB = 500
QUERIES = [
    ("count", "select count(*) from lineitem"),
    ("sum", "select sum(l_extendedprice * l_discount) from lineitem where l_shipdate < date '1995-01-01'"),
    ("texts", "select l_shipmode, count(*), max(l_comment) from lineitem group by l_shipmode"),
]


def lineitem(scale):
    place = ROOT / ".cache" / f"tpch-csv-sf{scale}"
    file = place / "lineitem.csv"
    if not (place / "made").exists():
        place.mkdir(parents=True, exist_ok=True)
        program = Path(sys.executable).parent / "tpchgen-cli"
        subprocess.run(
            [program, "csv", "-s", scale, "--tables", "lineitem", "--output-dir", place],
            check=True, capture_output=True,
        )
        (place / "made").touch()
    return file


def measured(command):
    """Wall and CPU seconds of a process, its peak in MiB, and what it printed."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=plain_environment())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        # The process was waited for here; Popen need not look for it again.
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode()
    assert process.returncode == 0, printed[-400:]
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed


def duckdb_command(sql):
    return [sys.executable, "-c", f"import duckdb; print(duckdb.connect().execute({sql!r}).fetchall())"]


def loads(file, runs):
    """The run with the least wall time of each, in turns; and the size of what each wrote, in MiB."""
    best, sizes = {}, {}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            data, parquet = Path(folder) / "data", Path(folder) / "lineitem.parquet"
            copy = f"copy (from read_csv('{file}')) to '{parquet}' (format parquet, codec zstd)"
            subprocess.run([BINARY, "init", "--data", data], check=True, capture_output=True, env=plain_environment())
            for name, command in (
                ("ours", [BINARY, "ingest", file, "--into", "bronze.bench.lineitem", "--data", data]),
                ("DuckDB", duckdb_command(copy)),
            ):
                found = measured(command)
                if name not in best or found[0] < best[name][0]:
                    best[name] = found
            sizes["DuckDB"] = parquet.stat().st_size / 2**20
            sizes["ours"] = max(f.stat().st_size for f in data.rglob("*") if f.is_file()) / 2**20
    return best, sizes


def bench_csv(options):
    # DuckDB runs in processes of its own only: what this one has in memory counts for the peak of those it starts.
    duckdb_version = importlib.metadata.version("duckdb")
    file = lineitem(options.scale)
    best, sizes = loads(file, options.runs)
    rows = int(re.search(r"\+(\d+) ", best["ours"][3])[1])
    lines = ["| | rows a second | wall s | CPU s | peak MiB | file MiB |", "|---|---|---|---|---|---|"]
    for name, (wall, cpu, peak, _) in best.items():
        lines.append(
            f"| {name} | {rows / wall / 1e6:.2f} million | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {sizes[name]:.0f} |"
        )
        print("csv,", lines[-1])
    mine, theirs = best["ours"], best["DuckDB"]
    summary = (
        f"{rows / mine[0] / 1e6:.2f} million rows a second against {rows / theirs[0] / 1e6:.2f}, CPU ratio "
        f"{mine[1] / theirs[1]:.2f}, peak {mine[2]:.0f} MiB ({HOLD_MIB} to hold)."
    )
    asked = ["| query over the CSV | wall s | CPU s | DuckDB wall s | DuckDB CPU s |", "|---|---|---|---|---|"]
    for name, sql in QUERIES:
        ours = min(measured([BINARY, "sql", "-c", sql, file])[:2] for _ in range(options.runs))
        other = sql.replace("lineitem", f"read_csv('{file}')")
        them = min(measured(duckdb_command(other))[:2] for _ in range(options.runs))
        asked.append(f"| {name} | {ours[0]:.2f} | {ours[1]:.2f} | {them[0]:.2f} | {them[1]:.2f} |")
        print("csv,", asked[-1])
    return (
        f"## CSV of lineitem SF{options.scale} to Parquet with zstd, beside DuckDB {duckdb_version}\n\n{summary} "
        f"Ours is an Iceberg table, committed, with its types from the whole file; DuckDB's is one file, synced by "
        f"nobody, with types from a sample. Processes with their start; best of {options.runs}, in turns.\n\n"
        + "\n".join(lines) + "\n\n" + "\n".join(asked) + "\n"
    )
