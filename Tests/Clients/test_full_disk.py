"""A disk that fills up: refusals with words, nothing acknowledged lost, and work again after space is made."""

import hashlib
import os
import subprocess

import pytest
from botocore.exceptions import ClientError
from test_crash import s3_of


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs wants root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine does not let us mount a tmpfs: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def test_puts_are_refused_and_everything_acknowledged_stays(small_disk, start):
    server = start(small_disk / "data")
    s3 = s3_of(server.variables())
    s3.create_bucket(Bucket="full")
    kept, refusal = {}, None
    for number in range(200):
        body = hashlib.shake_128(b"%d" % number).digest(1_000_000 if number % 2 else 20_000)
        try:
            s3.put_object(Bucket="full", Key=str(number), Body=body)
            kept[str(number)] = body
        except ClientError as error:
            refusal = error.response
            if number % 2 == 0:
                break
    assert refusal is not None, "24 MiB took 100 MB"
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] in (503, 507, 500), refusal
    assert "space" in refusal["Error"]["Message"].lower() or "full" in refusal["Error"]["Message"].lower()
    assert len(kept) > 5
    for key, body in kept.items():
        assert s3.get_object(Bucket="full", Key=key)["Body"].read() == body
    # Room is made from outside (a deletion keeps its blob in the trash for a while).
    subprocess.run(["mount", "-o", "remount,size=96m", str(small_disk)], check=True)
    s3.put_object(Bucket="full", Key="after", Body=b"x" * 500_000)
    server.kill()
    server = start(small_disk / "data")
    s3 = s3_of(server.variables())
    for key, body in {**kept, "after": b"x" * 500_000}.items():
        assert s3.get_object(Bucket="full", Key=key)["Body"].read() == body
    server.stop()


def test_a_start_without_space_says_so(small_disk, start):
    filler = small_disk / "filler"
    with open(filler, "wb") as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass
    from appliance import lakehouse

    done = lakehouse("serve", "--data", small_disk / "data", "--ports", "auto", code=1)
    assert "space" in done.stderr.lower() or "full" in done.stderr.lower()
