"""`lakehouse sql --server URL`: TLS, certificates, credentials, sessions, refusals that say what to do."""

import csv
import io
import json
import os
import socket
import threading

import pytest
from appliance import Appliance, lakehouse


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Appliance(tmp_path_factory.mktemp("remote") / "data")
    made.command("user", "create", "ann", "--role", "engineer", "--password", "-", stdin="a-good-long-password\n")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def known(server):
    return server.variables()


@pytest.fixture
def ask(server, known, tmp_path):
    """Runs `lakehouse sql --server` far from the directory of the server."""
    secret = tmp_path / "password"
    secret.write_text("a-good-long-password\n")

    def run(*words, scheme="https", ca=True, user=True, code=0, **options):
        address = f"{scheme}://localhost:{server.port}"
        extra = ["--ca", known["LAKEHOUSE_CA"]] if ca and scheme == "https" else []
        extra += ["--user", "ann", "--password-file", secret] if user else []
        return lakehouse("sql", "--server", address, *extra, *words, code=code, cwd=tmp_path, **options)

    return run


def test_rows_come_as_a_table_csv_and_json(ask):
    text = "select * from (values (1, 'one', 2.5), (20, null, 0.25)) t(id, name, price)"
    table = ask("-c", text).stdout
    assert "one" in table and "NULL" in table and "(2 rows)" in table
    assert table.splitlines()[2].startswith(" 1 | one")
    rows = list(csv.reader(io.StringIO(ask("--csv", "-c", text).stdout)))
    assert rows == [["id", "name", "price"], ["1", "one", "2.50"], ["20", "", "0.25"]]
    lines = [json.loads(line) for line in ask("--json", "-c", text).stdout.splitlines()]
    assert lines[0]["id"] == 1 and lines[1]["name"] is None
    rows = "select a * 1000 + b from unnest(sequence(0, 99)) t(a), unnest(sequence(1, 1000)) u(b)"
    many = ask("--csv", "-c", rows).stdout
    assert len(many.splitlines()) == 100001


def test_the_session_lives_through_the_statements(ask):
    script = """
        create schema if not exists silver.remote; use silver.remote;
        create table t (a integer, b varchar);
        insert into t values (1, 'x'), (2, 'y;z');
        prepare q from select b from t where a = ?; execute q using 2;
        set session query_max_run_time = '5m'; show session like 'query_max_run_time'; drop table t
    """
    done = ask("-c", script)
    assert "INSERT: 2 rows" in done.stdout and "y;z" in done.stdout and "5m" in done.stdout
    assert ask("--csv", "--catalog", "silver", "--schema", "remote", "-c", "show tables").stdout.split() == ["Table"]
    assert ask("--csv", stdin="select 1 as a;\nselect 2 as b;\n").stdout.split() == ["a", "1", "b", "2"]


def test_wrong_sql_has_a_caret_and_stops_the_script(ask):
    done = ask("-c", "select 1 as one; select nme from (values 1) t(name); select 2 as two", code=1)
    assert "COLUMN_NOT_FOUND" in done.stderr and "^" in done.stderr
    assert "one" in done.stdout and "two" not in done.stdout


def test_a_token_is_enough(ask, known):
    environment = {"LAKEHOUSE_TOKEN": known["LAKEHOUSE_TOKEN"], "LAKEHOUSE_CA": known["LAKEHOUSE_CA"]}
    done = ask("--csv", "-c", "select current_user", ca=False, user=False, environment=environment)
    assert len(done.stdout.split()) == 2
    environment["LAKEHOUSE_TOKEN"] = "not.a.token"
    done = ask("-c", "select 1", ca=False, user=False, environment=environment, code=1)
    assert "does not accept the credential" in done.stderr and "cli.refused" in done.stderr


def test_the_password_comes_from_standard_input_too(server, known):
    words = ["--server", f"https://127.0.0.1:{server.port}", "--ca", known["LAKEHOUSE_CA"], "--user", "ann"]
    done = lakehouse("sql", *words, "--password-file", "-", "--csv", "-c", "select current_user", stdin="a-good-long-password\n")
    assert done.stdout.split()[1] == "ann"
    done = lakehouse("sql", *words, "--password-file", "-", "-c", "select 1", stdin="wrong\n", code=1)
    assert "does not accept the credential" in done.stderr


