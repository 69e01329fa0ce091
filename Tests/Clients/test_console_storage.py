"""The console's storage pages over the real store: what boto3 put is there, and the reverse."""

import io
import os
import re
import uuid

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

pytestmark = pytest.mark.usefixtures("appliance")


class Console:
    def __init__(self, url, token):
        self.url, self.headers = url, {"Authorization": f"Bearer {token}"}

    def get(self, path, **query):
        return requests.get(self.url + path, params=query, headers=self.headers, timeout=60)

    def put(self, path, data, **query):
        return requests.put(self.url + path, data=data, params=query, headers=self.headers, timeout=60)

    def post(self, path, **form):
        return requests.post(
            self.url + path, data=form, headers=self.headers, timeout=60, allow_redirects=False)


@pytest.fixture(scope="module")
def console(appliance):
    return Console(appliance.url, os.environ["LAKEHOUSE_TOKEN"])


@pytest.fixture(scope="module")
def bucket(appliance):
    client = boto3.client("s3")
    name = f"pages-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    table = io.BytesIO()
    pq.write_table(pa.table({"id": [7, 8], "name": ["Ada", "Bob"]}), table)
    client.put_object(Bucket=name, Key="in/rows.parquet", Body=table.getvalue())
    client.put_object(Bucket=name, Key="in/rows.csv", Body=b"id;name\n9;Carl\n", ContentType="text/csv")
    client.put_object(Bucket=name, Key="in/deep/notes.txt", Body="Grüße <b>".encode(), ContentType="text/plain")
    return client, name


def test_buckets_folders_and_objects(console, bucket):
    _, name = bucket
    assert f">{name}</a>" in console.get("/storage").text
    top = console.get(f"/storage/{name}").text
    assert ">in/</a>" in top and "rows.csv" not in top
    inner = console.get(f"/storage/{name}", prefix="in/").text
    assert ">deep/</a>" in inner and ">rows.csv</a>" in inner and "notes.txt" not in inner


@pytest.mark.parametrize(
    "key, wanted",
    [
        ("in/rows.parquet", ["<td>7</td>", "<td>Ada</td>", "id bigint"]),
        ("in/rows.csv", ["<td>9</td>", "<td>Carl</td>"]),
        ("in/deep/notes.txt", ["Grüße &lt;b&gt;"]),
    ],
)
def test_previews(console, bucket, key, wanted):
    answer = console.get(f"/storage/{bucket[1]}/object", key=key)
    assert answer.status_code == 200, answer.text
    for text in wanted:
        assert text in answer.text


def test_an_upload_is_an_object(console, bucket):
    client, name = bucket
    content = os.urandom(3 << 20)
    answer = console.put(f"/storage/{name}/upload", content, key="up/ä #1.bin")
    assert answer.status_code == 201, answer.text
    assert client.get_object(Bucket=name, Key="up/ä #1.bin")["Body"].read() == content
    assert console.get(f"/storage/{name}/download", key="up/ä #1.bin").content == content


def test_a_shared_link_reads_one_object_only(console, bucket):
    _, name = bucket
    page = console.post(f"/storage/{name}/share", key="in/rows.csv", seconds="900")
    assert page.status_code == 200, page.text
    link = re.search(r'class="link"[^>]*value="([^"]+)"', page.text).group(1).replace("&amp;", "&")
    assert requests.get(link, timeout=60).content == b"id;name\n9;Carl\n"
    for other in (link.replace("rows.csv", "rows.parquet"), link + "0"):
        assert requests.get(other, timeout=60).status_code == 403
    assert requests.put(link, data=b"x", timeout=60).status_code == 403


def test_versions_and_deletion(console, bucket):
    client, _ = bucket
    name = f"kept-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    old = client.put_object(Bucket=name, Key="a.txt", Body=b"one", ContentType="text/plain")["VersionId"]
    client.put_object(Bucket=name, Key="a.txt", Body=b"two", ContentType="text/plain")
    assert old in console.get(f"/storage/{name}/object", key="a.txt").text
    assert ">one</pre>" in console.get(f"/storage/{name}/object", key="a.txt", version=old).text
    assert console.post(f"/storage/{name}/delete", key="a.txt").status_code == 303
    assert console.get(f"/storage/{name}/object", key="a.txt").status_code == 404
    assert console.get(f"/storage/{name}/download", key="a.txt", version=old).content == b"one"


def test_who_may_see_it(console, bucket, appliance):
    _, name = bucket
    user = f"nobody{uuid.uuid4().hex[:6]}"
    appliance.command("user", "create", user)
    page = console.get(f"/storage/{name}/object", key="in/rows.csv").text
    row = re.search(rf"<tr><td>{user}</td>.*?</tr>", page).group(0)
    assert "refused" in row
    stranger = Console(appliance.url, appliance.variables(user=user)["LAKEHOUSE_TOKEN"])
    for verb in ("object", "download"):
        assert stranger.get(f"/storage/{name}/{verb}", key="in/rows.csv").status_code == 403
    assert stranger.put(f"/storage/{name}/upload", b"x", key="in/rows.csv").status_code == 403
