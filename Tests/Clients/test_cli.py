"""The command line: help, lists, exit codes, refusals that say what to do, SQL over files."""

import csv
import io
import json
import re
import socket
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from appliance import fetch, lakehouse

FAMILIES = "serve demo sql pipeline connect user group client key role doctor config backup version".split()


def commands():
    """Every command that the overview names."""
    found = []
    for line in lakehouse("--help").stdout.splitlines():
        if match := re.match(r"  ([a-z]+(?: [a-z-]+)?)  +\S", line):
            found.append(match.group(1))
    return found


def test_the_overview_names_every_command():
    names = {name.split()[0] for name in commands()}
    assert [family for family in FAMILIES if family not in names] == []


def test_version_is_a_word_and_json():
    assert re.fullmatch(r"lakehouse \d+\.\d+\.\d+\n", lakehouse("version").stdout)
    assert json.loads(lakehouse("version", "--json").stdout)["format"] >= 1
    assert lakehouse("--version").stdout == lakehouse("version").stdout
    assert lakehouse("--version", "--json").stdout == lakehouse("version", "--json").stdout


@pytest.mark.parametrize(
    "words, complaint",
    [
        ([], None),
        (["srve"], "did you mean serve"),
        (["serve", "--prots", "auto"], "did you mean --ports"),
        (["serve", "--data"], "--data wants a value"),
        (["key", "create"], "--user NAME is missing"),
        (["connect", "excel"], "unknown tool: excel"),
        (["user"], None),
    ],
)
def test_wrong_usage_is_2_and_says_what_was_meant(words, complaint, tmp_path):
    extra = []
    if words and words[0] in ("key", "connect"):
        extra = ["--data", tmp_path / "data"]
        lakehouse("init", *extra)
    done = lakehouse(*words, *extra, code=2)
    if complaint:
        assert complaint in done.stderr


def test_provisioning_is_idempotent_and_takes_secrets_from_standard_input(tmp_path):
    directory = tmp_path / "data"
    create = ["key", "create", "--user", "etl", "--create-user", "--json", "--data", directory]
    made = json.loads(lakehouse(*create).stdout)
    assert made["accessKeyId"] and made["secretAccessKey"] and made["user"] == "etl"
    given = [*create, "--id", "AKGIVEN0123456789", "--secret", "-"]
    for _ in range(2):
        again = json.loads(lakehouse(*given, stdin="a-secret-that-is-long-enough-0123456789\n").stdout)
        assert again["accessKeyId"] == "AKGIVEN0123456789"
        assert again["secretAccessKey"] == "a-secret-that-is-long-enough-0123456789"
    ids = [row["accessKeyId"] for row in json.loads(lakehouse("key", "list", "--json", "--data", directory).stdout)]
    assert sorted(ids) == sorted([made["accessKeyId"], "AKGIVEN0123456789"])
    assert made["secretAccessKey"] not in lakehouse("key", "list", "--json", "--data", directory).stdout
    for _ in range(2):
        lakehouse("user", "create", "ann", "--data", directory)
        lakehouse("group", "create", "team", "--role", "analyst", "--data", directory)
        lakehouse("group", "add", "team", "ann", "--data", directory)
    groups = json.loads(lakehouse("group", "list", "--json", "--data", directory).stdout)
    assert [row["members"] for row in groups if row["name"] == "team"] == [["ann"]]
    done = lakehouse("group", "add", "team", "nobody", "--data", directory, code=1)
    assert "nobody" in done.stderr


def test_what_a_command_did_beside_a_server_the_server_knows(start):
    server = start()
    made = json.loads(server.command("key", "create", "--user", "etl", "--create-user", "--json").stdout)
    listed = json.loads(server.command("key", "list", "--json").stdout)
    assert made["accessKeyId"] in [row["accessKeyId"] for row in listed]
    assert "everything is in order" in server.command("doctor").stdout
    server.stop()
    again = json.loads(server.command("key", "list", "--json").stdout)
    assert made["accessKeyId"] in [row["accessKeyId"] for row in again]


def test_a_second_start_is_refused_with_the_pid_of_the_first(start):
    server = start()
    done = lakehouse("serve", "--data", server.directory, "--ports", "auto", code=1)
    assert str(server.pid) in done.stderr and "in use" in done.stderr
    assert "hint: " in done.stderr
    assert fetch(server.url + "/readyz")[0] == 200


