"""Maintenance takes nothing from anybody: 20 branches and tags, Iceberg references, readers and writers of
both clients stand beside every operation. The server's clock stands three weeks back while the tables are
made; then it is let go, so that snapshots and files are old and clients' signatures are right."""

import json
import os
import threading
import time

import pyarrow as pa
import pytest
import trino
from appliance import plain_environment
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException
from trino.exceptions import TrinoUserError

DAY = 86_400
BY_HAND = ("--set", "maintenance.nightly=false")


class Lake:
    """A server with what its clients need."""

    def __init__(self, server):
        self.server = server
        self.names = server.variables()

    def connect(self):
        names = self.names
        return trino.dbapi.connect(
            host=names["TRINO_HOST"], port=int(names["TRINO_PORT"]), http_scheme="https", encoding=None,
            verify=names["LAKEHOUSE_CA"],
            auth=trino.auth.BasicAuthentication(names["TRINO_USER"], names["TRINO_PASSWORD"]))

    def runner(self):
        connection = self.connect()

        def run(text):
            cursor = connection.cursor()
            cursor.execute(text)
            return cursor.fetchall()

        return run

    def catalog(self):
        names = self.names
        return load_catalog(
            "lakehouse", type="rest", uri=names["CATALOG_URI"], warehouse="silver",
            credential=names["CATALOG_CREDENTIAL"], **{
                "oauth2-server-uri": names["CATALOG_OAUTH2_URI"],
                "s3.endpoint": names["AWS_ENDPOINT_URL"], "s3.region": names["AWS_REGION"],
                "s3.access-key-id": names["AWS_ACCESS_KEY_ID"],
                "s3.secret-access-key": names["AWS_SECRET_ACCESS_KEY"]})


def content(sql, name):
    """What a table holds of the rows that no writer of the test touches, in one row."""
    return sql(
        f"select count(*), sum(id), count(distinct id), min(v), max(v) from {name} where id < 1000")[0]


def metrics(rows):
    return {name: value for name, value in rows}


def orphan(server, tmp_path, folder, name):
    """Puts a file into a table's place that no snapshot knows."""
    file = tmp_path / name
    file.write_bytes(b"lost")
    server.command("s3", "cp", str(file), f"{folder}/data/{name}")
    return f"{folder}/data/{name}"


def exists(server, uri):
    listed = json.loads(server.command("s3", "ls", uri, "--json").stdout)
    return bool(listed)


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """Without the bundles and proxies of whoever runs the tests."""
    kept = plain_environment()
    for name in set(os.environ) - set(kept):
        monkeypatch.delenv(name)
    for name in set(kept) - set(os.environ):
        monkeypatch.setenv(name, kept[name])


@pytest.fixture
def past(start, tmp_path):
    """A server whose clock stands three weeks back, and how to let it go."""
    clock = tmp_path / "clock"
    clock.write_text(f"{int(time.time()) - 21 * DAY}\n")
    server = start(None, "--set", f"clock={clock}", *BY_HAND)

    def go():
        clock.unlink()
        return Lake(server)

    return server, go


