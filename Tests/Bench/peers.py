"""Further peers on TPC-H: Polars and DataFusion beside DuckDB; TPC-H by eight clients together; SF10 in little memory."""

import csv
import functools
import io
import math
import os
import re
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Clients"))
from appliance import BINARY, ROOT, Appliance, plain_environment  # noqa: E402


def tpch_texts():
    queries = sorted((ROOT / "Tests" / "SQL" / "tpch").glob("q*.sql"))
    return [(query.stem, query.read_text().strip().rstrip(";")) for query in queries]


def geomean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else float("nan")


def best(call, runs):
    """Best wall and mean CPU time in milliseconds; what is wrong instead when it fails."""
    times, cpu = [], time.process_time()
    for _ in range(runs):
        began = time.perf_counter()
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - Polars' panics are no Exceptions
            if isinstance(error, KeyboardInterrupt):
                raise
            return str(error).split("\n")[0][:80]
        times.append((time.perf_counter() - began) * 1000)
    return min(times), (time.process_time() - cpu) * 1000 / runs


def open_peers(files):
    """A function for each peer that runs a text and fetches all of its rows."""
    import datafusion
    import duckdb
    import polars

    duck = duckdb.connect()
    fusion = datafusion.SessionContext()
    lazy = polars.SQLContext()
    for file in files:
        duck.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
        fusion.register_parquet(file.stem, str(file))
        lazy.register(file.stem, polars.scan_parquet(file))
    return {
        f"DuckDB {duckdb.__version__}": lambda text: duck.execute(text).fetchall(),
        f"Polars {polars.__version__}": lambda text: lazy.execute(text).collect(engine="streaming"),
        f"DataFusion {datafusion.__version__}": lambda text: fusion.sql(text).collect(),
    }


@functools.cache
def cheapest_start(files):
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([BINARY, "sql", "-c", "SELECT 1", *files], check=True, capture_output=True, env=plain_environment())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return min(times)


def start_cpu(files):
    """CPU milliseconds that our process needs to start and to open the files: the least of seven."""
    return cheapest_start(tuple(map(str, files)))


