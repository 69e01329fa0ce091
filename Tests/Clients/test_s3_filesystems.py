"""Libraries that make a file system of a bucket: s3fs (with fsspec) and DuckDB's httpfs.

Both live in `.venv/tpcds`: s3fs wants another botocore than boto3 here, and httpfs the DuckDB of its version.
"""

import os
import subprocess
import uuid

import boto3
import pytest
from appliance import ROOT

pytestmark = pytest.mark.usefixtures("appliance")

PYTHON = ROOT / ".venv" / "tpcds" / "bin" / "python"


@pytest.fixture
def bucket(appliance):
    made = boto3.resource("s3").create_bucket(Bucket=f"test-{uuid.uuid4().hex[:20]}")
    yield made.name
    made.objects.delete()
    made.delete()


def run(script, *arguments):
    done = subprocess.run(
        [PYTHON, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=240, env=dict(os.environ)
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


S3FS = """
import hashlib, os, sys, urllib.request
import fsspec, s3fs

bucket, folder = sys.argv[1:]
# Nothing but the variables of `connect env`.
files = s3fs.S3FileSystem(skip_instance_cache=True)
body = hashlib.shake_128(b"s3fs").digest(12 << 20)

with files.open(f"{bucket}/d/large", "wb", block_size=5 << 20) as target:
    for start in range(0, len(body), 1 << 20):
        target.write(body[start : start + (1 << 20)])
assert files.info(f"{bucket}/d/large")["size"] == len(body)
assert files.cat(f"{bucket}/d/large") == body
with files.open(f"{bucket}/d/large", "rb") as source:
    source.seek(7 << 20)
    assert source.read(10) == body[7 << 20 : (7 << 20) + 10]
    source.seek(-5, 2)
    assert source.read() == body[-5:]
assert files.cat_ranges([f"{bucket}/d/large"] * 2, [0, 9], [4, 12]) == [body[:4], body[9:12]]

files.pipe({f"{bucket}/d/a é.txt": b"hello", f"{bucket}/d/e/b": b"xy", f"{bucket}/f": b""})
assert sorted(files.ls(f"{bucket}/d")) == [f"{bucket}/d/a é.txt", f"{bucket}/d/e", f"{bucket}/d/large"]
assert sorted(files.find(bucket)) == [f"{bucket}/d/a é.txt", f"{bucket}/d/e/b", f"{bucket}/d/large", f"{bucket}/f"]
assert files.glob(f"{bucket}/**/b") == [f"{bucket}/d/e/b"]
assert files.du(f"{bucket}/d") == len(body) + 7
assert files.isdir(f"{bucket}/d/e") and files.isfile(f"{bucket}/f") and not files.exists(f"{bucket}/none")

files.copy(f"{bucket}/d/a é.txt", f"{bucket}/g/copy")
files.mv(f"{bucket}/g/copy", f"{bucket}/g/moved")
assert files.find(f"{bucket}/g") == [f"{bucket}/g/moved"]
files.setxattr(f"{bucket}/g/moved", who="me")
assert files.metadata(f"{bucket}/g/moved")["who"] == "me"
files.put_tags(f"{bucket}/g/moved", {"k": "v"})
assert files.get_tags(f"{bucket}/g/moved") == {"k": "v"}
with urllib.request.urlopen(files.url(f"{bucket}/g/moved"), timeout=30) as answer:
    assert answer.read() == b"hello"

files.get(f"{bucket}/d/", folder + "/back/", recursive=True)
assert open(folder + "/back/large", "rb").read() == body and open(folder + "/back/e/b").read() == "xy"
files.put(folder + "/back/", f"{bucket}/again/", recursive=True)
assert files.checksum(f"{bucket}/again/e/b") == files.checksum(f"{bucket}/again/e/b")
with fsspec.open(f"s3://{bucket}/lines.txt.gz", "wt", compression="infer") as target:
    target.write("one\\ntwo\\n")
with fsspec.open(f"s3://{bucket}/lines.txt.gz", "rt", compression="infer") as source:
    assert source.read().splitlines() == ["one", "two"]
try:
    files.cat(f"{bucket}/none")
    raise AssertionError("what is not there was read")
except FileNotFoundError:
    pass
for name in ["d", "again", "g"]:
    files.rm(f"{bucket}/{name}", recursive=True)
assert sorted(files.find(bucket)) == [f"{bucket}/f", f"{bucket}/lines.txt.gz"]
"""


def test_s3fs_and_fsspec(bucket, tmp_path):
    run(S3FS, bucket, tmp_path)


HTTPFS = """
import sys
from pathlib import Path
import duckdb, duckdb_extension_httpfs

bucket, secret = sys.argv[1:]
[extension] = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
connection = duckdb.connect(config={"allow_unsigned_extensions": True, "threads": 2})
connection.execute(f"LOAD '{extension}'")
connection.execute(secret)
one = lambda text: connection.execute(text).fetchall()

one(f"COPY (SELECT range n, range % 3 part, md5(range::varchar) t FROM range(400000)) TO 's3://{bucket}/one.parquet'")
assert one(f"SELECT count(*), sum(n) FROM 's3://{bucket}/one.parquet'") == [(400000, 79999800000)]
# A few rows out of a large file: ranges.
assert one(f"SELECT t FROM 's3://{bucket}/one.parquet' WHERE n = 7") == [("8f14e45fceea167a5a36dedd4bea2543",)]
one(f"COPY (FROM 's3://{bucket}/one.parquet') TO 's3://{bucket}/many' (FORMAT parquet, PARTITION_BY part)")
assert one(f"SELECT part, count(*) FROM read_parquet('s3://{bucket}/many/*/*.parquet') WHERE part > 0 GROUP BY 1 ORDER BY 1") == [
    (1, 133333), (2, 133333)]
assert len(one(f"FROM glob('s3://{bucket}/many/**')")) >= 3
one(f"COPY (SELECT 1 a, 'é' b) TO 's3://{bucket}/d/x y+é.csv'")
assert one(f"FROM 's3://{bucket}/d/x y+é.csv'") == [(1, "é")]
one(f"COPY (SELECT 1 a) TO 's3://{bucket}/x.json.gz'")
assert one(f"FROM 's3://{bucket}/x.json.gz'") == [(1,)]
try:
    one(f"FROM 's3://{bucket}/none.parquet'")
    raise AssertionError("what is not there was read")
except duckdb.Error as error:
    assert "404" in str(error), error
connection.execute(secret.replace("CREATE SECRET", "CREATE OR REPLACE SECRET").replace("SECRET '", "SECRET 'x"))
try:
    one(f"FROM 's3://{bucket}/one.parquet'")
    raise AssertionError("a wrong key was let in")
except duckdb.Error as error:
    assert "403" in str(error), error
"""


def test_duckdbs_httpfs(bucket, appliance):
    secret = appliance.command("connect", "duckdb").stdout.split(";\n")[0]
    assert secret.startswith("CREATE SECRET lakehouse_s3")
    run(HTTPFS, bucket, secret)
