"""Checks of tables: every kind, results, quarantine, and pipelines that write, audit and publish."""

import json
import os
import threading
import uuid

import pytest
import trino

from appliance import fetch

pytestmark = pytest.mark.usefixtures("appliance")


def connect():
    return trino.dbapi.connect(
        host=os.environ["TRINO_HOST"],
        port=int(os.environ["TRINO_PORT"]),
        http_scheme="https",
        verify=os.environ["LAKEHOUSE_CA"],
        auth=trino.auth.BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
    )


@pytest.fixture(scope="module")
def sql(appliance):
    connection = connect()

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return cursor.fetchall()

    return run


@pytest.fixture
def schema(sql):
    name = "q" + uuid.uuid4().hex[:8]
    sql(f"create schema silver.{name}")
    sql(f"create table silver.{name}.accounts as select * from (values 1, 2, 3) as v (account_id)")
    sql(
        f"create table silver.{name}.t (id integer, account_id integer, amount decimal(12,2), "
        "currency varchar, iban varchar, booked_at timestamp(6), day date)"
    )
    sql(
        f"insert into silver.{name}.t values "
        "(1, 1, 10.50, 'EUR', 'AT11', localtimestamp, current_date), "
        "(2, 2, 20.00, 'USD', 'DE22', localtimestamp, current_date), "
        "(3, 3, 30.25, 'EUR', 'AT33', localtimestamp, current_date)"
    )
    return name


BAD_ROWS = (
    "(3, 1, 1.00, 'EUR', 'AT1', localtimestamp, current_date), "
    "(4, null, -5.00, 'XXX', 'bad', localtimestamp, current_date), "
    "(5, 99, 7000.00, 'USD', 'AT5', localtimestamp, date '2999-01-01')"
)

# Kind, options as SQL, bad rows among BAD_ROWS.
KINDS = [
    ("uniqueness", "column = 'id'", 1),
    ("not_null", "columns = array['account_id', 'amount']", 1),
    ("accepted_values", "column = 'currency', values = array['EUR', 'USD']", 1),
    ("positive", "column = 'amount'", 1),
    ("range", "column = 'amount', min = 0, max = 5000.5", 2),
    ("row_count_range", "min = 1, max = 5", 1),
    ("no_future_dates", "column = 'day'", 1),
    ("relationships", "column = 'account_id', to = 'silver.{schema}.accounts', field = 'account_id'", 1),
    ("regex", "column = 'iban', pattern = '^[A-Z]{{2}}[0-9]+$'", 1),
    ("freshness", "column = 'booked_at', within = '1 day'", 0),
    ("reconcile", "expression = 'sum(amount)', sql = 'select 60.75', tolerance = 0.01", 1),
    ("custom_sql", "sql = 'select * from {{table}} where amount > 100'", 1),
]


def declare(sql, schema, kinds=KINDS, severity="fail"):
    for kind, options, _ in kinds:
        sql(
            f"create check {kind} on silver.{schema}.t using {kind} "
            f"with ({options.format(schema=schema)}, severity = '{severity}')"
        )


def refused(sql, text):
    with pytest.raises(trino.exceptions.TrinoQueryError) as caught:
        sql(text)
    return caught.value.message


def test_every_kind_passes_and_fails(sql, schema):
    declare(sql, schema)
    green = sql(f"run checks on silver.{schema}.t")
    assert {row[0]: row[3] for row in green} == {kind: "passed" for kind, _, _ in KINDS}, green
    sql(f"insert into silver.{schema}.t values {BAD_ROWS}")
    red = {row[0]: row for row in sql(f"run checks on silver.{schema}.t")}
    for kind, _, bad in KINDS:
        assert red[kind][3] == ("failed" if bad else "passed"), red[kind]
        assert red[kind][4] == bad, red[kind]
        assert red[kind][5] == 6
    samples = json.loads(red["accepted_values"][7])
    assert [row["id"] for row in samples] == ["4"] and samples[0]["account_id"] is None
    assert json.loads(red["uniqueness"][7]) == [{"id": "3", "rows": "2"}]
    assert "6 rows" in red["row_count_range"][6]
    results = sql(
        "select check_name, status, failing_rows, total_rows, snapshot_id, branch_name, sample_rows "
        f"from system.quality.quality_results where schema_name = '{schema}' and status = 'failed'"
    )
    assert len(results) == 11 and all(row[4] and row[5] == "main" for row in results)
    assert len(sql(f"show checks on silver.{schema}.t")) == 12
    assert sql(f"select count(*) from system.quality.checks where table_name = 'silver.{schema}.t'") == [[12]]


