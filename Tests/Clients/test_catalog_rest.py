"""The catalog's REST beyond what PyIceberg asks for: planning, purges, branches, undrop, tags, contracts,
metadata tables beside PyIceberg's."""

import json
import os

import pyarrow as pa
import pytest
from appliance import fetch
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False), NestedField(2, "region", StringType()))
BY_REGION = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "region"))


def rows(*ids, region="n"):
    return pa.table({"id": pa.array(ids, pa.int64()), "region": [region] * len(ids)})


@pytest.fixture(scope="module")
def catalog(appliance):
    known = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    known.create_namespace("rest")
    return known


@pytest.fixture
def table(catalog, request):
    name = request.node.name.split("[")[0].removeprefix("test_")
    made = catalog.create_table(f"rest.{name}", SCHEMA, partition_spec=BY_REGION)
    made.append(rows(1, 2, 3))
    made.append(rows(4, 5, region="s"))
    return catalog.load_table(f"rest.{name}")


def iceberg(method, path, body=None, **headers):
    """One exchange with the catalog, below the warehouse's prefix; status and JSON."""
    place = os.environ["CATALOG_URI"].rstrip("/") + f"/v1/{os.environ['WAREHOUSE']}/{path}"
    return exchange(method, place, body, headers)


def api(method, path, body=None):
    """One exchange with `/api/v1/warehouses/{warehouse}`."""
    place = os.environ["LAKEHOUSE_URL"] + f"/api/v1/warehouses/{path}"
    return exchange(method, place, body, {})


def exchange(method, place, body, headers):
    status, _, text = fetch(
        place, method, None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {os.environ['LAKEHOUSE_TOKEN']}",
         "Content-Type": "application/json", **headers})
    return status, json.loads(text) if text else None


def sql(appliance, text, code=0):
    done = appliance.command("sql", "--json", "-c", text, code=code)
    if code:
        return done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def planned(path, wanted):
    """A plan, asked for again where it takes its time."""
    status, plan = iceberg("POST", path, wanted)
    assert status == 200
    known = plan["plan-id"]
    # Each question is an exchange of its own; a plan that never ends fails the test.
    for _ in range(20_000):
        if plan["status"] != "submitted":
            break
        _, plan = iceberg("GET", f"{path}/{known}")
    assert plan["status"] == "completed"
    return {**plan, "plan-id": known}


def test_planning(table):
    path = "namespaces/rest/tables/planning/plan"
    plan = planned(path, {
        "filter": {"type": "eq", "term": "region", "value": "s"}, "stats-fields": ["id"]})
    assert plan["plan-tasks"] == []
    (task,) = plan["file-scan-tasks"]
    assert task["data-file"]["partition"] == ["s"]
    assert task["data-file"]["lower-bounds"] == {"keys": [1], "values": [4]}
    assert task["residual-filter"] == {"type": "true"}
    place = f"{path}/{plan['plan-id']}"
    assert iceberg("GET", place)[1]["status"] == "completed"
    assert iceberg("DELETE", place)[0] == 204
    assert iceberg("GET", place)[0] == 404
    first, last = [s.snapshot_id for s in table.snapshots()]
    plan = planned(path, {"start-snapshot-id": first, "end-snapshot-id": last})
    assert [t["data-file"]["partition"] for t in plan["file-scan-tasks"]] == [["s"]]
    plan = planned(path, {"snapshot-id": first})
    assert [t["data-file"]["partition"] for t in plan["file-scan-tasks"]] == [["n"]]


def test_purges_happen_beside(appliance, catalog, table):
    location = table.location().removeprefix("s3://")
    catalog.purge_table("rest.purges_happen_beside")
    with pytest.raises(NoSuchTableError):
        catalog.load_table("rest.purges_happen_beside")
    left = None
    # Each look is a process of its own, which takes its time.
    for _ in range(1000):
        left = json.loads(
            appliance.command("s3", "ls", f"s3://{location}/", "--recursive", "--json").stdout)
        if not left:
            break
    assert left == []