@pytest.mark.parametrize("port", ["ports.console", "ports.s3"])
def test_a_taken_port_is_named_and_leaves_nothing_running(port, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        number = holder.getsockname()[1]
        ports = {"ports.console": 0, "ports.s3": 0, port: number}
        words = [word for pair in ports.items() for word in ("--set", "%s=%d" % pair)]
        done = lakehouse("serve", "--data", tmp_path / "data", *words, code=1)
    assert str(number) in done.stderr
    assert done.stderr.count("is taken") == 1 and "because" not in done.stderr, done.stderr
    lakehouse("user", "list", "--data", tmp_path / "data")


def test_a_newer_format_and_a_damaged_one_are_refused(tmp_path):
    directory = tmp_path / "data"
    lakehouse("init", "--data", directory)
    kept = (directory / "FORMAT").read_text()
    (directory / "FORMAT").write_text("999\n")
    done = lakehouse("serve", "--data", directory, "--ports", "auto", code=1)
    assert "999" in done.stderr and "newer lakehouse" in done.stderr
    (directory / "FORMAT").write_text("what?\nsecond line\n")
    done = lakehouse("user", "list", "--data", directory, code=1)
    assert "backup" in done.stderr and '"what?\\nsecond' in done.stderr
    (directory / "FORMAT").write_text(kept)
    lakehouse("user", "list", "--data", directory)


def test_databases_without_a_format_are_refused_and_left_alone(tmp_path):
    directory = tmp_path / "data"
    lakehouse("user", "create", "ann", "--data", directory)
    kept = (directory / "FORMAT").read_text()
    (directory / "FORMAT").unlink()
    for words in (["serve", "--ports", "auto"], ["init"], ["user", "create", "bob"], ["user", "list"]):
        done = lakehouse(*words, "--data", directory, code=1)
        assert "FORMAT is gone" in done.stderr and "backup" in done.stderr and "[directory.damaged]" in done.stderr
        assert not (directory / "FORMAT").exists()
    # What the hint says, done.
    assert f"echo {kept.strip()} > {directory}/FORMAT" in done.stderr
    (directory / "FORMAT").write_text(kept)
    names = [row["name"] for row in json.loads(lakehouse("user", "list", "--json", "--data", directory).stdout)]
    assert "ann" in names and "bob" not in names


def test_a_directory_with_nothing_of_ours_but_the_lock_is_new(tmp_path):
    # What is there when the first start is killed before it wrote FORMAT.
    (tmp_path / "data").mkdir()
    for name in ("lock", "FORMAT.new"):
        (tmp_path / "data" / name).write_text("")
    assert json.loads(lakehouse("init", "--json", "--data", tmp_path / "data").stdout)["created"] is True


def test_secrets_on_disk_are_for_their_owner_only(tmp_path):
    directory = tmp_path / "data"
    lakehouse("init", "--data", directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "master.key").stat().st_mode) == 0o600


def test_a_setting_shows_where_it_came_from(tmp_path):
    file = tmp_path / "lakehouse.yml"
    file.write_text("drain-seconds: 7\nlog:\n  level: error\n")

    def shown(*words, **options):
        rows = json.loads(lakehouse("config", "show", "--json", *words, **options).stdout)
        return {row["setting"]: (row["value"], row["origin"]) for row in rows}

    assert shown()["drain-seconds"][0] == "10"
    assert shown("--config", file)["drain-seconds"][0] == "7"
    assert str(file) in shown("--config", file)["drain-seconds"][1]
    environment = {"LAKEHOUSE_DRAIN_SECONDS": "8"}
    assert shown("--config", file, environment=environment)["drain-seconds"][0] == "8"
    flag = ["--config", file, "--set", "drain-seconds=9"]
    assert shown(*flag, environment=environment)["drain-seconds"][0] == "9"
    lakehouse("config", "check", "--config", file)
    file.write_text("drain-secnods: 7\n")
    done = lakehouse("config", "check", "--config", file, code=1)
    assert "drain-secnods" in done.stderr and "drain-seconds" in done.stderr