def test_columns_are_as_declared(sql, schema):
    at = f"on silver.{schema}.t"
    wanted = "'id integer', 'amount decimal(12, 2)', 'day date'"
    sql(f"create check some {at} using schema with (columns = array[{wanted}])")
    sql(f"create check all_of_them {at} using schema with (columns = array[{wanted}], exact = true)")
    sql(f"create check others {at} using schema with (columns = array['id bigint', 'gone varchar'])")
    found = {row[0]: row for row in sql(f"run checks {at}")}
    assert found["some"][3:5] == ["passed", 0], found["some"]
    assert found["all_of_them"][3:5] == ["failed", 4] and "iban is not wanted" in found["all_of_them"][6]
    assert found["others"][6] == "id is integer, not bigint; gone is missing"
    assert "wants" in refused(sql, f"create check x {at} using schema with (columns = array['id'])")


def test_a_day_with_far_more_or_fewer_rows_is_told(sql, schema):
    at = f"on silver.{schema}.v"
    sql(f"create table silver.{schema}.v (day date, n integer)")

    def add(day, count):
        sql(
            f"insert into silver.{schema}.v select date_add('day', {day}, date '2026-03-01'), x "
            f"from unnest(sequence(1, {count})) as u (x)"
        )

    sql(f"create check volume {at} using volume_anomaly with (column = 'day')")
    assert sql(f"run checks {at}")[0][3] == "passed"
    for day, count in enumerate([100, 104, 96, 101]):
        add(day, count)
    found = sql(f"run checks {at}")[0]
    assert found[3] == "passed" and "too few to compare with" in found[6]
    add(4, 99)
    add(5, 103)
    found = sql(f"run checks {at}")[0]
    assert found[3] == "passed" and found[6].startswith("103 rows on 2026-03-06; the 5 days before had 100.0"), found
    add(6, 40)
    found = sql(f"run checks {at}")[0]
    assert found[3:5] == ["failed", 1] and found[6].startswith("40 rows on 2026-03-07"), found
    add(6, 300)
    assert sql(f"run checks {at}")[0][3] == "failed"
    sql(f"create or replace check volume {at} using volume_anomaly with (column = 'day', sensitivity = 100)")
    assert sql(f"run checks {at}")[0][3] == "passed"
    assert "5 to 366" in refused(sql, f"create check x {at} using volume_anomaly with (column = 'day', days = 2)")


def test_warnings_names_and_refusals(sql, schema):
    declare(sql, schema, KINDS[:2], severity="warn")
    sql(f"insert into silver.{schema}.t values {BAD_ROWS}")
    assert {row[3] for row in sql(f"run checks on silver.{schema}.t")} == {"warned"}
    assert [row[0] for row in sql(f"run checks (not_null) on silver.{schema}.t")] == ["not_null"]
    at = f"on silver.{schema}.t"
    assert "uniquenes" in refused(sql, f"create check x {at} using uniquenes with (column = 'id')")
    assert "has no option colum" in refused(sql, f"create check x {at} using not_null with (colum = 'id')")
    assert "already" in refused(sql, f"create check not_null {at} using not_null with (column = 'id')")
    sql(f"create or replace check not_null {at} using not_null with (column = 'id')")
    # A check that cannot be run is an error of its own, and the others are run.
    sql(f"alter table silver.{schema}.t add column extra integer")
    sql(f"create check broken {at} using positive with (column = 'extra')")
    sql(f"alter table silver.{schema}.t drop column extra")
    rows = {row[0]: row[3] for row in sql(f"run checks {at}")}
    assert rows == {"broken": "error", "not_null": "passed", "uniqueness": "warned"}
    sql(f"drop check broken {at}")
    assert "no check" in refused(sql, f"drop check broken {at}")
    sql(f"drop check if exists broken {at}")
    assert "no checks are declared" in refused(sql, f"run checks on silver.{schema}.accounts")


