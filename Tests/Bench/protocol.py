"""The Trino protocol by a client that keeps one connection: the time of SELECT 1, and values of a large result a second."""

import http.client
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Clients"))
from appliance import Appliance  # noqa: E402
from iceberg import processor_seconds  # noqa: E402

WIDE = (
    "SELECT orderkey, partkey, linenumber, quantity, extendedprice, discount, shipdate, returnflag, shipmode, comment "
    "FROM made.tiny.lineitem LIMIT 10000"
)


class RawClient:
    """Statements over one plain connection; pages are read to the last and parsed by the caller's choice."""

    def __init__(self, host, port, user):
        self.connection, self.user = http.client.HTTPConnection(host, port), user

    def _exchange(self, method, path, body=None):
        self.connection.request(method, path, body, {"X-Trino-User": self.user, "X-Trino-Catalog": "lakehouse"})
        return json.loads(self.connection.getresponse().read())

    def run(self, text):
        """The rows and the number of exchanges."""
        page, rows, exchanges = self._exchange("POST", "/v1/statement", text), [], 1
        while True:
            if "error" in page:
                raise RuntimeError(page["error"]["message"])
            rows += page.get("data") or []
            if "nextUri" not in page:
                return rows, exchanges
            page = self._exchange("GET", "/" + page["nextUri"].split("/", 3)[3])
            exchanges += 1


def measured(client, server, text, rounds):
    """Best and median milliseconds, CPU milliseconds of the server for each, rows and exchanges of the last."""
    client.run(text)
    times, cpu = [], processor_seconds(server.pid)
    for _ in range(rounds):
        began = time.perf_counter()
        rows, exchanges = client.run(text)
        times.append((time.perf_counter() - began) * 1000)
    cpu = (processor_seconds(server.pid) - cpu) * 1000 / rounds
    return min(times), sorted(times)[len(times) // 2], cpu, rows, exchanges


def bench_protocol(options, table):
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder) / "data", "--trust-loopback") as server:
        variables = server.variables()
        client = RawClient(variables["TRINO_HOST"], int(variables["TRINO_PORT"]), variables["TRINO_USER"])
        client.run("create catalog made using tpch")
        best, median, cpu, _, exchanges = measured(client, server, "SELECT 1", 1000)
        results = [("`SELECT 1`", f"{best:.2f} ms", f"{median:.2f} ms", f"{cpu:.2f} ms", exchanges, "< 1 ms")]
        print(*results[-1])
        best, median, cpu, rows, exchanges = measured(client, server, WIDE, 10 * options.runs)
        values = sum(map(len, rows))
        results.append((
            f"{len(rows):,} rows, {values:,} values", f"{best:.0f} ms", f"{median:.0f} ms", f"{cpu:.0f} ms", exchanges,
            f"{values / best / 1000:.2f} million values a second (1 to hold)"))
        print(*results[-1])
    head = ["statement", "best", "median", "CPU of the server", "exchanges", "to hold"]
    return f"## The Trino protocol, one connection kept\n\n{table(head, results)}\n"
