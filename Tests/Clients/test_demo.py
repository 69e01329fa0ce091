"""The walkthrough: it holds, every claim can fail, and its tables read equal in other engines.

`LAKEHOUSE_LONG=1` sabotages every claim, a walkthrough each; without it every eighth.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import BINARY, Appliance, lakehouse

LISTED = lakehouse("demo", "banking-fraud", "--list-claims").stdout.splitlines()
# The id of each claim, and the option that it is only made with.
CLAIMS = {line.split("  ")[0]: (re.findall(r"\[(--\w+)\]$", line) or [None])[0] for line in LISTED}
# Among every eighth is one with `--chaos` and one with `--verify`.
CHOSEN = list(CLAIMS) if os.environ.get("LAKEHOUSE_LONG") == "1" else list(CLAIMS)[3::8]
# The clients of this environment are what `--verify` finds as python3.
PYTHON = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(*flags, code=0, rows=20000):
    done = lakehouse(
        "demo", "banking-fraud", "--json", "--rows", str(rows), *flags, code=code, timeout=110, environment=PYTHON)
    return json.loads(done.stdout)


def test_every_claim_holds_also_through_chaos_and_for_other_peoples_clients():
    receipt = run("--chaos", "--verify")
    assert receipt["complete"] and receipt["claimsHeld"] == receipt["claims"] == len(CLAIMS) > 45


@pytest.mark.parametrize("claim", CHOSEN)
def test_a_sabotaged_claim_turns_red(claim):
    flags = [CLAIMS[claim]] if CLAIMS[claim] else []
    receipt = run("--sabotage", claim, *flags, code=1)
    assert [outcome["id"] for outcome in receipt["outcomes"] if not outcome["holds"]] == [claim]


def test_an_unknown_claim_is_refused():
    lakehouse("demo", "banking-fraud", "--sabotage", "no.such", code=1)


def test_the_kept_tables_read_equal_elsewhere(tmp_path):
    import duckdb
    from pyiceberg.catalog import load_catalog

    assert run("--data", tmp_path)["complete"]
    source = sqlite3.connect(tmp_path / "core-banking.sqlite")
    rows, cents = source.execute(
        "SELECT count(*), sum(CAST(round(amount * 100) AS INTEGER)) FROM "
        "(SELECT amount FROM transactions UNION ALL SELECT amount FROM late_bookings)"
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


def test_the_lines_to_paste_run(tmp_path):
    """Step 18 prints lines; each of them is run as it stands, by a shell."""
    text = lakehouse(
        "demo", "banking-fraud", "--rows", "20000", "--data", str(tmp_path), timeout=110, environment=PYTHON).stdout
    lines = re.findall(r"^   \$ (.+)$", text[text.index("What next"):], re.M)
    assert len(lines) == 5
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "lakehouse").symlink_to(BINARY.resolve())
    environment = {**os.environ, "PATH": f"{tools}:{PYTHON['PATH']}", "NO_PROXY": "*"}
    with Appliance(tmp_path / "lake"):
        for line in lines[1:]:
            done = subprocess.run(
                ["bash", "-euc", f"{lines[0]}\n{line}"], capture_output=True, text=True, timeout=60, env=environment)
            assert done.returncode == 0 and done.stdout.strip(), (line, done.stderr)
