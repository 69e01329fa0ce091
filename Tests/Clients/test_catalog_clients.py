"""Polars, Daft and chDB on the catalog's tables; Daft and chDB only with `LAKEHOUSE_LONG=1`, in an
environment that has them."""

import json
import os
import subprocess

import polars
import pytest
from appliance import ROOT, STARTED_WITH, lakehouse
from pyiceberg.catalog import load_catalog

EXPECTED = [(2, "b", "2.50"), (3, "c", "None"), (4, "d", "9.25")]
# It holds what the `#catalog` lines of pins.txt name.
LONG_PYTHON = ROOT / ".venv/catalog/bin/python"
only_long = pytest.mark.skipif(
    os.environ.get("LAKEHOUSE_LONG") != "1", reason="LAKEHOUSE_LONG=1")


@pytest.fixture(scope="module")
def table(appliance):
    for text in (
        "CREATE SCHEMA lakehouse.readers",
        "CREATE TABLE lakehouse.readers.rows (id bigint, name varchar, amount decimal(10,2), "
        "region varchar) WITH (partitioning = ARRAY['region'])",
        "INSERT INTO lakehouse.readers.rows VALUES (1, 'a', 1.5, 'n'), (2, 'b', 2.5, 's'), "
        "(3, 'c', NULL, 'n')",
        "DELETE FROM lakehouse.readers.rows WHERE id = 1",
        "INSERT INTO lakehouse.readers.rows VALUES (4, 'd', 9.25, 'n')",
    ):
        lakehouse("sql", "--data", appliance.directory, "-c", text)
    return load()


def load():
    catalog = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    return catalog.load_table("readers.rows")


@pytest.mark.parametrize("reader", ["native", "pyiceberg"])
def test_polars_scans_with_deletes_and_filters(table, reader):
    options = {
        "aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"], "aws_allow_http": "true",
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "aws_region": os.environ["AWS_REGION"],
    }
    frame = polars.scan_iceberg(
        table, reader_override=reader, storage_options=options if reader == "native" else None)
    rows = frame.sort("id").select("id", "name", "amount").collect().rows()
    assert [(id, name, str(amount)) for id, name, amount in rows] == EXPECTED
    assert frame.filter(polars.col("id") > 2).select("name").sort("name").collect().rows() == [
        ("c",), ("d",)]


@pytest.fixture(scope="module")
def long_python():
    """The environment of the clients that only the long run has; made once."""
    whole = LONG_PYTHON.parents[1] / "whole"
    if not whole.exists():
        pins = (ROOT / "Tests/pins.txt").read_text().splitlines()
        wanted = [line.removeprefix("#catalog ") for line in pins if line.startswith("#catalog ")]
        for command in (
            ["uv", "venv", "--quiet", "--allow-existing", str(LONG_PYTHON.parents[1])],
            ["uv", "pip", "install", "--quiet", "--python", str(LONG_PYTHON), *wanted],
        ):
            made = subprocess.run(
                command, capture_output=True, text=True, timeout=1200, env=STARTED_WITH)
            assert made.returncode == 0, made.stderr
        whole.touch()
    return LONG_PYTHON


@only_long
@pytest.mark.parametrize("which", ["daft", "chdb"])
def test_clients_of_the_long_run_read_the_same(table, long_python, which):
    done = subprocess.run(
        [long_python, ROOT / "Tests/Clients/catalog_clients.py", which], capture_output=True,
        text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    assert [tuple(row) for row in json.loads(done.stdout.splitlines()[-1])] == EXPECTED