def test_dropped_tables_come_back(appliance, catalog, table):
    warehouse = os.environ["WAREHOUSE"]
    catalog.drop_table("rest.dropped_tables_come_back")
    status, dropped = api("GET", f"{warehouse}/dropped")
    assert status == 200
    assert "rest.dropped_tables_come_back" in [entry["name"] for entry in dropped]
    status, _ = api("POST", f"{warehouse}/undrop", {
        "table": "rest.dropped_tables_come_back", "as": "rest.back"})
    assert status == 200
    assert catalog.load_table("rest.back").scan().to_arrow().num_rows == 5
    assert api("POST", f"{warehouse}/undrop", {"table": "rest.never"})[0] == 404
    # With undrop-days, what is purged can be had back too, with its files.
    with catalog.load_table("rest.back").transaction() as change:
        change.set_properties({"undrop-days": "7"})
    catalog.purge_table("rest.back")
    appliance.command("table", "undrop", f"{warehouse}.rest.back")
    assert catalog.load_table("rest.back").scan().to_arrow().num_rows == 5


def test_protection(appliance, catalog, table):
    name = f"{os.environ['WAREHOUSE']}.rest.protection"
    appliance.command("table", "protect", name)
    path = "namespaces/rest/tables/protection"
    status, answer = iceberg("DELETE", path)
    assert (status, answer["error"]["type"]) == (409, "ProtectedException")
    appliance.command("table", "protect", name, "--off")
    assert iceberg("DELETE", path)[0] == 204