MISTAKES = [
    ("nonsense", "column = 'id'", "INVALID_ARGUMENTS", "nonsense"),
    ("not_null", "colum = 'id'", "INVALID_ARGUMENTS", "'id'"),
    ("not_null", "column = 'idd'", "COLUMN_NOT_FOUND", "'idd'"),
    ("positive", "column = 'currency'", "TYPE_MISMATCH", "'currency'"),
    ("positive", "column = 'amount', severity = 'loud'", "INVALID_ARGUMENTS", "'loud'"),
    ("positive", "column = 'amount', where = 'nothing > 1'", "COLUMN_NOT_FOUND", "'nothing > 1'"),
    ("regex", "column = 'iban', pattern = '[a-'", "INVALID_ARGUMENTS", "'[a-'"),
    ("freshness", "column = 'booked_at', within = 'soon'", "INVALID_ARGUMENTS", "'soon'"),
    ("freshness", "column = 'iban', within = '1d'", "INVALID_ARGUMENTS", "'iban'"),
    ("range", "column = 'amount', min = 2, max = 1", "INVALID_ARGUMENTS", "2, max"),
    ("range", "column = 'day', min = '2026-02-01', max = '2026-01-31'", "INVALID_ARGUMENTS", "'2026-02-01'"),
    ("custom_sql", "sql = 'select from'", "SYNTAX_ERROR", "'select from'"),
    ("custom_sql", "condition = 'amount < nobody'", "COLUMN_NOT_FOUND", "'amount < nobody'"),
    ("relationships", "column = 'id', to = 'silver.nowhere.t'", "SCHEMA_NOT_FOUND", "'silver.nowhere.t'"),
]


@pytest.mark.parametrize("kind,options,code,place", MISTAKES)
def test_a_mistake_is_the_users_and_is_shown_where_it_is(sql, schema, kind, options, code, place):
    text = f"create check x on silver.{schema}.t using {kind} with ({options})"
    with pytest.raises(trino.exceptions.TrinoUserError) as caught:
        sql(text)
    assert caught.value.error_name == code, caught.value
    assert caught.value.message.startswith(f"line 1:{text.index(place) + 1}: "), (caught.value.message, text)
    assert sql(f"show checks on silver.{schema}.t") == []


def test_a_list_of_values_is_written_as_behind_in(sql, schema):
    at = f"on silver.{schema}.t"
    sql(f"create check known {at} using accepted_values with (column = 'currency', values = ('EUR', 'USD'))")
    sql(f"create check one {at} using accepted_values with (column = 'id', values = (1, 2))")
    assert {row[0]: row[4] for row in sql(f"run checks {at}")} == {"known": 0, "one": 1}


def test_options_are_taken_or_refused_and_comments_end(sql, schema):
    at = f"on silver.{schema}.t"
    sql(f"create check single {at} using accepted_values with (column = 'currency', values = ('EUR'))")
    sql(f"create check said {at} using custom_sql with (sql = 'select * from {{table}} where id < 0 -- none')")
    sql(f"create check meant {at} using custom_sql with (condition = 'id > 0 -- all', where = 'id > 0 -- all')")
    sql(f'create table silver.{schema}."Odd. Name" as select id from silver.{schema}.t')
    other = f'silver.{schema}."Odd. Name"'
    sql(f"create check odd {at} using relationships with (column = 'id', to = '{other}')")
    found = {row[0]: row[3] for row in sql(f"run checks {at}")}
    assert found == {"single": "failed", "said": "passed", "meant": "passed", "odd": "passed"}
    assert "same option" in refused(
        sql, f"create check both {at} using not_null with (column = 'id', columns = ARRAY['amount'])"
    )
    assert "given twice" in refused(
        sql, f"create check both {at} using not_null with (column = 'id', column = 'amount')"
    )
    assert refused(sql, f"create check word {at} using accepted_values with (column = 'id', values = ('one'))")


def test_dates_in_the_future_are_not_fresh(sql, schema):
    sql(f"create table silver.{schema}.late (at timestamp(6), day date)")
    sql(f"insert into silver.{schema}.late values (localtimestamp - interval '3' day, current_date - interval '3' day)")
    for column in ("at", "day"):
        sql(f"create check {column} on silver.{schema}.late using freshness with (column = '{column}', within = '2d')")
    run = f"run checks on silver.{schema}.late"
    assert {row[3] for row in sql(run)} == {"failed"}
    sql(f"insert into silver.{schema}.late values (timestamp '2999-01-01 00:00:00', date '2999-01-01')")
    found = sql(run)
    assert {row[3] for row in found} == {"failed"} and "in the future" in found[0][6], found
    sql(f"insert into silver.{schema}.late values (localtimestamp, current_date)")
    assert {row[3] for row in sql(run)} == {"passed"}


