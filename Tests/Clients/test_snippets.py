"""Runs what `lakehouse connect TOOL` prints, as it stands."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from appliance import plain_environment

pytestmark = pytest.mark.usefixtures("appliance")

PYTHON = {"boto3": "boto3", "pyiceberg": "pyiceberg", "trino": "trino", "sqlalchemy": "trino", "polars": "polars"}


def run(words, text=None):
    # A bundle of the reader's own, which knows nothing of the server's certificate.
    environment = {**plain_environment(), "REQUESTS_CA_BUNDLE": "/nowhere.pem"}
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=110, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("tool", PYTHON)
def test_python_snippets_run(appliance, tool):
    if importlib.util.find_spec(PYTHON[tool]) is None:
        pytest.skip(f"{PYTHON[tool]} is not installed")
    text = appliance.command("connect", tool).stdout
    output = run([sys.executable, "-c", text])
    if tool in ("trino", "sqlalchemy"):
        assert "1" in output
    if tool == "boto3":
        assert "lakehouse" in output


def test_polars_reads_with_the_options(appliance):
    text = appliance.command("connect", "polars").stdout
    text += """
import io
import boto3
body = io.BytesIO()
pl.DataFrame({"a": [1, 2, 3]}).write_parquet(body)
s3 = boto3.client("s3", endpoint_url=options["aws_endpoint_url"],
    aws_access_key_id=options["aws_access_key_id"], aws_secret_access_key=options["aws_secret_access_key"],
    region_name="us-east-1")
s3.create_bucket(Bucket="polars-snippet")
s3.put_object(Bucket="polars-snippet", Key="t.parquet", Body=body.getvalue())
print(pl.scan_parquet("s3://polars-snippet/t.parquet", storage_options=options).select(pl.col("a").sum()).collect().item())
"""
    assert run([sys.executable, "-c", text]).strip() == "6"


def test_the_aws_snippet_runs_in_a_shell(appliance):
    folder = str(Path(sys.executable).parent)
    if shutil.which("aws", path=folder) is None:
        pytest.skip("the aws command is not installed")
    text = f"export PATH={folder}:$PATH\n" + appliance.command("connect", "aws").stdout
    assert "lakehouse" in run(["bash", "-eu"], text)


def test_duckdb_attaches_the_catalog(appliance):
    """The iceberg extension is downloaded by DuckDB itself; without a network this cannot be shown."""
    import duckdb

    connection = duckdb.connect()
    for extension in ("httpfs", "iceberg"):
        try:
            connection.execute(f"install {extension}")
            connection.execute(f"load {extension}")
        except duckdb.Error as error:
            pytest.skip(f"DuckDB's extension {extension} is not there: {str(error)[:80]}")
    for statement in appliance.command("connect", "duckdb").stdout.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("show all tables").fetchall()


def test_credentials_of_a_snippet_can_be_revoked(appliance):
    def ids():
        listed = json.loads(appliance.command("client", "list", "--json").stdout)
        return {row["id"] for row in listed}

    before = ids()
    text = appliance.command("connect", "trino").stdout
    (made,) = ids() - before
    run([sys.executable, "-c", text])
    appliance.command("client", "delete", made)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, timeout=60, env=plain_environment())
    assert done.returncode != 0 and b"401" in done.stderr


@pytest.mark.parametrize("tool", ["env", "aws", "boto3", "pyiceberg", "spark", "duckdb", "polars", "trino", "dbt", "superset", "sqlalchemy"])
def test_every_tool_has_a_snippet_with_this_servers_address(appliance, tool):
    text = appliance.command("connect", tool).stdout
    assert str(appliance.port) in text or appliance.s3_url.rsplit(":", 1)[1] in text
