"""Bit rot on the real server: reads answer an error, and `lakehouse doctor --storage` names the object."""

import boto3
import pytest
from appliance import Appliance
from botocore.config import Config
from botocore.exceptions import ClientError


def client_of(server):
    variables = server.variables()
    return boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def test_a_flipped_bit_is_found_and_named(tmp_path):
    with Appliance(tmp_path / "data") as server:
        s3 = client_of(server)
        s3.put_object(Bucket="landing", Key="kept/whole", Body=b"a" * 150_000)
        before = {path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()}
        s3.put_object(Bucket="landing", Key="kept/hurt", Body=b"b" * 150_000)
        (blob,) = {path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()} - before
        assert "everything is in order" in server.command("doctor", "--storage").stdout
    content = bytearray(blob.read_bytes())
    content[70_000] ^= 1
    blob.write_bytes(content)
    with Appliance(tmp_path / "data") as server:
        s3 = client_of(server)
        assert s3.get_object(Bucket="landing", Key="kept/whole")["Body"].read() == b"a" * 150_000
        with pytest.raises(ClientError) as failure:
            s3.get_object(Bucket="landing", Key="kept/hurt", Range="bytes=69000-71000")
        assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        done = server.command("doctor", "--storage", code=1)
        assert "kept/hurt" in done.stdout and "kept/whole" not in done.stdout
