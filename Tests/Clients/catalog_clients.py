"""Reads `readers.rows` with the client that the argument names; the rows as JSON. Runs in `.venv/catalog`."""

import json
import os
import sys


def daft_rows():
    import daft
    from daft.io import IOConfig, S3Config
    from pyiceberg.catalog import load_catalog

    catalog = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    place = IOConfig(s3=S3Config(
        endpoint_url=os.environ["AWS_ENDPOINT_URL"], key_id=os.environ["AWS_ACCESS_KEY_ID"],
        access_key=os.environ["AWS_SECRET_ACCESS_KEY"], region_name=os.environ["AWS_REGION"]))
    found = daft.read_iceberg(catalog.load_table("readers.rows"), io_config=place).sort("id")
    columns = found.to_pydict()
    return list(zip(columns["id"], columns["name"], map(str, columns["amount"])))


def chdb_rows():
    from chdb import session

    # Vended credentials off: with them and an endpoint, chDB puts the table's path before itself.
    asked = session.Session()
    asked.query("SET allow_database_iceberg = 1")
    asked.query(f"""
        CREATE DATABASE lh ENGINE = DataLakeCatalog('{os.environ["CATALOG_URI"]}/v1',
            '{os.environ["AWS_ACCESS_KEY_ID"]}', '{os.environ["AWS_SECRET_ACCESS_KEY"]}')
        SETTINGS catalog_type = 'rest', warehouse = '{os.environ["WAREHOUSE"]}',
            catalog_credential = '{os.environ["CATALOG_CREDENTIAL"]}',
            oauth_server_uri = '{os.environ["CATALOG_OAUTH2_URI"]}',
            storage_endpoint = '{os.environ["AWS_ENDPOINT_URL"]}', vended_credentials = 0""")
    text = str(asked.query(
        "SELECT id, name, toString(amount) AS amount FROM lh.`readers.rows` ORDER BY id",
        "JSONEachRow"))
    rows = [json.loads(line) for line in text.splitlines()]
    return [(int(row["id"]), row["name"], amount(row["amount"])) for row in rows]


def amount(text):
    return "None" if text is None else f"{float(text):.2f}"


print(json.dumps({"daft": daft_rows, "chdb": chdb_rows}[sys.argv[1]]()))
