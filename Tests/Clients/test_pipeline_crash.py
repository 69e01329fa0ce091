"""kill -9 inside of pipeline steps: after the restart the run goes on, and every row is there once.

The process is killed at seeded moments while a run with many SQL and ingest steps is under way, again and
again on the same directory, until the run is over. What makes the moments bite is that they are many: each
statement commits, then is noted as done, and a kill between the two must not commit it twice.
"""

import contextlib
import json
import os
import random
import sqlite3
import threading
import time

import boto3
import botocore.exceptions
import pytest
from appliance import lakehouse
from botocore.config import Config

LONG = os.environ.get("LAKEHOUSE_LONG") == "1"
SEEDS = range(12) if LONG else range(3)
# A step that loses so many processes in a row, and finishes no part in between, is given up: as designed.
LOST_ATTEMPTS = 3
STEPS, STATEMENTS = 8, 6

HEAD = """
name: many
description: Many small commits, each of which has to happen once.
run-as: etl
retries: 0
steps:
  - id: tables
    kind: sql
    with:
      sql: |
        create schema if not exists bronze.crash;
        create table if not exists bronze.crash.counted (step integer, statement integer, n integer);
        create table if not exists bronze.crash.changed (k integer, version integer)
"""


def declaration(source):
    """Chained steps: INSERTs, an UPDATE, a DELETE, a MERGE and a CTAS each, then one ingest."""
    text, before = HEAD, "tables"
    for step in range(STEPS):
        lines = [
            f"insert into bronze.crash.counted select {step}, {number}, n from unnest(sequence(1, 10)) t(n)"
            for number in range(STATEMENTS)
        ]
        lines += [
            f"insert into bronze.crash.changed values ({step}, 0), ({step + 1000}, 0)",
            "update bronze.crash.changed set version = version + 1 where k < 1000",
            f"delete from bronze.crash.changed where k = {step + 1000}",
            "merge into bronze.crash.changed t using (values 500) s(k) on t.k = s.k "
            "when matched then update set version = t.version + 1 when not matched then insert (k, version) values (s.k, 0)",
            f"create table bronze.crash.copy{step} as select * from bronze.crash.counted",
        ]
        body = ";\n        ".join(lines)
        text += f"  - id: s{step}\n    kind: sql\n    needs: [{before}]\n    with:\n      sql: |\n        {body}\n"
        before = f"s{step}"
        text += (
            f"  - id: i{step}\n    kind: ingest\n    needs: [{before}]\n    with:\n"
            f"      source: {{sqlite: \"{source}\", table: facts}}\n      target: bronze.crash.ingested\n      mode: append\n"
        )
        before = f"i{step}"
    return text


def asked(directory, sql):
    """One value out of the database of runs."""
    with contextlib.closing(sqlite3.connect(directory / "jobs.sqlite", timeout=30)) as database:
        return database.execute(sql).fetchone()[0]


def until_no_step_is_near_to_be_given_up(server):
    """Ends by itself: what a step finishes takes its count back."""
    near = f"select count(*) from steps where state in ('queued', 'running') and lost >= {LOST_ATTEMPTS}"
    while asked(server.directory, near):
        assert server.process.poll() is None, server.log()
        threading.Event().wait(0.01)


def until_a_step_runs(server, seconds):
    """A kill right after this finds a step in its work, however fast the machine is; ends when none comes."""
    running = "select count(*) from attempts where state = 'running'"
    deadline = time.monotonic() + seconds
    with contextlib.closing(sqlite3.connect(server.directory / "jobs.sqlite", timeout=30)) as database:
        while time.monotonic() < deadline and database.execute(running).fetchone()[0] == 0:
            threading.Event().wait(0.0005)


def rows_of(server, sql):
    text = server.command("sql", "--json", "-c", sql).stdout
    return [list(json.loads(line).values()) for line in text.splitlines()]


def facts(path):
    with sqlite3.connect(path) as database:
        database.execute("create table facts (id integer primary key, word text)")
        database.executemany("insert into facts values (?, ?)", [(number, f"w{number}") for number in range(500)])


