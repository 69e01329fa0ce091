"""`lakehouse ingest` and `lakehouse s3 …`: files of this machine and data of the directory, with and without a server."""

import json
import os

import pytest
from appliance import BINARY, lakehouse, plain_environment
import subprocess


@pytest.fixture(params=["server", "one-shot"])
def place(request, start, tmp_path):
    """The words that name the directory; commands run from another folder than the server."""
    directory = tmp_path / "data"
    if request.param == "server":
        start(directory)
    else:
        lakehouse("init", "--data", directory)
    files = tmp_path / "files"
    files.mkdir()

    def run(*words, **options):
        return lakehouse(*words, "--data", directory, cwd=files, **options)

    run.files = files
    run.directory = directory
    return run


def rows(place, sql):
    return [list(json.loads(line).values()) for line in place("sql", "--json", "-c", sql).stdout.splitlines()]


def test_files_become_rows_of_a_table(place):
    (place.files / "a.csv").write_text("id,day,amount\n1,2026-01-01,1.5\n2,2026-01-02,2.25\n")
    (place.files / "b.csv").write_text("id,day,amount,word\n3,2026-02-01,4.0,new\n")
    done = json.loads(place("ingest", "a.csv", "--into", "bronze.cli.sales", "--partition", "month(day)", "--json").stdout)
    assert done["rows"] == 2 and done["createdTable"] is True and done["snapshotId"]
    assert "is made with its first rows" in place("ingest", "a.csv", "--into", "bronze.cli.other").stderr
    # The same version of a file comes once.
    assert "there already" in place("ingest", "a.csv", "--into", "bronze.cli.sales").stdout
    done = json.loads(place("ingest", "b.csv", "--into", "bronze.cli.sales", "--json").stdout)
    assert done["changedColumns"] == ["word"]
    assert rows(place, "select id, word from bronze.cli.sales order by id") == [[1, None], [2, None], [3, "new"]]
    place("ingest", "a.csv", "b.csv", "--into", "bronze.cli.sales", "--mode", "replace")
    assert rows(place, "select count(*), cast(sum(amount) as varchar) from bronze.cli.sales") == [[3, "7.75"]]
    partitions = rows(place, 'select count(*) from bronze.cli."sales$partitions"')
    assert partitions == [[2]]


@pytest.mark.parametrize(
    "words, code, complaint",
    [
        (["a.csv"], 2, "--into TABLE is missing"),
        ([], 2, "FILE"),
        (["none.csv", "--into", "bronze.cli.t"], 1, "none.csv"),
        (["a.csv", "--into", "t"], 1, "t"),
        (["a.csv", "--into", "bronze.cli.t", "--mode", "upsert"], 2, "--mode"),
        (["a.csv", "--into", "bronze.cli.t", "--format", "xml"], 1, "formats: csv"),
        (["a.txt", "--into", "bronze.cli.t"], 1, "format"),
        (["bad.csv", "--into", "bronze.cli.t"], 1, "bad.csv"),
        (["cut.parquet", "--into", "bronze.cli.t"], 1, "cut.parquet"),
    ],
)
def test_what_cannot_be_taken_is_named_and_leaves_nothing(tmp_path, words, code, complaint):
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "a.txt").write_text("id\n1\n")
    (tmp_path / "bad.csv").write_text('id,name\n1,"never closed\n2,b\n')
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    lakehouse("init", "--data", tmp_path / "data")
    done = lakehouse("ingest", *words, "--data", tmp_path / "data", cwd=tmp_path, code=code)
    assert complaint in done.stderr
    listed = lakehouse("sql", "--csv", "-c", "show schemas from bronze like 'cli'", "--data", tmp_path / "data").stdout
    assert listed.split() == ["Schema"]


def test_objects_come_and_go(place):
    (place.files / "one.txt").write_bytes(b"one\n")
    (place.files / "tree" / "deep").mkdir(parents=True)
    (place.files / "tree" / "two.bin").write_bytes(bytes(range(256)) * 5000)
    (place.files / "tree" / "deep" / "three.txt").write_bytes(b"three")
    assert place("s3", "cp", "one.txt", "s3://gold/kept/").stdout == "copied 1 object\n"
    assert place("s3", "cp", "tree", "s3://gold/tree", "--recursive").stdout == "copied 2 objects\n"
    listed = json.loads(place("s3", "ls", "s3://gold/", "-r", "--json").stdout)
    assert [(row["key"], row["bytes"]) for row in listed] == [
        ("kept/one.txt", 4), ("tree/deep/three.txt", 5), ("tree/two.bin", 1280000)]
    assert [row["key"] for row in json.loads(place("s3", "ls", "s3://gold/", "--json").stdout)] == ["kept/", "tree/"]
    usage = json.loads(place("s3", "du", "s3://gold/tree/", "--json").stdout)
    assert usage == [{"place": "s3://gold/tree/", "objects": 2, "bytes": 1280005}]
    assert {"gold", "landing"} <= {row["bucket"] for row in json.loads(place("s3", "ls", "--json").stdout)}
    done = subprocess.run(
        [BINARY, "s3", "cat", "s3://gold/tree/two.bin", "--data", place.directory],
        capture_output=True, env=plain_environment(), check=True)
    assert done.stdout == bytes(range(256)) * 5000
    place("s3", "mv", "s3://gold/kept/one.txt", "s3://silver/moved.txt")
    place("s3", "cp", "s3://silver/moved.txt", "back.txt")
    assert (place.files / "back.txt").read_bytes() == b"one\n"
    place("s3", "cp", "s3://gold/tree/", "out", "--recursive")
    assert (place.files / "out" / "deep" / "three.txt").read_bytes() == b"three"
    place("s3", "rm", "s3://silver/moved.txt")
    assert sorted(place("s3", "rm", "s3://gold/", "--recursive").stdout.splitlines()) == [
        "deleted 2 objects", "deleted s3://gold/tree/deep/three.txt", "deleted s3://gold/tree/two.bin"]
    assert json.loads(place("s3", "ls", "s3://gold/", "--json").stdout) == []


@pytest.mark.parametrize(
    "words, code, complaint",
    [
        (["cat", "s3://gold/none"], 1, "none"),
        (["rm", "s3://gold/none"], 1, "no such object"),
        (["rm", "s3://gold/"], 2, "--recursive"),
        (["cp", "a", "b"], 2, "s3://"),
        (["cp", "none.txt", "s3://gold/"], 1, "no such file"),
        (["cp", "s3://gold/none", "x"], 1, "none"),
        (["mv", "a", "s3://gold/"], 2, "only objects are moved"),
        (["ls", "s3://nothere/"], 1, "nothere"),
        (["ls", "gold"], 2, "s3://bucket/key"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, words, code, complaint):
    lakehouse("init", "--data", tmp_path / "data")
    done = lakehouse("s3", *words, "--data", tmp_path / "data", cwd=tmp_path, code=code)
    assert complaint in done.stderr


def test_a_key_does_not_lead_out_of_the_folder(start, tmp_path):
    server = start()
    import boto3
    from botocore.config import Config

    variables = server.variables()
    s3 = boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"], aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}))
    try:
        s3.put_object(Bucket="gold", Key="x/../../out.txt", Body=b"!")
    except Exception:
        pytest.skip("the store takes no such key")
    done = server.command("s3", "cp", "s3://gold/x/", tmp_path / "in", "--recursive", code=1)
    assert "leads out of the folder" in done.stderr and not os.path.exists(tmp_path / "out.txt")
