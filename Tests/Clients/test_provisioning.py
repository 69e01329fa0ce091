"""Scripts that set a lakehouse up run again: the same is fine and says so, a contradiction is an error that names it."""

import json
import os
import re
import subprocess

import pytest
import requests
from appliance import BINARY, lakehouse

SECRET = "a-secret-that-is-long-enough-0123456789"
REDIRECTS = ["https://grafana.example/login/generic_oauth", "http://localhost:3000/login"]


@pytest.fixture(params=["server", "one-shot"])
def run(request, start, tmp_path):
    """Commands on a directory, beside its server and before there was one."""
    directory = tmp_path / "data"
    if request.param == "server":
        start(directory)

    def command(*words, **options):
        return lakehouse(*words, "--data", directory, cwd=tmp_path, **options)

    command.folder = tmp_path
    return command


def refused(run, *words, stdin=None):
    done = run(*words, stdin=stdin, code=1)
    assert "hint: " in done.stderr, done.stderr
    return done.stderr


def test_users(run):
    create = ["user", "create", "ann", "--id", "u-ann", "--email", "ann@example.org", "--role", "analyst"]
    password = ["--password", "-"]
    made = json.loads(run(*create, *password, "--json", stdin="a good long password\n").stdout)
    assert made["created"] is True and made["id"] == "u-ann" and made["roles"] == ["analyst"]
    again = json.loads(run(*create, *password, "--json", stdin="a good long password\n").stdout)
    assert again == {**made, "created": False}
    done = run(*create, "--role", "steward", "--group", "team")
    assert done.stdout == "ann exists already, now has the role steward, is now in the group team\n"
    listed = {row["name"]: row for row in json.loads(run("user", "list", "--json").stdout)}
    assert sorted(listed["ann"]["roles"]) == ["analyst", "steward"] and listed["ann"]["groups"] == ["team"]
    assert "u-ann" in refused(run, "user", "create", "ann", "--id", "u-bob")
    assert "another password" in refused(run, "user", "create", "ann", *password, stdin="some other password\n")
    assert "ann@example.org" in refused(run, "user", "create", "ann", "--email", "other@example.org")
    assert "service account" in refused(run, "user", "create", "ann", "--service")
    assert "u-ann" not in run("user", "create", "bob", "--id", "u-bob").stdout
    refused(run, "user", "delete", "carl")


def test_groups_and_roles(run):
    for kind, extra in (("group", []), ("role", ["--grant", "table.select@table:silver/*"])):
        create = [kind, "create", "team", "--id", f"{kind}-1", *extra]
        assert json.loads(run(*create, "--json").stdout) == {"id": f"{kind}-1", "name": "team", "created": True}
        assert json.loads(run(*create, "--json").stdout)["created"] is False
        assert run(*create).stdout == "team exists already\n"
        assert f"{kind}-1" in refused(run, kind, "create", "team", "--id", "other")
        assert "team" in refused(run, kind, "create", "else", "--id", f"{kind}-1")
    assert "now has the role team" in run("group", "create", "team", "--role", "team").stdout
    assert "now allows" in run("role", "create", "team", "--grant", "table.select@table:gold/*").stdout
    grants = [row["grants"] for row in json.loads(run("role", "list", "--json").stdout) if row["name"] == "team"]
    assert len(grants[0]) == 2


def test_keys(run):
    create = ["key", "create", "--user", "etl", "--create-user", "--id", "AKGIVEN0123456789", "--days", "5"]
    (run.folder / "secret.txt").write_text(SECRET + "\n")
    given = [*create, "--secret", "secret.txt", "--json"]
    made = json.loads(run(*given).stdout)
    assert made["created"] is True and made["secretAccessKey"] == SECRET and made["expires"]
    assert json.loads(run(*given).stdout) == {**made, "created": False}
    # Without the secret it is there, and stays unsaid.
    again = json.loads(run(*create, "--json").stdout)
    assert again == {**made, "secretAccessKey": None, "created": False}
    assert "exists already" in run(*create).stdout
    refused(run, *create, "--secret", "-", stdin="another-secret-0123456789\n")
    run("user", "create", "eve")
    refused(run, "key", "create", "--user", "eve", "--id", "AKGIVEN0123456789")
    run("key", "disable", "AKGIVEN0123456789")
    assert "key enable" in refused(run, *create)
    assert "--create-user" in refused(run, "key", "create", "--user", "nobody")


