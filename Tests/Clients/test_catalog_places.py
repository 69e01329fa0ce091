"""Where a table's files may be: somebody with rights to tables and none to objects opens, deletes and shuts
nothing that is not their own by saying a place, a uuid, or where a namespace lies."""

import json
import os
import uuid

import boto3
import pytest
from test_catalog_rights import SCHEMA, VENDED, Person, boss_post, client_of, is_refused
from test_operations import wait_until

pytestmark = pytest.mark.usefixtures("appliance")

MARK = uuid.uuid4().hex[:6]
TEAM, OTHER = f"team_{MARK}", f"others_{MARK}"


@pytest.fixture(scope="module")
def boss(appliance):
    person = Person(appliance, os.environ["TRINO_USER"])
    for statement in (
        f"create schema silver.{TEAM}", f"create schema silver.{OTHER}",
        f"create table silver.{OTHER}.t as select bigint '1' a",
    ):
        assert person.sql(statement) == "ok", statement
    return person


@pytest.fixture(scope="module")
def store(appliance, boss):
    """S3 as the administrator."""
    variables = appliance.variables(user=os.environ["TRINO_USER"])
    return boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture(scope="module")
def eve(appliance, boss):
    """Makes, changes and drops what is in one schema, and has no right to any object."""
    name = f"eve-{MARK}"
    appliance.command("user", "create", name)
    assert boss.sql(
        f'grant select, insert, create, alter, drop on schema silver.{TEAM} to user "{name}"') == "ok"
    return Person(appliance, name)


@pytest.fixture(scope="module")
def reader(appliance, boss):
    """Reads the tables of the others."""
    name = f"reader-{MARK}"
    appliance.command("user", "create", name)
    assert boss.sql(f'grant select on schema silver.{OTHER} to user "{name}"') == "ok"
    return Person(appliance, name)


