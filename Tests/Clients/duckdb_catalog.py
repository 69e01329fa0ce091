"""Runs in an environment with DuckDB and its extensions: a statement a line in, rows or the error as JSON a
line out. The catalog is attached as `lh`.
"""

import importlib
import json
import os
import sys
from pathlib import Path

import duckdb


def attached():
    connection = duckdb.connect(config={"allow_unsigned_extensions": True, "threads": 2})
    for name in ("avro", "httpfs", "aws", "iceberg"):
        package = importlib.import_module(f"duckdb_extension_{name}")
        [extension] = Path(package.__file__).parent.rglob(f"{name}.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
    if "--token" in sys.argv:
        secret = f"TOKEN '{os.environ['LAKEHOUSE_TOKEN']}'"
    else:
        client, password = os.environ["CATALOG_CREDENTIAL"].split(":", 1)
        secret = (
            f"CLIENT_ID '{client}', CLIENT_SECRET '{password}', "
            f"OAUTH2_SERVER_URI '{os.environ['CATALOG_OAUTH2_URI']}'")
    connection.execute(f"CREATE SECRET lh (TYPE iceberg, {secret})")
    connection.execute(
        f"ATTACH '{os.environ['WAREHOUSE']}' AS lh "
        f"(TYPE iceberg, ENDPOINT '{os.environ['CATALOG_URI']}', SECRET lh)")
    return connection


def main():
    connection = attached()
    for line in sys.stdin:
        try:
            answer = {"rows": connection.execute(json.loads(line)).fetchall()}
        except duckdb.Error as error:
            answer = {"error": str(error)[:4000]}
        print(json.dumps(answer, default=str), flush=True)


main()