def test_a_secret_is_never_an_argument_and_never_repeated(run):
    done = run("key", "create", "--user", "etl", "--create-user", "--secret", SECRET, code=2)
    assert SECRET not in done.stdout + done.stderr and "never the secret itself" in done.stderr
    done = run("user", "create", "ann", "--password", "-", stdin="\n", code=2)
    assert "empty" in done.stderr


def test_lists_name_the_ids_that_were_given(run):
    run("user", "create", "ann", "--id", "u-ann")
    run("group", "create", "team", "--id", "g-team")
    run("role", "create", "reader", "--id", "r-reader", "--grant", "table.select@table:silver/*")
    for kind, name, given in (("user", "ann", "u-ann"), ("group", "team", "g-team"), ("role", "reader", "r-reader")):
        rows = json.loads(run(kind, "list", "--json").stdout)
        assert [row["id"] for row in rows if row["name"] == name] == [given]
        assert all(row["id"] for row in rows)
        # People read names.
        assert given not in run(kind, "list").stdout


@pytest.mark.parametrize("kind", ["key", "client"])
def test_a_user_made_with_a_credential_has_the_role_that_the_help_names(kind, tmp_path):
    text = lakehouse(kind, "create", "--help").stdout
    role = re.search(r"--create-user +makes the user when there is none, with the role (\w+)", text).group(1)
    lakehouse(kind, "create", "--user", "etl", "--create-user", "--data", tmp_path / "data")
    rows = json.loads(lakehouse("user", "list", "--json", "--data", tmp_path / "data").stdout)
    assert [row["roles"] for row in rows if row["name"] == "etl"] == [[role]]


