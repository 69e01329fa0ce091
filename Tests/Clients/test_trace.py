"""One row, from what it was made of to who read it, by the ledger."""

import os
import uuid

import boto3
import pytest
import requests
from botocore.config import Config

pytestmark = pytest.mark.usefixtures("appliance")


PROGRAM = requests.utils.default_user_agent()


class Console:
    def __init__(self, url, token):
        self.url, self.headers = url, {"Authorization": f"Bearer {token}"}

    def sql(self, text):
        answer = requests.post(
            self.url + "/api/v1/sql", json={"sql": text}, headers=self.headers, timeout=60
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def get(self, path, **query):
        return requests.get(self.url + path, params=query, headers=self.headers, timeout=60)


@pytest.fixture(scope="module")
def story(appliance):
    """Raw rows, a table made of them, a correction, a summary, a reader."""
    boss = Console(appliance.url, os.environ["LAKEHOUSE_TOKEN"])
    schema = f"lakehouse.trace_{uuid.uuid4().hex[:8]}"
    boss.sql(f"CREATE SCHEMA {schema}")
    boss.sql(f"CREATE TABLE {schema}.raw AS SELECT * FROM (VALUES ('TX-1', 10), ('TX-2', 20)) t(id, amount)")
    boss.sql(f"CREATE TABLE {schema}.clean (id varchar, amount integer)")
    boss.sql(f"INSERT INTO {schema}.clean SELECT * FROM {schema}.raw")
    boss.sql(
        f"MERGE INTO {schema}.clean c USING (SELECT id, 11 AS amount FROM {schema}.raw WHERE id = 'TX-1') r "
        "ON c.id = r.id WHEN MATCHED THEN UPDATE SET amount = r.amount"
    )
    boss.sql(f"CREATE TABLE {schema}.summary AS SELECT sum(amount) AS total FROM {schema}.clean")
    appliance.command("user", "create", "reader", "--role", "analyst")
    token = appliance.variables(user="reader")["LAKEHOUSE_TOKEN"]
    reader = Console(appliance.url, token)
    reader.sql(f"SELECT * FROM {schema}.clean")
    return boss, reader, schema


def test_a_row_is_followed_from_source_to_viewer(story):
    boss, _, schema = story
    answer = boss.get("/api/v1/trace", table=f"{schema}.clean", column="id", value="TX-1")
    assert answer.status_code == 200, answer.text
    trace = answer.json()
    assert [version["row"]["amount"] for version in trace["versions"]] == ["10", "11"]
    path = schema.replace(".", "/")
    for version in trace["versions"]:
        commit = version["commit"]
        assert commit["snapshotId"] == version["snapshotId"]
        assert commit["queryId"] and commit["requestId"]
        assert f"table:{path}/raw" in [read["resource"] for read in commit["reads"]]
    assert f"table:{path}/summary" in [commit["resource"] for commit in trace["derived"]]
    assert ("reader", f"api {PROGRAM}") in [(read["principal"], read["application"]) for read in trace["readers"]]
    untouched = boss.get("/api/v1/trace", table=f"{schema}.clean", column="id", value="TX-2").json()
    assert len(untouched["versions"]) == 1


def test_a_row_is_followed_into_the_cells_of_charts(appliance, story):
    boss, reader, schema = story
    folder = appliance.directory / "dashboards"
    folder.mkdir(exist_ok=True)
    name = schema.removeprefix("lakehouse.")
    (folder / f"{name}.yml").write_text(
        f"title: Totals\ntiles: [{{id: sum, kind: number, title: Sum, sql: select total from {schema}.summary}}]\n")
    assert "31" in reader.get(f"/dashboards/{name}/tiles/sum").text
    query = {"table": f"{schema}.raw", "column": "id", "value": "TX-1"}
    # From raw to clean to summary to the tile.
    trace = boss.get("/api/v1/trace", **query).json()
    charts = [(chart["application"], chart["principal"], chart["resource"]) for chart in trace["charts"]]
    assert charts == [(f"dashboard {name}/sum", "reader", f"table:{schema.replace('.', '/')}/summary")]
    assert trace["charts"][0]["queryId"] and trace["charts"][0]["holds"] == "derived"
    assert trace["chartsCut"] is False
    page = boss.get("/trace", **query).text
    assert f'href="/dashboards/{name}#tile-sum"' in page
    (folder / f"{name}.yml").unlink()


def test_a_chart_that_was_drawn_before_the_row_came_is_not_listed(appliance, story):
    boss, _, schema = story
    name = f"{schema.removeprefix('lakehouse.')}_late"
    boss.sql(f"CREATE TABLE {schema}.late AS SELECT 'A' AS id, 1 AS amount")
    folder = appliance.directory / "dashboards"
    folder.mkdir(exist_ok=True)
    tiles = ", ".join(
        f"{{id: {tile}, kind: number, title: T, sql: select sum(amount) as n from {schema}.late}}"
        for tile in ("early", "late")
    )
    (folder / f"{name}.yml").write_text(f"title: Late\ntiles: [{tiles}]\n")
    assert boss.get(f"/dashboards/{name}/tiles/early").status_code == 200
    boss.sql(f"INSERT INTO {schema}.late VALUES ('B', 2)")
    assert boss.get(f"/dashboards/{name}/tiles/late").status_code == 200

    def charts(value):
        trace = boss.get("/api/v1/trace", table=f"{schema}.late", column="id", value=value).json()
        return {(chart["application"].split("/")[1], chart["holds"]) for chart in trace["charts"]}

    assert charts("A") == {("early", "row"), ("late", "row")}
    assert charts("B") == {("late", "row")}
    # Drawn again, after the row has gone: it was read before all the same.
    boss.sql(f"DELETE FROM {schema}.late WHERE id = 'B'")
    for tile in ("early", "late"):
        assert boss.get(f"/dashboards/{name}/tiles/{tile}").status_code == 200
    assert charts("B") == {("late", "row")}
    (folder / f"{name}.yml").unlink()


def test_every_id_leads_to_what_carries_it(story):
    boss, _, schema = story
    trace = boss.get("/api/v1/trace", table=f"{schema}.clean", column="id", value="TX-1").json()
    commit = trace["versions"][-1]["commit"]
    path = schema.replace(".", "/")
    for id in (commit["queryId"], commit["requestId"]):
        actions = {
            (entry["action"], entry["resource"])
            for entry in boss.get(f"/api/v1/trace/{id}").json()["entries"]
        }
        assert ("catalog.table.committed", f"table:{path}/clean") in actions
        assert ("table.read", f"table:{path}/raw") in actions
    entries = boss.get(f"/api/v1/trace/{commit['snapshotId']}").json()["entries"]
    assert {entry["action"] for entry in entries} >= {"catalog.table.committed", "table.read"}
    page = boss.get("/trace", table=f"{schema}.clean", column="id", value="TX-1")
    assert page.status_code == 200 and "TX-1" in page.text and commit["queryId"] in page.text
    page = boss.get(f"/trace/{commit['queryId']}")
    assert page.status_code == 200 and f"{path}/clean" in page.text


def test_the_pages_own_readings_do_not_fill_the_list(story):
    boss, reader, schema = story
    asked = {"table": f"{schema}.clean", "column": "id", "value": "TX-1"}
    before = boss.get("/api/v1/trace", **asked).json()["readers"]
    for _ in range(3):
        assert boss.get("/trace", **asked).status_code == 200
    assert boss.get("/api/v1/trace", **asked).json()["readers"] == before
    # Who says of himself that he is the page is listed all the same.
    answer = requests.post(
        boss.url + "/v1/statement", data=f"SELECT 1 FROM {schema}.clean",
        headers={**reader.headers, "X-Trino-User": "reader", "X-Trino-Source": "trace"}, timeout=60,
    )
    while after := answer.json().get("nextUri"):
        answer = requests.get(after, headers=reader.headers, timeout=60)
    for _ in range(6000):
        found = boss.get("/api/v1/trace", **asked).json()["readers"]
        if len(found) > len(before):
            break
    assert found[0]["application"] == "trace" and found[0]["principal"] == "reader"


def test_a_row_is_followed_to_its_file(appliance, story, tmp_path):
    boss, _, schema = story
    files = boto3.client(
        "s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"],
        config=Config(s3={"addressing_style": "path"}),
    )
    bucket = f"trace-{uuid.uuid4().hex[:8]}"
    files.create_bucket(Bucket=bucket)
    for name, text in {"a.csv": "id,amount\nF-1,1\n", "b.csv": "id,amount\nF-2,2\n"}.items():
        files.put_object(Bucket=bucket, Key=name, Body=text.encode())
    (tmp_path / "load.yml").write_text(
        f"name: {bucket}\nsteps:\n  - id: load\n    kind: ingest\n    with:\n"
        f"      source: {{objects: 's3://{bucket}/'}}\n      target: {schema}.files\n      mode: replace-file\n"
    )
    appliance.command("pipeline", "declare", tmp_path / "load.yml")
    appliance.command("pipeline", "run", bucket, "--wait")
    boss.sql(f"CREATE TABLE {schema}.from_files AS SELECT id, amount * 2 AS twice FROM {schema}.files")
    trace = boss.get("/api/v1/trace", table=f"{schema}.from_files", column="id", value="F-2").json()
    steps = trace["versions"][0]["sources"]
    assert [(step["table"], step["origins"]) for step in steps] == [(f"{schema}.files", [f"s3://{bucket}/b.csv"])]
    page = boss.get("/trace", table=f"{schema}.from_files", column="id", value="F-2").text
    assert f"s3://{bucket}/b.csv" in page and f"s3://{bucket}/a.csv" not in page


def test_who_may_not_read_the_ledger_sees_no_viewers(story):
    _, reader, schema = story
    trace = reader.get("/api/v1/trace", table=f"{schema}.clean", column="id", value="TX-1").json()
    assert trace["versions"] and trace["readers"] is None
    assert reader.get("/api/v1/trace/anything").status_code == 403


def test_a_wrong_name_is_said(story):
    boss, _, schema = story
    assert boss.get("/api/v1/trace", table="nonsense", column="a", value="b").status_code == 404
    assert boss.get("/api/v1/trace", table=f"{schema}.none", column="a", value="b").status_code == 400
