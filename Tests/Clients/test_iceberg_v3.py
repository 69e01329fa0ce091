"""Tables of format version 3: deletion vectors that `lakehouse sql` writes, read by PyIceberg; defaults."""

import json
import os

import pytest
from pyiceberg.catalog import load_catalog


@pytest.fixture(scope="module")
def catalog(appliance):
    known = load_catalog(
        "lakehouse", type="rest", uri=os.environ["CATALOG_URI"], warehouse=os.environ["WAREHOUSE"],
        credential=os.environ["CATALOG_CREDENTIAL"],
        **{"oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"]})
    known.create_namespace("v3")
    return known


@pytest.fixture
def ask(appliance):
    def run(text):
        done = appliance.command("sql", "--json", "-c", text)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


def seen(catalog, name):
    table = catalog.load_table(f"v3.{name}").scan().to_arrow()
    return sorted(zip(table.column("id").to_pylist(), table.column("name").to_pylist()))


def ours(ask, name):
    rows = ask(f"select id, name from lakehouse.v3.{name}")
    return sorted((row["id"], row["name"]) for row in rows)


def make(ask, name, version=3, extra=""):
    ask(f"create table lakehouse.v3.{name} (id bigint, name varchar) "
        f"with (format_version = {version}{extra})")
    ask(f"insert into lakehouse.v3.{name} select n, 'n' || cast(n as varchar) "
        "from unnest(sequence(0, 99)) as t (n)")
    return {n: f"n{n}" for n in range(100)}


def deletes(catalog, name):
    return [task for task in catalog.load_table(f"v3.{name}").inspect.delete_files().to_pylist()]


def test_rows_go_by_deletion_vectors(catalog, ask):
    wanted = make(ask, "vectors")
    for text, gone in [
        ("id % 10 = 3", lambda n: n % 10 == 3), ("id between 20 and 29", lambda n: 20 <= n < 30),
    ]:
        ask(f"delete from lakehouse.v3.vectors where {text}")
        wanted = {n: v for n, v in wanted.items() if not gone(n)}
        assert ours(ask, "vectors") == seen(catalog, "vectors") == sorted(wanted.items())
    # One vector a data file, whatever was deleted before.
    files = deletes(catalog, "vectors")
    assert [(str(f["file_format"]).upper().split(".")[-1], f["record_count"]) for f in files] == [
        ("PUFFIN", 19)]


def test_updates_and_merges(catalog, ask):
    wanted = make(ask, "changes")
    ask("update lakehouse.v3.changes set name = 'five' where id = 5")
    wanted[5] = "five"
    ask("merge into lakehouse.v3.changes t using (values (7, 'seven'), (200, 'new')) s (id, name) "
        "on t.id = s.id when matched then update set name = s.name "
        "when not matched then insert values (s.id, s.name)")
    wanted.update({7: "seven", 200: "new"})
    ask("delete from lakehouse.v3.changes where id in (5, 8)")
    del wanted[5], wanted[8]
    assert ours(ask, "changes") == seen(catalog, "changes") == sorted(wanted.items())
    ask("alter table lakehouse.v3.changes execute optimize")
    assert ours(ask, "changes") == seen(catalog, "changes") == sorted(wanted.items())
    assert deletes(catalog, "changes") == []


def test_an_upgraded_table_turns_its_position_deletes_into_vectors(catalog, ask):
    wanted = make(ask, "upgraded", version=2)
    ask("delete from lakehouse.v3.upgraded where id < 10")
    ask("alter table lakehouse.v3.upgraded set properties format_version = 3")
    ask("delete from lakehouse.v3.upgraded where id > 89")
    wanted = {n: v for n, v in wanted.items() if 10 <= n <= 89}
    assert ours(ask, "upgraded") == seen(catalog, "upgraded") == sorted(wanted.items())
    assert [f["record_count"] for f in deletes(catalog, "upgraded")] == [20]


def test_a_file_that_goes_takes_its_vector_along(catalog, ask):
    make(ask, "whole")
    ask("delete from lakehouse.v3.whole where id < 10")
    ask("insert into lakehouse.v3.whole values (500, 'stays')")
    ask("delete from lakehouse.v3.whole where id < 400")
    assert ours(ask, "whole") == seen(catalog, "whole") == [(500, "stays")]
    assert deletes(catalog, "whole") == []


def test_row_ids_are_assigned(catalog, ask):
    make(ask, "lineage")
    ask("insert into lakehouse.v3.lineage values (100, 'later')")
    metadata = catalog.load_table("v3.lineage").metadata
    assert metadata.next_row_id == 101
    firsts = ask('select first_row_id, record_count from lakehouse.v3."lineage$files"')
    assert sorted((row["first_row_id"], row["record_count"]) for row in firsts) == [(0, 100), (100, 1)]