def test_a_certificate_of_an_unknown_authority_is_refused(ask, tmp_path):
    done = ask("-c", "select 1", ca=False, code=1)
    assert "no trusted TLS connection" in done.stderr and "--ca" in done.stderr
    other = tmp_path / "other.pem"
    other.write_text("no certificate\n")
    assert "lakehouse:" in ask("--ca", other, "-c", "select 1", ca=False, code=1).stderr
    missing = ask("--ca", tmp_path / "none.pem", "-c", "select 1", ca=False, code=2)
    assert "none.pem" in missing.stderr


def test_a_certificate_for_another_name_is_refused(server, known, tmp_path):
    """The name `localhost.` of the same machine is not in the certificate."""
    address = f"https://{socket.gethostname()}:{server.port}"
    done = lakehouse("sql", "--server", address, "--ca", known["LAKEHOUSE_CA"], "-c", "select 1", code=1)
    assert "no trusted TLS connection" in done.stderr or "no server answers" in done.stderr


def test_plain_http_stays_on_this_machine(ask, server):
    assert ask("--csv", "-c", "select 1 as a", scheme="http").stdout.split() == ["a", "1"]
    done = lakehouse("sql", "--server", "http://192.0.2.1:8080", "-c", "select 1", code=2)
    assert "plain HTTP" in done.stderr and "--insecure" in done.stderr


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["--server", "https://ann:secret@host"], "takes no credentials"),
        (["--server", "https://host:99999"], "no valid port"),
        (["--server", "https://"], "no valid host"),
        (["--server", "ftp://host/x"], "plain http or https"),
        (["--user", "ann"], "goes with --server"),
        (["--server", "https://localhost:1", "--password-file", "-"], "--user NAME is missing"),
        (["--server", "https://localhost:1", "file.csv"], "does not see files"),
    ],
)
def test_wrong_use_is_2_and_says_why(words, complaint):
    assert complaint in lakehouse("sql", *words, "-c", "select 1", code=2, stdin="x").stderr


def test_nobody_there_is_named():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    done = lakehouse("sql", "--server", f"https://127.0.0.1:{port}", "--ca", os.devnull, "-c", "select 1", code=None)
    assert done.returncode == 1
    done = lakehouse("sql", "--server", f"http://127.0.0.1:{port}", "-c", "select 1", code=1)
    assert f"no server answers at 127.0.0.1:{port}" in done.stderr


TRINO = [
    (200, {"X-Trino-Set-Catalog": "tpch"}, {"id": "q", "nextUri": "http://elsewhere.example/v1/statement/queued/q/1"}),
    (503, {"Retry-After": "0"}, None),
    (200, {}, {"id": "q", "columns": [{"name": "n", "type": "decimal(3,1)"}, {"name": "m", "type": "map(varchar, bigint)"}],
               "data": [["1.5", {"a": 1}]], "nextUri": "http://elsewhere.example/v1/statement/executing/q/2"}),
    (200, {}, {"id": "q", "stats": {"state": "FINISHED"}, "warnings": [{"message": "take care"}]}),
]


def test_another_trino_is_spoken_to_as_its_own_client_does():
    """A small server that answers as Trino does: queued first, busy once, a next address at another host."""
    heard = []

    def serve(listener):
        connection, _ = listener.accept()
        stream = connection.makefile("rb")
        for status, fields, body in TRINO:
            head = []
            while (line := stream.readline().strip()) != b"":
                head.append(line.decode())
            length = next((int(line.split(":")[1]) for line in head if line.lower().startswith("content-length")), 0)
            heard.append((head, stream.read(length).decode()))
            text = json.dumps(body or {}).encode()
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            connection.sendall(f"HTTP/1.1 {status} x\r\n{lines}Content-Length: {len(text)}\r\n\r\n".encode() + text)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        done = lakehouse("sql", "--server", address, "--user", "zoe", "--csv", "-c", "select 1.5")
        thread.join(10)
    assert done.stdout.splitlines() == ["n,m", '1.5,"{""a"":1}"']
    assert "warning: take care" in done.stderr
    assert heard[0][0][0] == "POST /v1/statement HTTP/1.1" and heard[0][1] == "select 1.5"
    assert "X-Trino-User: zoe" in heard[0][0]
    assert [head[0].split()[1] for head, _ in heard[1:]] == [
        "/v1/statement/queued/q/1", "/v1/statement/queued/q/1", "/v1/statement/executing/q/2"]
