"""dbt-core and dbt-trino, unchanged: seeds, sources, models of every kind, snapshots, tests, docs; two days of a shop.

The project is `dbt/`. A line that ends in `-- day 1` is there on the first day only, and what stands behind
`-- day 2: ` from the second day on.
"""

import datetime
import decimal
import json
import os
import re
import shutil
import uuid
from pathlib import Path

import pytest
from trino.auth import BasicAuthentication
from trino.dbapi import connect

pytestmark = pytest.mark.usefixtures("appliance")

PROJECT = Path(__file__).parent / "dbt"


class Project:
    """A copy of the project with its own schema, driven in this process: dbt takes seconds to import."""

    def __init__(self, appliance, directory):
        from dbt.cli.main import dbtRunner

        self.directory = directory / "shop"
        self.schema = f"dbt_{uuid.uuid4().hex[:8]}"
        shutil.copytree(PROJECT, self.directory)
        profile = appliance.command("connect", "dbt").stdout
        assert "schema: analytics" in profile
        (self.directory / "profiles.yml").write_text(profile.replace("schema: analytics", f"schema: {self.schema}"))
        self.day(1)
        self.runner = dbtRunner()
        self.connection = connect(
            host=os.environ["TRINO_HOST"], port=int(os.environ["TRINO_PORT"]), http_scheme="https",
            auth=BasicAuthentication(os.environ["TRINO_USER"], os.environ["TRINO_PASSWORD"]),
            verify=os.environ["LAKEHOUSE_CA"], catalog="lakehouse", schema=self.schema,
        )

    def day(self, number):
        (self.directory / "seeds" / "today.csv").write_text(f"day\n{number}\n")
        for path in (self.directory / "models").rglob("*.sql"):
            text = (PROJECT / path.relative_to(self.directory)).read_text()
            text = re.sub("-- day 2: ", "", text) if number > 1 else text
            text = re.sub(".*-- day 1\n", "", text) if number > 1 else text
            path.write_text(text)

    def invoke(self, *arguments):
        place = str(self.directory)
        return self.runner.invoke(
            [*arguments, "--project-dir", place, "--profiles-dir", place, "--no-version-check"]
        )

    def run(self, *arguments, failing=()):
        """The nodes' results by name; `failing` names those that must not succeed, and no others may."""
        done = self.invoke(*arguments)
        assert done.exception is None, done.exception
        results = {result.node.name: result for result in done.result.results}
        bad = {
            name: f"{result.status}: {result.message}"
            for name, result in results.items()
            if result.status in ("error", "fail", "skipped", "runtime error")
        }
        assert set(bad) == set(failing), bad
        return results

    def rows(self, sql):
        cursor = self.connection.cursor()
        return [tuple(row) for row in cursor.execute(sql).fetchall()]


@pytest.fixture(scope="module")
def shop(appliance, tmp_path_factory):
    """The project after its first day."""
    project = Project(appliance, tmp_path_factory.mktemp("dbt"))
    project.run("seed")
    project.first = project.run(
        "build", "--exclude", "resource_type:seed",
        "--event-time-start", "2026-01-01", "--event-time-end", "2026-01-03",
    )
    return project


def moment(text):
    return datetime.datetime.fromisoformat(text)


def test_the_first_day_builds_and_passes_its_tests(shop):
    kinds = {result.node.resource_type for result in shop.first.values()}
    assert kinds == {"model", "test", "unit_test", "snapshot"}
    assert shop.rows("select * from notes order by id") == [
        (1, "it's a 'quoted' note", True, 1.5),
        (2, "semi;colon -- and, a comma", False, -2.0),
        (3, None, None, None),
        (4, "日本語 🙂", True, 0.1),
    ]
    assert shop.rows("select city, orders, amount, statuses from city_sales order by city") == [
        ("Győr", 1, decimal.Decimal("7.00"), "paid"),
        ('Shang"hai"', 1, decimal.Decimal("99.99"), "returned"),
        ("Vienna", 2, decimal.Decimal("30.75"), "paid, placed"),
    ]
    assert shop.rows("select latest from city_sales where city = 'Vienna'") == [(moment("2026-01-01 09:30:00"),)]


def test_table_properties_are_applied(shop):
    (made,) = shop.rows("show create table orders_merged")
    assert "partitioning = ARRAY['month(ordered_at)']" in made[0]
    assert "sorted_by = ARRAY['order_id" in made[0]


