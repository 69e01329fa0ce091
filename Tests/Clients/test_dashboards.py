"""Dashboards as files, on the real server: filters in the address, marks, rows, past states, exports."""

import csv
import gzip
import io
import re
import time
import uuid
import xml.etree.ElementTree as ElementTree

import pytest
import trino
from appliance import fetch

DOCUMENT = """
title: Shop
catalog: lakehouse
schema: shop
watch: [orders]
filters:
  - {id: country, label: Country, kind: multiple, column: country,
     values_sql: select distinct country from orders order by 1}
  - {id: day, kind: date-range, column: day}
tiles:
  - {id: total, kind: number, title: Total, sql: "select sum(amount) as amount from orders where ${filters}"}
  - id: countries
    kind: bar
    title: By country
    click: country
    sql: select country, sum(amount) as amount from orders where ${filters} group by 1 order by 2 desc
    rows: select id, country, day, amount from orders where ${filters} order by id
  - {id: note, kind: markdown, title: Note, text: "Made **by hand**."}
"""

KINDS = ["number", "bar", "line", "area", "pie", "scatter", "heatmap", "histogram", "table", "pivot", "bar", "line"]


@pytest.fixture(scope="module")
def server(appliance):
    folder = appliance.directory / "dashboards"
    folder.mkdir(exist_ok=True)
    (folder / "shop.yml").write_text(DOCUMENT)
    statement(appliance, "create schema shop")
    statement(
        appliance,
        "create table shop.orders as select * from (values (1, 'AT', date '2026-01-01', cast(10.50 as decimal(9, 2))), "
        "(2, 'CZ', date '2026-01-02', decimal '20.25'), (3, 'AT', date '2026-01-03', decimal '0.25'), "
        "(4, 'O''Hara', date '2026-01-03', decimal '5.00')) t (id, country, day, amount)",
    )
    yield appliance
    for name in ("shop", "twelve", "dice"):
        (folder / f"{name}.yml").unlink(missing_ok=True)
    statement(appliance, "drop schema shop cascade")


def statement(server, sql):
    variables = server.variables()
    connection = trino.dbapi.connect(
        host=variables["TRINO_HOST"], port=int(variables["TRINO_PORT"]), user=variables["TRINO_USER"],
        http_scheme="https", verify=variables["LAKEHOUSE_CA"], catalog="lakehouse", schema="shop",
        auth=trino.auth.JWTAuthentication(variables["LAKEHOUSE_TOKEN"]),
    )
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchall()


def page(server, path, status=200, user=None, **fields):
    token = server.variables(user=user)["LAKEHOUSE_TOKEN"]
    answered, headers, body = fetch(server.url + path, headers={"Authorization": f"Bearer {token}", **fields})
    assert answered == status, body[:2000]
    return headers, body.decode()


def test_a_file_is_a_dashboard_at_once_and_a_broken_one_is_named(server):
    assert "/dashboards/shop" in page(server, "/dashboards")[1]
    broken = server.directory / "dashboards" / "broken.yml"
    broken.write_text("title: x\ntiles: [{kind: bars, title: a, sql: select 1}]\n")
    text = page(server, "/dashboards")[1]
    assert "dashboards/broken.yml:2:" in text and "bars" in text
    broken.unlink()
    assert "broken.yml" not in page(server, "/dashboards")[1]


def test_dashboards_of_the_demos_come_with_their_tables(start):
    fresh = start()
    listed = page(fresh, "/dashboards")[1]
    assert "/dashboards/operations" in listed
    assert "sales-lakehouse" not in listed and "fraud-overview" not in listed
    assert "/dashboards/" not in page(fresh, "/")[1].replace("/dashboards/operations", "")
    page(fresh, "/dashboards/sales-lakehouse", 404)
    statement(fresh, "create schema silver.sales")
    statement(fresh, "create table silver.sales.orders (order_id bigint)")
    assert "/dashboards/sales-lakehouse" in page(fresh, "/dashboards")[1]
    page(fresh, "/dashboards/sales-lakehouse")
    statement(fresh, "drop table silver.sales.orders")
    page(fresh, "/dashboards/sales-lakehouse", 404)


def test_filters_stand_in_the_address_and_reach_the_statement(server):
    assert ">36<" in page(server, "/dashboards/shop/tiles/total")[1].replace(".00", "")
    assert "10.75" in page(server, "/dashboards/shop/tiles/total?country=AT")[1]
    assert "30.75" in page(server, "/dashboards/shop/tiles/total?country=AT&country=CZ&day=..2026-01-02")[1]
    assert "5.00" in page(server, "/dashboards/shop/tiles/total?country=O%27Hara")[1]
    assert page(server, "/dashboards/shop?day=yesterday", status=400)[1].count("range of dates")
    # Nothing that a visitor sends is run: it is looked for.
    evil = "/dashboards/shop/tiles/total?country=x%27)%20or%20(%271%27=%271"
    assert "–" in page(server, evil)[1]


def test_marks_lead_to_the_narrowed_page_and_rows_stand_behind_them(server):
    text = page(server, "/dashboards/shop?country=AT")[1]
    assert 'class="mark chosen" href="/dashboards/shop"' in text
    assert 'class="mark dimmed" href="/dashboards/shop?country=AT&amp;country=CZ"' in text
    rows = page(server, "/dashboards/shop/tiles/countries/rows?country=AT")[1]
    assert "2026-01-03" in rows and "CZ" not in rows