def expected_changes():
    """What the UPDATEs, DELETEs and MERGEs come to, when each happens once and in order."""
    rows = {}
    for step in range(STEPS):
        rows[step], rows[step + 1000] = 0, 0
        for key in rows:
            if key < 1000:
                rows[key] += 1
        del rows[step + 1000]
        rows[500] = rows[500] + 1 if 500 in rows else 0
    return sorted([key, version] for key, version in rows.items())


@pytest.mark.timeout(900 if LONG else 600)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_is_killed_again_and_again_leaves_every_row_once(start, tmp_path, seed):
    dice = random.Random(seed)
    source = tmp_path / "facts.sqlite"
    facts(source)
    directory = tmp_path / "data"
    lakehouse("user", "create", "etl", "--service", "--role", "engineer", "--data", directory)
    declared = tmp_path / "many.yml"
    declared.write_text(declaration(source))
    lakehouse("pipeline", "declare", declared, "--data", directory)
    run = lakehouse("pipeline", "run", "many", "--data", directory).stdout.split()[0]

    kills, state = 0, "running"
    while state in ("queued", "running") and kills < 400:
        server = start(directory)
        until_no_step_is_near_to_be_given_up(server)
        # Where in its work the process is when it dies depends on this wait, down to the microsecond.
        # Some lives end before any step runs, most a moment after one has begun.
        if dice.random() < 0.8:
            until_a_step_runs(server, 5)
        threading.Event().wait(dice.uniform(0, dice.choice([0.005, 0.05, 0.3])))
        server.kill()
        kills += 1
        state = asked(directory, "select state from runs where pipeline = 'many'")
    lost = asked(directory, "select count(*) from attempts where state = 'lost'")
    server = start(directory)
    assert state == "succeeded", server.command("pipeline", "log", run).stdout[-3000:]
    assert lost >= 2, f"{kills} kills hit {lost} steps: the run was over before"

    def rows(sql):
        return rows_of(server, sql)

    counted = rows("select step, statement, count(*), sum(n) from bronze.crash.counted group by 1, 2 order by 1, 2")
    assert counted == [[step, number, 10, 55] for step in range(STEPS) for number in range(STATEMENTS)]
    assert rows("select k, version from bronze.crash.changed order by k") == expected_changes()
    assert rows("select count(*), count(distinct id) from bronze.crash.ingested") == [[500 * STEPS, 500]]
    for step in range(STEPS):
        assert rows(f"select count(*) from bronze.crash.copy{step}") == [[10 * STATEMENTS * (step + 1)]]
    # What the run says of itself is right too: rows of parts that an earlier life has done are counted.
    detail = json.loads(server.command("pipeline", "runs", "many", "--json").stdout)[0]
    changes = sum(2 + (step + 1 + (step > 0)) + 1 + 1 for step in range(STEPS))
    copies = sum(10 * STATEMENTS * (step + 1) for step in range(STEPS))
    assert detail["rows"] == STEPS * STATEMENTS * 10 + changes + copies + 500 * STEPS
    server.stop()
    assert "everything is in order" in server.command("doctor").stdout


