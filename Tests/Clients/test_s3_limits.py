"""What many uploads at once may cost: bodies go through buffers of fixed sizes, whatever comes in."""

import threading

import boto3
from botocore.config import Config

MIB = 1024 * 1024


def peak_mebibytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def test_32_parts_at_once_stay_small(start):
    server = start()
    variables = server.variables()
    s3 = boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1",
        config=Config(max_pool_connections=32, s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket="many")
    upload = s3.create_multipart_upload(Bucket="many", Key="m")["UploadId"]
    body = bytes(range(256)) * (8 * MIB // 256)
    before = peak_mebibytes(server.pid)
    together = threading.Barrier(32)
    etags, failures = {}, []

    def send(number):
        try:
            together.wait(60)
            etags[number] = s3.upload_part(Bucket="many", Key="m", UploadId=upload, PartNumber=number, Body=body)["ETag"]
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(1, 33)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not failures and len(etags) == 32
    s3.complete_multipart_upload(
        Bucket="many", Key="m", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]},
    )
    answers = [s3.get_object(Bucket="many", Key="m")["Body"] for _ in range(8)]
    assert all(answer.read(256) == body[:256] for answer in answers)
    assert sum(map(len, answers[0].iter_chunks(MIB))) == 256 * MIB - 256
    for answer in answers:
        answer.close()
    peak = peak_mebibytes(server.pid)
    # The bound; and half of what the bodies alone would take if each were kept whole.
    assert peak < 300 and peak - before < 128, f"{before} MiB before, {peak} MiB at most"
