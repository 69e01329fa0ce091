"""Asks both engines thousands of random questions and reports where the answers differ.

    differential.py --server URL --token TOKEN [--seed N] [--rounds N] [--queries N] [--keep DIR]

A round has its own tables. Each query runs as it is, without the optimizer, and in one more verification
mode (`SET SESSION verification`), and every answer is compared with DuckDB's. A difference is reduced.
"""

import argparse
import random
import sys
import time
import urllib.parse
from collections import Counter
from pathlib import Path

from engines import DuckDB, Failed, Lakehouse, equal
from generator import Generator, tables
from queries import DUCKDB, TRINO, reduced

MODES = ["small_chunks", "spill", "dictionaries", "constants", "one_thread"]

# What may be refused by one engine alone: the order in which parts of an expression are evaluated is free.
VALUE_ERRORS = {"NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_CAST_ARGUMENT", "DIVISION_BY_ZERO"}
# What Trino refuses in these words, and so do we; DuckDB has rules for more of them.
TRINO_LIMIT = "Given correlated subquery is not supported"
DUCKDB_LIMITS = {
    "NotImplementedException", "BinderException", "ParserException", "InvalidInputException", "OutOfRangeException", "ConversionException"}


# DuckDB finds a MERGE with two sources, and values that do not fit, in its own way.
DUCKDB_DATA = {"ConstraintException", "InternalException"}


class Comparison:
    def __init__(self, lakehouse, duckdb):
        self.lakehouse, self.duckdb = lakehouse, duckdb
        self.counts = Counter()
        self.is_reducing = False

    def answer(self, query, mode):
        try:
            return self.lakehouse.rows(query.text(TRINO), mode)
        except Failed as failure:
            return failure

    def difference(self, query, modes):
        """None, or (mode, what differs)."""
        ordered = bool(query.body.order)
        try:
            wanted = self.duckdb.rows(query.text(DUCKDB))
        except Failed as failure:
            wanted = failure
        counts = Counter() if self.is_reducing else self.counts
        for mode in modes:
            found = self.answer(query, mode)
            if isinstance(wanted, Failed):
                if isinstance(found, Failed):
                    counts[f"both refuse ({found.name})"] += 1
                    if found.name in ("GENERIC_INTERNAL_ERROR", "COMPILER_ERROR"):
                        return mode, f"{found}"
                else:
                    counts[f"duckdb refuses ({wanted.name})"] += 1
                    # Then at least our own ways of running it agree.
                    if wanted.name not in DUCKDB_LIMITS:
                        return mode, f"DuckDB: {wanted}"
                    wanted = found
                continue
            if isinstance(found, Failed):
                if found.name in VALUE_ERRORS or TRINO_LIMIT in str(found):
                    counts[f"lakehouse refuses ({found.name})"] += 1
                    continue
                return mode, f"lakehouse: {found}"
            if not equal(found, wanted, ordered):
                return mode, f"lakehouse has {len(found)} rows {sample(found, wanted)}"
        return None


    def changed(self, statement, tables):
        """Runs a change in both engines and compares the tables; None, or what differs. Whether both are the
        same again is the caller's business."""
        outcomes = []
        for engine, dialect in ((self.lakehouse, TRINO), (self.duckdb, DUCKDB)):
            try:
                engine.rows(statement.text(dialect))
                outcomes.append(None)
            except Failed as failure:
                outcomes.append(failure)
        ours, theirs = outcomes
        if ours is not None or theirs is not None:
            if ours is not None and theirs is not None:
                self.counts[f"both refuse a change ({ours.name})"] += 1
                return f"lakehouse: {ours}" if ours.name == "GENERIC_INTERNAL_ERROR" else None
            self.counts["one refuses a change"] += 1
            for table in tables:
                self.lakehouse.load(table)
                self.duckdb.load(table)
            if theirs is not None:
                return None if theirs.name in DUCKDB_LIMITS | DUCKDB_DATA else f"DuckDB: {theirs}"
            return None if ours.name in VALUE_ERRORS else f"lakehouse: {ours}"
        for table in tables:
            found, wanted = (engine.rows(f"SELECT * FROM {table.name}") for engine in (self.lakehouse, self.duckdb))
            if not equal(found, wanted, False):
                return f"{table.name} has {len(found)} rows {sample(found, wanted)}"
        return None


def sample(found, wanted):
    texts, others = sorted(map(repr, found)), sorted(map(repr, wanted))
    ours = [text for text in texts if text not in set(others)][:3]
    theirs = [text for text in others if text not in set(texts)][:3]
    return f"(DuckDB {len(wanted)})\n  only lakehouse: {' '.join(ours)}\n  only DuckDB:    {' '.join(theirs)}"


def run(lakehouse, duckdb, seed, rounds, queries, report=print, reduce=True, seconds=None, changes=6):
    """The differences, reduced, as texts; and what was counted."""
    comparison, found = Comparison(lakehouse, duckdb), []
    began = time.monotonic()
    for turn in range(rounds):
        chooser = random.Random(f"{seed}/{turn}")
        made = tables(chooser, "t")
        for table in made:
            lakehouse.load(table)
            duckdb.load(table)
        for number in range(changes):
            target = made[chooser.randrange(len(made))]
            statement = Generator(f"{seed}/{turn}/change/{number}", made).change(target)
            comparison.counts["changes"] += 1
            if what := comparison.changed(statement, made):
                text = (
                    f"-- seed {seed}/{turn}, change {number}\n{statement.text(TRINO)}\n-- DuckDB\n"
                    f"{statement.text(DUCKDB)}\n-- {what}\n")
                found.append(text)
                report(text)
                for table in made:
                    lakehouse.load(table)
                    duckdb.load(table)
        for number in range(queries):
            if seconds and time.monotonic() - began > seconds:
                return found, comparison.counts
            name = f"{seed}/{turn}/{number}"
            query = Generator(name, made).query()
            modes = ["", "optimizer_off", MODES[number % len(MODES)]]
            comparison.counts["queries"] += 1
            different = comparison.difference(query, modes)
            if different is None:
                continue
            mode, what = different
            if reduce:
                kind = what.split("\n")[0][:24]

                def fails(candidate):
                    again = comparison.difference(candidate, [mode])
                    return again is not None and again[1][:24] == kind

                comparison.is_reducing = True
                query = reduced(query, fails)
                mode, what = comparison.difference(query, [mode]) or different
                comparison.is_reducing = False
            text = (
                f"-- seed {name}, mode {mode or 'default'}\n{query.text(TRINO)}\n-- DuckDB\n{query.text(DUCKDB)}\n-- {what}\n"
            )
            found.append(text)
            report(text)
    return found, comparison.counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--seed", default=str(random.randrange(1 << 32)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--schema", default="differential")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    address = urllib.parse.urlsplit(options.server)
    lakehouse = Lakehouse(address.hostname, address.port, options.token, options.schema)
    lakehouse.rows(f"CREATE SCHEMA IF NOT EXISTS {options.schema}")
    began = time.monotonic()
    found, counts = run(
        lakehouse, DuckDB(), options.seed, options.rounds, options.queries,
        report=lambda text: print(text, flush=True), seconds=options.seconds)
    print(f"seed {options.seed}: {dict(counts)}, {len(found)} differences, {time.monotonic() - began:.0f} s")
    if options.keep and found:
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / f"{options.seed}.txt").write_text("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