def test_the_command_line_and_quarantine(appliance, sql, schema):
    declare(sql, schema, [kind for kind in KINDS if kind[0] not in ("row_count_range", "reconcile", "custom_sql")])
    sql(f"insert into silver.{schema}.t values {BAD_ROWS}")
    table = f"silver.{schema}.t"
    done = appliance.command("check", "run", table, "--json", code=1)
    assert {row["status"] for row in json.loads(done.stdout)} == {"passed", "failed"}
    appliance.command("check", "run", table, "--quarantine", "copy", code=1)
    assert sql(f"select count(*) from {table}") == [[6]]
    assert sql(f"select count(*) from {table}__quarantine") == [[3]]
    done = appliance.command("check", "run", table, "--quarantine", "move", "--json")
    assert {row["status"] for row in json.loads(done.stdout)} == {"passed", "quarantined"}
    assert sql(f"select count(*) from {table}") == [[3]]
    moved = sql(
        f'select id, "_reasons" from {table}__quarantine where "_run_id" = '
        f"'{json.loads(done.stdout)[0]['run_id']}' order by id"
    )
    assert [row[0] for row in moved] == [3, 4, 5]
    assert sorted(moved[1][1]) == ["accepted_values", "not_null", "positive", "range", "regex"]
    assert sorted(moved[2][1]) == ["no_future_dates", "range", "relationships"]
    appliance.command("check", "run", table)
    assert len(json.loads(appliance.command("check", "list", table, "--json").stdout)) == 9
    assert json.loads(appliance.command("check", "results", table, "--limit", "9", "--json").stdout)


@pytest.mark.parametrize("version", [2, 3])
def test_what_was_there_before_stays(appliance, sql, schema, version):
    table = f"silver.{schema}.kept{version}"
    sql(f"create table {table} (id integer, note varchar) with (format_version = {version})")
    sql(f"insert into {table} values (1, 'first'), (2, 'first'), (2, 'beside')")
    for number in range(8):
        sql(f"insert into {table} values (1, 'late {number}'), ({10 + number}, 'alone')")
    sql(f"create check one on {table} using uniqueness with (column = 'id')")
    appliance.command("check", "run", table, "--quarantine", "move")
    assert sql(f"select note from {table} where id in (1, 2)") == [["first"], ["first"]]
    moved = sql(f"select note from {table}__quarantine order by 1")
    assert moved == [["beside"]] + [[f"late {number}"] for number in range(8)]
    assert sql(f"select count(*) from {table}") == [[10]]


def test_what_is_not_a_number_is_not_positive(sql, schema):
    at = f"on silver.{schema}.n"
    sql(f"create table silver.{schema}.n (d double, r real)")
    sql(f"insert into silver.{schema}.n values (1.5, real '1.5'), (nan(), cast(nan() as real)), (null, null)")
    for column in ("d", "r"):
        sql(f"create check positive_{column} {at} using positive with (column = '{column}')")
        sql(f"create check range_{column} {at} using range with (column = '{column}', min = 0, max = 9)")
        sql(f"create check least_{column} {at} using range with (column = '{column}', min = 0)")
    found = {row[0]: row[3:5] for row in sql(f"run checks {at}")}
    assert len(found) == 6 and set(map(tuple, found.values())) == {("failed", 1)}, found


def test_columns_of_a_query_need_no_names(sql, schema):
    at = f"on silver.{schema}.t"
    sql(f"create check counted {at} using custom_sql with (sql = 'select count(*), max(id) from {{table}}')")
    sql(f"create check twice {at} using custom_sql with (sql = 'select id, id from {{table}} where id = 2')")
    found = {row[0]: row for row in sql(f"run checks {at}")}
    assert found["counted"][3:5] == ["failed", 1] and found["twice"][3:5] == ["failed", 1], found
    assert list(json.loads(found["counted"][7])[0].values()) == ["3", "3"]
    assert '"id":"2"' in found["twice"][7].replace(" ", "")


