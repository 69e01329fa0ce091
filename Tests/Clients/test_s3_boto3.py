"""boto3, unchanged, against a running server.

Every test works in a bucket of its own.
"""

import base64
import hashlib
import os
import uuid
import zlib

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.usefixtures("appliance")

MIB = 1024 * 1024


def make_client(**config):
    return boto3.client("s3", config=Config(retries={"max_attempts": 1}, **config))


@pytest.fixture(scope="session")
def s3(appliance):
    return make_client(s3={"addressing_style": "path"})


@pytest.fixture
def bucket(s3):
    name = f"test-{uuid.uuid4().hex[:20]}"
    s3.create_bucket(Bucket=name)
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys})
    s3.delete_bucket(Bucket=name)


def pattern(size, seed=1):
    return hashlib.shake_128(bytes([seed])).digest(size)


def code_of(call, **arguments):
    with pytest.raises(ClientError) as failure:
        call(**arguments)
    error = failure.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 3 * MIB])
def test_objects_of_all_sizes_come_back(s3, bucket, size):
    body = pattern(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, Metadata={"name": "value"}, ContentType="a/b")
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert got["Metadata"] == {"name": "value"}
    assert got["ContentType"] == "a/b"
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentLength"] == size
    assert head["ETag"] == put["ETag"]


@pytest.mark.parametrize("key", ["a b", "é/ü", "a+b&c=d", "x//y", "/lead", "trail/", "%41", "日本", "a'\"<>"])
def test_keys_are_any_text(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in listed] == [key]


def test_ranges(s3, bucket):
    body = pattern(300_000)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    for field, part in [("bytes=0-9", body[:10]), ("bytes=-7", body[-7:]), ("bytes=65530-65545", body[65530:65546])]:
        got = s3.get_object(Bucket=bucket, Key="k", Range=field)
        assert got["Body"].read() == part
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    crossing = s3.get_object(Bucket=bucket, Key="k", Range="bytes=262134-262153")
    assert crossing["Body"].read() == body[262134:262154]
    assert code_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=300000-") == ("InvalidRange", 416)


def test_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)[1] == 304
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"x"')[1] == 412
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert code_of(s3.put_object, Bucket=bucket, Key="no", Body=b"2", IfMatch=etag) == ("NoSuchKey", 404)
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"


def test_listing_by_pages_and_delimiter(s3, bucket):
    keys = sorted(["a/1", "a/2", "b", "c/d/1", "c/e", "z"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for operation in ["list_objects_v2", "list_objects"]:
        found, prefixes = [], []
        for page in s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
            found += [entry["Key"] for entry in page.get("Contents", [])]
        assert found == keys
        for page in s3.get_paginator(operation).paginate(
            Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
        ):
            prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        assert prefixes == ["a/", "c/"]
    inside = s3.list_objects_v2(Bucket=bucket, Prefix="c/", Delimiter="/")
    assert [entry["Key"] for entry in inside["Contents"]] == ["c/e"]
    assert [entry["Prefix"] for entry in inside["CommonPrefixes"]] == ["c/d/"]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_kept(s3, bucket, algorithm):
    try:
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    except Exception as failure:
        if "awscrt" in str(failure).lower() or "crt" in str(failure).lower():
            pytest.skip("this boto3 has no CRT for the algorithm")
        raise
    name = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[name] == put[name]
    assert got["Body"].read() == b"hello"


def test_wrong_checksums_are_refused(s3, bucket):
    wrong = base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ChecksumCRC32=wrong) == ("BadDigest", 400)
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5=md5) == ("BadDigest", 400)
    assert code_of(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)


def test_multipart_by_hand(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm="CRC32")["UploadId"]
    contents = [pattern(5 * MIB), pattern(5 * MIB, 2), pattern(100, 3)]
    parts = []
    for number, content in enumerate(contents, 1):
        part = s3.upload_part(
            Bucket=bucket, Key="m", UploadId=upload, PartNumber=number, Body=content, ChecksumAlgorithm="CRC32"
        )
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
    listed = s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["Parts"]
    assert [entry["Size"] for entry in listed] == [len(content) for content in contents]
    assert [entry["UploadId"] for entry in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    done = s3.complete_multipart_upload(
        Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    md5s = b"".join(hashlib.md5(content).digest() for content in contents)
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"".join(contents)
    second = s3.get_object(Bucket=bucket, Key="m", PartNumber=2)
    assert second["Body"].read() == contents[1]
    assert second["PartsCount"] == 3
    attributes = s3.get_object_attributes(
        Bucket=bucket, Key="m", ObjectAttributes=["ETag", "ObjectParts", "ObjectSize", "Checksum"]
    )
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3
    assert attributes["ObjectSize"] == 10 * MIB + 100


def test_multipart_that_is_given_up(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=pattern(MIB))
    s3.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=upload)
    assert code_of(s3.list_parts, Bucket=bucket, Key="m", UploadId=upload) == ("NoSuchUpload", 404)


def test_upload_file_of_30_mb(s3, bucket, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(pattern(30_000_000))
    s3.upload_file(str(source), bucket, "large", ExtraArgs={"Metadata": {"a": "b"}})
    s3.download_file(bucket, "large", str(target))
    assert target.read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=bucket, Key="large")["Metadata"] == {"a": "b"}


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a é", Body=b"x", Metadata={"m": "1"})
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a é"})
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"m": "1"}
    s3.copy_object(
        Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "b"},
        MetadataDirective="REPLACE", Metadata={"m": "2"},
    )
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"m": "2"}
    s3.delete_object(Bucket=bucket, Key="a é")
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"x"


