"""One appliance for the session: the release binary on loopback, under a directory of its own.

A module that talks to it says `pytestmark = pytest.mark.usefixtures("appliance")`; its variables are then
those of `eval "$(lakehouse connect env)"`. `LAKEHOUSE_BINARY` names another binary.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from appliance import BINARY, ROOT, Appliance, plain_environment


def pytest_configure(config):
    if not os.access(BINARY, os.X_OK):
        raise pytest.UsageError(f"no binary at {BINARY}: run make build, or set LAKEHOUSE_BINARY")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the session's server wrote."""
    outcome = yield
    report = outcome.get_result()
    server = item.session.stash.get(SERVER, None)
    if report.failed and server is not None:
        ended = server.process.poll()
        if ended is not None:
            report.sections.append(("appliance", f"it ended with {ended}"))
        report.sections.append(("appliance's standard error", "".join(server.errors[-40:])))


SERVER = pytest.StashKey()
# When the token of the session was taken, and the age at which another is taken: half of its hour.
TAKEN = pytest.StashKey()
TOKEN_SECONDS = 1800


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """A run that outlives a token, as a person's working day does, takes the next one."""
    taken = item.session.stash.get(TAKEN, None)
    if taken is None or time.monotonic() - taken < TOKEN_SECONDS:
        return
    server = item.session.stash[SERVER]
    if server.process.poll() is None:
        item.session.stash[TAKEN] = time.monotonic()
        os.environ["LAKEHOUSE_TOKEN"] = server.variables()["LAKEHOUSE_TOKEN"]


@pytest.fixture(scope="session")
def appliance(request, tmp_path_factory):
    server = Appliance(tmp_path_factory.mktemp("appliance") / "data")
    request.session.stash[SERVER] = server
    try:
        request.session.stash[TAKEN] = time.monotonic()
        variables = server.variables()
        previous = dict(os.environ)
        os.environ.clear()
        os.environ.update({**plain_environment(previous), **variables})
        # The aws command and older SDKs read this name.
        os.environ["AWS_DEFAULT_REGION"] = variables["AWS_REGION"]
        yield server
        os.environ.clear()
        os.environ.update(previous)
    except BaseException:
        server.kill()
        raise
    server.stop()


@pytest.fixture
def start(tmp_path):
    """Starts further servers, which are gone when the test is."""
    running = []

    def begin(directory=None, *arguments, **options):
        server = Appliance(directory or tmp_path / "data", *arguments, **options)
        running.append(server)
        return server

    yield begin
    for server in running:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def tpch_files():
    """A function from a scale factor to the folder of its eight Parquet files, made once."""

    def folder(scale):
        place = ROOT / ".cache" / f"tpch-sf{scale}"
        if not (place / "made").exists():
            place.mkdir(parents=True, exist_ok=True)
            program = Path(sys.executable).parent / "tpchgen-cli"
            subprocess.run(
                [program, "parquet", "-s", str(scale), "--output-dir", place],
                check=True, capture_output=True, env=plain_environment(),
            )
            (place / "made").touch()
        return place

    return folder
