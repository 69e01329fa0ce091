"""The walkthrough: it holds, every claim can fail, and its tables read equal in other engines."""

import json
import sqlite3

import pytest

from appliance import Appliance, lakehouse

CLAIMS = [line.split("  ")[0] for line in lakehouse("demo", "banking-fraud", "--list-claims").stdout.splitlines()]


def run(*flags, code=0):
    return json.loads(lakehouse("demo", "banking-fraud", "--json", "--rows", "20000", *flags, code=code).stdout)


def test_every_claim_holds():
    receipt = run()
    assert receipt["complete"] and receipt["claimsHeld"] == receipt["claims"] == len(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_sabotaged_claim_turns_red(claim):
    receipt = run("--sabotage", claim, code=1)
    assert [outcome["id"] for outcome in receipt["outcomes"] if not outcome["holds"]] == [claim]


def test_an_unknown_claim_is_refused():
    lakehouse("demo", "banking-fraud", "--sabotage", "no.such", code=1)


def test_the_kept_tables_read_equal_elsewhere(tmp_path):
    import duckdb
    from pyiceberg.catalog import load_catalog

    assert run("--data", tmp_path)["complete"]
    source = sqlite3.connect(tmp_path / "core-banking.sqlite")
    rows, cents = source.execute(
        "SELECT count(*), sum(CAST(round(amount * 100) AS INTEGER)) FROM transactions"
    ).fetchone()
    with Appliance(tmp_path / "lake") as appliance:
        names = appliance.variables()
        catalog = load_catalog(
            "silver",
            type="rest",
            uri=names["CATALOG_URI"],
            warehouse="silver",
            credential=names["CATALOG_CREDENTIAL"],
            **{"oauth2-server-uri": names["CATALOG_OAUTH2_URI"], "scope": "catalog"},
        )
        transactions = catalog.load_table("banking.transactions").scan().to_arrow()
        assert transactions.num_rows == rows
        found = duckdb.sql("SELECT count(*), CAST(sum(amount) * 100 AS BIGINT) FROM transactions").fetchall()[0]
        assert found == (rows, cents)
