"""Files on their way into tables: packed, as workbooks, by patterns; what is noted of them; watermarks."""

import gzip
import io
import json
import sqlite3
import threading
import uuid
import zipfile

import boto3
import pytest

from appliance import Appliance

RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(rows):
    """An .xlsx file with one sheet, as a spreadsheet program writes it."""

    def cell(value):
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" Type="{RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{body}</sheetData></worksheet>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()


class Lake:
    def __init__(self, server):
        self.server = server
        names = server.variables()
        self.s3 = boto3.client(
            "s3", endpoint_url=names["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id=names["AWS_ACCESS_KEY_ID"], aws_secret_access_key=names["AWS_SECRET_ACCESS_KEY"],
        )

    def rows(self, text, code=0):
        lines = self.server.command("sql", "--json", "-c", text, code=code).stdout.splitlines()
        return [list(json.loads(line).values()) for line in lines]

    def wait(self, sql, wanted):
        """Until the rows are there; a minute at the most."""
        pause = threading.Event()
        for _ in range(240):
            found = self.rows(sql, code=None)
            if found == wanted:
                return
            pause.wait(0.25)
        raise AssertionError(f"{sql}: {found}, wanted {wanted}")

    def declare(self, folder, text):
        file = folder / "pipeline.yml"
        file.write_text(text)
        self.server.command("pipeline", "declare", file)

    def run(self, pipeline, code=0):
        return self.server.command("pipeline", "run", pipeline, "--wait", code=code)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    with Appliance(tmp_path_factory.mktemp("files") / "data") as server:
        yield Lake(server)


def test_packed_files_and_workbooks_land_and_are_noted(lake):
    name = f"t{uuid.uuid4().hex[:8]}"
    put = lambda key, body: lake.s3.put_object(Bucket="landing", Key=f"bronze/shop/{name}/{key}", Body=body)
    put("a.csv.gz", gzip.compress(b"id,amount\n1,10.5\n2,20.5\n"))
    lake.wait(f"SELECT count(*), sum(amount) FROM bronze.shop.{name}", [[2, "31.0"]])
    put("b.xlsx", workbook([["id", "amount"], [3, 1.5], [4, 2]]))
    lake.wait(f"SELECT count(*), sum(amount) FROM bronze.shop.{name}", [[4, "34.5"]])
    put("c.csv.gz", b"this is no gzip")
    registry = (
        "SELECT source_file, size_bytes > 0, table_name, row_count, status, message <> '', loaded_at IS NOT NULL "
        f"FROM system.ingest.registry WHERE table_name = 'bronze.shop.{name}' ORDER BY source_file"
    )
    place = f"s3://landing/bronze/shop/{name}/"
    lake.wait(
        registry,
        [
            [place + "a.csv.gz", True, f"bronze.shop.{name}", 2, "loaded", False, True],
            [place + "b.xlsx", True, f"bronze.shop.{name}", 2, "loaded", False, True],
            [place + "c.csv.gz", True, f"bronze.shop.{name}", None, "failed", True, True],
        ],
    )
    # The tag is the one that S3 gave.
    tag = lake.s3.head_object(Bucket="landing", Key=f"bronze/shop/{name}/a.csv.gz")["ETag"].strip('"')
    assert lake.rows(f"SELECT etag FROM system.ingest.registry WHERE source_file = '{place}a.csv.gz'") == [[tag]]
    assert [column[0] for column in lake.rows("DESCRIBE system.ingest.registry")] == [
        "source_file", "etag", "size_bytes", "table_name", "row_count", "status", "message", "loaded_at",
    ]


def test_a_file_that_is_put_too_shallow_is_told_until_it_is_moved(lake):
    name = f"s{uuid.uuid4().hex[:8]}"
    shallow = f"s3://landing/bronze/{name}.csv"
    lake.s3.put_object(Bucket="landing", Key=f"bronze/{name}.csv", Body=b"id\n1\n")
    listed = lake.server.command("pipeline", "list", "--json")
    assert any(pipeline["name"] == "landing" for pipeline in json.loads(listed.stdout))
    [note] = [line for line in listed.stderr.splitlines() if shallow in line]
    assert "WAREHOUSE/NAMESPACE/TABLE/FILE" in note
    move = note[note.index("lakehouse s3 mv ") :].split()[1:]
    lake.server.command(*[word.replace("NAMESPACE", "shop") for word in move])
    lake.wait(f"SELECT count(*) FROM bronze.shop.{name}", [[1]])
    assert shallow not in lake.server.command("pipeline", "list").stderr
    # The line stands in the log; the thread that reads it may be behind.
    pause = threading.Event()
    for _ in range(240):
        if shallow in lake.server.log():
            return
        pause.wait(0.25)
    raise AssertionError(lake.server.log())


def test_a_pattern_is_one_table_and_what_is_gone_goes(lake, tmp_path):
    name = f"p{uuid.uuid4().hex[:8]}"
    lake.declare(
        tmp_path, f"""
name: {name}
steps:
  - id: load
    kind: ingest
    with:
      source: {{objects: "s3://landing/{name}/**/2024-*.{{csv,csv.gz}}"}}
      target: bronze.shop.{name}
      mode: replace-file
      delete_missing: true
""",
    )
    put = lambda key, body: lake.s3.put_object(Bucket="landing", Key=f"{name}/{key}", Body=body)
    put("x/2024-01.csv", b"n\n1\n2\n")
    put("y/z/2024-02.csv.gz", gzip.compress(b"n\n3\n"))
    put("y/2023-12.csv", b"n\n99\n")
    lake.run(name)
    assert lake.rows(f"SELECT n FROM bronze.shop.{name} ORDER BY n") == [[1], [2], [3]]
    lake.s3.delete_object(Bucket="landing", Key=f"{name}/x/2024-01.csv")
    put("y/z/2024-03.csv", b"n\n4\n")
    lake.run(name)
    assert lake.rows(f"SELECT n FROM bronze.shop.{name} ORDER BY n") == [[3], [4]]
    assert lake.rows(
        f"SELECT status FROM system.ingest.registry WHERE source_file = 's3://landing/{name}/x/2024-01.csv'"
    ) == [["removed"]]


def test_watermarks_are_shown_and_reset(lake, tmp_path):
    name = f"w{uuid.uuid4().hex[:8]}"
    source = tmp_path / "bank.db"
    bank = sqlite3.connect(source)
    bank.executescript(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, stamp INTEGER); INSERT INTO t VALUES (1, 1, 100), (2, 2, 200);"
    )
    bank.commit()
    lake.declare(
        tmp_path, f"""
name: {name}
steps:
  - id: merge
    kind: ingest
    with: {{source: {{sqlite: "{source}", table: t}}, target: bronze.shop.{name}, mode: merge, key: id, incremental: stamp}}
""",
    )

    def marks(*words):
        return json.loads(lake.server.command("watermark", "show", *words, "--json").stdout)

    assert [mark["watermark"] for mark in marks(name)] == [None]
    lake.run(name)
    (mark,) = marks(name)
    assert (mark["pipeline"], mark["step"], mark["table"], mark["watermark"]) == (
        name, "merge", f"bronze.shop.{name}", "200",
    ) and mark["since"]
    # A change from before the watermark is seen only after it was taken back.
    bank.execute("UPDATE t SET n = 10, stamp = 150 WHERE id = 1")
    bank.commit()
    lake.run(name)
    assert lake.rows(f"SELECT n FROM bronze.shop.{name} WHERE id = 1") == [[1]]
    reset = json.loads(lake.server.command("watermark", "reset", name, "--json").stdout)
    assert reset == {"pipeline": name, "reset": [f"bronze.shop.{name}"]}
    assert marks(name)[0]["watermark"] is None
    lake.run(name)
    assert lake.rows(f"SELECT n FROM bronze.shop.{name} WHERE id = 1") == [[10]]
    assert marks(name)[0]["watermark"] == "200"

    # A pipeline of SQL keeps its own in a table of that name.
    lake.rows("CREATE SCHEMA IF NOT EXISTS silver.marks")
    lake.rows("CREATE TABLE silver.marks._watermarks (pipeline varchar, watermark date, updated_at timestamp(6))")
    lake.rows(f"INSERT INTO silver.marks._watermarks VALUES ('{name}', DATE '2024-01-26', TIMESTAMP '2024-02-01 10:00:00')")
    both = {mark["step"]: mark for mark in marks(name)}
    assert both[None]["watermark"] == "2024-01-26" and both[None]["since"] == "2024-02-01T10:00:00Z"
    assert any(mark["pipeline"] == name for mark in marks())
    assert len(json.loads(lake.server.command("watermark", "reset", name, "--json").stdout)["reset"]) == 2
    assert lake.rows("SELECT count(*) FROM silver.marks._watermarks") == [[0]]
    lake.server.command("watermark", "show", "no-such-pipeline", code=1)
    lake.server.command("watermark", "reset", "landing", code=2)
