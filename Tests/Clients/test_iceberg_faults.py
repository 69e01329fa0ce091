"""What happens to tables when files are damaged or gone, and when the server is killed under four writers."""

import io

import boto3
import fastavro
import pyarrow as pa
import pytest
from botocore.config import Config
from pyiceberg.exceptions import CommitFailedException
from test_crash import LONG, ROUNDS, catalog_of, while_working

ROWS = pa.table({"id": pa.array([1, 2, 3], pa.int64())})
KINDS = ("metadata", "list", "manifest", "data")
DAMAGES = ("missing", "cut", "garbage") if LONG else ("missing", "cut")


def files_of(table):
    """The files that reading a table needs, one of each kind."""
    with table.io.new_input(table.current_snapshot().manifest_list).open() as stream:
        [manifest] = fastavro.reader(io.BytesIO(stream.read()))
    [task] = table.scan().plan_files()
    return dict(zip(KINDS, (
        table.metadata_location, table.current_snapshot().manifest_list,
        manifest["manifest_path"], task.file.file_path)))


@pytest.mark.timeout(600 if LONG else 280)
def test_damaged_and_missing_files_are_named_and_other_tables_work(start):
    server = start()
    variables = server.variables()
    catalog = catalog_of(variables)
    catalog.create_namespace("faults")
    hurt = {}
    for name in [f"{kind}_{damage}" for kind in KINDS for damage in DAMAGES] + ["fine"]:
        table = catalog.create_table(f"faults.{name}", ROWS.schema)
        table.append(ROWS)
        if name != "fine":
            hurt[name] = files_of(table)[name.split("_")[0]]
    s3 = boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}))
    for name, path in hurt.items():
        place = dict(zip(("Bucket", "Key"), path.removeprefix("s3://").split("/", 1)))
        damage = name.split("_")[1]
        if damage == "missing":
            s3.delete_object(**place)
            continue
        whole = s3.get_object(**place)["Body"].read()
        s3.put_object(**place, Body=whole[: len(whole) // 2] if damage == "cut" else b"garbage")
    server.stop()
    # Nothing of it is in memory any more.
    server = start()
    for name, path in hurt.items():
        done = server.command("sql", "-c", f"SELECT * FROM lakehouse.faults.{name}", code=1)
        file = path.rsplit("/", 1)[1]
        assert file in done.stderr, f"{name}: {file} is not in\n{done.stderr}"
    done = server.command(
        "sql", "--json", "-c", "SELECT count(*) AS n FROM lakehouse.faults.fine")
    assert '{"n":3}' in done.stdout.replace(" ", "")
    [task] = catalog_of(server.variables()).load_table("faults.fine").scan().plan_files()
    assert task.file.record_count == 3


@pytest.mark.timeout(900 if LONG else 280)
def test_four_writers_of_one_table_and_kills(start):
    acknowledged = set()
    for turn in range(ROUNDS):
        server = start()
        if turn == 0:
            catalog = catalog_of(server.variables())
            catalog.create_namespace("kills")
            columns = [(name, pa.int64()) for name in ("turn", "worker", "n")]
            catalog.create_table("kills.shared", pa.schema(columns))

        def work(worker, acknowledge):
            table = catalog_of(server.variables()).load_table("kills.shared")
            number = 0
            while True:
                row = (turn, worker, number)
                try:
                    table.append(pa.table({
                        name: pa.array([value], pa.int64())
                        for name, value in zip(("turn", "worker", "n"), row)}))
                except CommitFailedException:
                    # Another was faster, and nothing of this is there.
                    table.refresh()
                    continue
                acknowledge(row)
                number += 1

        acknowledged |= set(while_working(server, work, workers=4, enough=8 + 3 * turn))
        server = start()
        table = catalog_of(server.variables()).load_table("kills.shared")
        scanned = [tuple(row.values()) for row in table.scan().to_arrow().to_pylist()]
        found = set(scanned)
        assert len(found) == len(scanned), "a commit took effect twice"
        assert acknowledged <= found, f"gone: {sorted(acknowledged - found)[:5]}"
        # One commit a writer may have been under way at each kill.
        assert len(found - acknowledged) <= 4 * (turn + 1)
        chain, at = 0, table.current_snapshot()
        while at is not None:
            chain += 1
            at = table.snapshot_by_id(at.parent_snapshot_id) if at.parent_snapshot_id else None
        assert chain == len(found), "every row is a snapshot of its own in the table's history"
        server.stop()
        assert "everything is in order" in server.command("doctor").stdout
