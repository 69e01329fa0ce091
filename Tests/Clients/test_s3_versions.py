"""Versions, tags, locks and what is configured of buckets, with boto3 against a running server."""

import datetime
import http.server
import json
import queue
import threading
import urllib.parse
import uuid

import boto3
import pytest
import requests
from appliance import fetch
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.usefixtures("appliance")


def make_client(service="s3", **options):
    config = options.pop("config", Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}))
    return boto3.client(service, config=config, **options)


@pytest.fixture(scope="session")
def s3(appliance):
    return make_client()


def empty(s3, name):
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(
                Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"], BypassGovernanceRetention=True
            )
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def bucket(s3):
    name = f"test-{uuid.uuid4().hex[:20]}"
    s3.create_bucket(Bucket=name)
    yield name
    empty(s3, name)


@pytest.fixture
def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def code_of(call, **arguments):
    with pytest.raises(ClientError) as failure:
        call(**arguments)
    error = failure.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_versions_and_delete_markers(s3, versioned):
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"22")["VersionId"]
    assert s3.get_object(Bucket=versioned, Key="k")["VersionId"] == second
    assert s3.get_object(Bucket=versioned, Key="k", VersionId=first)["Body"].read() == b"1"
    assert s3.head_object(Bucket=versioned, Key="k", VersionId=first)["ContentLength"] == 1
    gone = s3.delete_object(Bucket=versioned, Key="k")
    assert gone["DeleteMarker"] is True
    with pytest.raises(ClientError) as failure:
        s3.get_object(Bucket=versioned, Key="k")
    headers = failure.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true"
    assert code_of(s3.get_object, Bucket=versioned, Key="k", VersionId=gone["VersionId"])[1] == 405
    listed = s3.list_object_versions(Bucket=versioned)
    assert [entry["VersionId"] for entry in listed["Versions"]] == [second, first]
    assert [entry["IsLatest"] for entry in listed["DeleteMarkers"]] == [True]
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0
    s3.delete_object(Bucket=versioned, Key="k", VersionId=gone["VersionId"])
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"22"
    s3.copy_object(
        Bucket=versioned, Key="k", CopySource={"Bucket": versioned, "Key": "k", "VersionId": first}
    )
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"
    answer = s3.delete_objects(
        Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": second}, {"Key": "other"}]}
    )["Deleted"]
    assert answer[0]["VersionId"] == second and answer[1]["DeleteMarker"] is True
    assert code_of(s3.get_object, Bucket=versioned, Key="k", VersionId=second) == ("NoSuchVersion", 404)
    assert code_of(s3.get_object, Bucket=versioned, Key="k", VersionId="no name")[1] == 400


def test_versions_are_listed_by_pages(s3, versioned):
    for key in ("a/1", "a/2", "b"):
        for number in range(3):
            s3.put_object(Bucket=versioned, Key=key, Body=str(number).encode())
    seen = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=versioned, PaginationConfig={"PageSize": 2}
    ):
        seen += [(entry["Key"], entry["VersionId"]) for entry in page.get("Versions", [])]
    assert [key for key, _ in seen] == ["a/1"] * 3 + ["a/2"] * 3 + ["b"] * 3
    assert len(set(seen)) == 9
    folded = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [entry["Prefix"] for entry in folded["CommonPrefixes"]] == ["a/"]


def test_the_resource_api_of_boto3(versioned):
    bucket = boto3.resource("s3").Bucket(versioned)
    bucket.put_object(Key="x", Body=b"1")
    bucket.put_object(Key="x", Body=b"2")
    assert bucket.Object("x").get()["Body"].read() == b"2"
    assert len(list(bucket.object_versions.filter(Prefix="x"))) == 2
    bucket.object_versions.delete()
    assert list(bucket.objects.all()) == []


