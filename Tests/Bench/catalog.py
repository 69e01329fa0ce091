"""The catalog under load: loads, 304s, commits, lists, a start with many tables, planning over many files.

Clients are processes of their own with one connection each, on the cores of the server: the figures are
those of both together.
"""

import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Clients"))
import iceberg_manifests as manifests  # noqa: E402
from appliance import Appliance  # noqa: E402

TABLES = 10_000
FILES = 10_000
SECONDS = 4.0


class Wire:
    """One kept connection that sends prepared requests and reads answers whole."""

    def __init__(self, url, token):
        parts = urlsplit(url)
        self.host, self.base, self.token = parts.netloc, parts.path.rstrip("/"), token
        self.socket = socket.create_connection((parts.hostname, parts.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def request(self, method, path, body=None, fields=()):
        data = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {self.base}{path} HTTP/1.1", f"Host: {self.host}",
                f"Authorization: Bearer {self.token}", *fields]
        if data:
            head += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + data

    def ask(self, request):
        """Status, head and body of one exchange."""
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self._more()
        head, rest = self.buffer.split(b"\r\n\r\n", 1)
        status = int(head[9:12])
        length = 0
        lower = head.lower()
        mark = lower.find(b"content-length:")
        if mark >= 0 and status not in (204, 304):
            length = int(lower[mark + 15:].split(b"\r\n", 1)[0])
        parts = [rest]
        have = len(rest)
        while have < length:
            parts.append(self._more())
            have += len(parts[-1])
        whole = b"".join(parts)
        self.buffer = whole[length:]
        return status, head, whole[:length]

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def worker(url, token, kind, number, until, results):
    wire = Wire(url, token)
    good = refused = 0
    path = f"/namespaces/bench/tables/{'t0' if kind in ('load', 'same', 'fresh') else f't{number}'}"
    fields = ()
    if kind == "fresh":
        _, head, _ = wire.ask(wire.request("GET", path))
        tag = next(line for line in head.decode().split("\r\n") if line.lower().startswith("etag:"))
        fields = ("If-None-Match: " + tag.split(":", 1)[1].strip(),)
    read = wire.request("GET", path, fields=fields)
    count = 0
    while time.monotonic() < until:
        if kind in ("load", "fresh"):
            status, _, _ = wire.ask(read)
        else:
            count += 1
            status, _, _ = wire.ask(wire.request("POST", path, {
                "requirements": [], "updates": [{
                    "action": "set-properties", "updates": {f"w{number}": str(count)}}]}))
        if status in (200, 304):
            good += 1
        else:
            refused += 1
    results.put((good, refused))


def rate(url, token, kind, clients):
    """Answers a second of as many clients at once, and how many were refused."""
    results = multiprocessing.Queue()
    began = time.monotonic() + 0.5
    running = [
        multiprocessing.Process(
            target=worker, args=(url, token, kind, number, began + SECONDS, results))
        for number in range(clients)]
    for process in running:
        process.start()
    first = time.monotonic()
    counts = [results.get() for _ in running]
    for process in running:
        process.join()
    seconds = max(began + SECONDS - first, 0.1)
    return sum(good for good, _ in counts) / seconds, sum(refused for _, refused in counts)


def table_of_many_files(variables):
    """A table of one manifest with many files, each of a range of ids."""
    from pyiceberg.catalog import load_catalog
    from pyiceberg.schema import Schema
    from pyiceberg.types import LongType, NestedField

    catalog = load_catalog(
        "lakehouse", type="rest", uri=variables["CATALOG_URI"], warehouse=variables["WAREHOUSE"],
        credential=variables["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": variables["CATALOG_OAUTH2_URI"]})
    made = catalog.create_table(
        "bench.files", Schema(NestedField(1, "id", LongType(), required=False)))
    whole = []
    for number in range(FILES):
        low, high = number * 100, number * 100 + 99
        whole.append({
            "content": manifests.DATA, "file_format": "PARQUET",
            "file_path": f"{made.location()}/data/{number:05}.parquet", "record_count": 100,
            "file_size_in_bytes": 1000,
            "lower_bounds": [{"key": 1, "value": low.to_bytes(8, "little")}],
            "upper_bounds": [{"key": 1, "value": high.to_bytes(8, "little")}]})
    manifests.commit(catalog, made, whole)


def bench_catalog(options):
    rows = []

    def note(what, value, hold):
        rows.append((what, value, hold))
        print("catalog,", what, value, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "data"
        with Appliance(place) as server:
            variables = server.variables()
            token = variables["LAKEHOUSE_TOKEN"]
            url = f"{variables['CATALOG_URI'].rstrip('/')}/v1/{variables['WAREHOUSE']}"
            wire = Wire(url, token)
            assert wire.ask(wire.request("POST", "/namespaces", {"namespace": ["bench"]}))[0] == 200
            schema = {"type": "struct", "fields": [
                {"id": number, "name": f"c{number}", "required": False, "type": "long"}
                for number in range(1, 11)]}
            began = time.monotonic()
            for number in range(TABLES):
                status, _, _ = wire.ask(wire.request(
                    "POST", "/namespaces/bench/tables", {"name": f"t{number}", "schema": schema}))
                assert status == 200
            seconds = time.monotonic() - began
            note("tables made, one client", f"{TABLES / seconds:,.0f}/s", "")
            for clients in (1, 8, 32):
                value, _ = rate(url, token, "load", clients)
                note(f"loadTable, {clients} clients", f"{value:,.0f}/s", "5,000 at 8" if clients == 8 else "")
            value, _ = rate(url, token, "fresh", 8)
            note("304, 8 clients", f"{value:,.0f}/s", "10,000")
            for clients in (1, 8, 32):
                value, _ = rate(url, token, "distinct", clients)
                note(f"commits on distinct tables, {clients} clients", f"{value:,.0f}/s",
                     "1,000 at 32" if clients == 32 else "")
            value, refused = rate(url, token, "same", 32)
            note("commits on one table, 32 clients", f"{value:,.0f}/s, {refused} refused", "300")
            times = []
            for _ in range(5):
                began, mark, seen = time.monotonic(), "", 0
                while mark is not None:
                    _, _, body = wire.ask(wire.request(
                        "GET", f"/namespaces/bench/tables?pageSize=1000&pageToken={mark}"))
                    page = json.loads(body)
                    seen += len(page["identifiers"])
                    mark = page.get("next-page-token")
                times.append((time.monotonic() - began) * 1000)
                assert seen == TABLES
            note("list of 10,000 tables in pages", f"{statistics.median(times):,.0f} ms", "100 ms")
            table_of_many_files(variables)
            plan = wire.request("POST", "/namespaces/bench/tables/files/plan", {
                "filter": {"type": "eq", "term": "id", "value": 4_217}})
            times = []
            for _ in range(6):
                began = time.monotonic()
                status, _, body = wire.ask(plan)
                times.append((time.monotonic() - began) * 1000)
                assert status == 200 and len(json.loads(body)["file-scan-tasks"]) == 1
            note("plan of a filtered scan, 10,000 files, first", f"{times[0]:,.0f} ms", "")
            note("the same again", f"{statistics.median(times[1:]):,.0f} ms", "50 ms")
        with Appliance(place) as server:
            note("start with 10,000 tables", f"{server.start_seconds * 1000:,.0f} ms", "300 ms")
    lines = ["| what | last | to hold |", "|---|---|---|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return (
        "## The catalog under load\n\nClients are Python processes with one connection each, on the same "
        f"{os.cpu_count()} cores.\n\n" + "\n".join(lines) + "\n"
    )
