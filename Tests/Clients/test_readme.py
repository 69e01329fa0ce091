"""What README.md tells people to type can be typed.

The lines of every shell block run, block by block, in a folder with a running appliance. What is not run is
named in `NOT_RUN` with the reason, and is at least taken apart. Commands within sentences are taken apart.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from appliance import BINARY, ROOT, lakehouse, plain_environment

README = (ROOT / "README.md").read_text()
# Lines of shell blocks that do not run here, by their beginning, with the reason.
NOT_RUN = {
    "make build": "takes minutes; the binary that the tests run was made by it",
    "make test": "is what runs this test",
    "make bench": "takes minutes",
    "make demo": "builds first; test_demo.py runs the walkthrough itself",
    "make test-long": "takes an hour",
    "lakehouse serve": "the test has started it already, on this directory",
    "git clone": "needs the network",
    "cd ": "follows a clone",
}
# What stands for a word of the reader's own, in commands within sentences.
WORDS = {"TOOL": "env", "NAME": "ann", "DIR": "lakehouse-data", "FILE": "file", "URL": "https://localhost:8080"}


def blocks():
    """The lines of each shell block, without comments, with continued lines joined."""
    found = []
    for text in re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", README, re.M | re.S):
        lines = []
        for line in text.replace("\\\n", " ").splitlines():
            line = re.sub(r"(^|\s)#\s.*$", "", line).strip()
            line = re.sub(r"^\$ ", "", line)
            if line:
                lines.append(line)
        found.append(lines)
    return found


def spans():
    """Commands within sentences."""
    return sorted(set(re.findall(r"`((?:lakehouse|make) [^`\n]+)`", README)))


def reason(line):
    line = line.removeprefix(".build/release/")
    return next((NOT_RUN[start] for start in NOT_RUN if re.match(re.escape(start) + r"(\s|$)", line) or line == start), None)


def taken_apart(line):
    """Checks that a `lakehouse` or `make` command exists and knows the options it is given."""
    words = [WORDS.get(word, word) for word in shlex.split(line.removeprefix(".build/release/"))]
    if words[0] == "make":
        subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True, env=plain_environment())
    elif words[0] == "lakehouse":
        lakehouse(*words[1:], "--help")


def test_there_are_blocks_and_every_reason_is_in_use():
    assert blocks() and any("lakehouse serve" in line for block in blocks() for line in block)


@pytest.mark.parametrize("line", sorted({line for block in blocks() for line in block if reason(line)}))
def test_lines_that_are_not_run_are_taken_apart(line):
    taken_apart(line)


@pytest.mark.parametrize("line", spans())
def test_commands_within_sentences_are_taken_apart(line):
    taken_apart(line)


@pytest.mark.parametrize("number", range(len(blocks())))
def test_blocks_run(number, start, tmp_path):
    lines = [line for line in blocks()[number] if not reason(line)]
    if not lines:
        pytest.skip("nothing in it is run: " + "; ".join(filter(None, map(reason, blocks()[number]))))
    server = start(tmp_path / "lakehouse-data")
    (tmp_path / "bin").mkdir()
    (tmp_path / ".build" / "release").mkdir(parents=True)
    for place in (tmp_path / "bin", tmp_path / ".build" / "release"):
        os.symlink(BINARY, place / "lakehouse")
    # The files of the project that blocks name, and the reader's own data.
    for name in ("Makefile", "demos", "Tests"):
        os.symlink(ROOT / name, tmp_path / name)
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"kind": ["a", "b", "a"], "n": [1, 2, 3]}), tmp_path / "data" / "events.parquet")
    tools = str(Path(sys.executable).parent)
    if any(re.search(r"\baws\b", line) for line in lines) and shutil.which("aws", path=tools) is None:
        pytest.skip("the aws command is not installed")
    environment = plain_environment()
    environment["PATH"] = f"{tmp_path / 'bin'}:{tools}:{environment['PATH']}"
    environment["HOME"] = str(tmp_path)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", "\n".join(lines)],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, env=environment, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, "\n".join(lines) + f"\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    server.stop()