def test_tags(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"", Tagging="a=1&b=x%20y")["VersionId"]
    assert s3.head_object(Bucket=versioned, Key="k")["TagCount"] == 2
    s3.put_object(Bucket=versioned, Key="k", Body=b"")
    s3.put_object_tagging(Bucket=versioned, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    tags = lambda **more: s3.get_object_tagging(Bucket=versioned, Key="k", **more)["TagSet"]
    assert tags() == [{"Key": "c", "Value": "3"}]
    assert tags(VersionId=first) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    s3.delete_object_tagging(Bucket=versioned, Key="k")
    assert tags() == []
    many = {"TagSet": [{"Key": f"k{index}", "Value": ""} for index in range(11)]}
    assert code_of(s3.put_object_tagging, Bucket=versioned, Key="k", Tagging=many) == ("InvalidTag", 400)
    s3.copy_object(
        Bucket=versioned, Key="c", CopySource={"Bucket": versioned, "Key": "k", "VersionId": first}
    )
    assert s3.head_object(Bucket=versioned, Key="c")["TagCount"] == 2
    assert code_of(s3.get_bucket_tagging, Bucket=versioned) == ("NoSuchTagSet", 404)
    s3.put_bucket_tagging(Bucket=versioned, Tagging={"TagSet": [{"Key": "team", "Value": "data"}]})
    assert s3.get_bucket_tagging(Bucket=versioned)["TagSet"] == [{"Key": "team", "Value": "data"}]
    s3.delete_bucket_tagging(Bucket=versioned)
    assert code_of(s3.get_bucket_tagging, Bucket=versioned) == ("NoSuchTagSet", 404)


def test_locks(s3):
    name = f"vault-{uuid.uuid4().hex[:20]}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled"
    }
    held = s3.put_object(Bucket=name, Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert code_of(s3.delete_object, Bucket=name, Key="k", VersionId=held) == ("AccessDenied", 403)
    assert s3.get_object_legal_hold(Bucket=name, Key="k")["LegalHold"] == {"Status": "ON"}
    s3.put_object_legal_hold(Bucket=name, Key="k", VersionId=held, LegalHold={"Status": "OFF"})
    until = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
    s3.put_object_retention(
        Bucket=name, Key="k", VersionId=held, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}
    )
    assert s3.get_object_retention(Bucket=name, Key="k")["Retention"]["Mode"] == "GOVERNANCE"
    assert s3.head_object(Bucket=name, Key="k")["ObjectLockRetainUntilDate"] == until
    assert code_of(s3.delete_object, Bucket=name, Key="k", VersionId=held) == ("AccessDenied", 403)
    # A marker hides it, as always.
    assert s3.delete_object(Bucket=name, Key="k")["DeleteMarker"] is True
    s3.delete_object(Bucket=name, Key="k", VersionId=held, BypassGovernanceRetention=True)
    s3.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}},
        },
    )
    s3.put_object(Bucket=name, Key="d", Body=b"")
    assert s3.head_object(Bucket=name, Key="d")["ObjectLockMode"] == "GOVERNANCE"
    empty(s3, name)


def test_conditions_of_writes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert code_of(s3.delete_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    source = {"Bucket": bucket, "Key": "k"}
    assert code_of(s3.copy_object, Bucket=bucket, Key="c", CopySource=source, CopySourceIfMatch='"x"')[1] == 412
    s3.copy_object(Bucket=bucket, Key="c", CopySource=source, CopySourceIfMatch=etag)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"2")["ETag"]
    whole = {
        "Bucket": bucket, "Key": "k", "UploadId": upload,
        "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part}]},
    }
    assert code_of(s3.complete_multipart_upload, **whole, IfNoneMatch="*") == ("PreconditionFailed", 412)
    s3.complete_multipart_upload(**whole, IfMatch=etag)
    s3.delete_object(Bucket=bucket, Key="c", IfMatch=etag)
    assert code_of(s3.head_object, Bucket=bucket, Key="c")[1] == 404


