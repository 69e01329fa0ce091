"""Clients of S3 that people use, each with its ordinary work on a running server."""

import filecmp
import hashlib
import io
import os
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from appliance import plain_environment
from botocore.config import Config

pytestmark = pytest.mark.usefixtures("appliance")

MIB = 1024 * 1024


def pattern(size, seed=1):
    return hashlib.shake_128(bytes([seed])).digest(size)


@pytest.fixture
def bucket(appliance):
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    name = f"test-{uuid.uuid4().hex[:20]}"
    s3.create_bucket(Bucket=name)
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys})
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def place(appliance):
    """Host, port, key, secret."""
    address = urlsplit(appliance.s3_url)
    return address.netloc, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


@pytest.fixture
def folder(tmp_path):
    """Three files, one of them in parts."""
    root = tmp_path / "source"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"hello")
    (root / "deep" / "b é.bin").write_bytes(pattern(70_000))
    (root / "deep" / "er" / "large.bin").write_bytes(pattern(11 * MIB))
    return root


def same(left, right):
    names = sorted(path.relative_to(left).as_posix() for path in Path(left).rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(right).as_posix() for path in Path(right).rglob("*") if path.is_file())
    assert filecmp.cmpfiles(left, right, names, shallow=False) == (names, [], [])


def run(program, *arguments, environment=None):
    done = subprocess.run(
        [str(Path(sys.executable).parent / program), *map(str, arguments)],
        capture_output=True, text=True, timeout=300, env={**plain_environment(), **(environment or {})},
    )
    assert done.returncode == 0, f"{program} {arguments}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_minio_py(bucket, place):
    minio = pytest.importorskip("minio")
    host, key, secret = place
    client = minio.Minio(host, access_key=key, secret_key=secret, secure=False, region="us-east-1")
    assert client.bucket_exists(bucket_name=bucket)
    body = pattern(12 * MIB)
    client.put_object(
        bucket_name=bucket, object_name="a/large", data=io.BytesIO(body), length=len(body), part_size=5 * MIB,
        metadata={"who": "me"},
    )
    client.put_object(bucket_name=bucket, object_name="a/small", data=io.BytesIO(b"x"), length=1)
    found = client.stat_object(bucket_name=bucket, object_name="a/large")
    assert found.size == len(body) and found.metadata["x-amz-meta-who"] == "me"
    answer = client.get_object(bucket_name=bucket, object_name="a/large", offset=5 * MIB - 3, length=10)
    assert answer.read() == body[5 * MIB - 3 : 5 * MIB + 7]
    answer.close()
    assert [entry.object_name for entry in client.list_objects(bucket_name=bucket, recursive=True)] == ["a/large", "a/small"]
    assert [entry.object_name for entry in client.list_objects(bucket_name=bucket)] == ["a/"]
    client.set_bucket_versioning(bucket_name=bucket, config=minio.versioningconfig.VersioningConfig("Enabled"))
    client.put_object(bucket_name=bucket, object_name="a/small", data=io.BytesIO(b"yy"), length=2)
    versions = list(client.list_objects(bucket_name=bucket, prefix="a/small", include_version=True))
    assert [entry.size for entry in versions] == [2, 1]
    for entry in client.list_objects(bucket_name=bucket, recursive=True, include_version=True):
        client.remove_object(bucket_name=bucket, object_name=entry.object_name, version_id=entry.version_id)


def test_obstore(bucket, place):
    obstore = pytest.importorskip("obstore")
    from obstore.store import S3Store

    host, key, secret = place
    store = S3Store(
        bucket, endpoint=f"http://{host}", access_key_id=key, secret_access_key=secret, region="us-east-1",
        virtual_hosted_style_request=False, client_options={"allow_http": True},
    )
    body = pattern(11 * MIB)
    obstore.put(store, "d/large", body)
    obstore.put(store, "d/small", b"x")
    assert bytes(obstore.get(store, "d/large").bytes()) == body
    assert bytes(obstore.get_range(store, "d/large", start=7, end=17)) == body[7:17]
    assert sorted(entry["path"] for page in obstore.list(store) for entry in page) == ["d/large", "d/small"]
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "d/small", b"y", mode="create")
    obstore.copy(store, "d/small", "d/copy")
    obstore.rename(store, "d/copy", "d/moved")
    assert obstore.head(store, "d/moved")["size"] == 1
    obstore.delete(store, ["d/large", "d/small", "d/moved"])
    assert [entry for page in obstore.list(store) for entry in page] == []


