"""A PostgreSQL server of its own: in a temporary directory, on a Unix socket, not as root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

PASSWORD = "s3cret-of-the-shop"


def programs():
    """The folder of initdb and pg_ctl; nil where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return Path(path).parent if path else None


class Postgres:
    """One cluster with one database, `shop`, and one user, `reader`."""

    def __init__(self):
        # Short: a socket's path has at most 107 letters.
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self.data = self.folder / "data"
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        os.chmod(self.folder, 0o755)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "-D", self.data, "-U", "reader", "--auth=scram-sha-256", f"--pwfile={password}",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )
        self._run(
            "pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o",
            f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off", "start",
        )
        self.sql("create database shop", database="postgres")

    def _run(self, program, *arguments):
        done = subprocess.run(
            [programs() / program, *map(str, arguments)], user=self.user, cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            timeout=120, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        ) if program != "pg_ctl" else subprocess.run(
            # The server keeps the pipe of whoever starts it.
            [programs() / program, *map(str, arguments)], user=self.user, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            timeout=120, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stdout or self.log()
        return done.stdout

    def log(self):
        place = self.folder / "log"
        return place.read_text() if place.exists() else ""

    def sql(self, text, database="shop"):
        """Runs statements with psql; what they answer, unaligned."""
        done = subprocess.run(
            [programs() / "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U",
             "reader", "-d", database],
            input=text, capture_output=True, text=True, timeout=60,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD, "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def url(self):
        return f"jdbc:postgresql:///shop?host={self.folder}"

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)
