"""The aws command, unchanged, against a running server: mb, cp, sync, ls, rm, rb."""

import hashlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import boto3
import pytest

pytestmark = pytest.mark.usefixtures("appliance")


def aws(*arguments, code=0):
    program = shutil.which("aws") or str(Path(sys.executable).parent / "aws")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture
def bucket():
    # Without the command, which takes a second to start.
    made = boto3.resource("s3").create_bucket(Bucket=f"test-{uuid.uuid4().hex[:20]}")
    yield f"s3://{made.name}"
    made.objects.delete()
    made.delete()


def pattern(size):
    return hashlib.shake_128(b"aws").digest(size)


def test_mb_and_rb(tmp_path):
    name = f"s3://test-{uuid.uuid4().hex[:20]}"
    aws("s3", "mb", name)
    (tmp_path / "source").write_bytes(b"hello")
    aws("s3", "cp", str(tmp_path / "source"), f"{name}/a/b", "--no-progress")
    aws("s3", "rb", name, code=1)
    aws("s3", "rb", name, "--force")
    assert name.removeprefix("s3://") not in aws("s3", "ls")


@pytest.mark.parametrize("size", [0, 10, 20_000_000])
def test_cp_both_ways(bucket, tmp_path, size):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(pattern(size))
    aws("s3", "cp", str(source), f"{bucket}/dir/file", "--no-progress")
    aws("s3", "cp", f"{bucket}/dir/file", str(target), "--no-progress")
    assert target.read_bytes() == source.read_bytes()


def test_cp_between_keys_and_ls(bucket, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"hello")
    aws("s3", "cp", str(source), f"{bucket}/a", "--no-progress")
    aws("s3", "cp", f"{bucket}/a", f"{bucket}/d/b", "--no-progress")
    listing = aws("s3", "ls", f"{bucket}/")
    assert "PRE d/" in listing
    assert [line.split()[-2:] for line in listing.splitlines() if "PRE" not in line] == [["5", "a"]]
    assert [line.split()[-1] for line in aws("s3", "ls", f"{bucket}/", "--recursive").splitlines()] == ["a", "d/b"]


def test_sync_moves_only_what_changed(bucket, tmp_path):
    tree, back = tmp_path / "tree", tmp_path / "back"
    for name in ["x", "sub/y", "sub/deep/z é"]:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    assert len(aws("s3", "sync", str(tree), bucket, "--no-progress").splitlines()) == 3
    assert aws("s3", "sync", str(tree), bucket, "--no-progress") == ""
    (tree / "x").write_text("longer than before")
    assert len(aws("s3", "sync", str(tree), bucket, "--no-progress").splitlines()) == 1
    (tree / "sub/y").unlink()
    aws("s3", "sync", str(tree), bucket, "--delete", "--no-progress")
    aws("s3", "sync", bucket, str(back), "--no-progress")
    assert sorted(str(path.relative_to(back)) for path in back.rglob("*") if path.is_file()) == [
        "sub/deep/z é",
        "x",
    ]


def test_rm_and_a_missing_key(bucket, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"hello")
    aws("s3", "cp", str(source), f"{bucket}/a", "--no-progress")
    aws("s3", "rm", f"{bucket}/a")
    assert aws("s3", "ls", f"{bucket}/a", code=1) == ""
    aws("s3", "cp", f"{bucket}/a", str(tmp_path / "target"), code=1)


def test_presign_as_it_comes(bucket, tmp_path):
    """Without a setting of the command; in this region that is signature version 2."""
    source = tmp_path / "source"
    source.write_bytes(b"hello")
    aws("s3", "cp", str(source), f"{bucket}/a b/é", "--no-progress")
    url = aws("s3", "presign", f"{bucket}/a b/é").strip()
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"hello"
    url = aws("s3", "presign", f"{bucket}/a b/é", "--expires-in", "-5").strip()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=30)
    assert refused.value.code == 403