def test_upload_part_copy(s3, bucket):
    body = pattern(6 * MIB)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    part = s3.upload_part_copy(
        Bucket=bucket, Key="m", UploadId=upload, PartNumber=1,
        CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange=f"bytes=10-{6 * MIB - 1}",
    )
    s3.complete_multipart_upload(
        Bucket=bucket, Key="m", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]},
    )
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == body[10:]


def test_deleting_many(s3, bucket):
    for index in range(20):
        s3.put_object(Bucket=bucket, Key=f"k{index}", Body=b"")
    answer = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": f"k{index}"} for index in range(20)] + [{"Key": "none"}]}
    )
    assert len(answer["Deleted"]) == 21
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def fetch(url, method="GET", data=None, headers=None):
    """As a browser's script or curl would: no header but what is given."""
    answer = requests.request(method, url, data=data, headers=headers, timeout=30)
    return answer.status_code, answer.content


@pytest.fixture(scope="session")
def snippet_client(appliance):
    """The client that `lakehouse connect boto3` prints, with every setting of boto3 as it comes."""
    names = {}
    exec(appliance.command("connect", "boto3").stdout, names)
    return names["s3"]


def presigner(name, snippet_client):
    if name == "as printed":
        return snippet_client
    return make_client(signature_version=name, s3={"addressing_style": "path"})


def error_code(answer):
    return answer[0], answer[1].split(b"<Code>")[1].split(b"</Code>")[0].decode()


# boto3 signs URLs by version 2 in this region unless it is told otherwise.
@pytest.mark.parametrize("version", ["as printed", "s3", "s3v4"])
def test_presigned_urls(snippet_client, bucket, version):
    signer = presigner(version, snippet_client)
    arguments = {"Bucket": bucket, "Key": "a b/é+~(1)"}
    put = signer.generate_presigned_url("put_object", Params=arguments, ExpiresIn=60)
    assert ("AWSAccessKeyId=" in put) == (version != "s3v4")
    assert fetch(put, "PUT", b"hello")[0] == 200
    get = signer.generate_presigned_url("get_object", Params=arguments)
    assert fetch(get) == (200, b"hello")
    named = signer.generate_presigned_url(
        "get_object",
        Params={
            **arguments, "ResponseContentType": "text/x", "ResponseCacheControl": "no-cache",
            "ResponseContentDisposition": 'attachment; filename="x y+1.txt"',
        },
    )
    answer = requests.get(named, timeout=30)
    assert (answer.content, answer.headers["Content-Type"]) == (b"hello", "text/x")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="x y+1.txt"'
    head = signer.generate_presigned_url("head_object", Params=arguments)
    assert fetch(head, "HEAD") == (200, b"")
    listing = signer.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket, "Prefix": "a"})
    assert b"<KeyCount>1</KeyCount>" in fetch(listing)[1]
    # What is changed on the way is noticed.
    assert fetch(get, "DELETE")[0] == 403
    assert fetch(get.replace("%20b", "%20c"))[0] == 403
    assert fetch(get + "&response-content-type=text/html")[0] == 403
    remove = signer.generate_presigned_url("delete_object", Params=arguments)
    assert fetch(remove, "DELETE") == (204, b"")
    assert error_code(fetch(get)) == (404, "NoSuchKey")