def test_the_second_day_merges_replaces_and_appends(shop):
    shop.day(2)
    shop.run("seed", "--select", "today")
    done = shop.run(
        "build", "--exclude", "resource_type:seed", "test_type:unit",
        "--event-time-start", "2026-01-03", "--event-time-end", "2026-01-04",
    )
    merged = "select order_id, status, amount, doubled from orders_merged order by order_id"
    money = decimal.Decimal
    assert shop.rows(merged) == [
        (1, "paid", money("10.50"), None),
        (2, "paid", money("20.25"), money("40.50")),
        (3, "paid", money("7.00"), None),
        (4, "returned", money("99.99"), None),
        (5, "paid", money("0.01"), money("0.02")),
        (6, "placed", money("1000000.00"), money("2000000.00")),
    ]
    assert shop.rows("select * from orders_replaced order by order_id") == [
        (1, 1, "paid", None), (2, 1, "paid", 20.25), (3, 2, "paid", None),
        (4, 3, "returned", None), (5, 2, "paid", 0.01), (6, 4, "placed", 1e6),
    ]
    assert shop.rows("select order_id, status from orders_replaced_by_one order by 1") == [
        (1, "paid"), (2, "paid"), (3, "paid"), (4, "returned"), (5, "paid"), (6, "placed"),
    ]
    assert shop.rows("select order_id, count(*) from orders_appended group by 1 order by 1") == [
        (1, 1), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1),
    ]
    assert shop.rows("select order_id, ordered_at from orders_batched order by 2") == [
        (1, moment("2026-01-01 08:00:00.123456")), (2, moment("2026-01-01 09:30:00")),
        (3, moment("2026-01-02 10:00:00")), (4, moment("2026-01-02 23:59:59.999999")),
        (2, moment("2026-01-03 07:00:00")), (5, moment("2026-01-03 08:00:00")),
        (6, moment("2026-01-03 09:00:00")),
    ]
    # The warning of a test that keeps its failures, and the row it kept.
    assert done["no_big_amounts"].status == "warn" and done["no_big_amounts"].failures == 1
    assert shop.rows(f"select order_id from {shop.schema}_dbt_test__audit.no_big_amounts") == [(6,)]


def test_snapshots_keep_each_state(shop):
    history = shop.rows(
        "select customer_id, city, dbt_is_deleted, dbt_valid_to is null, dbt_valid_from <= coalesce(dbt_valid_to, "
        "dbt_valid_from) from customers_history order by customer_id, dbt_valid_from"
    )
    assert history == [
        (1, "Vienna", "False", False, True), (1, "Graz", "False", True, True),
        (2, "Győr", "False", True, True), (3, 'Shang"hai"', "False", True, True),
        (4, None, "False", True, True),
    ]
    assert shop.rows(
        "select order_id, status, dbt_valid_from, dbt_valid_to from orders_history where order_id = 2 order by 3"
    ) == [
        (2, "placed", moment("2026-01-01 09:30:00"), moment("2026-01-03 07:00:00")),
        (2, "paid", moment("2026-01-03 07:00:00"), None),
    ]


def test_a_failing_test_is_a_failure_with_its_count(shop):
    (shop.directory / "tests" / "cheap.sql").write_text("select * from {{ ref('orders_merged') }} where amount < 10")
    try:
        done = shop.run("test", "--select", "cheap", failing=["cheap"])
        assert done["cheap"].failures == 2 and done["cheap"].status == "fail"
    finally:
        (shop.directory / "tests" / "cheap.sql").unlink()


def test_freshness_of_sources(shop):
    done = shop.invoke("source", "freshness")
    assert done.exception is None, done.exception
    (found,) = done.result.results
    assert found.max_loaded_at.replace(tzinfo=None) == moment("2026-01-03 09:00:00")
    assert str(found.status) == "warn"


def test_docs_describe_every_relation(shop):
    assert shop.invoke("docs", "generate").success
    catalog = json.loads((shop.directory / "target" / "catalog.json").read_text())
    assert not catalog["errors"]
    nodes = {name.split(".")[2]: node for name, node in catalog["nodes"].items()}
    assert {"notes", "stg_orders", "orders_merged", "customers_history", "city_sales"} <= set(nodes)
    merged = nodes["orders_merged"]
    assert merged["metadata"]["type"] == "BASE TABLE"
    assert merged["metadata"]["comment"].strip() == "Every order in its last state; it's merged by order_id."
    columns = {column["name"]: (column["type"], column["comment"]) for column in merged["columns"].values()}
    assert columns["order_id"] == ("bigint", "Its number.")
    assert columns["status"] == ("varchar", "placed, paid or 'returned'")
    assert columns["ordered_at"][0] == "timestamp(6)"
    assert nodes["stg_orders"]["metadata"]["type"] == "VIEW"
    assert nodes["stg_orders"]["metadata"]["comment"] == "The day's orders."
    assert len(catalog["sources"]) == 3


def test_a_full_refresh_rebuilds(shop):
    shop.run("run", "--full-refresh", "--select", "orders_merged", "orders_replaced")
    assert shop.rows("select order_id, doubled from orders_merged order by 1") == [
        (2, decimal.Decimal("40.50")), (5, decimal.Decimal("0.02")), (6, decimal.Decimal("2000000.00")),
    ]
    names = [row[0] for row in shop.rows("show tables")]
    assert not [name for name in names if "__dbt" in name], names
