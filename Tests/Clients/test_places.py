"""Directories: a mistyped one makes nothing, a walkthrough's is opened, and what is closed is whole."""

import json
import os
import pty
import re
import subprocess

import pytest
from appliance import BINARY, fetch, lakehouse, plain_environment

READING = [
    ["user", "list"], ["doctor"], ["connect", "env"], ["backup", "x.lhz"], ["sql", "-c", "select 1"],
    ["s3", "ls"], ["pipeline", "list"], ["pipeline", "declare", "p.yml"], ["key", "list"], ["user", "link"],
    ["ingest", "a.csv", "--into", "bronze.a.b"], ["branch", "list"], ["maintain", "log"], ["alert", "list"],
]


def test_a_mistyped_directory_is_named_and_not_made(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "p.yml").write_text("name: p\nsteps: [{id: one, kind: sql, with: {sql: select 1}}]\n")
    lakehouse("init", "--data", tmp_path / "lakehouse-data")
    for words in READING:
        done = lakehouse(*words, "--data", tmp_path / "lakehose-data", cwd=tmp_path, code=1)
        assert f"there is no lakehouse at {tmp_path}/lakehose-data" in done.stderr, words
        assert f"did you mean --data {tmp_path}/lakehouse-data?" in done.stderr and "lakehouse serve" in done.stderr
        assert not (tmp_path / "lakehose-data").exists(), words


@pytest.mark.parametrize("words", [["user", "create", "ann"], ["group", "create", "g"], ["role", "create", "r"],
                                   ["key", "create", "--user", "a", "--create-user"], ["init"],
                                   ["client", "create", "--user", "a", "--create-user"]], ids=" ".join)
def test_what_sets_up_makes_the_directory(words, tmp_path):
    lakehouse(*words, "--data", tmp_path / "new")
    lakehouse("doctor", "--data", tmp_path / "new")


def test_init_says_whether_it_made_one(tmp_path):
    made = json.loads(lakehouse("init", "--json", "--data", tmp_path / "new").stdout)
    assert made["created"] is True and made["name"] == str(tmp_path / "new")
    assert "exists already" in lakehouse("init", "--data", tmp_path / "new").stdout
    (tmp_path / "new" / "FORMAT").unlink()


def test_a_login_link_for_nobody_says_who_there_is(tmp_path):
    lakehouse("init", "--data", tmp_path / "data")
    assert "/login?token=" in lakehouse("user", "link", "admin", "--data", tmp_path / "data").stdout
    done = lakehouse("user", "link", "ann", "--data", tmp_path / "data", code=1)
    assert "ann" in done.stderr and "lakehouse user list" in done.stderr


def files_of(directory):
    return sorted(path.name for path in directory.iterdir() if path.name.endswith(("-wal", "-shm")))


def test_what_is_closed_leaves_no_logs_behind(start, tmp_path):
    server = start()
    server.command("sql", "-c", "create schema bronze.s; create table bronze.s.t as select 1 a")
    fetch(server.url + "/api/v1/users")
    server.stop()
    assert files_of(server.directory) == []
    lakehouse("sql", "-c", "select * from bronze.s.t", "--data", server.directory)
    assert files_of(server.directory) == []


def test_the_login_link_is_for_terminals_only(start, tmp_path):
    server = start()
    said = "".join(server.output + server.errors)
    assert "token=" not in said
    command = re.search(r"sign in +lakehouse (user link admin --data \S+)", said).group(1)
    assert "/login?token=" in lakehouse(*command.split()).stdout
    server.stop()
    # The second start has an administrator already.
    again = start(server.directory)
    assert "sign in" not in "".join(again.output)


def test_a_terminal_is_given_the_login_link(tmp_path):
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [BINARY, "serve", "--data", tmp_path / "data", "--ports", "auto"], stdout=follower, stderr=follower,
        stdin=subprocess.DEVNULL, env=plain_environment(),
    )
    os.close(follower)
    seen = b""
    try:
        while b"/login?token=" not in seen:
            more = os.read(leader, 4096)
            assert more, seen
            seen += more
    finally:
        process.kill()
        process.wait(30)
        os.close(leader)


def test_the_icon_is_there_for_those_who_ask_for_favicon_ico(start):
    status, headers, body = fetch(start().url + "/favicon.ico")
    assert status == 200 and headers["Content-Type"] == "image/svg+xml" and b"<svg" in body


def test_a_walkthroughs_directory_is_opened_and_not_written_over(start, tmp_path):
    place = tmp_path / "show"
    place.mkdir()
    # What a walkthrough leaves: its lakehouse in `lake`, its sources and receipt beside it.
    lakehouse("init", "--data", place / "lake")
    lakehouse("user", "create", "of-the-show", "--data", place / "lake")
    (place / "receipt.json").write_text("{}")
    assert "of-the-show" in lakehouse("user", "list", "--data", place).stdout
    server = start(place)
    assert f"{place}/lake" in "".join(server.output)
    assert "of-the-show" in lakehouse("user", "list", "--data", place).stdout
    done = lakehouse("demo", "sales", "--data", place, code=1)
    assert "earlier walkthrough" in done.stderr and "--fresh" in done.stderr
    done = lakehouse("demo", "sales", "--data", place, "--fresh", code=1)
    assert "still runs" in done.stderr
    server.stop()
    assert not (place / "FORMAT").exists()
    done = lakehouse("demo", "sales", "--data", place / "lake", code=1)
    assert "lakehouse itself" in done.stderr


@pytest.mark.parametrize("show", [["sales"], ["banking-fraud"]])
def test_a_fresh_walkthrough_removes_what_an_earlier_one_left_and_nothing_else(show, tmp_path):
    place = tmp_path / "show"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    (place / "orders.csv").write_text("left")
    lakehouse("init", "--data", place / "lake")
    lakehouse("user", "create", "of-the-show", "--data", place / "lake")
    # Stopped at its first claim: what comes before is what is looked at.
    lakehouse("demo", *show, "--data", place, "--fresh", "--sabotage", {"sales": "boot.ready"}.get(show[0], "preflight.passes"), code=1)
    assert (place / "mine.txt").read_text() == "mine" and not (place / "orders.csv").exists()
    if (place / "lake").exists():
        assert "of-the-show" not in lakehouse("user", "list", "--data", place / "lake").stdout
