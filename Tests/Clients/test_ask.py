"""Questions in plain words: every frame's rows equal hand-written SQL; policies hold; the endpoint only fills frames."""

import http.server
import json
import math
import threading

import pytest
from appliance import Appliance, fetch, lakehouse

AS_OF = "2026-11-21"  # a Saturday

METRICS = """
name: shop
version: 3
title: Orders of a small shop
zone: {zone}
tables:
  - {{name: orders, source: lakehouse.shop.orders, certified: true, key: [id], time: {{column: at, type: timestamp}}}}
  - {{name: flags, source: lakehouse.shop.flags, certified: true, key: [id]}}
  - {{name: stores, source: lakehouse.shop.stores, certified: true, key: [store]}}
  - {{name: visits, source: lakehouse.shop.visits, certified: true, key: [id], time: {{column: day, type: date}}}}
joins:
  - {{from: orders, to: flags, on: {{id: id}}, cardinality: many-to-one}}
  - {{from: orders, to: stores, on: {{store: store}}, cardinality: many-to-one}}
  - {{from: visits, to: stores, on: {{store: store}}, cardinality: many-to-one}}
dimensions:
  - {{name: region, table: stores}}
  - {{name: store, table: stores}}
  - {{name: channel, table: orders}}
metrics:
  - {{name: orders, table: orders, kind: additive, expression: count(*)}}
  - {{name: revenue, table: orders, kind: additive, expression: sum(orders.amount), format: currency, unit: EUR, decimals: 2}}
  - {{name: fraud_rate, table: orders, kind: ratio, numerator: count_if(flags.bad), denominator: count(*), format: percent}}
  - {{name: online_revenue, table: orders, kind: additive, expression: sum(orders.amount), filters: ["orders.channel = 'online'"]}}
  - {{name: visits, table: visits, kind: additive, expression: sum(visits.people)}}
"""

SEED = """
create schema if not exists lakehouse.shop;
create table lakehouse.shop.stores as select * from (values
  ('S1', 'North'), ('S2', 'North'), ('S3', 'South'), ('S4', 'West')) as t(store, region);
create table lakehouse.shop.orders as
  select id, element_at(array['S1','S2','S3','S4'], cast(id * 7 % 4 as integer) + 1) as store,
    timestamp '2026-10-01 00:00:00' + id * interval '17' minute as at,
    cast(id * 37 % 1000 as decimal(12,2)) / 10 as amount,
    if(id % 3 = 0, 'online', 'pos') as channel
  from unnest(sequence(1, 4400)) as t(id);
create table lakehouse.shop.flags as
  select id, id % 11 = 0 and store <> 'S4' or id % 43 = 0 as bad from lakehouse.shop.orders where id % 5 <> 1;
create table lakehouse.shop.visits as
  select id, element_at(array['S1','S2','S3'], cast(id % 3 as integer) + 1) as store,
    date '2026-10-01' + cast(id % 52 as integer) * interval '1' day as day, id % 9 as people
  from unnest(sequence(1, 900)) as t(id);
"""

BASE = """lakehouse.shop.orders o left join lakehouse.shop.flags f on f.id = o.id
  left join lakehouse.shop.stores s on s.store = o.store"""
WEEK = "o.at >= timestamp '2026-11-09 00:00:00' and o.at < timestamp '2026-11-16 00:00:00'"
BEFORE = "o.at >= timestamp '2026-11-02 00:00:00' and o.at < timestamp '2026-11-09 00:00:00'"
RATE = "cast(count(*) filter (where f.bad) as double) / count(*)"