@pytest.mark.parametrize("version2", [False, True])
def test_s3cmd(bucket, place, folder, tmp_path, version2):
    host, key, secret = place
    settings = tmp_path / "s3cfg"
    settings.write_text(
        f"[default]\naccess_key = {key}\nsecret_key = {secret}\nhost_base = {host}\nhost_bucket = {host}\n"
        f"use_https = False\nbucket_location = us-east-1\nsignature_v2 = {version2}\n"
    )
    s3cmd = lambda *arguments: run("s3cmd", "--config", settings, *arguments)
    s3cmd("sync", f"{folder}/", f"s3://{bucket}/x/", "--multipart-chunk-size-mb=5")
    assert f"s3://{bucket}/x/deep/er/large.bin" in s3cmd("ls", "-r", f"s3://{bucket}")
    s3cmd("cp", f"s3://{bucket}/x/a.txt", f"s3://{bucket}/y/a.txt")
    assert "5" in s3cmd("du", f"s3://{bucket}/y/")
    link = s3cmd("signurl", f"s3://{bucket}/y/a.txt", "+60").strip()
    with urllib.request.urlopen(link, timeout=30) as answer:
        assert answer.read() == b"hello"
    (tmp_path / "back").mkdir()
    s3cmd("sync", f"s3://{bucket}/x/", f"{tmp_path}/back/")
    same(folder, tmp_path / "back")
    s3cmd("del", "-r", "--force", f"s3://{bucket}/x/")
    assert s3cmd("ls", "-r", f"s3://{bucket}").count("s3://") == 1


def test_rclone(bucket, place, folder, tmp_path):
    host, key, secret = place
    environment = {
        "RCLONE_CONFIG": str(tmp_path / "none.conf"), "RCLONE_CONFIG_L_TYPE": "s3",
        "RCLONE_CONFIG_L_PROVIDER": "Other", "RCLONE_CONFIG_L_ENDPOINT": f"http://{host}",
        "RCLONE_CONFIG_L_ACCESS_KEY_ID": key, "RCLONE_CONFIG_L_SECRET_ACCESS_KEY": secret,
        "RCLONE_CONFIG_L_REGION": "us-east-1", "RCLONE_S3_CHUNK_SIZE": "5Mi", "RCLONE_S3_UPLOAD_CUTOFF": "6Mi",
    }
    rclone = lambda *arguments: run("rclone", *arguments, environment=environment)
    rclone("copy", folder, f"l:{bucket}/x")
    rclone("check", folder, f"l:{bucket}/x", "--download")
    (folder / "a.txt").write_bytes(b"changed")
    (folder / "deep" / "b é.bin").unlink()
    rclone("sync", folder, f"l:{bucket}/x")
    rclone("check", folder, f"l:{bucket}/x")
    assert sorted(rclone("lsf", "-R", "--files-only", f"l:{bucket}/x").split()) == ["a.txt", "deep/er/large.bin"]
    rclone("copy", f"l:{bucket}/x", tmp_path / "back")
    same(folder, tmp_path / "back")
    rclone("moveto", f"l:{bucket}/x/a.txt", f"l:{bucket}/y/a.txt")
    assert rclone("cat", f"l:{bucket}/y/a.txt") == "changed"
    rclone("purge", f"l:{bucket}/x")
    assert rclone("lsf", "-R", "--files-only", f"l:{bucket}").split() == ["y/a.txt"]


def test_the_filesystem_of_pyarrow(bucket, place):
    import pyarrow
    import pyarrow.dataset
    import pyarrow.fs
    import pyarrow.parquet

    host, key, secret = place
    files = pyarrow.fs.S3FileSystem(
        access_key=key, secret_key=secret, endpoint_override=host, scheme="http", region="us-east-1"
    )
    table = pyarrow.table({"n": list(range(100_000)), "part": [number % 3 for number in range(100_000)]})
    pyarrow.parquet.write_table(table, f"{bucket}/one.parquet", filesystem=files)
    pyarrow.dataset.write_dataset(
        table, f"{bucket}/many", filesystem=files, format="parquet",
        partitioning=pyarrow.dataset.partitioning(pyarrow.schema([("part", pyarrow.int64())]), flavor="hive"),
    )
    assert pyarrow.parquet.read_table(f"{bucket}/one.parquet", filesystem=files).equals(table)
    back = pyarrow.dataset.dataset(f"{bucket}/many", filesystem=files, format="parquet", partitioning="hive")
    assert back.count_rows() == 100_000
    assert back.count_rows(filter=pyarrow.dataset.field("part") == 1) == 33_333
    names = [entry.base_name for entry in files.get_file_info(pyarrow.fs.FileSelector(f"{bucket}/many"))]
    assert sorted(names) == ["part=0", "part=1", "part=2"]
    files.copy_file(f"{bucket}/one.parquet", f"{bucket}/two.parquet")
    with files.open_input_file(f"{bucket}/two.parquet") as opened:
        assert opened.read_at(4, 0) == b"PAR1"
    files.delete_dir(f"{bucket}/many")
    assert files.get_file_info(f"{bucket}/many").type == pyarrow.fs.FileType.NotFound


def test_polars_scans_and_writes(bucket, place):
    polars = pytest.importorskip("polars")
    host, key, secret = place
    options = {
        "aws_access_key_id": key, "aws_secret_access_key": secret, "aws_endpoint_url": f"http://{host}",
        "aws_region": "us-east-1", "aws_allow_http": "true",
    }
    frame = polars.DataFrame({"n": range(50_000)})
    frame.write_parquet(f"s3://{bucket}/p/one.parquet", storage_options=options)
    found = polars.scan_parquet(f"s3://{bucket}/p/*.parquet", storage_options=options)
    assert found.filter(polars.col("n") < 7).collect().height == 7
