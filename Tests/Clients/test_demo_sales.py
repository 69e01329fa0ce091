"""The sales walkthrough: it holds, every claim can fail, and its tables read equal in other engines.

`LAKEHOUSE_LONG=1` sabotages every claim, a walkthrough each; without it every fifth.
"""

import csv
import json
import os
from decimal import Decimal

import pytest

from appliance import Appliance, lakehouse

CLAIMS = [line.split("  ")[0] for line in lakehouse("demo", "sales", "--list-claims").stdout.splitlines()]
CHOSEN = CLAIMS if os.environ.get("LAKEHOUSE_LONG") == "1" else CLAIMS[2::5]


def run(*flags, code=0):
    return json.loads(lakehouse("demo", "sales", "--json", *flags, code=code).stdout)


def test_every_claim_holds():
    receipt = run()
    assert receipt["complete"] and receipt["claimsHeld"] == receipt["claims"] == len(CLAIMS) >= 28


@pytest.mark.parametrize("claim", CHOSEN)
def test_a_sabotaged_claim_turns_red(claim):
    receipt = run("--sabotage", claim, code=1)
    assert [outcome["id"] for outcome in receipt["outcomes"] if not outcome["holds"]] == [claim]


def test_an_unknown_claim_is_refused():
    lakehouse("demo", "sales", "--sabotage", "no.such", code=1)


def test_the_kept_tables_read_equal_elsewhere(tmp_path):
    import duckdb
    from pyiceberg.catalog import load_catalog

    assert run("--data", tmp_path)["complete"]
    with open(tmp_path / "orders.csv", newline="") as file:
        wanted = list(csv.DictReader(file))
    with Appliance(tmp_path / "lake") as appliance:
        names = appliance.variables()

        def table(warehouse, name):
            catalog = load_catalog(
                warehouse,
                type="rest",
                uri=names["CATALOG_URI"],
                warehouse=warehouse,
                credential=names["CATALOG_CREDENTIAL"],
                **{"oauth2-server-uri": names["CATALOG_OAUTH2_URI"], "scope": "catalog"},
            )
            return catalog.load_table(name).scan().to_arrow()

        orders = table("silver", "sales.orders")
        returns = table("bronze", "shop.returns")
    assert orders.num_rows == len(wanted) == len(set(orders["order_id"].to_pylist()))
    assert sum(orders["amount"].to_pylist()) == sum(Decimal(row["amount"]) for row in wanted)
    found = duckdb.sql("SELECT country, sum(amount) FROM orders GROUP BY country").fetchall()
    by_country = {}
    for row in wanted:
        by_country[row["country"]] = by_country.get(row["country"], 0) + Decimal(row["amount"])
    assert dict(found) == by_country
    # Of the files that were dropped, one was removed again, and one value of twelve is no number.
    assert set(returns["_source_file"].to_pylist()) == {"s3://csv-uploads/bronze/shop/returns/returns.csv"}
    assert returns.num_rows == 12 and returns["refund_usd"].null_count == 1
