"""`serve --respawn`: a tiny parent that starts the server again when it broke, and says what happened."""

import json
import os
import signal
import socket
import threading

import requests

from appliance import BINARY, fetch, lakehouse

PAUSE = threading.Event()


def until(condition, what):
    """Polls for what is to come about; two minutes at the most, on however slow a machine."""
    for _ in range(1200):
        if (found := condition()) is not None:
            return found
        PAUSE.wait(0.1)
    raise AssertionError(f"it never came about: {what}")


def child_of(server):
    """The process that serves: the only child of the one that was started."""
    text = open(f"/proc/{server.pid}/task/{server.pid}/children").read().split()
    return int(text[0]) if text else None


def ready(server):
    try:
        return True if fetch(server.url + "/readyz")[0] == 200 else None
    except OSError:
        return None


def kill_child(server):
    first = until(lambda: child_of(server), "a child")
    os.kill(first, signal.SIGKILL)
    return until(lambda: child if (child := child_of(server)) not in (None, first) else None, "another child")


def home(server):
    browser = requests.Session()
    link = server.command("user", "link", "admin").stdout.strip().split()[-1]
    page = browser.get(link, timeout=30)
    if page.status_code == 200 and "Overview" not in page.text:
        page = browser.get(server.url + "/", timeout=30)
    return page.text


def test_a_killed_server_is_there_again_with_its_data_and_says_so(start):
    server = start(None, "--respawn")
    server.command("sql", "-c", "create schema bronze.kept")
    server.command("sql", "-c", "create table bronze.kept.t as select 1 as a")
    second = kill_child(server)
    until(lambda: ready(server), "ready again, on the same port")
    assert server.process.poll() is None and child_of(server) == second
    until(lambda: True if "signal 9 (killed)" in server.log() else None, "a line in the log")
    rows = json.loads(server.command("sql", "--json", "-c", "select a from bronze.kept.t").stdout)
    assert rows == {"a": 1}
    page = home(server)
    assert "signal 9 (killed)" in page and "It is the first time" in page
    server.stop()  # checks the exit code 0
    assert not os.path.exists(f"/proc/{second}")


def test_the_child_ends_with_its_parent(start):
    server = start(None, "--respawn")
    child = until(lambda: child_of(server), "a child")
    server.kill()

    def is_gone():
        try:
            state = open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        return True if state == "Z" else None

    until(is_gone, "the end of the child")
    # It has drained: the directory is free for the next.
    lakehouse("sql", "-c", "select 1", "--data", server.directory)


def test_what_does_not_pass_by_itself_is_told_once(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = lakehouse(
            "serve", "--respawn", "--data", tmp_path / "data", "--set", f"ports.console={port}", "--set", "ports.s3=0",
            code=1,
        )
    assert str(port) in done.stderr and "started again" not in done.stderr
    help_text = lakehouse("serve", "--help").stdout
    assert "--respawn" in help_text and BINARY is not None