def creation(identity, location=None):
    """The first commit of a table."""
    return {
        "requirements": [{"type": "assert-create"}],
        "updates": ([{"action": "assign-uuid", "uuid": identity}] if identity else []) + [
            {"action": "upgrade-format-version", "format-version": 2},
            {"action": "add-schema", "schema": SCHEMA, "last-column-id": 1},
            {"action": "set-current-schema", "schema-id": -1},
            {"action": "add-spec", "spec": {"spec-id": 0, "fields": []}},
            {"action": "set-default-spec", "spec-id": -1},
            {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
            {"action": "set-default-sort-order", "sort-order-id": -1},
        ] + ([{"action": "set-location", "location": location}] if location else [])}


def fresh(prefix="n"):
    return f"{prefix}_{uuid.uuid4().hex[:8]}"


def make(person, schema=TEAM, **more):
    """Makes a table; its name and the answer."""
    name = fresh()
    return name, person.rest("POST", f"/namespaces/{schema}/tables", {"name": name, "schema": SCHEMA, **more})


def keys(store, prefix):
    return [entry["Key"] for entry in
            store.list_objects_v2(Bucket="silver", Prefix=prefix).get("Contents", [])]


def vends(person, table):
    """Whether somebody reads a table's files with what the catalog vends."""
    loaded = person.rest("GET", f"/namespaces/{table}", headers=VENDED)
    assert loaded.status_code == 200, loaded.text
    config = loaded.json()["config"]
    if "s3.access-key-id" not in config:
        return False
    bucket, prefix = loaded.json()["metadata"]["location"][5:].split("/", 1)
    client = client_of(person, loaded.json())
    return not is_refused(lambda: client.list_objects_v2(Bucket=bucket, Prefix=prefix + "/"))


def drop(person, name, schema=TEAM):
    dropped = person.rest("DELETE", f"/namespaces/{schema}/tables/{name}?purgeRequested=true")
    assert dropped.status_code == 204, dropped.text


def test_a_folder_of_loose_objects_is_nobodys_who_may_not_write_there(boss, eve, store):
    store.put_object(Bucket="silver", Key=f"exports-{MARK}/report", Body=b"x")
    for location in (f"s3://silver/exports-{MARK}", f"s3://silver/free-{MARK}"):
        for staged in (True, False):
            _, made = make(eve, location=location, **{"stage-create": staged})
            assert made.status_code == 403, (location, made.text)
        created = eve.rest("POST", f"/namespaces/{TEAM}/tables/{fresh()}", creation(None, location))
        assert created.status_code == 403, (location, created.text)
        answer = eve.sql(f"create table silver.{TEAM}.{fresh()} (a bigint) with (location = '{location}')")
        assert answer == "PERMISSION_DENIED", location
    name, made = make(eve)
    assert made.status_code == 200, made.text
    for change in (
        {"action": "set-location", "location": f"s3://silver/exports-{MARK}"},
        {"action": "set-properties", "updates": {"write.data.path": f"s3://silver/exports-{MARK}"}},
        {"action": "set-properties", "updates": {"write.metadata.path": f"s3://silver/exports-{MARK}"}},
    ):
        moved = eve.rest(
            "POST", f"/namespaces/{TEAM}/tables/{name}", {"requirements": [], "updates": [change]})
        assert moved.status_code == 403, (change, moved.text)
    # What is below the table's own folder is hers to say.
    home = made.json()["metadata"]["location"]
    inner = eve.rest("POST", f"/namespaces/{TEAM}/tables/{name}", {"requirements": [], "updates": [
        {"action": "set-properties", "updates": {"write.data.path": home + "/rows"}}]})
    assert inner.status_code == 200, inner.text
    assert keys(store, f"exports-{MARK}/") == [f"exports-{MARK}/report"]


def test_who_has_rights_to_the_objects_says_a_place(appliance, boss, store):
    name, role = f"mover-{MARK}", f"mover-objects-{MARK}"
    made = boss_post(appliance, boss, "/api/v1/roles", {"name": role, "grants": [
        {"actions": ["object.*"], "resource": f"object:silver/moved-{MARK}/**"}]})
    assert made.status_code in (200, 201), made.text
    appliance.command("user", "create", name, "--role", role)
    assert boss.sql(f'grant create, drop on schema silver.{TEAM} to user "{name}"') == "ok"
    person = Person(appliance, name)
    location = f"s3://silver/moved-{MARK}/t"
    table, made = make(person, location=location)
    assert made.status_code == 200 and made.json()["metadata"]["location"] == location, made.text
    _, made = make(person, location=f"s3://silver/elsewhere-{MARK}/t")
    assert made.status_code == 403, made.text
    drop(person, table)
    wait_until(lambda: keys(store, f"moved-{MARK}/") == [])


def test_the_data_of_a_table_that_go_elsewhere_are_not_anothers_to_purge(boss, eve, store):
    folder = f"s3://silver/rows-{MARK}"
    victim, made = make(boss, OTHER, properties={"write.data.path": folder})
    assert made.status_code == 200, made.text
    store.put_object(Bucket="silver", Key=f"rows-{MARK}/a.parquet", Body=b"x")
    for location in (folder, folder + "/", folder + "/inner"):
        _, made = make(eve, location=location)
        assert made.status_code == 403, (location, made.text)
    # Also one that an administrator lays there takes nothing along when it goes.
    over, made = make(boss, location=folder)
    assert made.status_code == 200, made.text
    drop(boss, over)
    sentinel, made = make(boss)
    place = made.json()["metadata"]["location"].removeprefix("s3://silver/")
    drop(boss, sentinel)
    # Purges are done in their order: when this one is done, so was what there was to do of the first.
    wait_until(lambda: keys(store, place + "/") == [])
    assert boss.rest("GET", f"/namespaces/{OTHER}/tables/{victim}").status_code == 200
    assert f"rows-{MARK}/a.parquet" in keys(store, f"rows-{MARK}/")


def test_a_uuid_of_another_table_makes_no_table(appliance, boss, eve, store):
    loaded = boss.rest("GET", f"/namespaces/{OTHER}/tables/t").json()["metadata"]
    identity, folder = loaded["table-uuid"], loaded["location"].rsplit("/", 1)[0]
    # Somebody with rights to objects has made the folder the namespace's.
    assert boss.sql(f"create schema silver.lain_{MARK} with (location = '{folder}')") == "ok"
    assert boss.sql(f'grant select, create, drop on schema silver.lain_{MARK} to user "{eve.name}"') == "ok"
    for schema in (TEAM, f"lain_{MARK}"):
        made = eve.rest("POST", f"/namespaces/{schema}/tables/t", creation(identity))
        assert made.status_code in (400, 403, 409), made.text
        assert eve.rest("GET", f"/namespaces/{schema}/tables/t").status_code == 404
    # Nor for those who may write everywhere: tags, contracts and policies go by the uuid, in any warehouse.
    assert boss.sql(f"create schema gold.lain_{MARK}") == "ok"
    for warehouse, schema in (("silver", TEAM), ("gold", f"lain_{MARK}")):
        made = boss.rest(
            "POST", f"/namespaces/{schema}/tables/{fresh()}", creation(identity), warehouse=warehouse)
        assert made.status_code == 409, made.text
        made = boss.rest(
            "POST", f"/namespaces/{schema}/tables/{fresh()}", creation(identity.upper()), warehouse=warehouse)
        assert made.status_code == 400, made.text
    # One that nobody has leads to a folder that may have been somebody's: it takes rights to its objects.
    made = eve.rest("POST", f"/namespaces/{TEAM}/tables/{fresh()}", creation(str(uuid.uuid4())))
    assert made.status_code == 403, made.text
    # Dropped, it can be had back.
    gone, made = make(boss, OTHER)
    identity = made.json()["metadata"]["table-uuid"]
    assert boss.rest("DELETE", f"/namespaces/{OTHER}/tables/{gone}").status_code == 204
    made = boss.rest("POST", f"/namespaces/{TEAM}/tables/{fresh()}", creation(identity))
    assert made.status_code == 409, made.text


def test_what_the_catalog_staged_is_the_callers(appliance, boss, eve):
    name, staged = make(eve, **{"stage-create": True})
    metadata = staged.json()["metadata"]
    first = creation(metadata["table-uuid"], metadata["location"])
    made = eve.rest("POST", f"/namespaces/{TEAM}/tables/{name}", first)
    assert made.status_code == 200, made.text
    assert vends(eve, f"{TEAM}/tables/{name}")
    again = eve.rest("POST", f"/namespaces/{TEAM}/tables/{fresh()}", first)
    assert again.status_code in (403, 409), again.text
    assert eve.sql(f"create table silver.{TEAM}.{fresh()} as select 1 a") == "ok"
    # What somebody else staged is not.
    name, staged = make(boss, **{"stage-create": True})
    metadata = staged.json()["metadata"]
    made = eve.rest(
        "POST", f"/namespaces/{TEAM}/tables/{name}", creation(metadata["table-uuid"], metadata["location"]))
    assert made.status_code == 403, made.text


def view(name, location=None, **more):
    return {"name": name, "schema": SCHEMA, "properties": {}, **({"location": location} if location else {}),
            "view-version": {
                "version-id": 1, "schema-id": 0, "timestamp-ms": 1, "summary": {},
                "default-namespace": [TEAM],
                "representations": [{"type": "sql", "sql": "select 1 a", "dialect": "trino"}]}, **more}


def test_a_view_is_registered_by_those_who_may_read_its_file_and_write_where_it_lies(boss, eve, store):
    made = boss.rest("POST", f"/namespaces/{OTHER}/views", view(f"v_{MARK}"))
    assert made.status_code == 200, made.text
    foreign = made.json()["metadata-location"]
    body = {"name": fresh(), "metadata-location": foreign}
    refused = eve.rest("POST", f"/namespaces/{TEAM}/register-view", body)
    assert refused.status_code == 403, refused.text
    # A file in her own table's folder that says that the view lies in another bucket.
    name, _ = make(eve)
    loaded = eve.rest("GET", f"/namespaces/{TEAM}/tables/{name}", headers=VENDED).json()
    bucket, prefix = loaded["metadata"]["location"][5:].split("/", 1)
    document = {**made.json()["metadata"], "view-uuid": str(uuid.uuid4()), "location": f"s3://gold/of-{MARK}"}
    client_of(eve, loaded).put_object(
        Bucket=bucket, Key=f"{prefix}/view.metadata.json", Body=json.dumps(document).encode())
    refused = eve.rest("POST", f"/namespaces/{TEAM}/register-view", {
        "name": fresh(), "metadata-location": f"s3://{bucket}/{prefix}/view.metadata.json"})
    assert refused.status_code == 403, refused.text
    # Registered by an administrator, it is changed by those who may write there.
    view_name = fresh("v")
    registered = boss.rest("POST", f"/namespaces/{TEAM}/register-view", {
        "name": view_name, "metadata-location": f"s3://{bucket}/{prefix}/view.metadata.json"})
    assert registered.status_code == 200, registered.text
    change = {"requirements": [], "updates": [{"action": "set-properties", "updates": {"k": "v"}}]}
    refused = eve.rest("POST", f"/namespaces/{TEAM}/views/{view_name}", change)
    assert refused.status_code == 403, refused.text
    assert store.list_objects_v2(Bucket="gold", Prefix=f"of-{MARK}/").get("KeyCount") == 0
    changed = boss.rest("POST", f"/namespaces/{TEAM}/views/{view_name}", change)
    assert changed.status_code == 200, changed.text
    # Her own views she changes as before.
    own = fresh("v")
    assert eve.rest("POST", f"/namespaces/{TEAM}/views", view(own)).status_code == 200
    changed = eve.rest("POST", f"/namespaces/{TEAM}/views/{own}", change)
    assert changed.status_code == 200, changed.text
    # One that could never be written is nobody's, and a uuid of a table is no view's.
    for number, (wrong, status) in enumerate((
        ({"location": f"s3://no-such-bucket-{MARK}/v"}, 400),
        ({"view-uuid": loaded["metadata"]["table-uuid"], "location": f"s3://gold/of-{MARK}/2"}, 409),
    )):
        store.put_object(Bucket="gold", Key=f"of-{MARK}/{number}.json",
                         Body=json.dumps({**document, "view-uuid": str(uuid.uuid4()), **wrong}).encode())
        refused = boss.rest("POST", f"/namespaces/{TEAM}/register-view", {
            "name": fresh(), "metadata-location": f"s3://gold/of-{MARK}/{number}.json"})
        assert refused.status_code == status, refused.text


def test_a_view_over_a_table_shuts_no_reader_out(boss, eve, reader):
    place = boss.rest("GET", f"/namespaces/{OTHER}/tables/t").json()["metadata"]["location"]
    assert vends(reader, f"{OTHER}/tables/t")
    for location in (place, place + "/inner", place.rsplit("/", 1)[0], f"s3://silver/views-{MARK}"):
        made = eve.rest("POST", f"/namespaces/{TEAM}/views", view(fresh(), location))
        assert made.status_code == 403, (location, made.text)
    # Not even an administrator's.
    made = boss.rest("POST", f"/namespaces/{TEAM}/views", view(fresh(), place + "/inner"))
    assert made.status_code == 200, made.text
    assert vends(reader, f"{OTHER}/tables/t")


def test_a_namespace_lies_in_nobodys_folder(boss, eve, reader):
    table = boss.rest("GET", f"/namespaces/{OTHER}/tables/t").json()["metadata"]["location"]
    for location in (table, table + "/data", f"s3://silver/free-{MARK}"):
        change = {"removals": [], "updates": {"location": location}}
        refused = eve.rest("POST", f"/namespaces/{TEAM}/properties", change)
        assert refused.status_code == 403, (location, refused.text)
        refused = eve.rest("POST", "/namespaces", {
            "namespace": [TEAM, fresh()], "properties": {"location": location}})
        assert refused.status_code == 403, (location, refused.text)
        expected = 400 if location.startswith(table) else 200
        set_by_boss = boss.rest("POST", "/namespaces", {
            "namespace": [fresh("lain")], "properties": {"location": location}})
        assert set_by_boss.status_code == expected, (location, set_by_boss.text)
        # Other properties are hers.
        assert eve.rest("POST", f"/namespaces/{TEAM}/properties", {
            "removals": [], "updates": {"owner": "eve"}}).status_code == 200
    assert vends(reader, f"{OTHER}/tables/t")


def test_a_table_in_a_namespace_with_a_place_has_a_folder_of_its_own(boss, eve):
    schema = fresh("placed")
    assert boss.sql(f"create schema silver.{schema} with (location = 's3://silver/placed-{MARK}')") == "ok"
    assert boss.sql(f'grant select, insert, create on schema silver.{schema} to user "{eve.name}"') == "ok"
    name, made = make(eve, schema)
    assert made.status_code == 200, made.text
    assert made.json()["metadata"]["location"].startswith(f"s3://silver/placed-{MARK}/")
    assert vends(eve, f"{schema}/tables/{name}")


def test_a_metadata_file_of_no_place_is_not_registered(boss, store):
    name, made = make(boss)
    document = {**made.json()["metadata"], "table-uuid": str(uuid.uuid4()),
                "location": f"s3://no-such-bucket-{MARK}/t"}
    store.put_object(Bucket="gold", Key=f"of-{MARK}/t.metadata.json", Body=json.dumps(document).encode())
    refused = boss.rest("POST", f"/namespaces/{TEAM}/register", {
        "name": fresh(), "metadata-location": f"s3://gold/of-{MARK}/t.metadata.json"})
    assert refused.status_code == 400, refused.text
    assert f"no-such-bucket-{MARK}" in refused.json()["error"]["message"]
