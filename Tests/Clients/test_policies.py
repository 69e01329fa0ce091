"""Row filters and masks at every door: nobody is sent a byte of what is hidden from them."""

import json
import os
import uuid

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.usefixtures("appliance")

# Values that exist nowhere else: finding one in an answer is finding a leak.
PANS = ["4929000000006", "4929111111116", "4929222222226", "4929333333336"]
NAMES = ["Quillonia Vexmoor", "Thaddeus Brackwyn", "Ysolde Pennarth", "Orsino Galtruffe"]
HIDDEN_REGION = "Xanthia"
REGIONS = ["Westmark", "Westmark", HIDDEN_REGION, HIDDEN_REGION]
MEMOS = ["plain", "plain", "zz-hidden-memo-1", "zz-hidden-memo-2"]


class Person:
    """Somebody with a token and S3 keys, who remembers every byte that was sent to them."""

    def __init__(self, appliance, name, *, roles, groups):
        appliance.command(
            "user", "create", name, *[part for role in roles for part in ("--role", role)]
        )
        for group in groups:
            appliance.command("group", "add", group, name)
        self.variables = appliance.variables(user=name)
        self.name = name
        self.url = appliance.url
        self.headers = {"Authorization": f"Bearer {self.variables['LAKEHOUSE_TOKEN']}"}
        self.seen = []

    def keep(self, answer):
        self.seen.append(answer.content + str(dict(answer.headers)).encode())
        return answer

    def console(self, sql, **more):
        return self.keep(
            requests.post(
                self.url + "/api/v1/sql", json={"sql": sql, **more}, headers=self.headers, timeout=60
            )
        )

    def rows(self, sql):
        answer = self.console(sql)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def trino(self, sql):
        """The statement protocol by hand, so that every byte is seen."""
        answer = self.keep(
            requests.post(
                self.url + "/v1/statement", data=sql.encode(), timeout=60,
                headers={**self.headers, "X-Trino-User": self.name, "X-Trino-Catalog": "lakehouse"},
            )
        )
        while answer.status_code == 200 and "nextUri" in answer.json():
            answer = self.keep(
                requests.get(answer.json()["nextUri"], headers=self.headers, timeout=60)
            )
        return answer

    def catalog(self, path, method="GET", **more):
        base = self.variables["CATALOG_URI"].rstrip("/")
        return self.keep(
            requests.request(
                method, f"{base}/v1/lakehouse/{path}", timeout=60, headers=self.headers, **more
            )
        )

    def mcp(self, tool, **arguments):
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        return self.keep(
            requests.post(
                self.url + "/mcp", timeout=60,
                headers={
                    **self.headers, "MCP-Protocol-Version": "2026-07-28",
                    "Mcp-Method": "tools/call", "Mcp-Name": tool,
                },
                json={
                    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": {"name": tool, "arguments": arguments, "_meta": meta},
                },
            )
        )

    @property
    def s3(self):
        return boto3.client(
            "s3", endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.variables["AWS_REGION"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )


def refused(call, **arguments):
    """The refusal's code and words."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403
    return error["Error"].get("Code"), error["Error"].get("Message", "")


@pytest.fixture(scope="module")
def world(appliance):
    for group in ("analysts", "viewers", "stewards"):
        appliance.command("group", "create", group)
    people = {
        "boss": Person(appliance, "boss", roles=["admin"], groups=[]),
        "ana": Person(appliance, "pol-ana", roles=["engineer"], groups=["analysts"]),
        "vic": Person(appliance, "pol-vic", roles=["viewer"], groups=["analysts", "viewers"]),
        "stu": Person(appliance, "pol-stu", roles=["engineer", "steward"], groups=["stewards"]),
    }
    boss = people["boss"]
    schema = f"pol_{uuid.uuid4().hex[:8]}"
    table = f"lakehouse.{schema}.cards"
    boss.rows(f"CREATE SCHEMA lakehouse.{schema}")
    boss.rows(
        f"""CREATE TABLE {table} (id bigint, region varchar, pan varchar COMMENT 'card number',
            holder varchar, memo varchar, amount decimal(12,2)) WITH (partitioning = ARRAY['region'])"""
    )
    values = ", ".join(
        f"({n + 1}, '{REGIONS[n]}', '{PANS[n]}', '{NAMES[n]}', '{MEMOS[n]}', {n + 1}.50)" for n in range(4)
    )
    boss.rows(f"INSERT INTO {table} VALUES {values}")
    boss.rows(f"ALTER TABLE {table} ALTER COLUMN holder SET TAGS ('PII')")
    boss.rows(
        f"CREATE MASK pan_{schema} ON {table}.pan FOR GROUP analysts EXCEPT GROUP stewards "
        "AS ('****' || substr(pan, -1))"
    )
    boss.rows(f"CREATE OR REPLACE MASK pii_{schema} ON TAG 'PII' FOR GROUP analysts AS ('hidden')")
    boss.rows(
        f"CREATE ROW FILTER west_{schema} ON {table} FOR GROUP viewers AS (region = 'Westmark')"
    )
    boss.rows(f"CREATE VIEW lakehouse.{schema}.all_cards AS SELECT * FROM {table}")
    place = boss.rows(f'SELECT "$path" FROM {table} ORDER BY 1 LIMIT 1')[0][0]
    bucket, key = place.removeprefix("s3://").split("/", 1)
    return {
        **people, "schema": schema, "table": table, "bucket": bucket, "key": key,
        "folder": key.split("/data/")[0],
    }


def hidden_from(who):
    secrets = PANS + NAMES
    return secrets + [HIDDEN_REGION] + MEMOS[2:] if who == "vic" else secrets


def assert_clean(person, secrets):
    everything = b"\n".join(person.seen)
    leaked = [secret for secret in secrets if secret.encode() in everything]
    assert not leaked, f"{person.name} was sent {leaked}"


def test_those_whom_no_policy_names_see_everything(world):
    for who in ("boss", "stu"):
        rows = world[who].rows(f"SELECT pan, holder FROM {world['table']} ORDER BY id")
        assert [row[0] for row in rows] == PANS
        assert [row[1] for row in rows] == NAMES


def test_masks_and_filters_apply_by_group(world):
    rows = world["ana"].rows(f"SELECT pan, holder FROM {world['table']} ORDER BY id")
    assert rows == [["****6", "hidden"]] * 4
    rows = world["vic"].rows(f"SELECT id, pan FROM {world['table']} ORDER BY id")
    assert rows == [[1, "****6"], [2, "****6"]]


ATTACKS = [
    "SELECT * FROM {t}",
    "SELECT * FROM {v}",
    "WITH x AS (SELECT * FROM {t}) SELECT * FROM x",
    "SELECT (SELECT max(pan) FROM {t}), (SELECT min(holder) FROM {t})",
    "SELECT min(pan), max(pan), min(holder), max(holder), max(memo), max(region) FROM {t}",
    "SELECT * FROM {t} FOR TIMESTAMP AS OF current_timestamp",
    "SELECT * FROM {t} WHERE pan LIKE '4929%'",
    "SELECT * FROM {t} WHERE holder = 'Quillonia Vexm' || 'oor'",
    "SELECT pan, count(*) FROM {t} GROUP BY pan ORDER BY pan DESC",
    "SELECT a.pan FROM {t} a JOIN {t} b ON a.pan = b.pan",
    "SELECT pan FROM {t} UNION SELECT holder FROM {t}",
    "SELECT CAST(holder AS integer) FROM {t}",
    "SELECT CAST(memo AS integer) FROM {t}",
    "SELECT * FROM {t} WHERE CAST(memo AS integer) = 1",
    "SELECT * FROM {t} WHERE CAST(region AS integer) = 1",
    "SELECT CAST(pan AS date) FROM {t}",
    "SELECT json_parse(holder) FROM {t}",
    "SELECT array_agg(pan), map_agg(id, holder), listagg(memo, ',') WITHIN GROUP (ORDER BY id) FROM {t}",
    'SELECT "$path" FROM {t}',
    'SELECT * FROM {m}"cards$files"', 'SELECT * FROM {m}"cards$partitions"',
    'SELECT * FROM {m}"cards$snapshots"', 'SELECT * FROM {m}"cards$history"',
    'SELECT * FROM {m}"cards$properties"', 'SELECT * FROM {m}"cards$refs"',
    "SHOW STATS FOR {t}", "SHOW STATS FOR (SELECT * FROM {t})",
    "EXPLAIN SELECT * FROM {t}", "EXPLAIN ANALYZE SELECT * FROM {t} WHERE id > 0",
    "EXPLAIN (TYPE IO, FORMAT JSON) SELECT * FROM {t} WHERE pan > 'a'",
    "SHOW CREATE TABLE {t}", "DESCRIBE {t}", "SHOW EFFECTIVE ACCESS ON {t}", "SHOW MASKS ON {t}",
    "UPDATE {t} SET holder = pan WHERE id = 1",
    "MERGE INTO {t} USING (SELECT 1 AS id) s ON {t}.id = s.id WHEN MATCHED THEN UPDATE SET memo = pan",
    "DELETE FROM {t} WHERE pan = '{p}' AND 1 = 0",
    "EXECUTE IMMEDIATE 'SELECT * FROM {t}'",
    "SELECT * FROM system.runtime.queries",
    "SELECT * FROM lakehouse.information_schema.columns",
]


@pytest.mark.parametrize("who", ["ana", "vic"])
@pytest.mark.parametrize("door", ["console", "trino", "mcp"])
def test_no_statement_shows_what_is_hidden(world, who, door):
    person = world[who]
    person.seen.clear()
    # Of its own text a person is sent what they wrote, so no attack spells a secret.
    for attack in ATTACKS:
        if "{p}" in attack:
            continue
        sql = attack.format(
            t=world["table"], v=f"lakehouse.{world['schema']}.all_cards",
            m=f"lakehouse.{world['schema']}.",
        )
        if door == "mcp":
            person.mcp("query", sql=sql)
        else:
            getattr(person, door)(sql)
    if door == "mcp":
        person.mcp("describe_table", table=world["table"])
        person.mcp("lineage", table=world["table"])
    assert len(person.seen) >= len(ATTACKS) - 1
    assert_clean(person, hidden_from(who))


def test_dashboards_show_each_viewer_what_they_may_see(world, appliance):
    """One file, one cache, several viewers: pages, rows behind tiles and exports."""
    folder = appliance.directory / "dashboards"
    folder.mkdir(exist_ok=True)
    (folder / "cards.yml").write_text(
        f"""title: Cards
catalog: lakehouse
schema: {world['schema']}
tiles:
  - id: cards
    kind: table
    title: Cards
    sql: select id, region, pan, holder, memo from cards order by id
  - id: who
    kind: bar
    title: By holder
    sql: select holder, sum(amount) as amount from cards group by holder order by holder
"""
    )

    def look(person):
        page = person.keep(
            requests.get(person.url + "/dashboards/cards", headers=person.headers, timeout=60)
        )
        assert page.status_code == 200, page.text
        for path in ("cards/tiles/cards/rows", "cards.csv", "cards/tiles/cards.csv", "cards/tiles/who.svg"):
            person.keep(
                requests.get(f"{person.url}/dashboards/{path}", headers=person.headers, timeout=60)
            )
        return page.text

    # Who sees everything looks first, so that what is kept of it is there to be given out wrongly.
    assert PANS[0] in look(world["boss"]) and HIDDEN_REGION in look(world["boss"])
    for who in ("ana", "vic"):
        world[who].seen.clear()
        assert "****6" in look(world[who])
        assert_clean(world[who], hidden_from(who))
    assert NAMES[0] in look(world["stu"])


def test_copies_hold_only_what_was_seen(world):
    ana, boss = world["ana"], world["boss"]
    copy = f"lakehouse.{world['schema']}.copy"
    ana.rows(f"CREATE TABLE {copy} AS SELECT * FROM {world['table']}")
    ana.rows(f"INSERT INTO {copy} SELECT * FROM {world['table']}")
    assert boss.rows(f"SELECT DISTINCT pan, holder FROM {copy}") == [["****6", "hidden"]]


def test_a_view_of_somebody_who_sees_all_shows_no_more(world):
    view = f"lakehouse.{world['schema']}.all_cards"
    assert len(world["boss"].rows(f"SELECT * FROM {view} WHERE pan LIKE '4929%'")) == 4
    assert world["vic"].rows(f"SELECT DISTINCT pan, holder FROM {view}") == [["****6", "hidden"]]


@pytest.mark.parametrize("refreshed", ["before the policies", "after the policies"])
def test_what_a_materialized_view_stores_is_governed_as_its_tables(world, appliance, refreshed):
    boss, ana, vic = world["boss"], world["ana"], world["vic"]
    schema = f"pol_{uuid.uuid4().hex[:8]}"
    table, view = f"lakehouse.{schema}.cards", f"lakehouse.{schema}.stored"
    outer = f"lakehouse.{schema}.over_it"
    boss.rows(f"CREATE SCHEMA lakehouse.{schema}")
    boss.rows(f"CREATE TABLE {table} AS SELECT * FROM {world['table']}")

    def govern():
        boss.rows(f"CREATE MASK {schema}_pan ON {table}.pan FOR GROUP analysts AS ('****')")
        boss.rows(f"CREATE MASK {schema}_holder ON {table}.holder FOR GROUP analysts AS ('hidden')")
        boss.rows(f"CREATE ROW FILTER {schema}_west ON {table} FOR GROUP viewers AS (region = 'Westmark')")

    if refreshed == "after the policies":
        govern()
    # Under other names than the columns that the masks are on; and one view over the other.
    boss.rows(f"CREATE MATERIALIZED VIEW {view} AS SELECT pan AS number, holder AS who, region, memo FROM {table}")
    boss.rows(f"REFRESH MATERIALIZED VIEW {view}")
    boss.rows(f"CREATE MATERIALIZED VIEW {outer} AS SELECT number || who AS all_of_it, region, memo FROM {view}")
    boss.rows(f"REFRESH MATERIALIZED VIEW {outer}")
    storages = [
        row[0] for row in boss.rows(
            "SELECT storage_table FROM system.metadata.materialized_views "
            f"WHERE schema_name = '{schema}' ORDER BY name"
        )
    ]
    assert len(storages) == 2
    places = [
        boss.rows(f'SELECT "$path" FROM lakehouse.{schema}.{name} LIMIT 1')[0][0].removeprefix("s3://").split("/", 1)
        for name in storages
    ]
    if refreshed == "before the policies":
        govern()
    for who in (ana, vic):
        who.seen.clear()
        for name, (bucket, key) in zip(storages, places):
            for sql in (
                f"SELECT * FROM lakehouse.{schema}.{name}", f'SELECT * FROM lakehouse.{schema}."{name}$files"',
                f'SELECT * FROM lakehouse.{schema}."{name}$partitions"', f"SHOW STATS FOR lakehouse.{schema}.{name}",
                f"CREATE TABLE lakehouse.{schema}.copy AS SELECT * FROM lakehouse.{schema}.{name}",
                f"SELECT * FROM lakehouse.{schema}.{name} FOR TIMESTAMP AS OF current_timestamp",
            ):
                answer = who.console(sql)
                assert answer.status_code == 403, (sql, answer.text)
            path = f"namespaces/{schema}/tables/{name}"
            assert who.catalog(path).status_code == 403
            assert who.catalog(path + "/credentials").status_code == 403
            refused(who.s3.get_object, Bucket=bucket, Key=key)
        assert_clean(who, hidden_from("vic" if who is vic else "ana"))
    # The views themselves are read, each with their reader's policies.
    assert ana.rows(f"SELECT DISTINCT number, who FROM {view}") == [["****", "hidden"]]
    assert ana.rows(f"SELECT DISTINCT all_of_it FROM {outer}") == [["****hidden"]]
    assert vic.rows(f"SELECT DISTINCT region FROM {outer}") == [["Westmark"]]
    assert len(boss.rows(f"SELECT * FROM lakehouse.{schema}.{storages[0]}")) == 4
    assert_clean(ana, hidden_from("ana"))
    assert_clean(vic, hidden_from("vic"))


def test_counts_of_values_are_for_those_who_see_them_all(world):
    boss, table = world["boss"], world["table"]
    boss.rows(f"ANALYZE {table}")
    properties = table.replace(".cards", '."cards$properties"')
    told = dict(boss.rows(f"SELECT key, value FROM {properties}"))["lakehouse.distinct-counts"]
    for who in ("ana", "vic"):
        assert "lakehouse.distinct-counts" not in dict(world[who].rows(f"SELECT key, value FROM {properties}"))
        answer = world[who].console(f"ANALYZE {table}")
        assert answer.status_code == 403, answer.text
    # What somebody counted who sees only masks does not stand for the table.
    assert dict(boss.rows(f"SELECT key, value FROM {properties}"))["lakehouse.distinct-counts"] == told


def test_the_catalog_hands_nothing_to_those_it_masks(world):
    path = f"namespaces/{world['schema']}/tables/cards"
    for who in ("ana", "vic"):
        person = world[who]
        person.seen.clear()
        for answer in (
            person.catalog(path), person.catalog(path + "/credentials"),
            person.catalog(path + "?snapshots=refs"),
            person.catalog(path, "POST", json={"requirements": [], "updates": []}),
        ):
            assert answer.status_code == 403, answer.text
            assert answer.json()["error"]["type"] == "ForbiddenException"
        assert f"pan_{world['schema']}" in answer.text
        assert_clean(person, hidden_from(who))
    answer = world["stu"].catalog(path)
    assert answer.status_code == 200
    assert "s3.access-key-id" in answer.json()["config"]


def test_s3_hands_no_file_to_those_it_masks(world, appliance):
    ana, bucket, key, folder = world["ana"], world["bucket"], world["key"], world["folder"]
    s3 = ana.s3
    code, words = refused(s3.get_object, Bucket=bucket, Key=key)
    assert code == "AccessDenied" and f"pan_{world['schema']}" in words
    refused(s3.head_object, Bucket=bucket, Key=key)
    refused(s3.get_object, Bucket=bucket, Key=key, Range="bytes=0-10")
    refused(s3.get_object_attributes, Bucket=bucket, Key=key, ObjectAttributes=["ObjectSize"])
    for prefix in (folder, folder + "/", folder + "/data/", folder + "/metadata/"):
        code, _ = refused(s3.list_objects_v2, Bucket=bucket, Prefix=prefix)
        assert code == "AccessDenied"
        refused(s3.list_objects, Bucket=bucket, Prefix=prefix)
        refused(s3.list_multipart_uploads, Bucket=bucket, Prefix=prefix)
    # Above the place the listing leaves it out.
    listed = [
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 3}
        )
        for item in page.get("Contents", [])
    ]
    assert not [name for name in listed if name.startswith(folder)]
    # Copies, whole and by part, into a place that is one's own.
    refused(s3.copy_object, Bucket=bucket, Key="own/copy", CopySource={"Bucket": bucket, "Key": key})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="own/copy")["UploadId"]
    refused(
        s3.upload_part_copy, Bucket=bucket, Key="own/copy", UploadId=upload, PartNumber=1,
        CopySource={"Bucket": bucket, "Key": key},
    )
    s3.abort_multipart_upload(Bucket=bucket, Key="own/copy", UploadId=upload)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 403 and b"AccessDenied" in answer.content
    # The same keys open everything to those whom no policy names.
    assert world["stu"].s3.get_object(Bucket=bucket, Key=key)["Body"].read()[:4] == b"PAR1"


def test_a_table_of_ones_own_cannot_name_the_files(world):
    """Metadata that points at another table's files does not open them."""
    boss, ana = world["boss"], world["ana"]
    path = f"namespaces/{world['schema']}/tables/cards"
    document = boss.catalog(path).json()["metadata"]
    document["table-uuid"] = str(uuid.uuid4())
    text = json.dumps(document).encode()
    ana.s3.put_object(Bucket="landing", Key="forged/metadata/00001-f.metadata.json", Body=text)
    forged = {
        "name": "forged",
        "metadata-location": "s3://landing/forged/metadata/00001-f.metadata.json",
    }
    path = f"namespaces/{world['schema']}/register"
    # Who may not read the files cannot make a table of them, and one that somebody else made shows none.
    assert ana.catalog(path, "POST", json=forged).status_code == 403
    assert boss.catalog(path, "POST", json=forged).status_code == 200
    ana.seen.clear()
    answer = ana.console(f"SELECT * FROM lakehouse.{world['schema']}.forged")
    assert answer.status_code == 403, answer.text
    ana.console(f"SHOW STATS FOR lakehouse.{world['schema']}.forged")
    assert_clean(ana, hidden_from("ana"))


def test_policies_follow_a_rename_and_stay_on_the_name(world):
    boss, ana = world["boss"], world["ana"]
    schema = world["schema"]
    table = f"lakehouse.{schema}.moving"
    boss.rows(f"CREATE TABLE {table} (a varchar, b varchar)")
    boss.rows(f"INSERT INTO {table} VALUES ('{PANS[0]}', 'keep'), ('{PANS[1]}', 'drop')")
    boss.rows(f"CREATE MASK moving_{schema} ON {table}.a FOR GROUP analysts AS ('masked')")
    boss.rows(f"CREATE ROW FILTER moving_rows_{schema} ON {table} FOR GROUP analysts AS (b = 'keep')")
    boss.rows(f"ALTER TABLE {table} RENAME COLUMN a TO secret")
    boss.rows(f"ALTER TABLE {table} RENAME COLUMN b TO flag")
    boss.rows(f"ALTER TABLE {table} RENAME TO lakehouse.{schema}.moved")
    assert ana.rows(f"SELECT secret, flag FROM lakehouse.{schema}.moved") == [["masked", "keep"]]
    # Whatever is put at the old name is governed too.
    boss.rows(f"CREATE TABLE {table} AS SELECT '{PANS[2]}' AS a, 'keep' AS b")
    assert ana.rows(f"SELECT a FROM {table}") == [["masked"]]
    boss.rows(f"CREATE OR REPLACE TABLE {table} AS SELECT '{PANS[3]}' AS a, 'keep' AS b")
    assert ana.rows(f"SELECT a FROM {table}") == [["masked"]]


def test_changes_are_for_whom_no_mask_hides_a_column(world):
    boss, ana = world["boss"], world["ana"]
    table = f"lakehouse.{world['schema']}.changed"
    boss.rows(f"CREATE TABLE {table} AS SELECT * FROM (VALUES (1, 'x', 'a'), (2, 'y', 'b')) t(id, pan, state)")
    boss.rows(f"CREATE MASK changed_{world['schema']} ON {table}.pan FOR GROUP analysts AS ('masked')")
    changes = [
        "UPDATE {t} SET state = 'z' WHERE id = 1", "DELETE FROM {t} WHERE pan = 'y'",
        "MERGE INTO {t} t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET state = 'm'",
    ]
    for change in changes:
        answer = ana.console(change.format(t=table))
        assert answer.status_code == 403, answer.text
        fault = answer.json()["error"]
        assert fault["code"] == "PERMISSION_DENIED" and "pan" in fault["message"], fault
    assert boss.rows(f"SELECT * FROM {table} ORDER BY id") == [[1, "x", "a"], [2, "y", "b"]]
    for change in changes:
        boss.rows(change.format(t=table))
    assert boss.rows(f"SELECT * FROM {table}") == [[1, "x", "m"]]


def test_policies_may_ask_other_tables_and_who_looks(world):
    boss, vic = world["boss"], world["vic"]
    schema = world["schema"]
    boss.rows(f"CREATE TABLE lakehouse.{schema}.allowed AS SELECT 'pol-vic' AS who, bigint '2' AS id")
    boss.rows(f"CREATE TABLE lakehouse.{schema}.tickets AS SELECT * FROM (VALUES bigint '1', 2, 3) t(id)")
    boss.rows(
        f"""CREATE ROW FILTER tickets_{schema} ON lakehouse.{schema}.tickets FOR GROUP viewers AS
            (id IN (SELECT id FROM lakehouse.{schema}.allowed WHERE who = current_user))"""
    )
    assert vic.rows(f"SELECT id FROM lakehouse.{schema}.tickets") == [[2]]


def test_bad_policies_are_refused_where_they_are_wrong(world):
    boss, ana = world["boss"], world["ana"]
    answer = boss.console(
        f"CREATE ROW FILTER bad ON {world['table']} FOR GROUP analysts AS (regoin = 'x')"
    )
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "COLUMN_NOT_FOUND" and "line" in json.dumps(error)
    for sql, code in [
        (f"CREATE MASK bad ON {world['table']}.pan FOR GROUP nobody_such AS ('x')", "NOT_FOUND"),
        (f"CREATE MASK bad ON {world['table']}.nothing FOR ALL AS ('x')", "COLUMN_NOT_FOUND"),
        (f"CREATE MASK bad ON {world['table']}.amount FOR ALL AS ('x')", "TYPE_MISMATCH"),
        (f"CREATE MASK pan_{world['schema']} ON {world['table']}.pan FOR ALL AS ('x')", "ALREADY_EXISTS"),
        ("DROP MASK no_such_mask", "NOT_FOUND"),
    ]:
        assert boss.console(sql).json()["error"]["code"] == code, sql
    answer = ana.console(f"DROP MASK pan_{world['schema']}")
    assert answer.status_code == 403
    answer = ana.console(f"ALTER TABLE {world['table']} ALTER COLUMN holder SET TAGS ()")
    assert answer.status_code == 403


def test_why_somebody_sees_what_they_see(world):
    boss, ana = world["boss"], world["ana"]
    facts = boss.rows(f"SHOW EFFECTIVE ACCESS ON {world['table']} FOR USER \"pol-vic\"")
    kinds = [fact[0] for fact in facts]
    assert {"grant", "mask", "row filter", "files"} <= set(kinds)
    mask = next(fact for fact in facts if fact[1] == f"pan_{world['schema']}")
    assert mask[2] == "pan" and mask[3] == "group analysts"
    assert any(fact[0] == "mask" and "tag PII" in fact[3] for fact in facts)
    assert ana.rows(f"SHOW EFFECTIVE ACCESS ON {world['table']}")
    answer = world["vic"].console(f"SHOW EFFECTIVE ACCESS ON {world['table']} FOR USER boss")
    assert answer.status_code == 403
    page = requests.get(
        boss.url + f"/access?table={world['table']}&user=pol-vic", headers=boss.headers, timeout=20
    )
    assert page.status_code == 200 and f"pan_{world['schema']}" in page.text


@pytest.mark.parametrize("mode", ["DEFINER", "INVOKER"])
def test_why_somebody_sees_what_they_see_of_a_view(world, mode):
    boss, vic = world["boss"], world["vic"]
    schema = f"lakehouse.{world['schema']}"
    inner, view = f"{schema}.below_{mode.lower()}", f"{schema}.above_{mode.lower()}"
    boss.rows(f"CREATE VIEW {inner} SECURITY {mode} AS SELECT * FROM {world['table']}")
    boss.rows(
        f"CREATE VIEW {view} SECURITY {mode} AS WITH named AS (SELECT * FROM {inner}) SELECT pan FROM named"
    )
    facts = boss.rows(f"SHOW EFFECTIVE ACCESS ON {view} FOR USER \"pol-vic\"")
    assert any(fact[0] == "grant" and fact[3].startswith("role") for fact in facts), facts
    through = {fact[1]: fact[3] for fact in facts if fact[0] == "view"}
    who = f"definer {boss.name}" if mode == "DEFINER" else "invoker"
    assert through == {view: who, inner: who}
    # The policies of the table below are those of who looks, through either kind of view.
    mask = next(fact for fact in facts if fact[1] == f"pan_{world['schema']}")
    assert mask[0] == "mask" and mask[2] == "pan"
    assert mask[3] == f"group analysts, on {world['table']}"
    assert "row filter" in {fact[0] for fact in facts}
    lent = [fact for fact in facts if fact[0] == "grant" and fact[3].endswith(f"on {world['table']}")]
    assert lent and all(fact[3].startswith(f"definer {boss.name}") == (mode == "DEFINER") for fact in lent)
    # Others' rights are for those who administer.
    assert vic.console(f"SHOW EFFECTIVE ACCESS ON {view} FOR USER boss").status_code == 403
    assert any(fact[0] == "mask" for fact in vic.rows(f"SHOW EFFECTIVE ACCESS ON {view}"))
    page = requests.get(
        boss.url + f"/access?table={view}&user=pol-vic", headers=boss.headers, timeout=20
    )
    assert page.status_code == 200 and f"pan_{world['schema']}" in page.text
    boss.rows(f"DROP VIEW {view}")
    boss.rows(f"DROP VIEW {inner}")


def test_a_dropped_policy_opens_again(world):
    boss, ana = world["boss"], world["ana"]
    table = f"lakehouse.{world['schema']}.fleeting"
    boss.rows(f"CREATE TABLE {table} AS SELECT 'a' AS a")
    boss.rows(f"CREATE MASK fleeting_{world['schema']} ON {table}.a FOR GROUP analysts AS ('m')")
    assert ana.rows(f"SELECT a FROM {table}") == [["m"]]
    boss.rows(f"DROP MASK fleeting_{world['schema']}")
    assert ana.rows(f"SELECT a FROM {table}") == [["a"]]
