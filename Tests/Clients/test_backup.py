"""A backup of a running directory, restored elsewhere, is one moment and whole; a later one builds on it."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from appliance import BINARY, Appliance, fetch, lakehouse, plain_environment


def s3_of(names):
    return boto3.client(
        "s3",
        endpoint_url=names["AWS_ENDPOINT_URL"],
        aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}),
    )


def select(directory, text):
    return lakehouse("sql", "--data", directory, "--csv", "-c", text).stdout.splitlines()[1:]


def test_a_backup_under_load_is_one_moment(tmp_path):
    """Writers go on all the while. Each puts pairs, `b` after `a`, and deletes them in the other order: at any
    moment there may be an `a` without its `b`, never a `b` without its `a`."""
    content = os.urandom(100_000)
    data = ["--data", tmp_path / "lake"]
    with Appliance(tmp_path / "lake") as appliance:
        names = appliance.variables()
        lakehouse("sql", *data, "-c", "create schema bronze.s; create table bronze.s.t as select 0 as a")
        ending, faults, begun = threading.Event(), [], threading.Barrier(4)

        def write(name):
            try:
                s3, turn = s3_of(names), 0
                while not ending.is_set():
                    key = f"pairs/{name}-{turn % 5}"
                    s3.put_object(Bucket="bronze", Key=key + "/a", Body=content)
                    s3.put_object(Bucket="bronze", Key=key + "/b", Body=b"small")
                    if turn == 2:
                        begun.wait(180)
                    old = f"pairs/{name}-{(turn + 3) % 5}"
                    s3.delete_object(Bucket="bronze", Key=old + "/b")
                    s3.delete_object(Bucket="bronze", Key=old + "/a")
                    turn += 1
            except BaseException as fault:
                faults.append(fault)
                begun.abort()

        def insert():
            try:
                turn = 1
                while not ending.is_set():
                    lakehouse("sql", *data, "-c", f"insert into bronze.s.t values ({turn})")
                    if turn == 1:
                        begun.wait(180)
                    turn += 1
            except BaseException as fault:
                faults.append(fault)
                begun.abort()

        threads = [threading.Thread(target=write, args=(name,)) for name in "xy"]
        threads.append(threading.Thread(target=insert))
        for thread in threads:
            thread.start()
        try:
            begun.wait(180)
            progress = lakehouse("backup", tmp_path / "copy.lhz", "--with-keys", "--progress", *data).stderr
        finally:
            ending.set()
            for thread in threads:
                thread.join()
        assert not faults
        assert re.search(r"\[#*-*\] +\d+ %", progress)
    restored = tmp_path / "restored"
    lakehouse("restore", tmp_path / "copy.lhz", "--data", restored)
    lakehouse("doctor", "--storage", "--data", restored)
    rows = [int(row) for row in select(restored, "select a from bronze.s.t order by a")]
    assert rows == list(range(len(rows))) and len(rows) >= 2
    listed = json.loads(lakehouse("s3", "ls", "s3://bronze/pairs/", "--recursive", "--json", "--data", restored).stdout)
    keys = {row["key"] for row in listed}
    assert {key[:-1] + "a" for key in keys if key.endswith("/b")} <= keys
    with Appliance(restored) as appliance:
        s3 = s3_of(appliance.variables())
        for key in sorted(key for key in keys if key.endswith("/a")):
            assert s3.get_object(Bucket="bronze", Key=key)["Body"].read() == content


def test_a_backup_builds_on_an_earlier_one(tmp_path):
    data = ["--data", tmp_path / "lake"]
    contents = {name: os.urandom(300_000) for name in ("kept", "gone", "new", "newest")}

    def put(name):
        (tmp_path / name).write_bytes(contents[name])
        lakehouse("s3", "cp", tmp_path / name, f"s3://bronze/{name}", *data)

    with Appliance(tmp_path / "lake"):
        put("kept")
        put("gone")
        lakehouse("backup", tmp_path / "1.lhz", *data)
        lakehouse("s3", "rm", "s3://bronze/gone", *data)
        put("new")
        said = lakehouse("backup", tmp_path / "2.lhz", "--since", tmp_path / "1.lhz", *data).stdout
        assert "1 blobs" in said and "1 in earlier backups" in said
        put("newest")
        lakehouse("backup", tmp_path / "3.lhz", "--since", tmp_path / "2.lhz", *data)
    assert (tmp_path / "3.lhz").stat().st_size < 600_000 < (tmp_path / "1.lhz").stat().st_size

    restored = tmp_path / "restored"
    said = lakehouse("restore", tmp_path / "3.lhz", "--data", restored).stdout
    assert "3 of them blobs" in said and "3 backups" in said
    lakehouse("doctor", "--storage", "--data", restored)
    for name in ("kept", "new", "newest"):
        lakehouse("s3", "cp", f"s3://bronze/{name}", tmp_path / "back", "--data", restored)
        assert (tmp_path / "back").read_bytes() == contents[name]
    lakehouse("s3", "cat", "s3://bronze/gone", "--data", restored, code=1)

    # An earlier one that is elsewhere has to be named; another one in its place is noticed.
    (tmp_path / "away").mkdir()
    (tmp_path / "1.lhz").rename(tmp_path / "away" / "first.lhz")
    there = lakehouse("restore", tmp_path / "3.lhz", "--data", tmp_path / "r2", code=1)
    assert "1.lhz" in there.stderr and not (tmp_path / "r2").exists()
    (tmp_path / "1.lhz").write_bytes((tmp_path / "2.lhz").read_bytes())
    lakehouse("restore", tmp_path / "3.lhz", "--data", tmp_path / "r2", code=1)
    lakehouse("restore", tmp_path / "3.lhz", "--from", tmp_path / "away" / "first.lhz", "--data", tmp_path / "r2")
    lakehouse("doctor", "--storage", "--data", tmp_path / "r2")

    # What a backup of another lakehouse has is never taken for ours, though its blobs have the same names.
    other = ["--data", tmp_path / "other"]
    lakehouse("init", *other)
    lakehouse("s3", "cp", tmp_path / "newest", "s3://bronze/mine", *other)
    said = lakehouse("backup", tmp_path / "o.lhz", "--since", tmp_path / "2.lhz", *other).stdout
    assert "1 blobs" in said and "0 in earlier backups" in said


def test_a_backup_never_overwrites_and_a_damaged_one_is_refused(tmp_path):
    data = ["--data", tmp_path / "lake"]
    lakehouse("init", *data)
    (tmp_path / "noise").write_bytes(os.urandom(200_000))
    lakehouse("s3", "cp", tmp_path / "noise", "s3://bronze/noise", *data)
    lakehouse("backup", tmp_path / "copy.lhz", *data)
    lakehouse("backup", tmp_path / "copy.lhz", *data, code=1)
    lakehouse("restore", tmp_path / "copy.lhz", *data, code=2)
    whole = (tmp_path / "copy.lhz").read_bytes()
    noise = whole.find((tmp_path / "noise").read_bytes()[1000:1100])
    assert noise > 0, "random bytes are stored as they are"
    flipped = bytearray(whole)
    flipped[noise] ^= 1
    damaged = {
        "cut": whole[: len(whole) // 2],
        "flipped": bytes(flipped),
        "foreign": b"not an archive at all" * 100,
        "empty": b"",
    }
    for name, content in damaged.items():
        (tmp_path / f"{name}.lhz").write_bytes(content)
        lakehouse("restore", tmp_path / f"{name}.lhz", "--data", tmp_path / "other", code=1)
        assert not (tmp_path / "other").exists()


def test_a_backup_without_keys_opens_with_new_ones(tmp_path):
    """By default no secret leaves: the restored lakehouse makes a new master key, and keys are made anew."""
    data = ["--data", tmp_path / "lake"]
    with Appliance(tmp_path / "lake") as appliance:
        old = appliance.variables()["AWS_ACCESS_KEY_ID"]
        lakehouse("sql", *data, "-c", "create schema bronze.s; create table bronze.s.t as select 7 as a")
        name = "a-name-that-is-longer-than-the-hundred-bytes-of-an-archive-header-" + "x" * 60 + ".yml"
        (tmp_path / "lake" / "dashboards").mkdir(exist_ok=True)
        (tmp_path / "lake" / "dashboards" / name).write_text("name: mine\n")
        # A relative path is the one of whoever types it, not of the server.
        lakehouse("backup", "copy.lhz", *data, cwd=tmp_path)
    restored = ["--data", tmp_path / "restored"]
    assert "new one" in lakehouse("restore", tmp_path / "copy.lhz", *restored).stdout
    assert (tmp_path / "restored" / "dashboards" / name).read_text() == "name: mine\n"
    lakehouse("doctor", "--storage", *restored)
    assert select(tmp_path / "restored", "select a from bronze.s.t") == ["7"]
    assert old not in lakehouse("key", "list", *restored).stdout
    with Appliance(tmp_path / "restored") as appliance:
        s3 = s3_of(appliance.variables())
        assert "bronze" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_a_backup_is_looked_into_without_restoring_it(tmp_path):
    data = ["--data", tmp_path / "lake"]
    lakehouse("init", *data)
    lakehouse("sql", *data, "-c", "create schema bronze.s; create table bronze.s.t as select 7 as a")
    lakehouse("backup", tmp_path / "copy.lhz", *data)
    place = tmp_path / "place"
    place.mkdir()
    opened = ["open", tmp_path / "copy.lhz", "--in", place]
    assert lakehouse(*opened, "--csv", "-c", "select a from bronze.s.t").stdout.splitlines() == ["a", "7"]
    assert "reading only" in lakehouse(*opened, "-c", "insert into bronze.s.t values (8)", code=1).stderr
    assert list(place.iterdir()) == []

    process = subprocess.Popen(
        [str(BINARY), *map(str, opened)], stdout=subprocess.PIPE, text=True, env=plain_environment()
    )
    try:
        said = {}
        for line in process.stdout:
            if found := re.match(r"  (\S.*?)  +(\S+)$", line.rstrip("\n")):
                said[found.group(1)] = found.group(2)
            if "AWS_SECRET_ACCESS_KEY" in said:
                break
        assert fetch(said["console, SQL, catalog"] + "/healthz")[0] == 200
        s3 = s3_of({"AWS_ENDPOINT_URL": said["S3"], **said})
        (key,) = [
            row["Key"] for row in s3.list_objects_v2(Bucket="bronze")["Contents"] if row["Key"].endswith(".parquet")
        ]
        assert s3.get_object(Bucket="bronze", Key=key)["Body"].read()[:4] == b"PAR1"
        for change in (
            lambda: s3.put_object(Bucket="bronze", Key="x", Body=b"x"),
            lambda: s3.delete_object(Bucket="bronze", Key=key),
            lambda: s3.create_bucket(Bucket="another"),
        ):
            with pytest.raises(ClientError) as refused:
                change()
            assert refused.value.response["Error"]["Code"] == "AccessDenied"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 0
    assert list(place.iterdir()) == []


# Runs until it is stopped: 10^12 rows.
ENDLESS = """select count(*) from unnest(sequence(1, 10000)) as a(x) cross join unnest(sequence(1, 10000)) as b(y)
    cross join unnest(sequence(1, 10000)) as c(z) where (x * y + z) % 7 = 3"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A backup of an empty lakehouse, with its keys."""
    folder = tmp_path_factory.mktemp("small")
    lakehouse("init", "--data", folder / "lake")
    lakehouse("backup", folder / "copy.lhz", "--with-keys", "--data", folder / "lake")
    return folder / "copy.lhz"