def test_nothing_that_is_in_use_is_lost(past, tmp_path):
    server, go = past
    sql = Lake(server).runner()
    sql("create schema silver.m")
    table = "silver.m.t"
    sql(f"create table {table} (id bigint, v varchar)")
    seen = {}
    for number in range(20):
        sql(f"insert into {table} select x, 'first' from unnest(sequence({number * 10}, {number * 10 + 9})) s (x)")
        if number % 3 == 0:
            sql(f"delete from {table} where id = {number * 10 + 4}")
        if number % 5 == 0:
            sql(f"update {table} set v = 'again' where id = {number * 10}")
        name = f"ref{number}"
        sql(f"create {'tag' if number % 2 else 'branch'} {name} in silver")
        at = f'"silver@{name}".m.t'
        if number % 4 == 0:
            sql(f"insert into {at} values ({900 + number}, 'only here')")
        seen[at] = content(sql, at)
    seen[table] = content(sql, table)
    folder = server.command("sql", "-c", f'select "$path" from {table} limit 1', "--json").stdout
    folder = json.loads(folder.splitlines()[0])["$path"].rsplit("/data/", 1)[0]
    lost = orphan(server, tmp_path, folder, "old.parquet")
    snapshots = [row[0] for row in sql(
        'select snapshot_id from silver.m."t$snapshots" order by committed_at')]

    lake = go()
    sql = lake.runner()
    young = orphan(server, tmp_path, folder, "young.parquet")
    iceberg = lake.catalog().load_table("m.t")
    iceberg.manage_snapshots().create_tag(snapshots[2], "early").create_branch(
        snapshots[5], "side").commit()
    early = sorted(iceberg.scan(snapshot_id=snapshots[2]).to_arrow()["id"].to_pylist())

    ended = threading.Event()
    failures = []
    written = []
    lock = threading.Lock()

    def beside(work):
        def loop():
            try:
                step = work()
                # Each comes around once at the least, however fast the operations are.
                while True:
                    step()
                    if ended.is_set():
                        return
            except Exception as error:  # Told by the test's own thread.
                failures.append(f"{work.__name__}: {error!r}")

        return threading.Thread(target=loop, name=work.__name__)

    def note(ids):
        with lock:
            written.extend(ids)

    numbers = iter(range(1000, 1_000_000, 10))

    def next_ids():
        with lock:
            first = next(numbers)
        return list(range(first, first + 3))

    def sql_reader():
        run = lake.runner()
        places = list(seen)

        def step():
            for place in places:
                assert content(run, place) == seen[place], place

        return step

    def iceberg_reader():
        known = lake.catalog()

        def step():
            found = known.load_table("m.t")
            ids = [id for id in found.scan().to_arrow()["id"].to_pylist() if id < 1000]
            assert len(ids) == seen[table][0] and sum(ids) == seen[table][1]
            tagged = found.scan(snapshot_id=snapshots[2]).to_arrow()["id"].to_pylist()
            assert sorted(tagged) == early

        return step

    def sql_writer():
        run = lake.runner()

        def step():
            ids = next_ids()
            run(f"insert into {table} values " + ", ".join(f"({id}, 'sql')" for id in ids))
            note(ids)

        return step

    def iceberg_writer():
        known = lake.catalog()

        def step():
            ids = next_ids()
            rows = pa.table({"id": pa.array(ids, pa.int64()), "v": ["iceberg"] * len(ids)})
            while True:
                try:
                    known.load_table("m.t").append(rows)
                    break
                except CommitFailedException:
                    continue
            note(ids)

        return step

    threads = [beside(work) for work in (sql_reader, iceberg_reader, sql_writer, iceberg_writer)]
    for thread in threads:
        thread.start()
    try:
        totals = {}
        for call in ("optimize", "optimize_manifests", "expire_snapshots", "remove_orphan_files") * 2:
            while True:
                try:
                    found = metrics(sql(f"alter table {table} execute {call}"))
                    break
                except TrinoUserError as error:
                    # Somebody deleted rows of a file meanwhile; nobody does here, but appends go on.
                    assert error.error_name == "TRANSACTION_CONFLICT", error
            for name, value in found.items():
                totals[name] = totals.get(name, 0) + value
        server.command("maintain", "--all")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
    # It did something: old snapshots are gone, files were joined, the lost one is deleted.
    assert totals["rewritten_data_files_count"] > 0
    assert totals["expired_snapshots_count"] > 10
    assert totals["deleted_files_count"] >= 1, totals
    assert not exists(server, lost) and exists(server, young)
    for place, before in seen.items():
        assert content(sql, place) == before, place
    assert sorted(row[0] for row in sql(f"select id from {table} where id >= 1000")) == sorted(written)
    fresh = lake.catalog().load_table("m.t")
    assert sorted(fresh.scan(snapshot_id=snapshots[2]).to_arrow()["id"].to_pylist()) == early
    assert set(fresh.refs()) == {"main", "early", "side"}
    log = sql("select operation, state, count(*) from system.maintenance.log group by 1, 2")
    assert all(state == "FINISHED" for _, state, _ in log), log
    assert {row[0] for row in log} == {
        "optimize", "optimize_manifests", "expire_snapshots", "remove_orphan_files"}

    # Without the branches and tags their files are nobody's, and the next night takes them.
    for place in seen:
        if place != table:
            name = place.split("@")[1].split('"')[0]
            kind = "tag" if int(name[3:]) % 2 else "branch"
            sql(f"drop {kind} {name} in silver")
    gone = metrics(sql(f"alter table {table} execute remove_orphan_files"))
    assert gone["deleted_files_count"] > 20
    assert content(sql, table) == seen[table]
    assert sorted(fresh.scan(snapshot_id=snapshots[2]).to_arrow()["id"].to_pylist()) == early


