"""From the answer to a PUT until SQL sees the rows: a CSV that lands in the bucket `landing`."""

import http.client
import json
import ssl
import statistics
import tempfile
import time
import urllib.parse
from pathlib import Path

from appliance import Appliance

FILES, ROWS = 50, 20
HOLD = 500


class Statements:
    """Asks the SQL door over one kept connection, with as little of its own time as possible."""

    def __init__(self, server, variables):
        place = urllib.parse.urlsplit(server.url)
        context = ssl.create_default_context(cafile=variables["LAKEHOUSE_CA"])
        self.connection = http.client.HTTPSConnection(place.hostname, place.port, context=context)
        self.fields = {"Authorization": f"Bearer {variables['LAKEHOUSE_TOKEN']}", "X-Trino-Source": "bench"}

    def _exchange(self, method, target, body=None):
        self.connection.request(method, target, body, self.fields)
        return json.loads(self.connection.getresponse().read())

    def rows(self, sql):
        """The rows; None when the statement fails, as for a table that is not there yet."""
        found, answer = [], self._exchange("POST", "/v1/statement", sql.encode())
        while True:
            if "error" in answer:
                return None
            found += answer.get("data") or []
            if "nextUri" not in answer:
                return found
            target = urllib.parse.urlsplit(answer["nextUri"])
            answer = self._exchange("GET", target.path + ("?" + target.query if target.query else ""))


def landed(server):
    """Milliseconds of each file: half of them make a table of their own, half come to one that is there."""
    import boto3
    from botocore.config import Config

    variables = server.variables()
    s3 = boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )
    statements = Statements(server, variables)
    fresh, kept = [], []
    for number in range(FILES):
        isNew = number % 2 == 0
        table = f"new{number}" if isNew else "kept"
        wanted = ROWS if isNew else ROWS * (number // 2 + 1)
        body = "id,amount,day,word\n" + "".join(
            f"{row},{row / 4},2026-01-{row % 28 + 1:02},w{row}\n" for row in range(ROWS)
        )
        s3.put_object(Bucket="landing", Key=f"bronze/bench/{table}/{number}.csv", Body=body.encode())
        began = time.perf_counter()
        while statements.rows(f"select count(*) from bronze.bench.{table}") != [[wanted]]:
            assert time.perf_counter() - began < 30, f"{table} never came"
        (fresh if isNew else kept).append((time.perf_counter() - began) * 1000)
    return fresh, kept


def bench_landing(options):
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder) / "data") as server:
        fresh, kept = landed(server)
    rows = []
    for what, times in (("all", fresh + kept), ("a new table", fresh), ("a table that is there", kept)):
        middle, high = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        rows.append((what, len(times), f"{middle:.0f} ms", f"{high:.0f} ms", f"{max(times):.0f} ms", f"{HOLD} ms"))
        print("landing,", *rows[-1])
    lines = ["| into | files | median | p95 | worst | to hold |", "|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return (
        "## A CSV that lands becomes rows\n\nFrom the answer to the PUT until `select count(*)` has the rows, asked "
        f"again and again; {ROWS} rows a file.\n\n" + "\n".join(lines) + "\n"
    )