def has_ended(process):
    """Gives the process a moment; whether it ended in it."""
    try:
        process.wait(0.01)
    except subprocess.TimeoutExpired:
        return False
    return True


def begin_open(copy, place):
    """Opens a backup to answer a question without an end; the process, and the folder that it unpacks into."""
    before = set(place.iterdir())
    process = subprocess.Popen(
        [str(BINARY), "open", str(copy), "--in", str(place), "-c", ENDLESS],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=plain_environment(),
        # Whoever runs the tests may have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not has_ended(process):
        for folder in set(place.iterdir()) - before:
            if folder.name.startswith("lakehouse-open-"):
                return process, folder
    process.kill()
    raise AssertionError(f"nothing was unpacked: {process.communicate()}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("waits", [False, True], ids=["unpacking", "querying"])
def test_a_signal_leaves_nothing_of_an_opened_backup(small, tmp_path, number, waits):
    place = tmp_path / "place"
    place.mkdir()
    process, folder = begin_open(small, place)
    deadline = time.monotonic() + 60
    # The directory is locked when it is opened, behind the last file.
    while waits and not (folder / "lake" / "lock").exists():
        assert time.monotonic() < deadline and not has_ended(process), "the directory was never opened"
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_of_a_backup_is_removed(small, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    (place / "lakehouse-open-notours").mkdir()
    killed, left = begin_open(small, place)
    killed.kill()
    killed.communicate(timeout=60)
    assert left.exists()
    living, kept = begin_open(small, place)
    try:
        opened = ["open", small, "--in", place]
        assert lakehouse(*opened, "--csv", "-c", "select 1 as a").stdout.splitlines() == ["a", "1"]
        assert sorted(place.iterdir()) == sorted([kept, place / "lakehouse-open-notours"])
    finally:
        living.terminate()
        living.communicate(timeout=120)


def test_help_says_what_the_keys_of_a_backup_open(tmp_path):
    assert "certificate authority" in lakehouse("backup", "--help").stdout
    data = ["--data", tmp_path / "lake"]
    lakehouse("init", *data)
    lakehouse("backup", tmp_path / "copy.lhz", *data)
    said = lakehouse("restore", tmp_path / "copy.lhz", "--data", tmp_path / "restored").stdout
    assert "no master.key" in said and "no certificates" in said