# A question, and what somebody would have written by hand.
PAIRS = [
    ("How many orders last week?", f"select count(*) from {BASE} where {WEEK}"),
    ("revenue by region last week", f"select s.region, sum(o.amount) from {BASE} where {WEEK} group by 1"),
    (
        "Which regions saw a fraud rate above 8 % last week?",
        f"select s.region, {RATE} from {BASE} where {WEEK} group by 1 having {RATE} > 0.08",
    ),
    ("fraud rate per store in week 45", f"select s.store, {RATE} from {BASE} where {BEFORE} group by 1"),
    (
        "top 2 stores by revenue in October",
        f"select s.store, sum(o.amount) r from {BASE} where o.at < timestamp '2026-11-01 00:00:00' group by 1"
        " order by r desc limit 2",
    ),
    ("online revenue by region", f"select s.region, sum(o.amount) from {BASE} where o.channel = 'online' group by 1"),
    (
        "orders per day between 2026-11-09 and 2026-11-11",
        "select cast(at as date), count(*) from lakehouse.shop.orders"
        " where cast(at as date) between date '2026-11-09' and date '2026-11-11' group by 1",
    ),
    ("weekly revenue", "select cast(date_trunc('week', at) as date), sum(amount) from lakehouse.shop.orders group by 1"),
    (
        "orders by hour and weekday last week",
        f"select hour(o.at), day_of_week(o.at), count(*) from lakehouse.shop.orders o where {WEEK} group by 1, 2",
    ),
    (
        "orders not in South by channel since November",
        f"select o.channel, count(*) from {BASE} where (s.region <> 'South' or s.region is null)"
        " and o.at >= timestamp '2026-11-01 00:00:00' group by 1",
    ),
    (
        "regions with between 100 and 200 orders last week",
        f"select s.region, count(*) from {BASE} where {WEEK} group by 1 having count(*) between 100 and 200",
    ),
    (
        "revenue and fraud rate by channel in North or South",
        f"select o.channel, sum(o.amount), {RATE} from {BASE} where s.region in ('North', 'South') group by 1",
    ),
    (
        "revenue in all regions but South by channel",
        f"select o.channel, sum(o.amount) from {BASE} where s.region <> 'South' or s.region is null group by 1",
    ),
    (
        "average orders per day last week by region",
        f"""select region, avg(cast(n as double)) from (
          select s.region, cast(o.at as date) d, count(*) n from {BASE} where {WEEK} group by 1, 2) as t group by 1""",
    ),
    (
        "average daily orders last week compared with the week before",
        f"""select x.a as p, y.a as q, x.a - y.a as r, (x.a - y.a) / y.a as s from
          (select avg(cast(n as double)) a from (select cast(o.at as date) d, count(*) n from {BASE}
             where {WEEK} group by 1) as t) as x,
          (select avg(cast(n as double)) a from (select cast(o.at as date) d, count(*) n from {BASE}
             where {BEFORE} group by 1) as t) as y""",
    ),
    (
        "regions with average daily orders above 20 last week",
        f"""select * from (select region, avg(cast(n as double)) a from (
          select s.region, cast(o.at as date) d, count(*) n from {BASE} where {WEEK} group by 1, 2) as t group by 1)
          as u where a > 20""",
    ),
    (
        "share of revenue by region last week",
        f"""select region, r, cast(r as double) / (select sum(o.amount) from {BASE} where {WEEK}) from (
          select s.region, sum(o.amount) r from {BASE} where {WEEK} group by 1) as t""",
    ),
    (
        "share of orders and visits by region",
        """select coalesce(v.region, o.region), coalesce(o.n, 0), cast(coalesce(o.n, 0) as double) / 4400,
            coalesce(v.n, 0), cast(coalesce(v.n, 0) as double) / (select sum(people) from lakehouse.shop.visits) from
          (select s.region, sum(v.people) n from lakehouse.shop.visits v
             left join lakehouse.shop.stores s on s.store = v.store group by 1) v
          full join (select s.region, count(*) n from lakehouse.shop.orders o
             left join lakehouse.shop.stores s on s.store = o.store group by 1) o on o.region = v.region""",
    ),
    (
        "top 1 stores in each region by revenue last week",
        f"""select store, region, r from (select s.store, s.region, sum(o.amount) r,
          row_number() over (partition by s.region order by sum(o.amount) desc) p from {BASE} where {WEEK}
          group by 1, 2) as t where p <= 1""",
    ),
    (
        "orders on weekends before 9 am by channel",
        "select channel, count(*) from lakehouse.shop.orders where day_of_week(at) in (6, 7) and hour(at) < 9 group by 1",
    ),
    (
        "orders excluding Sundays in October",
        "select count(*) from lakehouse.shop.orders where day_of_week(at) <> 7 and at < timestamp '2026-11-01 00:00:00'",
    ),
    (
        "growth in revenue by region last week",
        f"""select region, n, b, n - b, cast(n - b as double) / nullif(b, 0) from (
          select s.region, sum(o.amount) filter (where {WEEK}) n, sum(o.amount) filter (where {BEFORE}) b
          from {BASE} where {WEEK} or {BEFORE} group by 1) as t""",
    ),
    (
        "orders by region last week compared with the week before",
        f"""select region, n, b, n - b, cast(n - b as double) / nullif(b, 0) from (
          select s.region, count(*) filter (where {WEEK}) n, count(*) filter (where {BEFORE}) b
          from {BASE} where {WEEK} or {BEFORE} group by 1) as t""",
    ),
    (
        "fraud rate week over week",
        f"""select a, b, a - b from (select {RATE} a from {BASE} where {WEEK}) as x,
          (select {RATE} b from {BASE} where {BEFORE}) as y""",
    ),
    (
        "visits and orders by region",
        """select coalesce(v.region, o.region), coalesce(v.n, 0), coalesce(o.n, 0) from
          (select s.region, sum(v.people) n from lakehouse.shop.visits v
             left join lakehouse.shop.stores s on s.store = v.store group by 1) v
          full join (select s.region, count(*) n from lakehouse.shop.orders o
             left join lakehouse.shop.stores s on s.store = o.store group by 1) o on o.region = v.region""",
    ),
]


