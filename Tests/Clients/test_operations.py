"""The ops page, its history and the alerts, on the real server with thresholds that it passes at once."""

import contextlib
import http.server
import json
import socket
import threading

import pytest

from appliance import Appliance, fetch, lakehouse

FAILING = """
name: failing
steps:
  - id: fails
    kind: sql
    with: {sql: SELECT * FROM lakehouse.nowhere.at_all}
"""


@pytest.fixture(scope="module")
def inbox():
    """A webhook's other end."""
    told = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], told
    server.shutdown()


@pytest.fixture(scope="module")
def watched(tmp_path_factory, inbox):
    settings = {
        "alerts.webhook": f"http://127.0.0.1:{inbox[0]}/hook?room=1", "alerts.interval-seconds": 1,
        "alerts.hold-seconds": 0, "alerts.disk-percent": 0, "alerts.memory-percent": 0,
        "alerts.connection-percent": 0, "alerts.job-failure-percent": 0,
    }
    flags = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    with Appliance(tmp_path_factory.mktemp("operations") / "data", *flags) as appliance:
        yield appliance


def rows(appliance, sql):
    lines = appliance.command("sql", "--json", "-c", sql).stdout.splitlines()
    return [list(json.loads(line).values()) for line in lines]


def wait_until(condition):
    """Until it holds, a minute at the least."""
    pause = threading.Event()
    for _ in range(240):
        found = condition()
        if found:
            return found
        pause.wait(0.25)
    raise AssertionError("it did not come to hold within a minute")


def states(appliance, *, code=None):
    listed = json.loads(appliance.command("alert", "list", "--json", code=code).stdout)
    return {alert["alert"]: alert["state"] for alert in listed}


def test_alerts_are_raised_and_told(watched, inbox, tmp_path):
    file = tmp_path / "failing.yml"
    file.write_text(FAILING)
    watched.command("pipeline", "declare", file)
    watched.command("pipeline", "run", "failing", "--wait", code=None)
    wanted = {"disk_use", "memory_use", "connection_use", "job_failures"}
    host, port = watched.url.split("//")[1].split(":")
    with contextlib.ExitStack() as held:

        def told():
            # There is always an open connection, however long it takes: the server ends idle ones.
            held.enter_context(socket.create_connection((host, int(port))))
            return {notice["alert"] for notice in inbox[1] if notice["state"] == "firing"} >= wanted

        wait_until(told)
    firing = states(watched, code=None)
    assert firing["component_down"] == "ok" and firing["disk_use"] == "firing" and firing["memory_use"] == "firing"
    assert firing["job_failures"] == "firing"
    notice = next(n for n in inbox[1] if n["alert"] == "job_failures")
    assert notice["summary"] == "1 of 1 steps failed within 15 minutes" and notice["value"] == 100
    assert notice["source"] == watched.url and "job_failures firing" in notice["text"]
    # The command says by its exit code that something is raised.
    watched.command("alert", "list", code=1)
    history = json.loads(watched.command("alert", "history", "--json").stdout)
    assert {(line["alert"], line["state"]) for line in history} >= {("disk_use", "firing"), ("memory_use", "firing")}
    _, _, text = fetch(watched.url + "/metrics")
    assert 'lakehouse_alerts_firing{rule="disk_use"} 1' in text.decode()


def test_samples_and_alerts_are_tables(watched):
    assert [row[0] for row in rows(watched, "SHOW TABLES FROM system.operations")] == [
        "alert_history", "alerts", "samples",
    ]
    assert len(rows(watched, "SELECT * FROM system.operations.alerts")) == 5
    wait_until(lambda: rows(watched, "SELECT count(*) FROM system.operations.samples WHERE measure = 'connections'")[0][0] >= 2)
    measures = {row[0]: row[1] for row in rows(watched, "SELECT measure, max(value) FROM system.operations.samples GROUP BY 1")}
    assert measures["components_up"] >= 10 and measures["components_down"] == 0
    assert measures["memory_bytes"] > 1 << 20 and 0 < measures["disk_used_percent"] <= 100
    assert measures["http_requests"] > 0 and measures["job_steps_failed"] == 1
    # Conditions that go down to the index and those that do not give the same rows.
    newest = rows(watched, "SELECT CAST(max(at) AS varchar) FROM system.operations.samples")[0][0]
    bound = f"at <= CAST('{newest}' AS timestamp(3) with time zone)"
    counts = [
        rows(watched, f"SELECT count(*), sum(value) FROM system.operations.samples WHERE {condition} AND {bound}")
        for condition in ("measure IN ('connections', 'memory_bytes')", "measure || '' IN ('connections', 'memory_bytes')")
    ]
    assert counts[0] == counts[1] and counts[0][0][0] > 0
    assert rows(watched, "SELECT count(*) FROM system.operations.samples WHERE at < TIMESTAMP '2020-01-01 00:00:00 UTC'") == [[0]]


def test_the_page_has_ten_panels_and_the_alerts(watched):
    token = watched.variables()["LAKEHOUSE_TOKEN"]
    status, _, body = fetch(watched.url + "/dashboards/operations", headers={"Authorization": f"Bearer {token}"})
    page = body.decode()
    assert status == 200 and 'class="fault"' not in page, page[:3000]
    assert page.count("<section class=\"tile") == 11
    for title in (
        "Components that work", "Disk used", "Memory used", "Connections open", "Requests", "Failures", "Queries",
        "Steps of pipelines", "Memory and processor", "Traffic", "Alerts",
    ):
        assert f">{title}</h2>" in page
    assert page.count("<figure>") >= 4 and "job_failures" in page


def test_states_survive_a_restart_and_end_when_they_are_over(tmp_path, inbox):
    data = tmp_path / "data"
    base = ["--set", "alerts.interval-seconds=1", "--set", "alerts.hold-seconds=0"]
    with Appliance(data, *base, "--set", "alerts.disk-percent=0") as appliance:
        wait_until(lambda: states(appliance).get("disk_use") == "firing")
    with Appliance(data, *base, "--set", "alerts.disk-percent=100") as appliance:
        wait_until(lambda: states(appliance).get("disk_use") == "ok")
        history = json.loads(appliance.command("alert", "history", "--json").stdout)
        assert [line["state"] for line in history if line["alert"] == "disk_use"] == ["ok", "firing"]


def test_a_webhook_that_is_no_address_is_refused(tmp_path):
    done = lakehouse("init", "--data", tmp_path / "d", "--set", "alerts.webhook=ftp://x", code=1)
    assert "config.invalid_setting" in done.stderr
