"""Every command that `lakehouse --help` names: help, an example that parses, JSON where it lists.

The commands are read from the program, so that a new one without an example fails here.
"""

import json
import re
import shlex
import socket

import pytest
from appliance import lakehouse


def overview():
    """The commands with their summaries."""
    found = {}
    for line in lakehouse("--help").stdout.splitlines():
        if match := re.match(r"  ([a-z0-9]+(?: [a-z-]+)?)  +(\S.*)", line):
            found[match.group(1)] = match.group(2)
    return found


COMMANDS = overview()
# Commands that answer with many things, by their name or their summary.
LISTS = [
    name
    for name, summary in COMMANDS.items()
    if name.split()[-1] in ("list", "runs", "ls") or summary.startswith(("lists ", "prints every "))
]
# Those that show rows of one thing, which has to be there first.
SHOWS = [
    name
    for name, summary in COMMANDS.items()
    if name not in LISTS and (name.split()[-1] in ("log", "history", "results") or summary.startswith("shows "))
]


def parts(name):
    """Usage, options and example of a command's help."""
    text = lakehouse(*name.split(), "--help").stdout
    match = re.fullmatch(r"(.+)\n\nusage: lakehouse (.+)\n\noptions:\n(.*)\nexample:\n(.+)", text, re.S)
    assert match, f"the help of {name} has another form:\n{text}"
    summary, usage, options, example = match.groups()
    # Beneath the options there may be words on what they do together.
    return summary, usage, options.split("\n\n")[0] + "\n", example


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_how_and_gives_an_example_that_parses(name):
    summary, usage, options, example = parts(name)
    assert summary == COMMANDS[name] and usage.startswith(name) and usage.endswith(" [options]")
    rows = re.findall(r"^  (?:-\w, |    )--([a-z0-9-]+)(?: (\S+))? {2,}(\S.*)$", options, re.M)
    assert len(rows) == len(options.strip().splitlines()), f"an option without a summary:\n{options}"
    assert {"help", "data", "config", "set"} <= {row[0] for row in rows}
    lines = example.strip().splitlines()
    for line in lines:
        # What a shell does around the command is not the command's own.
        inner = re.sub(r'^eval "\$\((.*)\)"$', r"\1", line.strip())
        words = shlex.split(re.split(r"\s[<>|]", inner)[0])
        assert words[0] == "lakehouse", line
        assert words[1 : 1 + len(name.split())] == name.split(), f"the example of {name} shows something else: {line}"
        # Options and arguments are taken apart before the help is printed: an unknown one, and one too many,
        # is exit 2.
        lakehouse(*words[1:], "--help")


@pytest.mark.parametrize("name", sorted({name.split()[0] for name in COMMANDS}))
def test_families_and_commands_answer_to_help(name):
    for words in ([name, "--help"], [name, "-h"]):
        assert "example:\n  " in lakehouse(*words).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_one_argument_more_than_the_usage_names_is_refused(name, tmp_path):
    usage = parts(name)[1].removeprefix(name).removesuffix(" [options]")
    wanted = [f"a{number}" for number, _ in enumerate(usage.split())]
    if "…" in usage:
        lakehouse(*name.split(), *wanted, "extra", "--help")
        return
    lakehouse(*name.split(), *wanted, "--help")
    words = [*name.split(), *wanted, "extra", "--data", tmp_path / "data"]
    for arguments in (words, [*words, "--help"], [*name.split(), "--data", tmp_path / "data", "--", *wanted, "extra"]):
        done = lakehouse(*arguments, code=2)
        assert re.search("unexpected argument: (extra|the word after)", done.stderr), done.stderr
        assert "hint: usage: lakehouse " + name in done.stderr
        assert done.stdout == ""
    # Nothing was made, served or opened for it.
    assert not (tmp_path / "data").exists()


def test_a_server_refuses_one_argument_more_too(start):
    server = start()
    for words in (["user", "create", "a1", "a2"], ["key", "create", "extra", "--user", "admin"], ["user", "list", "extra"],
                  ["connect", "env", "boto3"], ["doctor", "extra"], ["s3", "cp", "a", "s3://landing/a", "extra"]):
        assert "unexpected argument: " in server.command(*words, code=2).stderr, words
    # Whoever speaks to the socket without the command line is told the same.
    for words in (["user", "create", "a1", "a2"], ["sql", "-c", "select 1", "extra"], ["s3", "cp", "a", "b", "extra"]):
        said = beside(server, words)
        assert said[-1] == {"exit": 2} and "unexpected argument: " in said[0]["err"], said
    names = [row["name"] for row in json.loads(server.command("user", "list", "--json").stdout)]
    assert "a1" not in names and "a2" not in names


def beside(server, words):
    """What the server says to a command that comes over its control socket."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(str(server.directory / "control.sock"))
        line.sendall(json.dumps({"arguments": words, "input": ""}).encode() + b"\n")
        return [json.loads(text) for text in line.makefile()]


@pytest.mark.parametrize("name", sorted({*COMMANDS, *(name.split()[0] for name in COMMANDS)}))
def test_help_of_a_command_is_its_own(name):
    wanted = lakehouse(*name.split(), "--help").stdout
    assert lakehouse("help", *name.split()).stdout == wanted
    assert lakehouse("--help", *name.split()).stdout == wanted


def test_help_knows_what_is_no_command():
    overview = lakehouse("--help").stdout
    assert lakehouse("help").stdout == lakehouse("help", "--help").stdout == lakehouse("help", "help").stdout == overview
    assert "did you mean serve" in lakehouse("help", "srve", code=2).stderr


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_columns_for_people_and_json_for_scripts(name, tmp_path):
    directory = tmp_path / "data"
    lakehouse("init", "--data", directory)
    rows = json.loads(lakehouse(*name.split(), "--json", "--data", directory).stdout)
    assert isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    table = lakehouse(*name.split(), "--data", directory).stdout.splitlines()
    assert len(table) == len(rows) + 1


@pytest.mark.parametrize("name", SHOWS)
def test_what_shows_rows_knows_json(name):
    assert re.search(r"^      --json ", lakehouse(*name.split(), "--help").stdout, re.M)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith("demo ")])
def test_claims_are_lines_for_people_and_json_for_scripts(name):
    claims = json.loads(lakehouse(*name.split(), "--list-claims", "--json").stdout)
    lines = lakehouse(*name.split(), "--list-claims").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [claim["id"] for claim in claims]
    assert len(claims) > 10 and all(claim["claim"] and claim["step"] >= 0 for claim in claims)


def test_the_lists_that_are_known_are_among_them():
    known = "user list, group list, role list, client list, key list, config show, pipeline list, pipeline runs"
    assert set(known.split(", ")) <= set(LISTS)
