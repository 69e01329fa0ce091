"""Damaged metadata on the real server: the file is named, and every other table works."""

import boto3
import requests
from botocore.config import Config

from appliance import Appliance


def sql(server, statement):
    answer = requests.post(
        server.url + "/api/v1/sql", json={"sql": statement}, timeout=60,
        headers={"Authorization": f"Bearer {server.variables()['LAKEHOUSE_TOKEN']}"},
    )
    return answer.status_code, answer.json()


def location(server, table):
    variables = server.variables()
    answer = requests.get(
        f"{variables['CATALOG_URI']}/v1/lakehouse/namespaces/shop/tables/{table}", timeout=60,
        headers={"Authorization": f"Bearer {variables['LAKEHOUSE_TOKEN']}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["metadata-location"]


def test_a_corrupt_metadata_file_is_named_and_other_tables_work(tmp_path):
    with Appliance(tmp_path / "data") as server:
        for statement in ("create schema shop", "create table shop.hurt as select 1 x", "create table shop.fine as select 2 x"):
            status, body = sql(server, statement)
            assert status == 200, body
        bucket, key = location(server, "hurt").removeprefix("s3://").split("/", 1)
        variables = server.variables()
        s3 = boto3.client(
            "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"], config=Config(s3={"addressing_style": "path"}),
        )
        s3.put_object(Bucket=bucket, Key=key, Body=b'{"format-version": 2, "table-uuid": ')
    with Appliance(tmp_path / "data") as server:
        status, body = sql(server, "select * from shop.hurt")
        assert status >= 400 and key.rsplit("/", 1)[1] in str(body), body
        status, body = sql(server, "select x from shop.fine")
        assert (status, body["rows"]) == (200, [[2]])
        status, body = sql(server, "show tables from shop")
        assert status == 200 and len(body["rows"]) == 2