def test_checks_follow_a_rename_and_stay_on_the_name(sql, schema):
    old, new = f"silver.{schema}.moving", f"silver.{schema}.moved"
    sql(f"create table {old} as select 1 as id, -1 as amount")
    sql(f"create check above on {old} using positive with (column = 'amount')")
    sql(f"create check present on {old} using not_null with (column = 'id')")
    sql(f"alter table {old} rename to {new}")
    wanted = {"above": "failed", "present": "passed"}
    assert {row[0]: row[3] for row in sql(f"run checks on {new}")} == wanted
    shown = sql(f"show checks on {new}")
    assert len(shown) == 2 and all(new in row for row in shown), shown
    assert "already" in refused(sql, f"create check above on {new} using positive with (column = 'id')")
    # Whatever is put at the old name is looked at too.
    sql(f"create table {old} as select 1 as id, 2 as amount")
    assert {row[0]: row[3] for row in sql(f"run checks on {old}")} == {"above": "passed", "present": "passed"}
    sql(f"create or replace check above on {new} using positive with (column = 'id')")
    assert {row[0]: row[3] for row in sql(f"run checks on {new}")} == {"above": "passed", "present": "passed"}
    sql(f"drop check present on {new}")
    assert [row[0] for row in sql(f"run checks on {new}")] == ["above"]
    assert sql(f"show checks on {old}") == []
    # Dropped and made again, the name has its checks still.
    sql(f"drop table {new}")
    sql(f"create table {new} as select 0 as id, 2 as amount")
    assert {row[0]: row[3] for row in sql(f"run checks on {new}")} == {"above": "failed"}


def test_a_check_belongs_to_its_table_and_not_to_who_takes_the_name(sql, schema):
    old, new = f"silver.{schema}.mine", f"silver.{schema}.kept"
    sql(f"create table {old} as select 1 as id")
    sql(f"create check c1 on {old} using not_null with (column = 'id')")
    sql(f"alter table {old} rename to {new}")
    sql(f"create table {old} as select 1 as id")
    assert "belongs to another table" in refused(sql, f"drop check c1 on {old}")
    sql(f"create or replace check c1 on {old} using positive with (column = 'id')")
    assert {row[1] for row in sql(f"run checks on {old}")} == {"positive"}
    assert {row[1] for row in sql(f"run checks on {new}")} == {"not_null"}


def test_rows_of_compared_tables_are_for_those_who_see_them(appliance, sql, schema):
    name = f"a_{schema}"
    sql(f"create table silver.{schema}.secret as select 7001 as salary")
    sql(f"create check c on silver.{schema}.t using custom_sql with (sql = 'select * from silver.{schema}.secret')")
    sql(f"run checks on silver.{schema}.t")
    asked = (
        "select failing_rows, sample_rows from system.quality.quality_results "
        f"where schema_name = '{schema}' and check_name = 'c'"
    )
    appliance.command("user", "create", name, "--role", "analyst")
    token = appliance.variables(user=name)["LAKEHOUSE_TOKEN"]

    def seen():
        status, _, body = fetch(
            f"{appliance.url}/api/v1/sql", "POST", json.dumps({"sql": asked}).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}, timeout=60,
        )
        assert status == 200, body
        return body if isinstance(body, str) else body.decode()

    assert "7001" in str(sql(asked)) and "7001" in seen()
    sql(f"create mask m_{schema} on silver.{schema}.secret.salary for user {name} as (0)")
    try:
        assert "7001" in str(sql(asked)) and "7001" not in seen()
    finally:
        sql(f"drop mask m_{schema}")


PIPELINE = """
name: {name}
branch: [silver]
parameters: {{bad: "0"}}
steps:
  - id: load
    kind: sql
    with:
      sql: |
        insert into silver.{schema}.t
          select 100 + n, 1, 5.00, 'EUR', 'AT9', localtimestamp, current_date
          from unnest(sequence(1, 50)) as s (n);
        insert into silver.{schema}.t
          select 100 + n, 1, -1.00, 'EUR', 'AT9', localtimestamp, current_date
          from unnest(sequence(51, 50 + ${{bad}})) as s (n) where ${{bad}} > 0;
        create table if not exists silver.{schema}.counted (n bigint);
        insert into silver.{schema}.counted select count(*) from silver.{schema}.t
  - id: audit
    kind: check
    needs: load
    with: {{table: silver.{schema}.t, quarantine: {quarantine}}}
  - id: publish
    kind: publish
"""


def declare_pipeline(appliance, tmp_path, schema, quarantine):
    name = f"wap-{schema}"
    path = tmp_path / "wap.yml"
    path.write_text(PIPELINE.format(name=name, schema=schema, quarantine=quarantine))
    appliance.command("pipeline", "declare", str(path))
    return name