@pytest.mark.parametrize("version", ["as printed", "s3v4"])
def test_presigned_puts_with_headers(s3, snippet_client, bucket, version):
    signer = presigner(version, snippet_client)
    url = signer.generate_presigned_url(
        "put_object", Params={"Bucket": bucket, "Key": "k", "ContentType": "text/x", "Metadata": {"who": "me"}}
    )
    headers = {"Content-Type": "text/x"} | ({"x-amz-meta-who": "me"} if version == "s3v4" else {})
    # Many send what is in the URL already as a header too.
    for headers in (headers, {**headers, "x-amz-meta-who": "me"}):
        assert fetch(url, "PUT", b"hello", headers)[0] == 200
        found = s3.get_object(Bucket=bucket, Key="k")
        assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"hello", "text/x", {"who": "me"})
    assert error_code(fetch(url, "PUT", b"hello", {**headers, "x-amz-meta-who": "you"})) == (403, "SignatureDoesNotMatch")
    assert error_code(fetch(url, "PUT", b"hello", {**headers, "Content-Type": "text/html"})) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("version", ["as printed", "s3v4"])
def test_presigned_parts(s3, snippet_client, bucket, version):
    signer = presigner(version, snippet_client)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    part = {"Bucket": bucket, "Key": "m", "UploadId": upload, "PartNumber": 1}
    url = signer.generate_presigned_url("upload_part", Params=part)
    assert fetch(url, "PUT", b"hello")[0] == 200
    other = url.replace("partNumber=1", "partNumber=2")
    assert other != url and fetch(other, "PUT", b"x")[0] == 403
    etag = s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["Parts"][0]["ETag"]
    s3.complete_multipart_upload(
        Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
    )
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"hello"


def test_presigned_urls_end(s3, snippet_client, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    params = {"Bucket": bucket, "Key": "k"}
    # Ended before it began: nothing has to be waited for.
    url = snippet_client.generate_presigned_url("get_object", Params=params, ExpiresIn=-5)
    status, body = fetch(url)
    assert status == 403 and b"AccessDenied" in body and b"Request has expired" in body
    stranger = boto3.client("s3", aws_access_key_id="NOBODY", aws_secret_access_key="x", region_name="us-east-1")
    assert error_code(fetch(stranger.generate_presigned_url("get_object", Params=params))) == (403, "InvalidAccessKeyId")
    wrong = boto3.client("s3", aws_secret_access_key="x", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    status, body = fetch(wrong.generate_presigned_url("get_object", Params=params))
    assert status == 403 and b"SignatureDoesNotMatch" in body and b"signature version 2" in body


def test_everything_signed_by_version_2(bucket):
    """The old clients that sign every request this way."""
    old = make_client(signature_version="s3", s3={"addressing_style": "path"})
    old.put_object(Bucket=bucket, Key="a b/é", Body=b"hello", Metadata={"who": "me"}, ContentType="text/x")
    assert old.get_object(Bucket=bucket, Key="a b/é")["Body"].read() == b"hello"
    assert [entry["Key"] for entry in old.list_objects_v2(Bucket=bucket, Prefix="a")["Contents"]] == ["a b/é"]
    old.put_object_tagging(Bucket=bucket, Key="a b/é", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    upload = old.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    part = old.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"part")
    old.complete_multipart_upload(
        Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    old.copy_object(Bucket=bucket, Key="n", CopySource={"Bucket": bucket, "Key": "m"})
    assert old.get_object(Bucket=bucket, Key="n", Range="bytes=1-2")["Body"].read() == b"ar"
    assert len(old.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "m"}, {"Key": "n"}]})["Deleted"]) == 2


def test_virtual_host_style(bucket):
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    host = endpoint.split("//")[1].split(":")[0]
    port = endpoint.rsplit(":", 1)[1].strip("/")
    if host not in ("localhost", "127.0.0.1"):
        pytest.skip("wants a local endpoint")
    client = boto3.client(
        "s3", endpoint_url=f"http://s3.localhost:{port}",
        config=Config(s3={"addressing_style": "virtual"}, retries={"max_attempts": 1}),
    )
    try:
        client.put_object(Bucket=bucket, Key="k", Body=b"v")
    except Exception as failure:
        if "resolve" in str(failure).lower() or "connect" in str(failure).lower():
            pytest.skip("this machine does not resolve names below localhost")
        raise
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"v"


def test_buckets(s3, bucket):
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=bucket)
    assert s3.get_bucket_versioning(Bucket=bucket).get("Status") is None
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    assert code_of(s3.head_bucket, Bucket=bucket + "-none")[1] == 404


def test_wrong_credentials_are_refused(bucket):
    client = boto3.client(
        "s3", aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    assert code_of(client.list_objects_v2, Bucket=bucket) == ("SignatureDoesNotMatch", 403)
    unknown = boto3.client(
        "s3", aws_secret_access_key="wrong", aws_access_key_id="NOBODY",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    assert code_of(unknown.list_objects_v2, Bucket=bucket) == ("InvalidAccessKeyId", 403)


def test_what_is_not_offered_is_named(s3, bucket):
    assert code_of(s3.get_bucket_website, Bucket=bucket) == ("NotImplemented", 501)
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="AES256") == ("NotImplemented", 501)