class Shop:
    """A served directory with a shop in it."""

    def __init__(self, directory, *flags, zone="UTC"):
        self.server = Appliance(directory, *flags)
        names = self.server.variables()
        self.token = names["LAKEHOUSE_TOKEN"]
        self.server.command("sql", "-c", SEED)
        self.write(METRICS.format(zone=zone))

    def write(self, text, name="shop.yml"):
        folder = self.server.directory / "metrics"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def sql(self, text):
        lines = self.server.command("sql", "--json", "-c", text).stdout.splitlines()
        return [list(json.loads(line).values()) for line in lines]

    def ask(self, question, token=None, **members):
        body = json.dumps({"question": question, "asOf": AS_OF, **members}).encode()
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        status, _, text = fetch(self.server.url + "/api/v1/ask", "POST", body, headers)
        return status, json.loads(text)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = Shop(tmp_path_factory.mktemp("shop") / "data")
    yield shop
    shop.server.stop()


def rows(found):
    """Rows as a set, numbers as numbers."""

    def cell(value):
        try:
            return float(f"{float(value):.9g}")
        except (TypeError, ValueError):
            return value

    return sorted(([cell(value) for value in row] for row in found), key=repr)


@pytest.mark.parametrize("question, sql", PAIRS, ids=[pair[0] for pair in PAIRS])
def test_the_rows_of_a_question_are_those_of_hand_written_sql(shop, question, sql):
    status, answer = shop.ask(question)
    assert status == 200 and answer["status"] == "answered", answer
    assert rows(answer["rows"]) == rows(shop.sql(sql)), answer["sql"]
    # The statement that is shown is the one that ran.
    assert rows(answer["rows"]) == rows(shop.sql(answer["sql"]))


def test_an_answer_shows_what_it_rests_on(shop):
    _, answer = shop.ask("Which regions saw a fraud rate above 8 % last week?")
    assert "fraud rate by region" in answer["reading"] and "ISO week 46 of 2026" in answer["reading"]
    assert {table["name"] for table in answer["tables"]} >= {"lakehouse.shop.orders", "lakehouse.shop.flags"}
    for table in answer["tables"]:
        name = table["name"].rsplit(".", 1)
        snapshot = shop.sql(f'select snapshot_id from {name[0]}."{name[1]}$snapshots"')[-1][0]
        assert table["snapshotId"] == str(snapshot) and str(snapshot) in answer["sql"]
        assert table["policy"] is None
    assert answer["cost"]["rowsScanned"] > 0 and answer["cost"]["bytesScanned"] > 0 and answer["queryId"]
    assert answer["chart"]["kind"] == "bar" and answer["model"]["version"] == 3