# SQL over files, in process.


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    table = pa.table(
        {
            "id": pa.array([1, 2, 3, None], pa.int64()),
            "name": pa.array(["one", "two, and more", None, "four"], pa.string()),
            "price": pa.array([1.5, 2.25, -0.5, None], pa.float64()),
        }
    )
    pq.write_table(table, folder / "things.parquet")
    (folder / "people.csv").write_text('id,name,born\n1,"Ann ""A""",1980-02-29\n2,Bob,1999-12-31\n')
    (folder / "events.jsonl").write_text('{"id": 1, "kind": "in"}\n{"id": 3, "kind": "out", "n": 2}\n')
    return folder


def query(text, *words, **options):
    """The rows that `--csv` prints, without the head."""
    done = lakehouse("sql", "--csv", "-c", text, *words, **options)
    return list(csv.reader(io.StringIO(done.stdout)))[1:]


def test_files_are_tables_named_after_their_stems(files):
    all_files = [files / name for name in ("things.parquet", "people.csv", "events.jsonl")]
    assert query("select count(*), count(id), sum(price) from things", *all_files) == [["4", "3", "3.25"]]
    assert query("select name, year(born) + 1 from people order by id", *all_files) == [
        ['Ann "A"', "1981"],
        ["Bob", "2000"],
    ]
    joined = """
        select p.id, p.name, e.kind from people p left join events e on e.id = p.id order by 1"""
    assert query(joined, *all_files) == [["1", 'Ann "A"', "in"], ["2", "Bob", ""]]
    assert query("select sum(n) from events", *all_files) == [["2"]]


def test_output_is_a_table_csv_or_json(files):
    text = "select id, name from things order by id nulls last"
    table = lakehouse("sql", "-c", text, files / "things.parquet").stdout
    assert "two, and more" in table and "name" in table and "4 rows" in table
    rows = list(csv.reader(io.StringIO(lakehouse("sql", "--csv", "-c", text, files / "things.parquet").stdout)))
    assert rows[0] == ["id", "name"] and rows[2] == ["2", "two, and more"]
    lines = lakehouse("sql", "--json", "-c", text, files / "things.parquet").stdout.splitlines()
    assert [json.loads(line) for line in lines][1:3] == [
        {"id": 2, "name": "two, and more"},
        {"id": 3, "name": None},
    ]


def test_statements_come_from_a_file_and_from_standard_input(files, tmp_path):
    script = tmp_path / "two.sql"
    script.write_text("-- first\nselect 1 as a;\nselect ';' as b, count(*) as n from things;\n")
    done = lakehouse("sql", "--csv", "-f", script, files / "things.parquet")
    assert done.stdout.splitlines() == ["a", "1", "b,n", ";,4"]
    done = lakehouse("sql", "--csv", files / "things.parquet", stdin="select max(id) as m from things;\n")
    assert done.stdout.splitlines() == ["m", "3"]
    # As `-f <(…)` of a shell is: a pipe with a name.
    done = lakehouse("sql", "--csv", "-f", "/dev/stdin", files / "things.parquet", stdin="select min(id) as m from things")
    assert done.stdout.splitlines() == ["m", "1"]


@pytest.mark.parametrize("words", [["--threads", "1"], ["--threads", "4"], ["--memory-limit", "64MiB"]])
def test_threads_and_memory_are_options(files, words):
    assert query("select count(distinct name) from things", *words, files / "things.parquet") == [["3"]]


@pytest.mark.parametrize(
    "text, complaints",
    [
        ("select nme from things", ["nme", "did you mean", "name", "^"]),
        ("select * from thing", ["thing", "did you mean", "things"]),
        ("selct 1", ["selct", "^"]),
        ("select count(*) from things where", ["^"]),
        ("select 1/0", ["zero"]),
        ("select cast('x' as bigint)", ["x"]),
        ("select start_with('a', 'b')", ["start_with", "starts_with"]),
    ],
)
def test_wrong_sql_is_1_with_a_caret_and_a_hint(files, text, complaints):
    done = lakehouse("sql", "--csv", "-c", text, files / "things.parquet", code=1)
    assert done.stdout == ""
    for complaint in complaints:
        assert complaint in done.stderr.lower(), done.stderr


