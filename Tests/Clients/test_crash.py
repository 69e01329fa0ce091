"""kill -9 in the middle of work: whatever was acknowledged is there after the restart."""

import hashlib
import os
import threading

import boto3
import pyarrow as pa
import pytest
from botocore.config import Config
from pyiceberg.catalog import load_catalog

LONG = os.environ.get("LAKEHOUSE_LONG") == "1"
ROUNDS = 10 if LONG else 2


def s3_of(variables):
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
        config=Config(retries={"max_attempts": 0}, connect_timeout=20, read_timeout=60),
    )


def catalog_of(variables):
    return load_catalog(
        "lakehouse",
        type="rest",
        uri=variables["CATALOG_URI"],
        warehouse=variables["WAREHOUSE"],
        credential=variables["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": variables["CATALOG_OAUTH2_URI"]},
    )


def content(worker, number):
    """Some objects live in the index, some in files of their own."""
    size = [10, 5_000, 70_000, 700_000][number % 4]
    return hashlib.shake_128(b"%d/%d" % (worker, number)).digest(size)


def while_working(server, work, workers, enough):
    """Runs `work(worker, acknowledge)` in threads; kills the server once `enough` was acknowledged."""
    acknowledged, lock, reached = [], threading.Lock(), threading.Event()

    def acknowledge(entry):
        with lock:
            acknowledged.append(entry)
            if len(acknowledged) >= enough:
                reached.set()

    def body(worker):
        try:
            work(worker, acknowledge)
        except Exception:
            # The server died under the request; only acknowledgements count.
            reached.wait(60)

    threads = [threading.Thread(target=body, args=(worker,), daemon=True) for worker in range(workers)]
    for thread in threads:
        thread.start()
    assert reached.wait(240), f"only {len(acknowledged)} acknowledgements\n{server.log()}"
    server.kill()
    for thread in threads:
        thread.join(60)
    with lock:
        return list(acknowledged)


@pytest.mark.timeout(600 if LONG else 280)
def test_acknowledged_objects_survive(start):
    everything = []
    for turn in range(ROUNDS):
        server = start()
        s3 = s3_of(server.variables())
        if turn == 0:
            s3.create_bucket(Bucket="crash")

        def work(worker, acknowledge):
            client = s3_of(server.variables())
            for number in range(10_000):
                key = f"{turn}/{worker}/{number}"
                body = content(worker, number)
                client.put_object(Bucket="crash", Key=key, Body=body)
                acknowledge((key, hashlib.sha256(body).hexdigest()))
                if number % 7 == 3:
                    client.delete_object(Bucket="crash", Key=key)
                    acknowledge((key, None))

        everything += while_working(server, work, workers=4, enough=60 + 13 * turn)
        server = start()
        s3 = s3_of(server.variables())
        found = {
            entry["Key"]: entry["Size"]
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket="crash")
            for entry in page.get("Contents", [])
        }
        last = dict(everything)
        for key, digest in last.items():
            if digest is None:
                assert key not in found, f"{key} was deleted"
                continue
            # Its deletion may have been under way, and then it is gone as a whole.
            number = int(key.rsplit("/", 1)[1])
            if key not in found and number % 7 == 3:
                continue
            assert key in found, f"{key} was acknowledged and is gone"
            body = s3.get_object(Bucket="crash", Key=key)["Body"].read()
            assert hashlib.sha256(body).hexdigest() == digest, key
        for key in found.keys() - last.keys():
            # Written but not acknowledged: whole or not there, never a part.
            worker, number = map(int, key.split("/")[1:])
            assert s3.get_object(Bucket="crash", Key=key)["Body"].read() == content(worker, number)
            everything.append((key, hashlib.sha256(content(worker, number)).hexdigest()))
        server.stop()
        report = server.command("doctor", "--storage")
        assert "everything is in order" in report.stdout


@pytest.mark.timeout(600 if LONG else 280)
def test_acknowledged_commits_survive(start):
    expected = {}
    for turn in range(ROUNDS):
        server = start()
        catalog = catalog_of(server.variables())
        if turn == 0:
            catalog.create_namespace("crash")
            for worker in range(2):
                table = pa.schema([("turn", pa.int64()), ("n", pa.int64())])
                catalog.create_table(f"crash.t{worker}", table)

        def work(worker, acknowledge):
            table = catalog_of(server.variables()).load_table(f"crash.t{worker}")
            for number in range(10_000):
                rows = pa.table({"turn": pa.array([turn], pa.int64()), "n": pa.array([number], pa.int64())})
                table.append(rows)
                acknowledge((worker, turn, number))

        for worker, era, number in while_working(server, work, workers=2, enough=8 + 3 * turn):
            expected.setdefault(worker, set()).add((era, number))
        server = start()
        catalog = catalog_of(server.variables())
        for worker, rows in expected.items():
            table = catalog.load_table(f"crash.t{worker}")
            scanned = table.scan().to_arrow().to_pylist()
            found = {(row["turn"], row["n"]) for row in scanned}
            assert len(found) == len(scanned), "no commit took effect twice"
            assert rows <= found, f"acknowledged and gone: {sorted(rows - found)[:5]}"
            # At most the one commit that was under way a turn is there without an acknowledgement.
            assert len(found - rows) <= turn + 1
        server.stop()
        assert "everything is in order" in server.command("doctor").stdout


def test_a_restart_keeps_keys_users_and_tables(start):
    server = start()
    made = server.command("key", "create", "--user", "etl", "--create-user", "--json").stdout
    server.kill()
    assert made.split('"accessKeyId":"', 1)[1].split('"')[0] in start().command("key", "list").stdout