def test_follow_ups_go_on_from_the_frame_before(shop):
    _, first = shop.ask("Which regions saw a fraud rate above 8 % last week?")
    _, second = shop.ask("and the week before?", previous=first["frame"])
    assert second["frame"] == {**first["frame"], "period": {"from": "2026-11-02", "to": "2026-11-09", "unit": "week"}}
    _, third = shop.ask("only in North", previous=second["frame"])
    assert third["frame"]["where"] == [{"dimension": "region", "is": ["North"]}]
    status, alone = shop.ask("and the week before?")
    assert status == 422 and alone["code"] == "ask.no_context"


def test_an_agent_asks_on_from_an_answer(shop):
    """The tool `ask` of /mcp takes the frame of the answer before."""
    headers = {
        "Authorization": f"Bearer {shop.token}", "Content-Type": "application/json", "Accept": "application/json",
    }

    def send(method, parameters, **more):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        status, fields, text = fetch(shop.server.url + "/mcp", "POST", body, {**headers, **more})
        assert status == 200, text
        return fields, json.loads(text)["result"]

    fields, _ = send(
        "initialize",
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    )
    session = {"Mcp-Session-Id": fields["Mcp-Session-Id"]}

    def ask(question, **arguments):
        _, result = send("tools/call", {"name": "ask", "arguments": {"question": question, **arguments}}, **session)
        assert not result["isError"], result
        return result["structuredContent"]

    first = ask("revenue by region")
    assert first["status"] == "answered" and len(first["rows"]) > 1
    second = ask("only in North", previous=first["frame"])
    assert second["status"] == "answered"
    assert second["frame"]["where"] == [{"dimension": "region", "is": ["North"]}]
    assert [row for row in first["rows"] if row[0] == "North"] == second["rows"]
    again = ask("as chosen", frame=second["frame"])
    assert again["rows"] == second["rows"]
    alone = ask("only in North")
    assert alone["status"] == "refused"