def test_damaged_files_are_named(files, tmp_path):
    whole = (files / "things.parquet").read_bytes()
    for name, content in [
        ("cut.parquet", whole[: len(whole) // 2]),
        ("empty.parquet", b""),
        ("other.parquet", b"PAR1 this is no parquet file at all PAR1"),
        ("wrong.jsonl", b'{"a": 1}\n{"a": \n'),
    ]:
        path = tmp_path / name
        path.write_bytes(content)
        done = lakehouse("sql", "--csv", "-c", f"select * from {path.stem}", path, code=1)
        assert name in done.stderr, done.stderr
    # A byte changed in the middle is an error or another value, never a crash.
    for offset in range(4, len(whole), max(1, len(whole) // 40)):
        broken = bytearray(whole)
        broken[offset] ^= 0xFF
        path = tmp_path / "flipped.parquet"
        path.write_bytes(bytes(broken))
        done = lakehouse("sql", "--csv", "-c", "select * from flipped", path, code=None)
        assert done.returncode in (0, 1), f"offset {offset}: {done.returncode}\n{done.stderr}"


def test_malformed_csv_says_where(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text('id,name\n1,"never closed\n2,b\n')
    done = lakehouse("sql", "--csv", "-c", "select * from bad", path, code=1)
    assert "bad.csv" in done.stderr
    missing = lakehouse("sql", "--csv", "-c", "select 1", tmp_path / "none.parquet", code=1)
    assert "none.parquet" in missing.stderr


def test_errors_say_each_thing_once_and_name_files_as_they_were_typed(files, tmp_path):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 xx PAR1")
    (tmp_path / "bad.csv").write_text('a,b\n1,"x\n')
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n{"a":\n')
    for name in ("cut.parquet", "bad.csv", "bad.jsonl"):
        done = lakehouse("sql", "-c", "select * from " + name.split(".")[0], name, cwd=tmp_path, code=1)
        assert done.stderr.count(name) == 1 and "s3://" not in done.stderr, done.stderr
        said = [line.removeprefix("lakehouse: ").removeprefix("  because: ") for line in done.stderr.splitlines()]
        assert len(said) == len(set(said)), done.stderr


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["--threads", "0"], "--threads wants a number from 1"),
        (["--threads", "-1"], "--threads wants a number from 1"),
        (["--memory-limit", "1KiB"], "--memory-limit is at least 1MiB"),
        (["--memory-limit", "much"], "--memory-limit wants a number and a unit"),
        (["--csv", "--json"], "--csv and --json are given"),
        (["-f", "q.sql"], "-c and -f q.sql are both given"),
        (["--markdown", "--csv"], "--csv and --markdown are given"),
    ],
)
def test_options_that_make_no_sense_are_refused(files, words, complaint):
    done = lakehouse("sql", *words, "-c", "select 1", files / "things.parquet", code=2)
    assert complaint in done.stderr


@pytest.mark.parametrize("call", ["cuont(*)", "cuont(distinct id)", "cuont(id)", "cuont(*) over ()", "cuont(id) filter (where true)"])
def test_a_mistyped_function_is_guessed(files, call):
    done = lakehouse("sql", "-c", f"select {call} from things", files / "things.parquet", code=1)
    assert "did you mean count?" in done.stderr, done.stderr


def test_two_files_of_one_stem_are_named_apart_or_together(files, tmp_path):
    (tmp_path / "people.csv").write_text("id,name,born\n3,Cy,2001-01-01\n")
    (tmp_path / "a=b.csv").write_text("n\n7\n")
    both = [files / "people.csv", tmp_path / "people.csv"]
    done = lakehouse("sql", "-c", "select 1", *both, code=2)
    assert all(str(path) in done.stderr for path in both) and "people1=" in done.stderr
    count = "select (select count(*) from one), (select count(*) from two)"
    assert query(count, f"one={both[0]}", f"two={both[1]}") == [["2", "1"]]
    assert query("select count(*) from all_of_them", *[f"all_of_them={path}" for path in both]) == [["3"]]
    assert query('select n from "a=b"', tmp_path / "a=b.csv") == [["7"]]
    # A file that has such a name is meant itself.
    assert lakehouse("sql", "--csv", "-c", 'select n from "a=b"', "a=b.csv", cwd=tmp_path).stdout.split() == ["n", "7"]
    assert "one NAME" in lakehouse("sql", "--help").stdout


def test_sql_without_a_file_or_a_lakehouse_computes_and_makes_nothing(tmp_path):
    assert lakehouse("sql", "--csv", "-c", "select 1 + 1 as n", cwd=tmp_path).stdout.split() == ["n", "2"]
    done = lakehouse("sql", "-c", "select * from orders", cwd=tmp_path, code=1)
    assert "there is no lakehouse at ./lakehouse-data" in done.stderr
    assert list(tmp_path.iterdir()) == []
