"""Starts, asks and stops the real binary, as a person would from a shell."""

import os
import queue
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("LAKEHOUSE_BINARY", ROOT / ".build" / "release" / "lakehouse"))

# What the run was started with: what installs something needs its proxies and certificates, which
# the clients of an appliance do not see.
STARTED_WITH = dict(os.environ)

# What `lakehouse connect env` sets (DESIGN, section 1).
NAMES = (
    "AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION CATALOG_URI "
    "CATALOG_CREDENTIAL CATALOG_OAUTH2_URI WAREHOUSE TRINO_HOST TRINO_PORT TRINO_USER "
    "TRINO_PASSWORD TRINO_CATALOG LAKEHOUSE_TOKEN LAKEHOUSE_CA LAKEHOUSE_URL OIDC_ISSUER"
).split()

START_SECONDS = 90
STOP_SECONDS = 90


# A bundle named here would stand above the authority that a client is given.
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def plain_environment(environment=None):
    """An environment (this process's) without an appliance's variables, proxies and trusted bundles."""
    kept = {
        name: value
        for name, value in (environment or os.environ).items()
        if name not in NAMES
        and name not in BUNDLES
        and not name.startswith(("AWS_", "LAKEHOUSE_"))
        and not name.lower().endswith("_proxy")
    }
    return {**kept, "NO_PROXY": "*", "LC_ALL": "C.UTF-8"}


def lakehouse(*arguments, code=0, stdin=None, timeout=60, cwd=None, environment=None):
    """Runs one command to its end and checks its exit code; the finished process."""
    done = subprocess.run(
        [str(BINARY), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        env={**plain_environment(), **(environment or {})},
    )
    if code is not None:
        assert done.returncode == code, (
            f"lakehouse {' '.join(map(str, arguments))}: exit {done.returncode}, wanted {code}\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done


def fetch(url, method="GET", data=None, headers=None, timeout=10):
    """Status, fields and body of one exchange; no redirects, no exceptions for statuses."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments):
            return None

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


class Appliance:
    """One running server on its own data directory."""

    def __init__(self, directory, *arguments, environment=None):
        self.directory = Path(directory)
        self.lines = queue.Queue()
        self.output, self.errors = [], []
        began = time.monotonic()
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--data", str(directory), "--ports", "auto", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**plain_environment(), **(environment or {})},
        )
        self.readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.output), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.errors), daemon=True),
        ]
        for reader in self.readers:
            reader.start()
        try:
            self.url = self._address(r"console\b.*?(https?://\S+)", began)
            self.s3_url = self._address(r"\bS3\s+(https?://\S+)", began)
            self._await_ready(began)
        except BaseException:
            self.kill()
            raise
        self.start_seconds = time.monotonic() - began

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def _read(self, stream, kept):
        for line in stream:
            kept.append(line)
            if stream is self.process.stdout:
                self.lines.put(line)
        if stream is self.process.stdout:
            self.lines.put(None)

    def _address(self, pattern, began):
        """Reads the lines that name the addresses, until `pattern` is among them."""
        while True:
            for line in self.output:
                if found := re.search(pattern, line):
                    return found.group(1)
            left = START_SECONDS - (time.monotonic() - began)
            assert left > 0, f"no address within {START_SECONDS} s\n{self.log()}"
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                continue
            assert line is not None, f"the server ended: {self.process.wait()}\n{self.log()}"

    def _await_ready(self, began):
        for attempt in range(START_SECONDS * 100):
            try:
                if fetch(self.url + "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, f"the server ended\n{self.log()}"
            assert time.monotonic() - began < START_SECONDS, f"never ready\n{self.log()}"
            # Between two polls the scheduler may run the server; this is no waiting for a result.
            threading.Event().wait(0.01)
        raise AssertionError(f"never ready\n{self.log()}")

    def log(self):
        return "standard output:\n" + "".join(self.output) + "standard error:\n" + "".join(self.errors)

    def command(self, *arguments, **options):
        """Runs a command on this server's data directory."""
        return lakehouse(*arguments, "--data", self.directory, **options)

    def variables(self, user=None):
        """What `eval "$(lakehouse connect env)"` sets in a shell."""
        extra = ["--user", user] if user else []
        script = 'eval "$("$0" "$@")" && env -0'
        done = subprocess.run(
            ["bash", "-euc", script, str(BINARY), "connect", "env", *extra, "--data", str(self.directory)],
            capture_output=True,
            timeout=60,
            env=plain_environment(),
        )
        assert done.returncode == 0, done.stderr.decode()
        pairs = dict(
            entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry
        )
        missing = [name for name in NAMES if name not in pairs]
        assert not missing, f"connect env does not set {missing}"
        return {name: pairs[name] for name in NAMES}

    def kill(self):
        """kill -9: what a crash looks like from outside."""
        self.process.kill()
        self._reap()

    def stop(self):
        """SIGTERM; the server drains and ends with 0."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end within {STOP_SECONDS} s of SIGTERM\n{self.log()}")
        self._reap()
        assert code == 0, f"exit {code} after SIGTERM\n{self.log()}"

    def _reap(self):
        self.process.wait(STOP_SECONDS)
        for reader in self.readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is not None:
            return
        if kind is None:
            self.stop()
        else:
            self.kill()