def ours(sql, files, runs, *flags, timing=True):
    """Best wall and mean CPU time of a run, and what was printed; the error instead when it fails."""
    start = start_cpu(files)
    script = ROOT / ".cache" / f"bench-{os.getpid()}.sql"
    script.write_text(";\n".join([sql] * runs))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [BINARY, "sql", *(["--timing"] if timing else []), *flags, "-f", script, *files],
        capture_output=True, text=True, env=plain_environment(), timeout=3600,
    )
    took = (time.perf_counter() - began) * 1000 / runs
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    script.unlink()
    if done.returncode != 0:
        return done.stderr.strip().split("\n")[0][:120]
    walls = [float(found) for found in re.findall(r"^\(.*?([\d.]+) ms\)$", done.stdout, re.M)]
    cpu = ((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 - start) / runs
    return min(walls, default=took), cpu, done.stdout


def bench_peers(options, tpch_files, table):
    files = sorted(tpch_files(options.scale).glob("*.parquet"))
    peers = open_peers(files)
    rows, ratios = [], {name: [] for name in [*peers, "the best of them"]}
    for name, text in tpch_texts():
        if options.queries and name not in options.queries.split(","):
            continue
        mine = ours(text, files, options.runs)
        if isinstance(mine, str):
            rows.append((name, mine, *("" for _ in peers), ""))
            continue
        row, found = [name, f"{mine[1]:.0f}, {mine[0]:.0f}"], []
        for peer, run in peers.items():
            theirs = best(lambda: run(text), options.runs)
            if isinstance(theirs, str):
                row.append("fails")
                continue
            found.append(theirs)
            ratios[peer].append((mine[1] / theirs[1], mine[0] / theirs[0]))
            row.append(f"{theirs[1]:.0f}, {theirs[0]:.0f}")
        least = [min(times) for times in zip(*found)]
        ratios["the best of them"].append((mine[1] / least[1], mine[0] / least[0]))
        rows.append([*row, f"{mine[1] / least[1]:.2f}, {mine[0] / least[0]:.2f}"])
        print(*rows[-1], sep=" | ", flush=True)
    means = "; ".join(
        f"{peer} {geomean([cpu for cpu, _ in found]):.2f}, {geomean([wall for _, wall in found]):.2f} over {len(found)}"
        for peer, found in ratios.items() if found)
    print(means)
    return (
        f"## TPC-H SF{options.scale} beside more peers\n\nGeometric means of our CPU and wall time to theirs: {means}. "
        f"Milliseconds of CPU (mean of {options.runs}; ours less the {start_cpu(files):.0f} ms of its start), then of wall time (the best); `fails` where the peer's SQL does not take the "
        f"query.\n\n{table(['query', 'ours', *peers, 'ratios to the best'], rows)}\n"
    )


def cells(row):
    """Values of a row as they can be compared: numbers to the second digit behind the point."""
    found = []
    for value in row:
        text = "" if value is None else str(value)
        try:
            found.append(float(text))
        except ValueError:
            found.append(text)
    return found


def agree(mine, theirs):
    """Whether two results are equal, but for the last digits of numbers."""
    def same(left, right):
        if isinstance(left, float) and isinstance(right, float):
            return abs(left - right) <= max(0.02, 1e-6 * abs(left))
        return left == right

    return len(mine) == len(theirs) and all(
        len(left) == len(right) and all(map(same, cells(left), cells(right))) for left, right in zip(mine, theirs))


def bench_large(options, tpch_files, table):
    """SF10 within 2 GiB: everything finishes, beside DuckDB with the same limit."""
    import duckdb

    files = sorted(tpch_files("10").glob("*.parquet"))
    connection = duckdb.connect(config={"memory_limit": "2GiB"})
    for file in files:
        connection.execute(f"create view {file.stem} as select * from read_parquet('{file}')")
    rows, ratios, failed = [], [], []
    for name, text in tpch_texts():
        if options.queries and name not in options.queries.split(","):
            continue
        began, cpu = time.perf_counter(), time.process_time()
        wanted = connection.execute(text).fetchall()
        theirs = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
        mine = ours(text, files, 1, "--csv", "--memory-limit", "2GiB", timing=False)
        if isinstance(mine, str):
            failed.append(name)
            rows.append((name, mine, "", f"{theirs[0]:.0f}", "", "", ""))
        else:
            if not agree(list(csv.reader(io.StringIO(mine[2])))[1:], wanted):
                failed.append(f"{name} (another answer)")
            ratios.append((mine[1] / theirs[1], mine[0] / theirs[0]))
            rows.append((name, f"{mine[0]:.0f}", f"{mine[1]:.0f}", f"{theirs[0]:.0f}", f"{theirs[1]:.0f}",
                         f"{ratios[-1][1]:.2f}", f"{ratios[-1][0]:.2f}"))
        print(*rows[-1], flush=True)
    summary = (
        f"CPU geomean {geomean([cpu for cpu, _ in ratios]):.2f}, wall geomean {geomean([wall for _, wall in ratios]):.2f}, "
        f"worst CPU {max((cpu for cpu, _ in ratios), default=float('nan')):.2f} over {len(ratios)} queries"
        + (f"; failed: {', '.join(failed)}." if failed else "; all answer as DuckDB does.")
    )
    print(summary)
    head = ["query", "wall ms", "CPU ms", "DuckDB wall ms", "DuckDB CPU ms", "wall ratio", "CPU ratio"]
    return (
        f"## TPC-H SF10 within 2 GiB, beside DuckDB {duckdb.__version__}\n\n{summary} One run each, both engines "
        f"with a memory limit of 2 GiB.\n\n{table(head, rows)}\n"
    )


def bench_clients(options, table):
    """TPC-H by one client and by eight together, through the Trino protocol over Iceberg tables of ours."""
    import tempfile

    import trino
    from trino.auth import BasicAuthentication

    texts = tpch_texts()
    results = []
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder) / "data") as server:
        variables = server.variables()
        # What the environment names would go before the certificate given below.
        os.environ["REQUESTS_CA_BUNDLE"] = variables["LAKEHOUSE_CA"]

        def connect():
            return trino.dbapi.connect(
                host=variables["TRINO_HOST"], port=int(variables["TRINO_PORT"]), http_scheme="https",
                verify=variables["LAKEHOUSE_CA"], catalog="lakehouse", schema="bench",
                auth=BasicAuthentication(variables["TRINO_USER"], variables["TRINO_PASSWORD"]),
            )

        first = connect().cursor()
        for text in (
            "create schema lakehouse.bench",
            """create catalog made using tpch with
            ("tpch.column-naming" = 'STANDARD', "tpch.double-type-mapping" = 'DECIMAL')""",
        ):
            first.execute(text)
            first.fetchall()
        for name in ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"):
            first.execute(
                f'create table lakehouse.bench.{name} as select * from made."sf{options.scale}".{name}')
            first.fetchall()
        for clients in (1, 8):
            times, wrong, lock = [], [], threading.Lock()

            def work(number):
                cursor = connect().cursor()
                order = texts[number * 3 % len(texts):] + texts[:number * 3 % len(texts)]
                for name, text in order:
                    began = time.perf_counter()
                    try:
                        cursor.execute(text)
                        cursor.fetchall()
                    except Exception as error:  # noqa: BLE001
                        with lock:
                            wrong.append(f"{name}: {error}"[:100])
                        continue
                    with lock:
                        times.append(time.perf_counter() - began)

            began = time.perf_counter()
            threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = time.perf_counter() - began
            times.sort()
            results.append((
                clients, f"{len(times) / took:.2f}", f"{times[len(times) // 2] * 1000:.0f}",
                f"{times[min(len(times) - 1, int(len(times) * 0.99))] * 1000:.0f}", len(wrong)))
            print(*results[-1], wrong[:2], flush=True)
    head = ["clients", "queries a second", "median ms", "p99 ms", "failed"]
    return f"## TPC-H SF{options.scale} by clients together\n\n{table(head, results)}\n"