def test_a_page_that_is_looked_at_changes_nothing(server):
    file = server.directory / "dashboards" / "writes.yml"
    for number, sql in enumerate((
        "delete from lakehouse.shop.orders", "explain analyze delete from lakehouse.shop.orders",
        "create table lakehouse.shop.made as select 1 as a", "call system.runtime.kill_query('x', 'y')",
    )):
        file.write_text(f"title: Writes\ntiles: [{{id: t{number}, kind: table, title: T, sql: \"{sql}\"}}]\n")
        text = page(server, f"/dashboards/writes/tiles/t{number}")[1]
        assert "a page only reads" in text, text
        page(server, f"/dashboards/writes/tiles/t{number}/csv", 400)
    file.unlink()
    assert ">36<" in page(server, "/dashboards/shop/tiles/total")[1].replace(".00", "")


def test_exports_have_what_is_shown(server):
    headers, text = page(server, "/dashboards/shop/tiles/countries/csv?day=2026-01-02..")
    assert "attachment" in headers["Content-Disposition"]
    assert list(csv.reader(io.StringIO(text))) == [
        ["country", "amount"], ["CZ", "20.25"], ["O'Hara", "5.00"], ["AT", "0.25"],
    ]
    headers, text = page(server, "/dashboards/shop/tiles/countries/svg")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert len(list(csv.reader(io.StringIO(page(server, "/dashboards/shop/tiles/countries/rows/csv")[1])))) == 5


def test_a_past_state_is_shown_and_a_kept_result_is_never_stale(server):
    path = "/dashboards/shop/tiles/total?country=CZ"
    assert "20.25" in page(server, path)[1]
    before = statement(
        server, 'select max(committed_at) from shop."orders$snapshots"')[0][0].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    tag = f"state_{uuid.uuid4().hex[:8]}"
    statement(server, f"create tag {tag} in lakehouse")
    statement(server, "insert into shop.orders values (5, 'CZ', date '2026-01-04', decimal '100.00')")
    assert "120.25" in page(server, path)[1]
    assert "20.25" in page(server, f"{path}&at={before}")[1] and "120.25" not in page(server, f"{path}&at={before}")[1]
    assert "20.25" in page(server, f"{path}&at=tag:{tag}")[1] and "120.25" not in page(server, f"{path}&at=tag:{tag}")[1]
    assert f'value="tag:{tag}"' in page(server, "/dashboards/shop")[1]
    assert "no warehouse of this dashboard has a tag nothing" in page(server, f"{path}&at=tag:nothing")[1]
    assert "120.25" in page(server, path)[1]
    statement(server, "delete from shop.orders where id = 5")
    assert "120.25" not in page(server, path)[1]
    assert before[:19].replace("T", " ") in page(server, "/dashboards/shop")[1]


def test_dice_are_thrown_again_and_a_kept_result_is_refused_to_whom_the_table_is(server):
    (server.directory / "dashboards" / "dice.yml").write_text("""
title: Dice
catalog: lakehouse
schema: shop
tiles:
  - {id: thrown, kind: table, title: Thrown, sql: select random() as r from orders}
  - {id: viewed, kind: table, title: Viewed, sql: select r from dice}
  - {id: count, kind: number, title: Count, sql: select count(*) + 7000 as n from orders}
""")
    statement(server, "create view shop.dice as select random() as r from shop.orders")
    for tile in ("thrown", "viewed"):
        path = f"/dashboards/dice/tiles/{tile}/csv"
        assert page(server, path)[1] != page(server, path)[1]
    server.command("user", "create", "dash-vic", "--role", "viewer")
    path = "/dashboards/dice/tiles/count"
    has_number = lambda user=None: bool(re.search(r"7\D?004", page(server, path, user=user)[1]))
    assert has_number("dash-vic") and has_number("dash-vic")
    statement(server, "deny select on shop.orders to user \"dash-vic\"")
    assert 'class="fault"' in page(server, path, user="dash-vic")[1]
    assert not has_number("dash-vic") and has_number()
    statement(server, "revoke select on shop.orders from user \"dash-vic\"")
    assert has_number("dash-vic")
    statement(server, "drop view shop.dice")


def test_twelve_charts_are_small_and_second_paints_come_from_kept_results(server):
    tiles = "\n".join(
        f"""  - id: t{number}
    kind: {kind}
    title: Tile {number}
    sql: select country, day, amount, id from orders order by id"""
        for number, kind in enumerate(KINDS)
    )
    (server.directory / "dashboards" / "twelve.yml").write_text(
        f"title: Twelve\ncatalog: lakehouse\nschema: shop\ntiles:\n{tiles}\n")
    page(server, "/dashboards/twelve")
    began = time.perf_counter()
    text = page(server, "/dashboards/twelve")[1]
    print(f"twelve charts, warm: {(time.perf_counter() - began) * 1000:.0f} ms")
    assert text.count("data-tile=") == 12 and "class=\"fault\"" not in text
    parts = [text] + [page(server, f"/assets/{name}")[1] for name in
                      ("console.css", "charts.css", "dashboard.js", "icon.svg")]
    assert sum(len(gzip.compress(part.encode())) for part in parts) < 150_000