def run_pipeline(url, name, **parameters):
    status, _, body = fetch(
        f"{url}/api/v1/pipelines/{name}/runs", "POST",
        json.dumps({"parameters": parameters, "wait": True}).encode(),
        {"Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}", "Content-Type": "application/json"},
        timeout=120,
    )
    assert status == 200, body
    return json.loads(body)


def test_write_audit_publish(appliance, sql, schema, tmp_path):
    declare(sql, schema, [kind for kind in KINDS if kind[0] in ("uniqueness", "positive")])
    name = declare_pipeline(appliance, tmp_path, schema, "copy")
    reader = connect().cursor()
    seen, stop = set(), threading.Event()

    def poll():
        while not stop.is_set():
            reader.execute(f"select count(*), count_if(amount < 0) from silver.{schema}.t")
            seen.add(tuple(reader.fetchall()[0]))

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        red = run_pipeline(appliance.url, name, bad="5")
        assert red["state"] == "failed"
        states = {step["id"]: step["state"] for step in red["steps"]}
        assert states == {"load": "succeeded", "audit": "failed", "publish": "skipped"}
        assert "positive (5 of 58 rows fail)" in next(
            step["message"] for step in red["steps"] if step["id"] == "audit"
        )
        branch = "run_" + red["id"].replace("-", "").lower()[:16]
        # The branch is kept with what was loaded, and the reasons.
        assert sql(f'select count(*) from "silver@{branch}".{schema}.t') == [[58]]
        assert sql(f'select count(*), max("_reasons"[1]) from "silver@{branch}".{schema}.t__quarantine') == [
            [5, "positive"]
        ]
        assert sql(f"select count(*) from silver.{schema}.t") == [[3]]
        green = run_pipeline(appliance.url, name, bad="0")
        assert green["state"] == "succeeded", green
    finally:
        stop.set()
        thread.join()
    assert sql(f"select count(*) from silver.{schema}.t") == [[53]]
    assert sql(f"select n from silver.{schema}.counted") == [[53]]
    assert seen <= {(3, 0), (53, 0)}, seen
    names = [row[0] for row in sql("show branches in silver")]
    assert branch in names and "run_" + green["id"].replace("-", "").lower()[:16] not in names
    statuses = sql(
        f"select branch_name, check_name, status from system.quality.quality_results where run_id = '{red['id']}'"
    )
    assert sorted(statuses) == [[branch, "positive", "failed"], [branch, "uniqueness", "passed"]]
    sql(f"drop branch {branch} in silver")


def test_rows_in_are_rows_loaded_and_rows_quarantined(appliance, sql, schema, tmp_path):
    declare(sql, schema, [kind for kind in KINDS if kind[0] in ("uniqueness", "positive")])
    name = declare_pipeline(appliance, tmp_path, schema, "move")
    green = run_pipeline(appliance.url, name, bad="7")
    assert green["state"] == "succeeded", green
    assert sql(f"select count(*), count_if(amount < 0) from silver.{schema}.t") == [[53, 0]]
    assert sql(f'select count(*) from silver.{schema}.t__quarantine where amount < 0') == [[7]]


def test_declared_in_files(start, tmp_path):
    folder = tmp_path / "pipelines"
    (folder / "checks").mkdir(parents=True)
    (folder / "checks" / "orders.yml").write_text(
        """
checks:
  - table: silver.shop.orders
    severity: warn
    checks:
      - not_null: [id, amount]
      - uniqueness: id
      - positive: {column: amount, severity: fail}
      - name: dear
        custom_sql: {condition: amount < 1000.5}
"""
    )
    with start(tmp_path / "data", "--set", f"pipelines={folder}") as server:
        checks = json.loads(server.command("check", "list", "silver.shop.orders", "--json").stdout)
        assert {row["check"]: row["severity"] for row in checks} == {
            "not_null_id_amount": "warn", "uniqueness_id": "warn", "positive_amount": "fail", "dear": "warn",
        }
        done = server.command("sql", "-c", "create schema silver.shop")
        server.command("sql", "-c", "create table silver.shop.orders as select 1 as id, 2000.00 as amount")
        found = json.loads(server.command("check", "run", "silver.shop.orders", "--json").stdout)
        assert {row["check"]: row["status"] for row in found}["dear"] == "warned"
        assert done.returncode == 0