def piped(words, option, text, directory, code=0):
    """Runs a command whose secret comes as `--option <(…)` of a shell gives it."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text.encode())
        os.close(writing)
        command = [str(BINARY), *words, option, f"/dev/fd/{reading}", "--data", str(directory)]
        done = subprocess.run(command, capture_output=True, text=True, pass_fds=[reading], timeout=60)
    finally:
        os.close(reading)
    assert done.returncode == code, done.stderr
    return done


@pytest.mark.parametrize("kind", ["key", "client"])
def test_a_secret_comes_by_a_pipe_that_has_a_name(kind, tmp_path):
    words = [kind, "create", "--user", "etl", "--create-user", "--id", f"etl-{kind}-1", "--json"]
    made = json.loads(piped(words, "--secret", SECRET + "\n", tmp_path / "data").stdout)
    assert made["secretAccessKey" if kind == "key" else "clientSecret"] == SECRET
    again = lakehouse(*words, "--secret", "/dev/stdin", "--data", tmp_path / "data", stdin=SECRET + "\n")
    assert json.loads(again.stdout)["created"] is False


@pytest.mark.parametrize(
    "words, option",
    [
        (["key", "create", "--user", "etl", "--create-user"], "--secret"),
        (["user", "password", "admin"], "--password"),
        (["sql", "--server", "https://localhost:1", "--user", "ann", "-c", "select 1"], "--password-file"),
    ],
    ids=["key", "password", "sql"],
)
def test_what_holds_no_secret_is_named_without_repeating_it(words, option, tmp_path):
    lakehouse("init", "--data", tmp_path / "data")
    for path, complaint in [
        (tmp_path, "names a directory or something else that cannot be read"),
        (tmp_path / "none.txt", "names no file that can be read"),
        ("/dev/zero", "names a file of more than 1 MiB, which is no secret"),
    ]:
        done = lakehouse(*words, option, path, "--data", tmp_path / "data", code=2)
        assert f"{option} {complaint}" in done.stderr and str(path) not in done.stderr
    empty = piped(words, option, "", tmp_path / "data", code=2)
    assert "empty" in empty.stderr or "no password" in empty.stderr


def test_credentials_of_users(run):
    create = ["client", "create", "--user", "ann", "--create-user", "--tool", "superset", "--id", "superset"]
    given = [*create, "--secret", "-", "--json"]
    made = json.loads(run(*given, stdin=SECRET + "\n").stdout)
    assert (made["clientId"], made["clientSecret"], made["user"]) == ("superset", SECRET, "ann")
    assert made["kind"] == "application" and made["expires"]
    assert json.loads(run(*given, stdin=SECRET + "\n").stdout) == {**made, "created": False}
    again = json.loads(run(*create, "--json").stdout)
    assert again == {**made, "clientSecret": None, "created": False}
    assert "secret is another" in refused(run, *create, "--secret", "-", stdin="other-secret-of-16-bytes\n")
    assert "acts for ann" in refused(run, *[w if w != "ann" else "bob" for w in create])
    assert "name is superset" in refused(run, *[w if w != "superset" or i == 8 else "dbt" for i, w in enumerate(create)])
    run("client", "disable", "superset")
    refused(run, *create)
    run("client", "enable", "superset")
    fresh = json.loads(run("client", "rotate", "superset", "--json").stdout)
    assert fresh["clientSecret"] not in (None, SECRET)


def test_oauth_clients(run):
    create = ["client", "create", "--id", "grafana", "--tool", "grafana", "--json"]
    for uri in REDIRECTS:
        create += ["--redirect", uri]
    given = [*create, "--secret", "-"]
    made = json.loads(run(*given, stdin=SECRET).stdout)
    assert made["kind"] == "confidential" and made["redirectURIs"] == REDIRECTS
    assert json.loads(run(*given, stdin=SECRET).stdout) == {**made, "created": False}
    assert "redirects to" in refused(run, "client", "create", "--id", "grafana", "--tool", "grafana", "--redirect", REDIRECTS[0])
    public = ["client", "create", "--id", "page", "--tool", "page", "--public", "--redirect", REDIRECTS[0], "--json"]
    assert json.loads(run(*public).stdout)["clientSecret"] is None
    assert json.loads(run(*public).stdout)["created"] is False
    assert "kind is public" in refused(run, "client", "create", "--id", "page", "--tool", "page", "--redirect", REDIRECTS[0])
    rows = {row["id"]: row for row in json.loads(run("client", "list", "--json").stdout)}
    assert rows["grafana"]["redirects"] == REDIRECTS
    assert "--user NAME is missing" in run("client", "create", code=2).stderr
    assert "redirect" in run("client", "create", "--redirect", "ftp://x", code=1).stderr


def test_days_are_days(tmp_path):
    lakehouse("user", "create", "ann", "--data", tmp_path / "data")
    for verb in (["key", "create"], ["client", "create"], ["connect", "env"]):
        for days in ("0", "9223372036854775807", "many"):
            done = lakehouse(*verb, "--user", "ann", "--days", days, "--data", tmp_path / "data", code=2)
            assert "--days" in done.stderr, (verb, days)


def test_a_provisioned_client_gets_tokens(start):
    server = start()
    server.command(
        "client", "create", "--id", "robot", "--user", "etl", "--create-user", "--redirect", REDIRECTS[1],
        "--secret", "-", stdin=SECRET,
    )
    answer = requests.post(
        server.url + "/oidc/token", data={"grant_type": "client_credentials"}, auth=("robot", SECRET), timeout=30,
    )
    assert answer.status_code == 200 and answer.json()["access_token"], answer.text
