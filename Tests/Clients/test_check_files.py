"""Files of checks count as they are now, and a mistake in one is told with its place."""

import json
import threading
import time

HEAD = "checks:\n  - table: silver.shop.orders\n    checks:\n"


def names(server, table="silver.shop.orders"):
    done = server.command("check", "list", table, "--json")
    return sorted(row["check"] for row in json.loads(done.stdout)), done.stderr


def results(server):
    found = json.loads(server.command("check", "run", "silver.shop.orders", "--json", code=None).stdout)
    return {row["check"]: row["status"] for row in found}


def test_files_of_checks_are_live(start, tmp_path):
    folder = tmp_path / "pipelines" / "checks"
    folder.mkdir(parents=True)
    file = folder / "orders.yml"
    file.write_text(HEAD + "      - not_null: id\n")
    settings = ["--set", f"pipelines={folder.parent}"]
    with start(tmp_path / "data", *settings) as server:
        server.command("sql", "-c", "create schema silver.shop")
        server.command(
            "sql", "-c",
            "create table silver.shop.orders as select 1 as id, 2.00 as amount, '007' as code, true as paid",
        )
        assert names(server) == (["not_null_id"], "")
        # What is changed counts at once.
        file.write_text(HEAD + "      - not_null: id\n      - positive: amount\n")
        assert names(server) == (["not_null_id", "positive_amount"], "")
        assert results(server) == {"not_null_id": "passed", "positive_amount": "passed"}
        # A mistake is told with its place, and what was there before stays.
        for line, wanted in [
            ("positive: amont", "did you mean amount?"),
            ("positive: code", "column"),
            ("accepted_values: {column: code, values: [a, ~]}", "texts, numbers or flags"),
            ("accepted_values: {column: id, values: [1, one]}", "values"),
            ("not_nul: id", "did you mean not_null?"),
            ("not_null: {column: id, columns: [amount]}", "the same option"),
            ("not_null: [id", "orders.yml"),
        ]:
            file.write_text(HEAD + "      - uniqueness: id\n      - " + line + "\n")
            found, told = names(server)
            assert found == ["not_null_id", "positive_amount"], line
            assert f"note: {file}:" in told and wanted in told, (line, told)
            if line != "not_null: [id":
                assert f"{file}:5:" in told, (line, told)
            assert f"note: {file}:" in server.command("pipeline", "list").stderr
        until = time.monotonic() + 60
        while not any(str(file) in text and "amont" in text for text in server.errors + server.output):
            assert time.monotonic() < until, "the log says nothing"
            threading.Event().wait(0.01)
        # The column's type decides what a plain word of YAML is.
        file.write_text(
            HEAD + "      - name: codes\n        accepted_values: {column: code, values: [NO, 007, 1e3, 1.50]}\n"
            "      - name: flags\n        accepted_values: {column: paid, values: [True]}\n"
            "      - name: sums\n        accepted_values: {column: amount, values: [2, 3.50]}\n"
        )
        assert names(server) == (["codes", "flags", "sums"], "")
        server.command(
            "sql", "-c",
            "insert into silver.shop.orders values (2, 3.50, 'NO', true), (3, 2, '1e3', true), (4, 2, '1.50', true)",
        )
        assert set(results(server).values()) == {"passed"}
        server.command("sql", "-c", "insert into silver.shop.orders values (5, 2, '7', true)")
        assert results(server) == {"codes": "failed", "flags": "passed", "sums": "passed"}
        # A table that comes later is looked at then.
        later = folder / "later.yml"
        later.write_text("checks:\n  - table: silver.shop.later\n    checks:\n      - positive: amont\n")
        assert names(server)[1] == ""
        server.command("sql", "-c", "create table silver.shop.later as select 1 as amount")
        assert f"note: {later}:4:" in names(server)[1]
        later.unlink()
        assert names(server) == (["codes", "flags", "sums"], "")
        file.write_text(HEAD + "      - positive: amont\n")
    # A server starts with a mistake in a file, and with what the file declared before.
    with start(tmp_path / "data", *settings) as server:
        found, told = names(server)
        assert found == ["codes", "flags", "sums"] and f"note: {file}:4:" in told
        file.unlink()
        assert names(server) == ([], "")
