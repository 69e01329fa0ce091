"""What a pipeline publishes is what its checks have looked at, whoever writes to main meanwhile."""

import json
import os
import uuid

import pytest
import trino

from appliance import fetch

pytestmark = pytest.mark.usefixtures("appliance")

PIPELINE = """
name: {name}
branch: [silver]
steps:
  - id: load
    kind: sql
    with:
      sql: insert into silver.{schema}.t values (5, 5)
  - id: audit
    kind: check
    needs: [load]
    with: {{table: silver.{schema}.t}}
  # Somebody else, at the worst moment.
  - id: meanwhile
    kind: sql
    needs: [audit]
    with:
      sql: {meanwhile}
  - id: publish
    kind: publish
    needs: [meanwhile]
"""


@pytest.fixture(scope="module")
def sql(appliance):
    connection = trino.dbapi.connect(
        host=os.environ["TRINO_HOST"],
        port=int(os.environ["TRINO_PORT"]),
        http_scheme="https",
        verify=os.environ["LAKEHOUSE_CA"],
        auth=trino.auth.BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
    )

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return cursor.fetchall()

    return run


@pytest.fixture
def schema(sql):
    name = "p" + uuid.uuid4().hex[:8]
    sql(f"create schema silver.{name}")
    sql(f"create table silver.{name}.t as select * from (values (1, 1), (2, 2)) as v (id, other)")
    sql(f"create table silver.{name}.others as select * from (values 1, 2, 5) as v (id)")
    sql(f"create check once on silver.{name}.t using uniqueness with (column = 'id')")
    return name


@pytest.fixture
def run(appliance, schema, tmp_path):
    def publish(meanwhile):
        name = f"pub-{schema}"
        path = tmp_path / "pub.yml"
        path.write_text(
            PIPELINE.format(name=name, schema=schema, meanwhile=json.dumps(meanwhile.format(schema=schema)))
        )
        appliance.command("pipeline", "declare", str(path))
        status, _, body = fetch(
            f"{appliance.url}/api/v1/pipelines/{name}/runs", "POST", json.dumps({"wait": True}).encode(),
            {"Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}", "Content-Type": "application/json"},
            timeout=120,
        )
        assert status == 200, body
        done = json.loads(body)
        done["steps"] = {step["id"]: step for step in done["steps"]}
        return done

    return publish


def statuses(sql, done):
    return sql(
        "select status, count(distinct snapshot_id) from system.quality.quality_results"
        f" where run_id = '{done['id']}' group by 1 order by 1"
    )


def ids(sql, schema):
    return [row[0] for row in sql(f"select id from silver.{schema}.t order by 1")]


def branch_of(done):
    return "run_" + done["id"].replace("-", "").lower()[:16]


def test_what_main_has_too_is_found_before_it_is_there_twice(sql, schema, run):
    done = run('insert into "silver@main".{schema}.t values (5, 5)')
    assert done["state"] == "failed", done
    assert done["steps"]["meanwhile"]["state"] == "succeeded", done
    message = done["steps"]["publish"]["message"]
    assert "nothing was published" in message and "once" in message, message
    assert ids(sql, schema) == [1, 2, 5]
    assert [row[3] for row in sql(f"run checks on silver.{schema}.t")] == ["passed"]
    # The branch shows what would have been there.
    branch = branch_of(done)
    assert sql(f'select count(*) from "silver@{branch}".{schema}.t where id = 5') == [[2]]
    assert statuses(sql, done) == [["failed", 1], ["passed", 1]]
    sql(f"drop branch {branch} in silver")


def test_what_goes_together_is_checked_once_more_and_published(sql, schema, run):
    done = run('insert into "silver@main".{schema}.t values (6, 6)')
    assert done["state"] == "succeeded", done
    assert ids(sql, schema) == [1, 2, 5, 6]
    # The combined state was looked at too.
    assert statuses(sql, done) == [["passed", 2]]
    assert branch_of(done) not in [row[0] for row in sql("show branches in silver")]


def test_writers_of_other_tables_do_not_matter(sql, schema, run):
    done = run('insert into "silver@main".{schema}.others values 7')
    assert done["state"] == "succeeded", done
    assert statuses(sql, done) == [["passed", 1]]
    assert ids(sql, schema) == [1, 2, 5]
    assert sql(f"select count(*) from silver.{schema}.others") == [[4]]


def test_a_table_that_a_check_compares_with_matters(sql, schema, run):
    sql(
        f"create check known on silver.{schema}.t using relationships with"
        f" (column = 'other', \"to\" = 'silver.{schema}.others', field = 'id')"
    )
    done = run('delete from "silver@main".{schema}.others where id = 5')
    assert done["state"] == "failed", done
    assert "known" in done["steps"]["publish"]["message"]
    assert ids(sql, schema) == [1, 2]
    sql(f"drop branch {branch_of(done)} in silver")


def test_what_the_run_writes_after_its_checks_is_checked(sql, schema, run):
    done = run("insert into silver.{schema}.t values (1, 1)")
    assert done["state"] == "failed", done
    assert "once" in done["steps"]["publish"]["message"]
    assert ids(sql, schema) == [1, 2]
    sql(f"drop branch {branch_of(done)} in silver")


def test_changes_that_exclude_each_other_publish_nothing(sql, schema, run):
    done = run('drop table "silver@main".{schema}.t')
    assert done["state"] == "failed", done
    assert "cannot be merged" in done["steps"]["publish"]["message"]
    assert sql(f"show tables from silver.{schema}") == [["others"]]
    sql(f"drop branch {branch_of(done)} in silver")
