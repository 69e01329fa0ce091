"""The walkthrough: it holds, every claim can fail, and its tables read equal in other engines.

`LAKEHOUSE_LONG=1` sabotages every claim, a walkthrough each; without it every eighth.
"""

import html
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import postgres
import pytest

from appliance import BINARY, Appliance, fetch, lakehouse, plain_environment

LISTED = lakehouse("demo", "banking-fraud", "--list-claims").stdout.splitlines()
# The id of each claim, and the option that it is only made with.
CLAIMS = {line.split("  ")[0]: (re.findall(r"\[(--\w+)\]$", line) or [None])[0] for line in LISTED}
# Among every eighth is one with `--chaos` and one with `--verify`.
LONG = os.environ.get("LAKEHOUSE_LONG") == "1"
CHOSEN = list(CLAIMS) if LONG else list(CLAIMS)[2::8]
# The clients of this environment are what `--verify` finds as python3.
PYTHON = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(*flags, code=0, rows=20000):
    done = lakehouse(
        "demo", "banking-fraud", "--json", "--rows", str(rows), *flags, code=code, timeout=300, environment=PYTHON)
    return json.loads(done.stdout)


def test_every_claim_holds_also_through_chaos_and_for_other_peoples_clients():
    receipt = run("--chaos", "--verify")
    assert receipt["complete"] and receipt["claimsHeld"] == receipt["claims"] == len(CLAIMS) > 45
    assert len(receipt["clients"]["checked"]) == 7 and receipt["clients"]["skipped"] == []


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A kept show whose `--verify` found a python3 with no client at all: its directory, words and exit code."""
    folder = tmp_path_factory.mktemp("kept")
    tools = folder / "bin"
    tools.mkdir()
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    (tools / "python3").chmod(0o755)
    (folder / "show").mkdir()
    done = lakehouse(
        "demo", "banking-fraud", "--rows", "20000", "--verify", "--data", str(folder / "show"), code=None, timeout=300,
        environment={"PATH": f"{tools}:{os.environ['PATH']}"})
    return folder / "show", done


def test_clients_that_are_not_there_are_named_and_none_is_not_enough(kept):
    folder, done = kept
    assert done.returncode == 1
    receipt = json.loads((folder / "receipt.json").read_text())
    assert [outcome["id"] for outcome in receipt["outcomes"] if not outcome["holds"]] == ["verify.clients"]
    assert not receipt["complete"] and receipt["clients"]["checked"] == []
    skipped = {client["id"]: client["why"] for client in receipt["clients"]["skipped"]}
    assert len(skipped) == 7 and skipped["verify.trino"] == "trino is not installed"
    assert "0 clients checked, 7 skipped" in done.stdout and "trino is not installed" in done.stdout


def test_the_commands_that_were_shown_run_as_they_stand(kept, tmp_path):
    """In another directory, by a shell, while a server holds the data."""
    folder, done = kept
    text = done.stdout
    lines = [line for line in re.findall(r"^   \$ (lakehouse .+)$", text, re.M) if "lakehouse serve" not in line]
    assert len(lines) >= 9 and all(f"--data {folder}/lake" in line for line in lines)
    statements = [line for line in re.findall(r"^   sql> (.+;)$", text, re.M) if line.startswith(("CREATE OR REPLACE CHECK", "ALTER", "SELECT count"))]
    assert len(statements) >= 11
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "lakehouse").symlink_to(BINARY.resolve())
    environment = {**plain_environment(), "PATH": f"{tools}:{os.environ['PATH']}"}
    # What is refused, and a gate that would now see the late bookings twice.
    red = ("drop the table", "weather by region", "late-bookings")
    with Appliance(folder / "lake"):
        for line in lines:
            ran = subprocess.run(
                ["bash", "-euc", line], capture_output=True, text=True, timeout=300, env=environment, cwd=tmp_path)
            assert (ran.returncode == 0) == (not any(word in line for word in red)), (line, ran.stdout, ran.stderr)
        for statement in statements:
            lakehouse("sql", "--data", str(folder / "lake"), "-c", statement, timeout=120)


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
        # The show leaves the bank as its source has it, also where it moved the page.
        memo = source.execute("SELECT memo FROM transactions WHERE transaction_id = 7").fetchone()
        assert duckdb.sql("SELECT memo FROM transactions WHERE transaction_id = 7").fetchall() == [memo]


def test_the_lines_to_paste_run(tmp_path):
    """Step 18 prints lines; each of them is run as it stands, by a shell."""
    text = lakehouse(
        "demo", "banking-fraud", "--rows", "20000", "--data", str(tmp_path), timeout=300, environment=PYTHON).stdout
    lines = re.findall(r"^   \$ (.+)$", text[text.index("What next"):], re.M)
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "lakehouse").symlink_to(BINARY.resolve())
    # Bundles of whoever pastes them, which know nothing of the server's certificate.
    wrong = {name: "/nowhere.pem" for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")}
    environment = {**plain_environment(), **wrong, "PATH": f"{tools}:{PYTHON['PATH']}"}
    shown = {}
    with Appliance(tmp_path / "lake"):
        for tool, line in zip(("aws", "pyiceberg", "dbt", "duckdb", "trino"), lines[1:], strict=True):
            assert tool in line or "aws s3" in line, line
            done = subprocess.run(
                ["bash", "-euc", f"{lines[0]}\n{line}"], capture_output=True, text=True, timeout=300,
                env=environment, cwd=tmp_path)
            assert done.returncode == 0 and done.stdout.strip(), (line, done.stdout, done.stderr)
            shown[tool] = done.stdout
    assert "banking" in shown["aws"] and "amount: [" in shown["pyiceberg"]
    assert "Completed successfully" in shown["dbt"]
    # The same sums by two engines.
    coastal = re.search(r"'Coastal', \d+, Decimal\('([\d.]+)'\)", shown["trino"]).group(1)
    assert coastal in shown["duckdb"]


def test_too_few_rows_are_refused():
    done = lakehouse("demo", "banking-fraud", "--rows", "19999", code=None)
    assert done.returncode != 0 and "--rows wants 20000" in done.stderr and not done.stdout


# A Sunday; in the long run also a leap day and the first of a year.
@pytest.mark.parametrize("day", ["2026-11-22", "2024-02-29", "2025-01-01"] if LONG else ["2026-11-22"])
def test_another_day_and_another_zone_of_the_machine_change_no_claim(day):
    done = lakehouse(
        "demo", "banking-fraud", "--json", "--rows", "20000", "--as-of", day, "--seed", "3", timeout=300,
        environment={"TZ": "Pacific/Auckland"})
    receipt = json.loads(done.stdout)
    assert receipt["complete"] and receipt["asOf"] == day and receipt["seed"] == 3
    assert receipt["peakMemoryBytes"] > 1 << 20 and receipt["milliseconds"] > 0


def test_the_page_says_what_the_terminal_said(tmp_path):
    """Enter goes on from step to step; then the console of the directory shows every claim and command, to
    administrators only; and a second show does not write over the first."""
    done = lakehouse(
        "demo", "banking-fraud", "--rows", "20000", "--pause", "--data", str(tmp_path), stdin="\n" * 40, timeout=300)
    text = done.stdout
    assert done.stderr.count("press Enter") == 17, done.stderr
    assert re.search(r"\n(\d+)/\1 claims hold · [\d.]+ s · \d+ MB", text)
    again = lakehouse("demo", "banking-fraud", "--data", str(tmp_path), code=1)
    assert "earlier walkthrough" in again.stderr and "--fresh" in again.stderr
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["bytesWritten"] is None or receipt["bytesWritten"] > 1 << 20
    with Appliance(tmp_path / "lake") as appliance:
        def page(user):
            token = appliance.variables(user)["LAKEHOUSE_TOKEN"]
            status, _, body = fetch(appliance.url + "/walkthrough", headers={"Authorization": f"Bearer {token}"})
            return status, html.unescape(body.decode())

        status, body = page(None)
        assert status == 200
        for outcome in receipt["outcomes"]:
            assert f"<code>{outcome['id']}</code>" in body and outcome["evidence"] in body
        for line in re.findall(r"^   \$ (.+)$", text, re.M):
            assert line in body, line
        assert f"{receipt['claimsHeld']}/{receipt['claims']}" in body
        assert page("analyst")[0] == 403 and page("viewer")[0] == 403


@pytest.fixture(scope="module")
def bank():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed: make test-packages")
    made = postgres.Postgres()
    yield made
    made.stop()


def source(bank):
    return f"postgres://reader:{postgres.PASSWORD}@/shop?host={bank.folder}"


def test_the_bank_can_be_in_postgres(bank, tmp_path):
    """Every claim holds over a real PostgreSQL, and its password is nowhere."""
    done = lakehouse(
        "demo", "banking-fraud", "--rows", "20000", "--data", str(tmp_path), "--source", source(bank), "--chaos",
        timeout=300)
    assert re.search(r"\n(\d+)/\1 claims hold", done.stdout)
    assert f"postgres://reader@/shop?host={bank.folder}" in done.stdout
    assert "CREATE CATALOG bank USING postgresql" in done.stdout
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["source"] == f"postgres://reader@/shop?host={bank.folder}"
    assert postgres.PASSWORD not in done.stdout + done.stderr
    secret = postgres.PASSWORD.encode()
    leaks = [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert leaks == []
    assert bank.sql("select count(*) from core_banking.transactions").strip() == "20240"
    assert bank.sql("select count(*) from core_banking.deletions").strip() == "10"


def test_somebodys_schema_is_left_alone(bank):
    bank.sql("drop schema if exists core_banking cascade; create schema core_banking; create table core_banking.mine (x int)")
    try:
        receipt = run("--source", source(bank), code=1)
        assert "demo.source_taken" in receipt["failure"]
        assert bank.sql("select count(*) from core_banking.mine").strip() == "0"
    finally:
        bank.sql("drop schema core_banking cascade")


@pytest.mark.parametrize("claim", ["replicate.cents", "live.difference"])
def test_a_sabotaged_claim_turns_red_over_postgres(bank, claim):
    receipt = run("--sabotage", claim, "--source", source(bank), code=1)
    assert [outcome["id"] for outcome in receipt["outcomes"] if not outcome["holds"]] == [claim]
    # A show that keeps nothing leaves nothing.
    assert bank.sql("select count(*) from pg_namespace where nspname = 'core_banking'").strip() == "0"


@pytest.mark.parametrize("text", ["mysql://u:hidden@h/d", "hidden", "postgres:hidden"])
def test_another_source_is_refused_without_repeating_it(text):
    done = lakehouse("demo", "banking-fraud", "--source", text, code=None)
    assert done.returncode != 0 and "postgres://user@host" in done.stderr and "hidden" not in done.stderr


def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path):
    done = lakehouse(
        "demo", "banking-fraud", "--source", f"postgres://u:hidden@/d?host={tmp_path}", code=1)
    assert "hidden" not in done.stdout + done.stderr and "postgres.cannot_connect" in done.stderr