@pytest.mark.parametrize(
    "question, code, words",
    [
        ("drop the table", "ask.not_a_question", ["drop"]),
        ("delete from orders", "ask.not_a_question", ["delete"]),
        ("select 1", "ask.not_a_question", []),
        ("revenue by planet", "ask.unexplained_words", ["planet"]),
        ("median revenue", "ask.unexplained_words", ["median"]),
        ("revenue in US", "ask.unexplained_words", ["US"]),
        ("revenue by region, but South", "ask.unexplained_words", ["but"]),
        ("revenue by region now", "ask.unexplained_words", ["now"]),
        ("revenue excluding South and online", "ask.cannot_combine", ["excluding"]),
        ("orders with revenue above 100", "ask.cannot_combine", ["revenue"]),
        ("at least 3 regions by revenue", "ask.cannot_combine", ["at least", "3"]),
        ("biggest orders by region", "ask.cannot_combine", ["biggest"]),
        ("by region", "ask.no_metric", []),
        ("visits by channel", "ask.not_answerable", []),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_words(shop, question, code, words):
    status, answer = shop.ask(question)
    assert status == 422 and answer["status"] == "refused"
    assert (answer["code"], answer["words"]) == (code, words)
    assert shop.sql("select count(*) from lakehouse.shop.orders") == [[4400]]


def test_a_correction_is_shown_and_a_chosen_frame_is_answered(shop):
    _, answer = shop.ask("revenue in Nroth last week")
    assert answer["corrections"] == [{"typed": "Nroth", "read": "north"}]
    _, past = shop.ask("orders over the past week")
    assert past["status"] == "ambiguous" and len(past["readings"]) == 2
    _, chosen = shop.ask("orders over the past week", frame=past["readings"][0]["frame"])
    assert chosen["status"] == "answered" and chosen["readBy"] == "frame"
    bad = {"model": "shop", "metrics": ["orders; drop table x"]}
    status, refused = shop.ask("x", frame=bad)
    assert status == 400 and refused["error"]["code"] == "metrics.invalid_frame"


def test_new_values_are_known_after_a_commit(shop):
    assert shop.ask("revenue in Atlantis")[0] == 422
    shop.sql("insert into lakehouse.shop.stores values ('S9', 'Atlantis')")
    status, answer = shop.ask("revenue in Atlantis")
    assert status == 200 and answer["rows"] == [[None]]


def test_a_join_that_fans_out_is_refused(tmp_path):
    shop = Shop(tmp_path / "data")
    try:
        assert shop.ask("revenue by region")[0] == 200
        shop.sql("insert into lakehouse.shop.stores values ('S1', 'Elsewhere')")
        status, answer = shop.ask("revenue by region")
        assert status == 400 and answer["error"]["code"] == "metrics.join_fans_out"
        assert shop.ask("revenue by channel")[0] == 200
    finally:
        shop.server.stop()


def test_the_command_line_asks_and_lists(shop):
    run = shop.server.command
    text = run("ask", "revenue by region last week", "and the week before?", "--as-of", AS_OF).stdout
    assert text.count("read as") == 2 and "ISO week 45 of 2026" in text and "SELECT" in text
    answer = json.loads(run("ask", "orders yesterday", "--as-of", AS_OF, "--json").stdout)
    assert answer["frame"]["period"] == {"from": "2026-11-20", "to": "2026-11-21", "unit": "day"}
    assert run("ask", "revenue by planet", code=1).stdout.endswith("[ask.unexplained_words]\n")
    listed = json.loads(run("metric", "list", "--json").stdout)
    assert {"revenue", "fraud_rate"} <= {metric["name"] for metric in listed if metric["model"] == "shop"}
    assert ["fraud_rate", "ratio"] in shop.sql("select name, kind from system.metadata.metrics where model = 'shop'")
    assert ["region"] in shop.sql("select name from system.metadata.dimensions where model = 'shop'")


def test_a_wrong_file_is_named_by_line_and_leaves_the_others(shop, tmp_path):
    text = METRICS.format(zone="UTC").replace("name: shop", "name: other").replace("table: stores}", "table: stroes}", 1)
    path = tmp_path / "other.yml"
    path.write_text(text)
    done = lakehouse("metric", "check", path, code=1)
    assert f"{path}:16:" in done.stderr and "did you mean stores?" in done.stderr
    shop.write(text, "other.yml")
    try:
        done = shop.server.command("metric", "list", code=1)
        assert "unknown table: stroes" in done.stderr
        assert shop.ask("orders last week")[0] == 200
    finally:
        (shop.server.directory / "metrics" / "other.yml").unlink()


def test_nobody_asks_without_a_credential(shop):
    status, fields, _ = fetch(shop.server.url + "/api/v1/ask", "POST", b'{"question": "orders"}')
    assert status == 401 and "Bearer" in fields["WWW-Authenticate"]
    headers = {"Authorization": f"Bearer {shop.token}"}
    status, _, text = fetch(shop.server.url + "/api/v1/metrics", headers=headers)
    assert status == 200 and "shop" in [model["name"] for model in json.loads(text)]
    status, _, page = fetch(shop.server.url + "/ask?q=orders", headers=headers)
    assert status == 200 and b"Orders of a small shop" in page


@pytest.fixture
def thin(shop):
    """The shop's metrics, of which one is compared on 200 rows and more: a week has 296 of North, 148 of South and West."""
    text = METRICS.format(zone="UTC").replace("name: shop", "name: thin")
    shop.write(text.replace("format: percent}", "format: percent, minimum_rows: 200}"), "thin.yml")
    yield lambda question, **members: shop.ask(question, model="thin", **members)
    (shop.server.directory / "metrics" / "thin.yml").unlink()


def test_a_rate_is_compared_on_enough_rows_and_nothing_is_left_out_in_silence(shop, thin):
    _, answer = thin("Which regions saw a fraud rate above 1 % last week?")
    wanted = shop.sql(
        f"select s.region, {RATE} from {BASE} where {WEEK} group by 1 having {RATE} > 0.01 and count(*) >= 200")
    left = shop.sql(
        f"select s.region, count(*) from {BASE} where {WEEK} group by 1 having {RATE} > 0.01 and count(*) < 200 order by 1")
    assert rows(answer["rows"]) == rows(wanted) == rows(shop.sql(answer["sql"])) and len(wanted) == 1 and left
    note = next(note for note in answer["notes"] if note.startswith("left out"))
    assert all(f"{region} (" in note and f" on {count} rows)" in note for region, count in left)
    assert "fraud rate is compared on 200 rows or more" in answer["reading"]
    # A ranking, and a comparison of periods.
    _, ranked = thin("top 2 regions by fraud rate last week")
    assert [row[0] for row in ranked["rows"]] == ["North"] and "South (" in ranked["notes"][-1]
    _, compared = thin("regions with a fraud rate above 1 % last week compared with the week before")
    assert [row[0] for row in compared["rows"]] == ["North"] and "left out" in compared["notes"][-1]
    # Shown, it says on how few rows it rests; sums are what they are.
    _, shown = thin("fraud rate by region last week")
    assert {row[0] for row in shown["rows"]} == {"North", "South", "West"}
    assert shown["notes"] == ["fraud rate rests on fewer than 200 rows for South (148 rows), West (148 rows)"]
    _, one = thin("fraud rate in South last week")
    assert len(one["rows"]) == 1 and "fraud rate rests on 148 rows" in one["notes"][0]
    assert thin("regions with more than 100 orders last week")[1]["notes"] == []
    assert "South (" in shop.server.command(
        "ask", "regions with a fraud rate above 0.1 % last week", "--model", "thin", "--as-of", AS_OF).stdout


def test_periods_can_be_asked_for_by_another_clock(shop):
    _, here = shop.ask("orders last week")
    _, there = shop.ask("orders last week", zone="Europe/Vienna")
    wanted = "select count(*) from lakehouse.shop.orders where at >= timestamp '2026-11-08 23:00:00' and at < timestamp '2026-11-15 23:00:00'"
    assert there["rows"] == shop.sql(wanted) and "(Europe/Vienna)" in there["reading"] and "(UTC)" in here["reading"]
    assert "zone" not in here["frame"] and there["frame"]["zone"] == "Europe/Vienna"
    # What goes on from it stays there, unless another is said.
    _, before = shop.ask("and the week before?", previous=there["frame"])
    assert "2026-11-01 23:00:00" in before["sql"] and "(Europe/Vienna)" in before["reading"]
    _, back = shop.ask("and the week before?", previous=there["frame"], zone="UTC")
    assert "2026-11-02 00:00:00" in back["sql"] and "zone" not in back["frame"]
    status, refused = shop.ask("orders last week", zone="Europe/Wien")
    assert status == 400 and "time zone not found" in refused["error"]["message"]
    text = shop.server.command("ask", "orders by weekday", "--zone", "+01:00", "--as-of", AS_OF).stdout
    assert "over all time (+01:00)" in text and "AT TIME ZONE '+01:00'" in text


@pytest.mark.parametrize(
    "question, note",
    [
        ("orders in September", "the data of orders begins on 2026-10-01 00:17:00: there is none of September 2026"),
        ("revenue in October compared with September", "the data of orders begins on 2026-10-01 00:17:00"),
        ("revenue per week since October", "the period cuts its first week, which began on 2026-09-28"),
        ("revenue per month", "this month is not over: it is 2026-11-21 12:00:00"),
        ("visits in December", "the data of visits begins on 2026-10-01"),
    ],
)
def test_what_an_answer_does_not_cover_is_said(shop, question, note):
    _, answer = shop.ask(question)
    assert answer["status"] == "answered" and any(said.startswith(note) for said in answer["notes"]), answer["notes"]


def test_data_that_ends_before_the_period_is_said(shop):
    _, answer = shop.ask("orders last week", asOf="2026-12-21")
    assert answer["notes"] == ["the newest of orders is of 2026-11-21 22:40:00: nothing later is in the answer"]


def test_policies_hold_for_answers_and_for_words(tmp_path):
    shop = Shop(tmp_path / "data")
    try:
        run = shop.server.command
        run("group", "create", "viewers")
        run("user", "create", "vera", "--role", "engineer", "--group", "viewers")
        shop.sql("create row filter north on lakehouse.shop.stores for group viewers as (region = 'North')")
        token = shop.server.variables("vera")["LAKEHOUSE_TOKEN"]
        status, answer = shop.ask("revenue in North by store", token=token)
        assert status == 200, answer
        policies = {table["name"]: table["policy"] for table in answer["tables"]}
        assert "north" in policies["lakehouse.shop.stores"]
        assert {row[0] for row in answer["rows"]} == {"S1", "S2"}
        # Words for hidden values are hidden too.
        status, answer = shop.ask("revenue in South", token=token)
        assert status == 422 and answer["words"] == ["South"]
        assert shop.ask("revenue in South")[0] == 200
        # What another policy hides is unknown from then on, without a commit; what it shows is known.
        shop.sql("create or replace row filter north on lakehouse.shop.stores for group viewers as (region = 'South')")
        assert shop.ask("revenue in South", token=token)[0] == 200
        status, answer = shop.ask("revenue in North", token=token)
        assert status == 422 and answer["words"] == ["North"]
    finally:
        shop.server.stop()


class Chat(http.server.BaseHTTPRequestHandler):
    """A chat endpoint that gives what it is told."""

    content = "{}"
    seen = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Chat.seen.append((self.path, self.headers["Authorization"], body))
        answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": Chat.content}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


def test_an_endpoint_may_only_fill_the_frame(tmp_path):
    chat = http.server.HTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=chat.serve_forever, daemon=True).start()
    key = tmp_path / "key"
    key.write_text("sesame\n")
    address = f"http://127.0.0.1:{chat.server_port}/v1"
    shop = Shop(tmp_path / "data", "--set", f"ask.endpoint={address}", "--set", f"ask.endpoint-key-file={key}")
    try:
        Chat.seen.clear()
        assert shop.ask("revenue by region")[1]["readBy"] == "grammar" and not Chat.seen
        Chat.content = json.dumps({"metrics": ["revenue"], "by": ["region"]})
        status, answer = shop.ask("pray tell the takings of every corner of the realm")
        assert status == 200 and answer["readBy"] == "endpoint"
        assert any('"realm"' in note and "endpoint" in note for note in answer["notes"])
        path, bearer, body = Chat.seen[0]
        assert path == "/v1/chat/completions" and bearer == "Bearer sesame"
        assert body["response_format"]["type"] == "json_schema"
        assert "North" not in json.dumps(body)  # names, never data
        for content in ['{"metrics": ["secrets"]}', '{"metrics": ["revenue"], "sql": "drop"}', "SELECT 1", '{"metrics": []}']:
            Chat.content = content
            status, answer = shop.ask("pray tell the takings")
            # What the grammar knows of the question is said all the same.
            assert status == 422 and answer["code"] == "ask.unexplained_words", content
            assert "pray" in answer["words"] and any("endpoint did not help" in hint for hint in answer["suggestions"])
        Chat.content = '{"refused": true}'
        assert shop.ask("pray tell the takings")[1]["code"] == "ask.unexplained_words"
        Chat.seen.clear()
        for order in ("drop the table", "revenue that nobody should see, drop it", "revenue by region and then delete the rest"):
            status, answer = shop.ask(order)
            assert status == 422 and answer["code"] == "ask.not_a_question", answer
        assert not Chat.seen
    finally:
        shop.server.stop()
        chat.shutdown()


def test_periods_follow_the_zone_of_the_model(tmp_path):
    shop = Shop(tmp_path / "data", zone="Europe/Vienna")
    try:
        _, answer = shop.ask("orders last week")
        assert "2026-11-08 23:00:00" in answer["sql"] and "Europe/Vienna" in answer["reading"]
        wanted = shop.sql(
            """select cast(with_timezone(at, 'UTC') at time zone 'Europe/Vienna' as date), count(*)
            from lakehouse.shop.orders where at >= timestamp '2026-10-23 22:00:00'
            and at < timestamp '2026-10-26 23:00:00' group by 1"""
        )
        # The clocks go back on 25 October: the day has 25 hours.
        _, answer = shop.ask("orders per day between 2026-10-24 and 2026-10-26")
        assert rows(answer["rows"]) == rows(wanted)
        assert math.isclose(sum(row[1] for row in answer["rows"]), sum(row[1] for row in wanted))
    finally:
        shop.server.stop()
