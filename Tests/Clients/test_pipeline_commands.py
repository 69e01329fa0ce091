"""`lakehouse pipeline …`: lists, runs with progress and exit codes, logs, cancel, pause; who runs act as."""

import json
import re
import sqlite3

import pytest

MART = """\
name: {name}
description: Makes a small table.
run-as: {who}
parameters:
  rows: "3"
steps:
  - id: schema
    kind: sql
    with: {{sql: create schema if not exists bronze.cli}}
  - id: fill
    kind: sql
    needs: [schema]
    with: {{sql: "create or replace table bronze.cli.{name} as select n from unnest(sequence(1, ${{rows}})) t(n)"}}
"""
ENDLESS = """\
name: endless
steps:
  - id: long
    kind: sql
    with: {sql: "select count(*) from unnest(sequence(1, 10000)) a(x), unnest(sequence(1, 10000)) b(y), unnest(sequence(1, 10000)) c(z) where x * y + z = -1"}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from appliance import Appliance

    made = Appliance(tmp_path_factory.mktemp("pipelines") / "data")
    made.command("user", "create", "etl", "--service", "--role", "engineer")
    yield made
    made.stop()


@pytest.fixture
def declare(server, tmp_path):
    def file(text, code=0):
        path = tmp_path / "pipeline.yml"
        path.write_text(text)
        return server.command("pipeline", "declare", path, code=code)

    return file


def answer(server, *words, **options):
    return json.loads(server.command("pipeline", *words, "--json", **options).stdout)


def test_a_pipeline_is_declared_listed_shown_and_removed(server, declare):
    assert declare(MART.format(name="shown", who="etl")).stdout == "declared shown\n"
    (row,) = [row for row in answer(server, "list") if row["name"] == "shown"]
    assert row["enabled"] is True and row["owner"] == "etl" and row["lastState"] is None
    table = server.command("pipeline", "list").stdout.splitlines()
    assert len(table) == len(answer(server, "list")) + 1 and table[0].split()[0] == "name"
    shown = answer(server, "show", "shown")
    assert [step["id"] for step in shown["steps"]] == ["schema", "fill"]
    assert shown["parameters"] == [{"name": "rows", "default": "3"}]
    text = server.command("pipeline", "show", "shown").stdout
    assert "fill (sql) after schema" in text and "run-as: etl" in text
    server.command("pipeline", "remove", "shown")
    done = server.command("pipeline", "show", "shown", code=1)
    assert "jobs.no_such_pipeline" in done.stderr


def test_a_wrong_declaration_names_line_and_column(server, declare):
    done = declare(MART.format(name="wrong", who="etl").replace("kind: sql", "kind: sqll"), code=1)
    assert re.search(r"pipeline\.yml:\d+:\d+: unknown kind of step: sqll", done.stderr) and "did you mean sql" in done.stderr


def test_waiting_shows_the_steps_and_the_exit_code_is_the_result(server, declare):
    declare(MART.format(name="waited", who="etl"))
    done = server.command("pipeline", "run", "waited", "--parameter", "rows=5", "--wait")
    assert re.search(r"^waited succeeded, \d+ rows after ", done.stdout)
    assert "schema: succeeded" in done.stderr and "fill: succeeded: 5 rows" in done.stderr
    run = answer(server, "run", "waited", "--wait")
    assert run["state"] == "succeeded" and run["rows"] >= 3 and len(run["steps"]) == 2
    declare(MART.format(name="waited", who="etl").replace("select n", "select nn"))
    done = server.command("pipeline", "run", "waited", "--wait", code=1)
    assert "waited failed" in done.stdout and "nn" in done.stdout
    states = [row["state"] for row in answer(server, "runs", "waited")]
    assert states == ["failed", "succeeded", "succeeded"]
    assert len(answer(server, "runs", "waited", "--limit", "1")) == 1
    log = server.command("pipeline", "log", "waited").stdout
    assert "failed: " in log and "waited failed" in log
    lines = server.command("pipeline", "log", run["id"], "--step", "fill", "--json").stdout.splitlines()
    assert all(json.loads(line)["step"] == "fill" for line in lines) and lines


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["run", "waitd"], "did you mean waited"),
        (["run", "waited", "--parameter", "rwos=1"], "did you mean rows"),
        (["log", "nothing"], "neither a run nor a pipeline"),
        (["log", "waited", "--step", "x"], "it has schema, fill"),
        (["runs", "nothing"], "pipeline not found"),
        (["pause", "nothing"], "pipeline not found"),
        (["cancel", "waited"], "the run is over"),
    ],
)
def test_what_is_not_there_is_named(server, words, complaint):
    assert complaint in server.command("pipeline", *words, code=1).stderr


def test_a_run_is_cancelled_while_it_works(server, declare):
    declare(ENDLESS)
    done = server.command("pipeline", "run", "endless", "--wait", "--timeout", "1", code=3)
    assert "endless running" in done.stdout
    server.command("pipeline", "cancel", "endless")
    for _ in range(200):
        state = answer(server, "runs", "endless")[0]["state"]
        if state != "running":
            break
    assert state == "cancelled"


def test_a_paused_pipeline_starts_by_hand_only(server, declare):
    declare(MART.format(name="first", who="etl"))
    declare(MART.format(name="second", who="etl") + "triggers: [{after: first}]\n")
    server.command("pipeline", "pause", "second")
    server.command("pipeline", "run", "first", "--wait")
    assert answer(server, "runs", "second") == []
    assert [row["enabled"] for row in answer(server, "list") if row["name"] == "second"] == [False]
    server.command("pipeline", "run", "second", "--wait")
    server.command("pipeline", "resume", "second")
    server.command("pipeline", "run", "first", "--wait")
    assert [row["trigger"] for row in answer(server, "runs", "second")] == ["after", "manual"]


def test_runs_act_as_the_account_that_is_named_with_its_present_rights(server, declare):
    server.command("user", "create", "nightly", "--service", "--role", "engineer")
    declare(MART.format(name="own", who="nightly"))
    assert "succeeded" in server.command("pipeline", "run", "own", "--wait").stdout
    who = server.command(
        "sql", "--csv", "-c", "select element_at(summary, 'trino_user') from bronze.cli.\"own$snapshots\""
    ).stdout.split()
    assert who[1:] == ["nightly"]
    server.command("user", "disable", "nightly")
    done = server.command("pipeline", "run", "own", "--wait", code=1)
    assert "cannot run as nightly" in done.stdout and "disabled" in done.stdout
    server.command("user", "enable", "nightly")
    assert "succeeded" in server.command("pipeline", "run", "own", "--wait").stdout
    server.command("user", "delete", "nightly")
    assert "cannot run as nightly" in server.command("pipeline", "run", "own", "--wait", code=1).stdout
    # An account without the right to write is refused by what it may do now.
    server.command("user", "create", "reader", "--role", "analyst")
    declare(MART.format(name="own", who="reader"))
    done = server.command("pipeline", "run", "own", "--wait", code=1)
    assert "denied" in done.stdout.lower() or "not allowed" in done.stdout.lower(), done.stdout


def test_groups_that_somebody_joins_and_leaves_count_at_once(server, declare):
    server.command("user", "create", "grouped", "--service")
    server.command("group", "create", "loaders", "--role", "engineer")
    declare(MART.format(name="by_group", who="grouped"))
    server.command("pipeline", "run", "by_group", "--wait", code=1)
    server.command("group", "add", "loaders", "grouped")
    server.command("pipeline", "run", "by_group", "--wait")
    server.command("group", "remove", "loaders", "grouped")
    server.command("pipeline", "run", "by_group", "--wait", code=1)


def test_without_a_server_runs_wait_for_one(tmp_path, start):
    from appliance import lakehouse

    directory = tmp_path / "data"
    path = tmp_path / "later.yml"
    path.write_text("name: later\nsteps: [{id: one, kind: sql, with: {sql: select 1}}]\n")
    lakehouse("init", "--data", directory)
    lakehouse("pipeline", "declare", path, "--data", directory)
    done = lakehouse("pipeline", "run", "later", "--wait", "--data", directory, code=1)
    assert "lakehouse serve" in done.stderr
    said = lakehouse("pipeline", "run", "later", "--data", directory).stdout
    assert "begins when a server" in said
    server = start(directory)
    for _ in range(200):
        (run,) = answer(server, "runs", "later")
        if run["state"] not in ("queued", "running"):
            break
    assert run["state"] == "succeeded" and run["id"] == said.split()[0]


def test_the_folder_of_the_directory_is_declared_at_the_start(tmp_path, start):
    from appliance import lakehouse

    directory = tmp_path / "data"
    lakehouse("init", "--data", directory)
    (directory / "pipelines" / "models").mkdir(parents=True)
    (directory / "pipelines" / "nightly.yml").write_text(
        "name: nightly\nsteps: [{id: one, kind: sql, with: {file: models/one.sql}}]\n"
    )
    (directory / "pipelines" / "models" / "one.sql").write_text("select 1")
    server = start(directory)
    assert "succeeded" in server.command("pipeline", "run", "nightly", "--wait").stdout
    server.stop()
    (directory / "pipelines" / "nightly.yml").write_text("name: nightly\nstep: []\n")
    done = lakehouse("serve", "--data", directory, "--ports", "auto", code=1)
    assert "nightly.yml:2:1" in done.stderr
    assert sqlite3.connect(f"file:{directory}/jobs.sqlite?mode=ro", uri=True).execute(
        "select count(*) from pipelines where name = 'nightly'"
    ).fetchone() == (1,)