def test_lifecycle_configurations(s3, bucket):
    assert code_of(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == ("NoSuchLifecycleConfiguration", 404)
    rules = [
        {
            "ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
        },
        {
            "ID": "rest", "Status": "Disabled",
            "Filter": {"And": {"Prefix": "x", "Tags": [{"Key": "a", "Value": "b"}], "ObjectSizeGreaterThan": 9}},
            "Expiration": {"Days": 1},
        },
        {
            "ID": "parts", "Status": "Enabled", "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    assert 'rule-id="logs"' in s3.put_object(Bucket=bucket, Key="logs/a", Body=b"")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="a", Body=b"")
    moved = [{"ID": "m", "Status": "Enabled", "Filter": {"Prefix": ""},
              "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}]
    assert code_of(
        s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": moved}
    ) == ("NotImplemented", 501)
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert code_of(s3.get_bucket_lifecycle_configuration, Bucket=bucket)[0] == "NoSuchLifecycleConfiguration"


def test_pages_of_other_sites(s3, bucket, appliance):
    rule = {"AllowedOrigins": ["https://*.example.org"], "AllowedMethods": ["GET", "PUT"],
            "AllowedHeaders": ["x-amz-*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}
    assert code_of(s3.get_bucket_cors, Bucket=bucket) == ("NoSuchCORSConfiguration", 404)
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    url = f"{appliance.s3_url}/{bucket}/k"

    def ask(origin, method, headers=""):
        fields = {"Origin": origin, "Access-Control-Request-Method": method}
        return fetch(url, "OPTIONS", headers={**fields, "Access-Control-Request-Headers": headers} if headers else fields)

    status, fields, _ = ask("https://app.example.org", "PUT", "x-amz-date")
    assert status == 200
    assert fields["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert fields["Access-Control-Max-Age"] == "60"
    assert ask("https://evil.org", "PUT")[0] == 403
    assert ask("https://app.example.org", "DELETE")[0] == 403
    assert ask("https://app.example.org", "PUT", "content-type")[0] == 403
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    signer = make_client(
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"})
    )
    signed = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    status, fields, body = fetch(signed, headers={"Origin": "https://app.example.org"})
    assert (status, body, fields["Access-Control-Expose-Headers"]) == (200, b"1", "ETag")
    s3.delete_bucket_cors(Bucket=bucket)
    assert ask("https://app.example.org", "PUT")[0] == 403


# The second as boto3 signs when nobody tells it how.
@pytest.mark.parametrize("version, field", [("s3v4", "x-amz-signature"), (None, "signature")])
def test_forms_of_browsers(s3, bucket, version, field):
    conditions = [["starts-with", "$key", "user/"], {"success_action_status": "201"},
                  ["content-length-range", 1, 100], ["starts-with", "$Content-Type", "text/"]]
    signer = make_client(config=Config(signature_version=version, s3={"addressing_style": "path"}))
    form = signer.generate_presigned_post(
        bucket, "user/${filename}", Fields={"success_action_status": "201", "Content-Type": "text/plain"},
        Conditions=conditions, ExpiresIn=60,
    )
    send = lambda fields, body: requests.post(
        form["url"], data=fields, files={"file": ("a b.txt", body)}, timeout=30
    )
    answer = send(form["fields"], b"hello")
    assert answer.status_code == 201, answer.text
    got = s3.get_object(Bucket=bucket, Key="user/a b.txt")
    assert (got["Body"].read(), got["ContentType"]) == (b"hello", "text/plain")
    assert send(form["fields"], b"x" * 101).status_code == 400
    assert send({**form["fields"], "key": "other/x"}, b"x").status_code == 403
    assert send({**form["fields"], "x-amz-meta-a": "b"}, b"x").status_code == 403
    assert field in form["fields"]
    assert send({**form["fields"], field: "0" * 64}, b"x").status_code == 403
    assert requests.post(form["url"], files={"key": (None, "k"), "file": ("f", b"x")}, timeout=30).status_code == 403
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_owner_only_lists(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    for found in (s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="k")):
        assert [grant["Permission"] for grant in found["Grants"]] == ["FULL_CONTROL"]
        assert found["Grants"][0]["Grantee"]["ID"] == found["Owner"]["ID"]
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    refused = ("AccessControlListNotSupported", 400)
    assert code_of(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read") == refused
    assert code_of(s3.put_object, Bucket=bucket, Key="l", Body=b"", ACL="public-read") == refused
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert code_of(s3.get_bucket_encryption, Bucket=bucket)[1] == 404


def test_policies_and_anonymous_reads(s3, bucket, appliance):
    s3.put_object(Bucket=bucket, Key="open/a", Body=b"1")
    s3.put_object(Bucket=bucket, Key="closed/a", Body=b"2")
    nobody = make_client(config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1}))
    assert code_of(nobody.get_object, Bucket=bucket, Key="open/a") == ("AccessDenied", 403)
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{bucket}/open/*"},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
             "Resource": f"arn:aws:s3:::{bucket}/open/*",
             "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
        ],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert nobody.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"1"
    assert requests.get(f"{appliance.s3_url}/{bucket}/open/a", timeout=30).content == b"1"
    assert code_of(nobody.get_object, Bucket=bucket, Key="closed/a") == ("AccessDenied", 403)
    assert code_of(nobody.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)
    assert code_of(s3.put_object, Bucket=bucket, Key="open/b", Body=b"") == ("AccessDenied", 403)
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    assert code_of(nobody.get_object, Bucket=bucket, Key="open/a") == ("AccessDenied", 403)
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(policy)) == ("AccessDenied", 403)
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    broken = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*",
              "Resource": "arn:aws:s3:::another/*"}]}
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(broken)) == ("MalformedPolicy", 400)


def test_temporary_credentials(s3, bucket, appliance):
    s3.put_object(Bucket=bucket, Key="mine/a", Body=b"1")
    s3.put_object(Bucket=bucket, Key="other/a", Body=b"2")
    endpoint = appliance.s3_url
    sts = make_client("sts", endpoint_url=endpoint)
    me = sts.get_caller_identity()
    assert me["Arn"].startswith("arn:aws:iam::000000000000:user/")
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/mine/*"}]}
    role = "arn:aws:iam::000000000000:role/"
    token = appliance.variables()["LAKEHOUSE_TOKEN"]
    made = sts.assume_role_with_web_identity(
        RoleArn=role + "admin", RoleSessionName="job", WebIdentityToken=token, Policy=json.dumps(policy)
    )
    def client_of(answer):
        keys = answer["Credentials"]
        return make_client(
            aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
    limited = client_of(made)
    assert limited.get_object(Bucket=bucket, Key="mine/a")["Body"].read() == b"1"
    assert code_of(limited.get_object, Bucket=bucket, Key="other/a") == ("AccessDenied", 403)
    assert code_of(limited.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)
    upload = limited.create_multipart_upload(Bucket=bucket, Key="mine/m")["UploadId"]
    limited.upload_part(Bucket=bucket, Key="mine/m", UploadId=upload, PartNumber=1, Body=b"x")
    assert len(limited.list_parts(Bucket=bucket, Key="mine/m", UploadId=upload)["Parts"]) == 1
    limited.abort_multipart_upload(Bucket=bucket, Key="mine/m", UploadId=upload)
    whole = client_of(sts.assume_role(RoleArn=role + "admin", RoleSessionName="me", DurationSeconds=900))
    assert whole.get_object(Bucket=bucket, Key="other/a")["Body"].read() == b"2"
    assert client_of(sts.get_session_token()).get_object(Bucket=bucket, Key="mine/a")["Body"].read() == b"1"
    assert code_of(sts.assume_role, RoleArn=role + "viewer", RoleSessionName="me") == ("AccessDenied", 403)
    assert code_of(
        sts.assume_role_with_web_identity, RoleArn=role + "admin", RoleSessionName="me", WebIdentityToken="nonsense"
    ) == ("InvalidIdentityToken", 400)


class Hook(http.server.BaseHTTPRequestHandler):
    """Refuses the first notice, so that it has to come again."""

    seen = queue.Queue()
    refusals = 1

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if Hook.refusals > 0:
            Hook.refusals -= 1
            self.send_response(503)
        else:
            Hook.seen.put(body["Records"][0])
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_webhooks_are_told_at_least_once(s3, bucket):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    rule = {"Id": "n", "TopicArn": f"http://127.0.0.1:{receiver.server_port}/hook", "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}
    try:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [rule]}
        )
        assert s3.get_bucket_notification_configuration(Bucket=bucket)["TopicConfigurations"] == [rule]
        s3.put_object(Bucket=bucket, Key="out/b", Body=b"")
        s3.put_object(Bucket=bucket, Key="in/a b", Body=b"123")
        record = Hook.seen.get(timeout=60)
        assert record["eventName"] == "ObjectCreated:Put"
        assert record["s3"]["bucket"]["name"] == bucket
        assert urllib.parse.unquote_plus(record["s3"]["object"]["key"]) == "in/a b"
        assert record["s3"]["object"]["size"] == 3
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        receiver.shutdown()
        receiver.server_close()
