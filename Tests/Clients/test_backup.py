"""A backup of a running directory, restored elsewhere, is whole."""

import os

import boto3

from appliance import Appliance, lakehouse


def test_a_backup_under_load_restores_whole(tmp_path):
    content = os.urandom(3_000_000)
    with Appliance(tmp_path / "lake") as appliance:
        names = appliance.variables()
        s3 = boto3.client(
            "s3",
            endpoint_url=names["AWS_ENDPOINT_URL"],
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        s3.put_object(Bucket="bronze", Key="large", Body=content)
        s3.put_object(Bucket="bronze", Key="small", Body=b"small")
        data = ["--data", tmp_path / "lake"]
        lakehouse("sql", *data, "-c", "create schema bronze.s; create table bronze.s.t as select 7 as a")
        lakehouse("backup", "create", tmp_path / "copy.lhz", "--with-keys", *data)
        s3.delete_object(Bucket="bronze", Key="large")
    restored = ["--data", tmp_path / "restored"]
    lakehouse("backup", "restore", tmp_path / "copy.lhz", *restored)
    lakehouse("doctor", "--storage", *restored)
    assert lakehouse("sql", *restored, "--csv", "-c", "select a from bronze.s.t").stdout.splitlines() == ["a", "7"]
    with Appliance(tmp_path / "restored") as appliance:
        names = appliance.variables()
        s3 = boto3.client(
            "s3",
            endpoint_url=names["AWS_ENDPOINT_URL"],
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        assert s3.get_object(Bucket="bronze", Key="large")["Body"].read() == content


def test_a_backup_never_overwrites_and_a_damaged_one_is_refused(tmp_path):
    lakehouse("init", "--data", tmp_path / "lake")
    lakehouse("backup", "create", tmp_path / "copy.lhz", "--data", tmp_path / "lake")
    lakehouse("backup", "create", tmp_path / "copy.lhz", "--data", tmp_path / "lake", code=1)
    lakehouse("backup", "restore", tmp_path / "copy.lhz", "--data", tmp_path / "lake", code=2)
    whole = (tmp_path / "copy.lhz").read_bytes()
    (tmp_path / "cut.lhz").write_bytes(whole[: len(whole) // 2])
    lakehouse("backup", "restore", tmp_path / "cut.lhz", "--data", tmp_path / "other", code=1)


def test_a_backup_without_keys_opens_with_new_ones(tmp_path):
    """By default no secret leaves: the restored lakehouse makes a new master key, and keys are made anew."""
    data = ["--data", tmp_path / "lake"]
    with Appliance(tmp_path / "lake") as appliance:
        old = appliance.variables()["AWS_ACCESS_KEY_ID"]
        lakehouse("sql", *data, "-c", "create schema bronze.s; create table bronze.s.t as select 7 as a")
        (tmp_path / "lake" / "dashboards").mkdir(exist_ok=True)
        (tmp_path / "lake" / "dashboards" / "mine.yml").write_text("name: mine\n")
        lakehouse("backup", "create", tmp_path / "copy.lhz", *data)
    restored = ["--data", tmp_path / "restored"]
    assert "new one" in lakehouse("backup", "restore", tmp_path / "copy.lhz", *restored).stdout
    assert (tmp_path / "restored" / "dashboards" / "mine.yml").read_text() == "name: mine\n"
    lakehouse("doctor", "--storage", *restored)
    assert lakehouse("sql", *restored, "--csv", "-c", "select a from bronze.s.t").stdout.splitlines() == ["a", "7"]
    assert old not in lakehouse("key", "list", *restored).stdout
    with Appliance(tmp_path / "restored") as appliance:
        names = appliance.variables()
        s3 = boto3.client(
            "s3",
            endpoint_url=names["AWS_ENDPOINT_URL"],
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        assert "bronze" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