def test_a_kill_in_the_middle_loses_nothing(past, start, tmp_path):
    server, go = past
    sql = Lake(server).runner()
    sql("create schema silver.k")
    sql("create table silver.k.t (id bigint, v varchar)")
    for number in range(12):
        sql(f"insert into silver.k.t values ({number}, 'a')")
    sql("create tag kept in silver")
    sql("delete from silver.k.t where id in (2, 3)")
    sql("update silver.k.t set v = 'b' where id = 5")
    places = ["silver.k.t", '"silver@kept".k.t']
    before = {place: content(sql, place) for place in places}
    go()
    for call in ("optimize", "expire_snapshots", "remove_orphan_files", "expire_snapshots"):
        lake = Lake(server)
        begun = threading.Event()

        def ask():
            run = lake.runner()
            begun.set()
            try:
                run(f"alter table silver.k.t execute {call}")
            except Exception:
                # The server is gone in the middle, or was done before.
                pass

        thread = threading.Thread(target=ask)
        thread.start()
        begun.wait()
        server.kill()
        thread.join()
        server = start(server.directory, *BY_HAND)
        sql = Lake(server).runner()
        for place in places:
            assert content(sql, place) == before[place], (call, place)
    server.command("maintain", "silver.k.t")
    for place in places:
        assert content(sql, place) == before[place], place
    assert "everything is in order" in server.command("doctor").stdout
    states = {row[0] for row in sql("select distinct state from system.maintenance.log")}
    assert states <= {"FINISHED", "INTERRUPTED"}


def test_policies_the_night_and_what_fails(start, tmp_path):
    # Noon of two days, and the clock stands: no night begins by itself.
    noon = int(time.time()) // DAY * DAY - DAY // 2
    clock = tmp_path / "clock"
    clock.write_text(f"{noon - 21 * DAY}\n")
    server = start(None, "--set", f"clock={clock}", *BY_HAND)
    sql = Lake(server).runner()
    sql("create schema silver.p")
    for name in ("a", "b", "c", "_hidden"):
        sql(f"create table silver.p.{name} (id bigint)")
        for number in range(3):
            sql(f"insert into silver.p.{name} values ({number})")
    sql("create branch run_0123456789abcdef in silver")
    sql("insert into \"silver@run_0123456789abcdef\".p.a values (7)")
    server.stop()
    clock.write_text(f"{noon}\n")
    server = start(server.directory, "--set", f"clock={clock}")
    lake = Lake(server)
    sql = lake.runner()
    server.command("maintain", "policy", "silver.p", "operations=expire_snapshots")
    server.command("maintain", "policy", "silver.p.b", "enabled=false")
    shown = json.loads(server.command("maintain", "policy", "silver.p.b", "--json").stdout)
    assert {"name": "enabled", "value": "false"} in shown
    wrong = server.command("maintain", "policy", "silver.p", "retentoin=3d", code=1)
    assert "did you mean maintenance.retention?" in wrong.stderr
    # A property that somebody else wrote, and that makes no sense.
    broken = lake.catalog().load_table("p.c")
    with broken.transaction() as change:
        change.set_properties({"maintenance.retention": "a week"})

    trial = server.command("maintain", "--all", "--dry-run", code=1)
    assert "maintenance.retention is a week" in trial.stdout
    assert sql('select count(*) from silver.p."a$snapshots"') == [[3]]
    listed = json.loads(server.command("pipeline", "list", "--json").stdout)
    assert any(entry["name"] == "maintenance" for entry in listed)
    server.command("pipeline", "run", "maintenance", "--wait", code=1, timeout=120)
    count = 'select count(*) from silver.p."{}$snapshots"'
    assert sql(count.format("a")) == [[1]]
    assert sql(count.format("b")) == [[3]]
    assert sql(count.format("c")) == [[3]]
    assert sql(count.format("_hidden")) == [[3]]
    log = sql(
        "select operation, table_name, state, message from system.maintenance.log "
        "where not dry_run and (schema_name = 'p' or table_name is null)")
    assert sorted(row[:3] for row in log) == sorted([
        ["expire_snapshots", "a", "FINISHED"], ["policy", "c", "FAILED"],
        ["expire_run_branches", None, "FINISHED"]]), log
    branches = server.command("branch", "list", "silver").stdout
    assert "run_0123456789abcdef" not in branches
    # One table by its name, whatever its policy says of the night.
    server.command("maintain", "silver.p._hidden", "silver.p.b", "--operations", "expire_snapshots")
    assert sql(count.format("_hidden")) == [[1]]
    assert sql(count.format("b")) == [[1]]
    refused = server.command("maintain", code=2)
    assert "either name tables or give --all" in refused.stderr
    with pytest.raises(TrinoUserError) as short:
        sql("alter table silver.p.a execute expire_snapshots(retention_threshold => '1d')")
    assert short.value.error_name == "INVALID_PROCEDURE_ARGUMENT"
    assert "shorter than the minimum retention" in short.value.message


def test_the_night_is_switched_off(start, tmp_path):
    server = start(tmp_path / "off", "--set", "maintenance.nightly=false")
    listed = json.loads(server.command("pipeline", "list", "--json").stdout)
    assert all(entry["name"] != "maintenance" for entry in listed)