def test_branches(catalog, table):
    warehouse = os.environ["WAREHOUSE"]
    status, made = api("POST", f"{warehouse}/references", {"name": "rest-etl"})
    assert (status, made["from"]) == (201, "main")
    branch = load_catalog(
        "branch", type="rest", uri=os.environ["CATALOG_URI"], warehouse=f"{warehouse}@rest-etl",
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    branch.load_table("rest.branches").append(rows(9))
    _, changes = api("GET", f"{warehouse}/references/rest-etl/changes")
    assert [(c["name"], c["outcome"]) for c in changes] == [("rest.branches", "forward")]
    assert catalog.load_table("rest.branches").scan().to_arrow().num_rows == 5
    status, report = api("POST", f"{warehouse}/references/rest-etl/merge", {"delete": True})
    assert (status, report["merged"]) == (200, True)
    assert catalog.load_table("rest.branches").scan().to_arrow().num_rows == 6
    assert api("GET", f"{warehouse}/references/rest-etl/changes")[0] == 404
    _, log = api("GET", f"{warehouse}/references/main/commits?limit=1")
    assert len(log) == 1


def test_tags_and_owners(appliance, table):
    path = f"{os.environ['WAREHOUSE']}/tables/rest.tags_and_owners"
    status, tags = api("PATCH", f"{path}/tags", {"column": "region", "set": {"pii": "no"}})
    assert (status, [(t["column"], t["tag"], t["value"]) for t in tags]) == (
        200, [("region", "pii", "no")])
    with table.update_schema() as change:
        change.rename_column("region", "place")
    assert [t["column"] for t in api("GET", f"{path}/tags")[1]] == ["place"]
    assert api("PATCH", f"{path}/tags", {"column": "none", "set": {"a": "b"}})[0] == 400
    assert api("PUT", f"{path}/owner", {"owner": "ann"}) == (200, {"owner": "ann"})
    assert api("GET", f"{path}/owner")[1] == {"owner": "ann"}


def test_contracts(appliance, catalog, table):
    path = f"{os.environ['WAREHOUSE']}/tables/rest.contracts/contracts"
    for name, rule in {
        "ids": {"rule": "not_null", "column": "id"},
        "small": {"rule": "range", "column": "id", "min": 1, "max": 100},
        "grows": {"rule": "append_only"}, "shape": {"rule": "schema", "mode": "compatible"},
    }.items():
        assert api("PUT", f"{path}/{name}", rule)[0] == 200
    assert api("PUT", f"{path}/x", {"rule": "range", "column": "id", "min": "a"})[0] == 400
    assert api("PUT", f"{path}/x", {"rule": "magic"})[0] == 400
    table = catalog.load_table("rest.contracts")
    table.append(rows(6, 100))
    for broken, rule in [
        (lambda: table.append(rows(None)), "ids"), (lambda: table.append(rows(0)), "small"),
        (lambda: table.append(rows(101)), "small"), (lambda: table.delete("id = 1"), "grows"),
    ]:
        with pytest.raises(Exception) as caught:
            broken()
        assert rule in str(caught.value) and "ContractViolation" in str(caught.value)
        table = catalog.load_table("rest.contracts")
    with pytest.raises(Exception) as caught:
        with table.update_schema() as change:
            change.rename_column("region", "place")
    assert "shape" in str(caught.value)
    # SQL comes to the same door.
    said = sql(
        appliance, f"insert into {os.environ['WAREHOUSE']}.rest.contracts values (500, 'n')", code=1)
    assert "small" in said
    assert api("DELETE", f"{path}/small")[1] == {"deleted": True}
    catalog.load_table("rest.contracts").append(rows(500))
    assert catalog.load_table("rest.contracts").scan().to_arrow().num_rows == 8


def test_reports_are_kept(appliance, table):
    path = "namespaces/rest/tables/reports_are_kept/metrics"
    report = {"report-type": "scan-report", "table-name": "t", "snapshot-id": 7, "metrics": {}}
    assert iceberg("POST", path, report)[0] == 204
    _, kept = api("GET", f"{os.environ['WAREHOUSE']}/tables/rest.reports_are_kept/reports")
    assert [(r["kind"], r["snapshot"]) for r in kept] == [("scan-report", 7)]
    told = sql(
        appliance, "select kind, snapshot_id from "
        f'{os.environ["WAREHOUSE"]}.rest."reports_are_kept$metrics_reports"')
    assert told == [{"kind": "scan-report", "snapshot_id": 7}]


def test_metadata_tables_are_those_of_pyiceberg(appliance, catalog, table):
    name = "metadata_tables_are_those_of_pyiceberg"
    table.delete("id = 2")
    place = f"{os.environ['WAREHOUSE']}.rest.\"{name}$%s\""
    inspect = catalog.load_table(f"rest.{name}").inspect

    def same(kind, theirs, columns):
        ours = sql(appliance, f"select {', '.join(columns)} from {place % kind}")
        wanted = theirs.select(list(columns)).to_pylist()

        def plain(row):
            return json.dumps([row[c] for c in columns], default=str, sort_keys=True)

        assert sorted(map(plain, ours)) == sorted(map(plain, wanted)), kind

    same("snapshots", inspect.snapshots(), ["snapshot_id", "parent_id", "operation", "manifest_list"])
    same("history", inspect.history(), ["snapshot_id", "parent_id", "is_current_ancestor"])
    files = ["content", "file_path", "spec_id", "record_count", "file_size_in_bytes"]
    same("files", inspect.files(), files)
    same("data_files", inspect.data_files(), files)
    same("delete_files", inspect.delete_files(), files)
    same("all_files", inspect.all_files(), files)
    same("all_data_files", inspect.all_data_files(), files)
    same("entries", inspect.entries(), ["status", "snapshot_id", "sequence_number",
                                        "file_sequence_number"])
    manifests = [
        "content", "path", "length", "partition_spec_id", "added_snapshot_id",
        "added_data_files_count", "existing_data_files_count", "deleted_data_files_count",
        "added_delete_files_count", "existing_delete_files_count", "deleted_delete_files_count"]
    same("manifests", inspect.manifests(), manifests)
    same("all_manifests", inspect.all_manifests(), manifests + ["reference_snapshot_id"])
    same("refs", inspect.refs(), [
        "name", "type", "snapshot_id", "max_reference_age_in_ms", "min_snapshots_to_keep",
        "max_snapshot_age_in_ms"])
    same("metadata_log_entries", inspect.metadata_log_entries(), [
        "file", "latest_snapshot_id", "latest_schema_id", "latest_sequence_number"])
    same("partitions", inspect.partitions(), [
        "spec_id", "record_count", "file_count", "position_delete_record_count",
        "position_delete_file_count", "equality_delete_record_count",
        "equality_delete_file_count", "last_updated_snapshot_id"])


def test_snapshots_are_moved_by_procedures(appliance, catalog, table):
    name = "snapshots_are_moved_by_procedures"
    warehouse = os.environ["WAREHOUSE"]
    first, second = [s.snapshot_id for s in table.snapshots()]

    def call(procedure, *more):
        given = ", ".join(str(m) if isinstance(m, int) else f"'{m}'" for m in more)
        sql(appliance, f"call {warehouse}.system.{procedure}('rest', '{name}', {given})")

    def count():
        return catalog.load_table(f"rest.{name}").scan().to_arrow().num_rows

    call("set_current_snapshot", first)
    assert count() == 3
    call("create_tag", "release", second, 30)
    call("create_tag", "early")
    call("cherrypick_snapshot", second)
    assert count() == 5
    said = appliance.command(
        "sql", "-c", f"call {warehouse}.system.cherrypick_snapshot('rest', '{name}', {second})",
        code=1).stderr
    assert "has the changes" in said
    call("rollback_to_snapshot", first)
    catalog.load_table(f"rest.{name}").append(rows(8))
    # The history went on elsewhere: the append is put onto it.
    call("cherrypick_snapshot", second)
    assert count() == 6
    with catalog.load_table(f"rest.{name}").manage_snapshots() as change:
        change.create_branch(first, "audit")
    call("set_retention", "audit", 10, 5, 2)
    call("fast_forward", "audit", "main")
    refs = sql(appliance, "select name, type, snapshot_id, max_reference_age_in_ms, "
               "min_snapshots_to_keep, max_snapshot_age_in_ms from "
               f'{warehouse}.rest."{name}$refs"')
    known = {row["name"]: row for row in refs}
    current = catalog.load_table(f"rest.{name}").current_snapshot().snapshot_id
    day = 86_400_000
    assert known["audit"] == {
        "name": "audit", "type": "BRANCH", "snapshot_id": current,
        "max_reference_age_in_ms": 10 * day, "min_snapshots_to_keep": 5,
        "max_snapshot_age_in_ms": 2 * day}
    assert known["release"]["max_reference_age_in_ms"] == 30 * day
    assert known["early"]["snapshot_id"] == first
    call("drop_tag", "early")
    said = appliance.command(
        "sql", "-c",
        f"call {warehouse}.system.fast_forward('rest', '{name}', 'main', 'release')",
        code=1).stderr
    assert "not an ancestor" in said


def test_functions_are_shown(appliance, catalog):
    """What SQL made is found by clients of the catalog, with all that the specification asks for."""
    for text in (
        "create function lakehouse.rest.twice(x bigint) returns bigint comment 'two' return x * 2",
        "create function lakehouse.rest.twice(x array(integer)) returns array(integer) "
        "returns null on null input return x || x",
        "create function lakehouse.rest.plain() returns varchar return 'p'",
    ):
        sql(appliance, text)
    status, found = iceberg("GET", "namespaces/rest/functions")
    assert (status, found) == (200, {"identifiers": [["rest", "plain"], ["rest", "twice"]]})
    status, first = iceberg("GET", "namespaces/rest/functions?pageToken=&pageSize=1")
    assert first["identifiers"] == [["rest", "plain"]]
    status, second = iceberg(
        "GET", f"namespaces/rest/functions?pageSize=1&pageToken={first['next-page-token']}")
    assert second == {"identifiers": [["rest", "twice"]]}

    status, loaded = iceberg("GET", "namespaces/rest/functions/TWICE")
    metadata = loaded["metadata"]
    assert status == 200 and metadata["format-version"] == 1
    shown = {one["definition-id"]: one for one in metadata["definitions"]}
    assert set(shown) == {"long", "list<int>"}
    number, many = shown["long"], shown["list<int>"]
    assert number["parameters"] == [{"type": "long", "name": "x"}] and number["doc"] == "two"
    assert (number["return-type"], number["function-type"]) == ("long", "udf")
    assert many["return-type"] == {"type": "list", "element": "int"}
    version = number["versions"][0]
    assert version["representations"][0]["dialect"] == "trino"
    assert version["representations"][0]["sql"].replace("(", "").replace(")", "") == "x * 2"
    assert (version["on-null-input"], many["versions"][0]["on-null-input"]) == ("call", "return-null")
    assert {(ref["definition-id"], ref["version-id"])
            for ref in metadata["definition-log"][0]["definition-versions"]} == {
        ("long", number["current-version-id"]), ("list<int>", many["current-version-id"])}
    assert iceberg("GET", "namespaces/rest/functions/twice")[1]["metadata"]["function-uuid"] == (
        metadata["function-uuid"])
    status, missing = iceberg("GET", "namespaces/rest/functions/thrice")
    assert (status, missing["error"]["type"]) == (404, "NoSuchFunctionException")
    status, missing = iceberg("GET", "namespaces/nowhere/functions")
    assert (status, missing["error"]["type"]) == (404, "NoSuchNamespaceException")
