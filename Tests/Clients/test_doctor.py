"""`lakehouse doctor` reads the files of tables afresh: damage beneath a running server is found, named, with a remedy."""

import json
import re

import pytest
from appliance import lakehouse


@pytest.fixture
def server(start):
    made = start()
    made.command(
        "sql", "-c",
        "create schema shop; create table shop.fine as select 1 x; create table shop.hurt as select 1 x;"
        " insert into shop.hurt values 2; create view shop.seen as select x from shop.hurt",
    )
    assert made.command("doctor").stdout == "everything is in order\n"
    assert json.loads(made.command("doctor", "--json").stdout) == []
    return made


def value(server, sql):
    lines = server.command("sql", "--json", "-c", sql).stdout.splitlines()
    return list(json.loads(lines[0]).values())[0]


# What of the table is damaged, newest first, and the query that names its file.
PARTS = {
    "metadata": 'select file from shop."hurt$metadata_log_entries" order by timestamp desc, file desc limit 1',
    "manifest list": 'select manifest_list from shop."hurt$snapshots" order by committed_at desc limit 1',
    "manifest": 'select path from shop."hurt$manifests" order by added_snapshot_id = '
    '(select snapshot_id from shop."hurt$snapshots" order by committed_at desc limit 1) desc limit 1',
    "data file": """select file_path from shop."hurt$files" where file_path not in (
        select "$path" from shop.hurt where x = 1) limit 1""",
}


def problems(server, *words, code=1):
    return json.loads(server.command("doctor", "--json", *words, code=code).stdout)


@pytest.mark.parametrize("damage", ["garbage", "gone"])
@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_file_beneath_a_running_server_is_found(server, part, damage, tmp_path):
    path = value(server, PARTS[part])
    assert path.startswith("s3://"), path
    if damage == "gone":
        server.command("s3", "rm", path)
    else:
        (tmp_path / "garbage").write_bytes(b'{"format-version": 2, "table-uuid": ')
        server.command("s3", "cp", tmp_path / "garbage", path)
    found = problems(server)
    assert [row["place"] for row in found] == [path], found
    assert "shop.hurt" in found[0]["problem"] and path in found[0]["problem"], found
    # What it proposes helps: the table is back at its first row.
    remedy = found[0]["remedy"]
    if part == "metadata":
        earlier = re.search(r"s3://\S+\.metadata\.json", remedy).group(0)
        assert earlier != path
        server.command("s3", "cp", earlier, path)
    else:
        server.command("sql", "-c", re.search(r"CALL .*\)", remedy).group(0))
        assert value(server, "select count(*) from shop.hurt") == 1
    shown = server.command("doctor", code=None).stdout
    assert "shop.fine" not in shown


def test_words_for_people_name_the_file_and_the_remedy_once(server):
    path = value(server, PARTS["manifest"])
    server.command("s3", "rm", path)
    said = server.command("doctor", code=1).stdout
    assert said.count(path) == 1 and "  remedy: " in said and said.endswith("1 problem\n"), said


def test_bytes_that_rot_on_the_disk_are_found_without_reading_every_blob(server, tmp_path):
    before = blobs(server)
    # Large enough to be a file of its own.
    (tmp_path / "comment.sql").write_text(f"comment on table shop.hurt is '{'x' * 300_000}'")
    server.command("sql", "-f", tmp_path / "comment.sql")
    (path,) = [blob for blob in blobs(server) - before if b"xxxxxxxx" in blob.read_bytes()]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = problems(server)
    assert len(found) == 1 and found[0]["place"].endswith(".metadata.json"), found


def blobs(server):
    return {path for path in (server.directory / "blobs").rglob("*") if path.is_file()}


def test_without_a_server_it_is_found_as_well(server):
    path = value(server, PARTS["data file"])
    server.command("s3", "rm", path)
    server.stop()
    done = lakehouse("doctor", "--json", "--data", server.directory, code=1)
    assert [row["place"] for row in json.loads(done.stdout)] == [path]