def test_a_statement_that_committed_and_was_not_noted_is_not_committed_again(start, tmp_path):
    """The same by hand: the note is taken back, the step made to run again, as after a kill between both."""
    server = start()
    declared = tmp_path / "twice.yml"
    declared.write_text(
        "name: twice\nsteps:\n  - id: both\n    kind: sql\n    with:\n      sql: |\n"
        "        create schema if not exists bronze.again;\n"
        "        create table bronze.again.t as select n from unnest(sequence(1, 7)) x(n);\n"
        "        insert into bronze.again.t select n + 100 from bronze.again.t;\n"
        "        update bronze.again.t set n = n + 1 where n > 100;\n"
        "        merge into bronze.again.t t using (values 1, 1000) s(n) on t.n = s.n\n"
        "          when matched then delete when not matched then insert values (s.n);\n"
        "        delete from bronze.again.t where n between 2 and 3\n"
    )
    server.command("pipeline", "declare", declared)
    done = server.command("pipeline", "run", "twice", "--wait", "--json")
    first = json.loads(done.stdout)
    table = server.command("sql", "--csv", "-c", "select n from bronze.again.t order by n").stdout
    server.stop()
    with sqlite3.connect(server.directory / "jobs.sqlite") as database:
        run = first["id"]
        database.execute("delete from progress where run_id = ?", [run])
        database.execute("update runs set state = 'running', finished_us = null where id = ?", [run])
        database.execute(
            "update steps set state = 'queued', due_us = 0, rows = null, finished_us = null where run_id = ?", [run]
        )
    server = start(server.directory)
    for _ in range(1000):
        again = json.loads(server.command("pipeline", "runs", "twice", "--json").stdout)[0]
        if again["state"] != "running":
            break
    assert again["state"] == "succeeded", again["message"]
    assert again["rows"] == first["rows"] == 7 + 7 + 7 + 2 + 2
    assert server.command("sql", "--csv", "-c", "select n from bronze.again.t order by n").stdout == table
    snapshots = server.command("sql", "--csv", "-c", 'select count(*) from bronze.again."t$snapshots"').stdout
    assert snapshots.split()[1] == "5"


def object_client(variables):
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
        config=Config(retries={"max_attempts": 0}, connect_timeout=20, read_timeout=60),
    )


FILE_ROWS, LIVES = 20, 8


@pytest.mark.timeout(900 if LONG else 600)
@pytest.mark.parametrize("seed", SEEDS)
def test_files_that_land_become_rows_once_through_kills(start, seed):
    """Objects arrive while the process dies and comes back; each acknowledged one becomes rows, none twice."""
    dice = random.Random(seed)
    server, acknowledged, number = start(), set(), 0
    server.command("sql", "-c", "create schema bronze.crash")
    lives, lost = 0, 0
    # Which moment a kill hits is chance: there are more lives until one has hit a step.
    while lives < LIVES or (lost == 0 and lives < 10 * LIVES):
        lives += 1
        until_no_step_is_near_to_be_given_up(server)
        s3 = object_client(server.variables())
        # Some lives end while objects still come, some while only their rows are written.
        puts = dice.randint(1, 15)
        # Every second life ends by the clock, the others when a step is at work on what they have put.
        by_clock = lives % 2 == 0
        death = threading.Timer(dice.uniform(0.02, 0.4), server.process.kill)
        if by_clock:
            death.start()
        for _ in range(puts):
            mine, number = number, number + 1
            ids = range(mine * FILE_ROWS, mine * FILE_ROWS + FILE_ROWS)
            text = "id,word\n" + "".join(f"{key},w{key}\n" for key in ids)
            try:
                s3.put_object(Bucket="landing", Key=f"bronze/crash/t{mine % 2}/{mine}.csv", Body=text.encode())
            except botocore.exceptions.BotoCoreError:
                # The server died under it: the file may be there or not.
                break
            acknowledged.add(mine)
        if by_clock:
            death.join()
        else:
            until_a_step_runs(server, 2)
        server.kill()
        server = start(server.directory)
        lost = asked(server.directory, "select count(*) from attempts where state = 'lost'")
    found = {}
    for _ in range(60_000):
        if asked(server.directory, "select count(*) from runs where state in ('queued', 'running')") == 0:
            found = {
                key: count
                for table in range(2)
                for key, count in rows_of(server, f"select id, count(*) from bronze.crash.t{table} group by id")
            }
            if {key // FILE_ROWS for key in found} >= acknowledged:
                break
        threading.Event().wait(0.01)
    failed = asked(server.directory, "select group_concat(message) from runs where state = 'failed'")
    assert failed is None
    assert set(found.values()) == {1}, [key for key, count in found.items() if count > 1][:10]
    files = {key // FILE_ROWS for key in found}
    assert acknowledged <= files, f"acknowledged, and no rows: {sorted(acknowledged - files)}"
    assert len(found) == FILE_ROWS * len(files), "a file is there with all of its rows"
    assert len(files - acknowledged) <= lives
    assert lost >= 1, "no kill hit a step"
