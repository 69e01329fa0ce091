"""What S3 refuses, and whom its policies mean, with boto3 against a running server."""

import datetime
import json
import uuid

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.usefixtures("appliance")

ROLE = "arn:aws:iam::000000000000:role/admin"


def make_client(service="s3", **options):
    config = Config(
        retries={"max_attempts": 1}, signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"},
    )
    return boto3.client(service, config=config, **options)


@pytest.fixture(scope="module")
def s3(appliance):
    return make_client()


@pytest.fixture
def bucket(s3):
    name = f"rules-{uuid.uuid4().hex[:20]}"
    s3.create_bucket(Bucket=name)
    yield name
    s3.delete_bucket_policy(Bucket=name)
    for entry in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=entry["Key"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def assume(appliance):
    """A client of a session of the administrator's role."""
    sts = make_client("sts", endpoint_url=appliance.s3_url)

    def begin(name="work", policy=None):
        options = {"Policy": json.dumps(policy)} if policy else {}
        made = sts.assume_role(RoleArn=ROLE, RoleSessionName=name, **options)
        keys = made["Credentials"]
        client = make_client(
            aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        return client, made["AssumedRoleUser"]

    return begin


def code_of(call, **arguments):
    with pytest.raises(ClientError) as failure:
        call(**arguments)
    error = failure.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def allow(*actions, resource="*"):
    return {"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}


DENIED = ("AccessDenied", 403)


def test_tags_and_locks_are_actions_of_their_own(s3, bucket, assume):
    writer, _ = assume(policy=allow("s3:PutObject", "s3:GetObject"))
    tagger, _ = assume(policy=allow("s3:PutObject", "s3:GetObject", "s3:PutObjectTagging", "s3:GetObjectTagging"))
    writer.put_object(Bucket=bucket, Key="plain", Body=b"1")
    assert code_of(writer.put_object, Bucket=bucket, Key="k", Body=b"1", Tagging="a=b") == DENIED
    assert code_of(writer.create_multipart_upload, Bucket=bucket, Key="k", Tagging="a=b") == DENIED
    tagger.put_object(Bucket=bucket, Key="tagged", Body=b"1", Tagging="a=b")
    writer.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/plain")
    assert code_of(writer.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/tagged") == DENIED
    tagger.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/tagged")
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "a", "Value": "b"}]
    until = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    assert code_of(tagger.put_object, Bucket=bucket, Key="k", Body=b"1", **lock) == DENIED
    assert code_of(tagger.put_object, Bucket=bucket, Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON") == DENIED


def test_policies_know_sessions_by_their_arn(s3, bucket, assume, appliance):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    work, user = assume("work")
    play, _ = assume("play")
    assert user["Arn"] == "arn:aws:sts::000000000000:assumed-role/admin/work"
    assert user["AssumedRoleId"] == "admin:work"

    def deny(**whom):
        statement = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*", **whom}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))

    def readers():
        found = []
        for name, client in [("work", work), ("play", play), ("person", s3)]:
            try:
                client.get_object(Bucket=bucket, Key="k")
                found.append(name)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDenied"
        return found

    deny(Principal={"AWS": user["Arn"]})
    assert readers() == ["play", "person"]
    deny(NotPrincipal={"AWS": [user["Arn"], ROLE]})
    assert "work" in readers() and "play" in readers()
    deny(Principal="*", Condition={"StringEquals": {"aws:userid": "admin:play"}})
    assert readers() == ["work", "person"]
    deny(Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROLE}})
    assert readers() == ["work", "play"]


def test_sessions_list_buckets_where_their_policy_says_so(bucket, assume):
    lister, _ = assume(policy=allow("s3:ListAllMyBuckets"))
    assert bucket in [entry["Name"] for entry in lister.list_buckets()["Buckets"]]
    other, _ = assume(policy=allow("s3:ListBucket", resource=f"arn:aws:s3:::{bucket}"))
    assert code_of(other.list_buckets) == DENIED
    assert other.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_signatures_for_another_region(s3, bucket, appliance):
    s3.put_object(Bucket=bucket, Key="k", Body=b"here")
    away = make_client(region_name="eu-central-1")
    with pytest.raises(ClientError) as failure:
        away.list_buckets()
    error = failure.value.response["Error"]
    assert (error["Code"], error["Region"]) == ("AuthorizationHeaderMalformed", "us-east-1")
    url = away.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 400 and "<Code>AuthorizationQueryParametersError</Code>" in answer.text
    assert requests.get(s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}), timeout=30).text == "here"
    sts = make_client("sts", endpoint_url=appliance.s3_url, region_name="eu-central-1")
    assert code_of(sts.get_caller_identity) == ("SignatureDoesNotMatch", 403)


def test_deletions_on_conditions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    early = modified - datetime.timedelta(days=1)
    assert code_of(s3.delete_object, Bucket=bucket, Key="k", IfMatchSize=4) == ("PreconditionFailed", 412)
    assert code_of(s3.delete_object, Bucket=bucket, Key="k", IfMatchLastModifiedTime=early) == ("PreconditionFailed", 412)
    refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "k", "Size": 4}, {"Key": "k", "LastModifiedTime": early}]})
    assert [entry["Code"] for entry in refused["Errors"]] == ["PreconditionFailed"] * 2
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "k", "Size": 5, "LastModifiedTime": modified}]})
    assert [entry["Key"] for entry in done["Deleted"]] == ["k"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_copies_with_another_checksum(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm="CRC32")
    for key in ("c", "k"):
        copied = s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/k", ChecksumAlgorithm="SHA1")
        assert copied["CopyObjectResult"]["ChecksumSHA1"] == "qvTGHdzF6KLavt4PO0gs2a6pQ00="
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        assert head["ChecksumSHA1"] == "qvTGHdzF6KLavt4PO0gs2a6pQ00=" and "ChecksumCRC32" not in head


def test_an_upload_is_completed_of_its_own_parts(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm="SHA256")["UploadId"]
    place = {"Bucket": bucket, "Key": "m", "UploadId": upload}
    assert code_of(s3.upload_part, **place, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32") == ("InvalidRequest", 400)
    part = s3.upload_part(**place, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    named = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]
    first = s3.complete_multipart_upload(**place, MultipartUpload={"Parts": named})
    again = s3.complete_multipart_upload(**place, MultipartUpload={"Parts": named})
    assert again["ETag"] == first["ETag"]
    more = named + [{"PartNumber": 2, "ETag": part["ETag"]}]
    assert code_of(s3.complete_multipart_upload, **place, MultipartUpload={"Parts": more}) == ("InvalidPart", 400)


def test_lifecycles_that_would_take_what_is_not_meant(s3, bucket):
    abort = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    marker = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
    tagged = {"Filter": {"Tag": {"Key": "a", "Value": "b"}}}
    sized = {"Filter": {"ObjectSizeGreaterThan": 5}}

    def put(**rule):
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [{"ID": "r", "Status": "Enabled", **rule}]})

    for rule in ({**tagged, **abort}, {**sized, **abort}, {**tagged, **marker}):
        assert code_of(put, **rule) == ("InvalidRequest", 400)
    assert code_of(put, Filter={"Prefix": ""}, Expiration={"Days": 0}) == ("InvalidArgument", 400)
    put(Filter={"Prefix": "a/"}, **abort)


@pytest.mark.parametrize("name", ["xn--rules", "sthree-rules", "rules-s3alias", "rules--ol-s3", "192.168.5.4"])
def test_names_that_s3_keeps(s3, name):
    assert code_of(s3.create_bucket, Bucket=name) == ("InvalidBucketName", 400)
