"""Makes TPC-DS with DuckDB's extension: `python tpcds_answers.py SCALE FOLDER`.

Runs in the environment `.venv/tpcds`. The folder gets the 24 tables as Parquet files, the 99 queries as `NN.sql`
and DuckDB's answers as `answers.json`: a list of rows by query, numbers as numbers, the rest as text.
"""

import decimal
import json
import sys
from pathlib import Path

import duckdb
import duckdb_extension_tpcds


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value if value is None or isinstance(value, (int, float)) else str(value)


def main(scale, folder):
    [extension] = Path(duckdb_extension_tpcds.__file__).parent.rglob("tpcds.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": True, "threads": 2})
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"CALL dsdgen(sf = {scale})")
    for (table,) in connection.execute("SHOW TABLES").fetchall():
        connection.execute(f"COPY {table} TO '{folder}/{table}.parquet' (FORMAT parquet)")
    answers = {}
    for number, text in connection.execute("SELECT query_nr, query FROM tpcds_queries()").fetchall():
        (folder / f"{number:02}.sql").write_text(text)
        answers[f"{number:02}"] = [list(map(plain, row)) for row in connection.execute(text).fetchall()]
    (folder / "answers.json").write_text(json.dumps(answers))


main(float(sys.argv[1]), Path(sys.argv[2]))
