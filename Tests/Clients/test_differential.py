"""Random queries, answered by the appliance in several ways and by DuckDB (see Tests/Differential).

The quick run has one seed, so that what is green here is green everywhere; the long one takes a new seed each
time and prints it. A difference is reduced to a small query, which the failure shows.
"""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Differential"))

import differential  # noqa: E402
from engines import DuckDB, Lakehouse  # noqa: E402

pytestmark = pytest.mark.usefixtures("appliance")

LONG = os.environ.get("LAKEHOUSE_LONG") == "1"


def test_random_queries_have_duckdbs_answers(appliance):
    seed = os.environ.get("DIFFERENTIAL_SEED") or (str(random.randrange(1 << 32)) if LONG else "2026")
    print(f"DIFFERENTIAL_SEED={seed}")
    lakehouse = Lakehouse("localhost", appliance.port, os.environ["LAKEHOUSE_TOKEN"], "differential")
    lakehouse.rows("create schema if not exists differential")
    rounds, queries = (40, 250) if LONG else (2, 60)
    found, counts = differential.run(
        lakehouse, DuckDB(), seed, rounds, queries, report=lambda text: None, seconds=780 if LONG else None)
    lakehouse.rows("drop schema differential cascade")
    print(dict(counts))
    assert not found, f"seed {seed}\n" + "\n".join(found)
    # Most questions were answered by both, or the comparison means little.
    refused = sum(count for name, count in counts.items() if "refuse" in name)
    assert refused < counts["queries"] / 5, counts


def test_a_wrong_answer_would_be_seen(appliance):
    """The comparison itself: an engine that loses a row of each result, and one that changes a value."""
    lakehouse = Lakehouse("localhost", appliance.port, os.environ["LAKEHOUSE_TOKEN"], "differential_self")
    lakehouse.rows("create schema if not exists differential_self")

    class Wrong:
        def __init__(self, change):
            self.change = change

        def load(self, table):
            lakehouse.load(table)

        def rows(self, sql, mode=""):
            return self.change(lakehouse.rows(sql, mode))

    def losing(rows):
        return rows[:-1]

    def changing(rows):
        return [*rows[:-1], (None if rows[-1][0] is not None else 1, *rows[-1][1:])] if rows else rows

    try:
        for change in (losing, changing):
            found, _ = differential.run(
                Wrong(change), DuckDB(), "self", 1, 5, report=lambda text: None, reduce=False, changes=0)
            assert len(found) >= 3
    finally:
        lakehouse.rows("drop schema differential_self cascade")
