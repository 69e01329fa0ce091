"""What strangers send to a port: ambiguous heads, half requests, readers that never read; and metrics."""

import re
import shutil
import socket
import subprocess

import pytest
from appliance import fetch

LONG = "a" * 20_000
BAD_HEADS = {
    "two lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
    "a signed length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
    "a hexadecimal length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na",
    "a length past 64 bits": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\na",
    "length and chunked": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an obscured chunked": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare LF": "GET / HTTP/1.1\nHost: a\n\n",
    "a bare CR": "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "space before the colon": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a folded line": "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "a space before the first field": "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "a NUL in a value": "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "a NUL in a name": "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
    "no Host": "GET / HTTP/1.1\r\nX: a\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a Host with a path": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a Host that contradicts": "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
    "two spaces": "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": "GET /\r\nHost: a\r\n\r\n",
    "another version": "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "a broken escape": "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a field without a name": "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "a request line too long": f"GET /{LONG} HTTP/1.1\r\n\r\n",
    "a field too long": f"GET / HTTP/1.1\r\nHost: a\r\nX: {LONG}\r\n\r\n",
    "too many fields": "GET / HTTP/1.1\r\nHost: a\r\n" + "".join(f"X{n}: a\r\n" for n in range(200)) + "\r\n",
}
BAD_CHUNKS = {
    "no hexadecimal size": "xyz\r\nabc\r\n0\r\n\r\n",
    "a negative size": "-1\r\na\r\n0\r\n\r\n",
    "a size past 64 bits": "fffffffffffffffff\r\na\r\n0\r\n\r\n",
    "a size with a bare LF": "1\na\r\n0\r\n\r\n",
    "more bytes than the size": "1\r\nab\r\n0\r\n\r\n",
}


def ports(appliance):
    return [int(url.rsplit(":", 1)[1]) for url in (appliance.url, appliance.s3_url)]


def exchange(port, content):
    """Everything the server answers until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(content.encode("latin-1"))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
            if len(answer) > 1 << 20:
                break
        return answer


@pytest.mark.parametrize("name", BAD_HEADS)
def test_an_ambiguous_head_is_refused_and_the_connection_closed(appliance, name):
    for port in ports(appliance):
        answer = exchange(port, BAD_HEADS[name])
        assert re.match(rb"HTTP/1\.1 (4\d\d|50[15]) ", answer), answer[:200]
        assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", answer)) == 1, "a second answer would be smuggled"


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_a_wrong_chunk_is_refused(appliance, name):
    head = "POST /oidc/token HTTP/1.1\r\nHost: localhost:%d\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    answer = exchange(appliance.port, head % appliance.port + BAD_CHUNKS[name])
    assert re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:200]
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", answer)) == 1


@pytest.mark.parametrize("size", [300_000, 20_000_000])
def test_an_early_refusal_of_an_upload_is_heard(appliance, size):
    """The answer comes while the body does; a client that sends on first must still find it."""
    for port in ports(appliance):
        head = f"PUT /nobody/knows HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
        answer = exchange(port, head + "a" * size)
        assert re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:200]


def test_slow_and_stalled_clients_delay_nobody(appliance):
    held = []
    try:
        for port in ports(appliance):
            for _ in range(64):
                half = socket.create_connection(("127.0.0.1", port))
                half.sendall(b"GET / HTTP/1.1\r\nHost: loc")
                uploader = socket.create_connection(("127.0.0.1", port))
                uploader.sendall(b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc")
                reader = socket.create_connection(("127.0.0.1", port))
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 64)
                held += [half, uploader, reader]
        # Each within the ten seconds of `fetch`: those who are held longer would hold these as well.
        for _ in range(20):
            assert fetch(appliance.url + "/healthz")[0] == 200
    finally:
        for connection in held:
            connection.close()
    assert fetch(appliance.url + "/readyz")[0] == 200


def test_health_readiness_and_metrics(appliance):
    assert fetch(appliance.url + "/healthz")[0] == 200
    status, _, body = fetch(appliance.url + "/readyz")
    assert status == 200 and b": " in body
    status, fields, body = fetch(appliance.url + "/metrics")
    assert status == 200 and fields["Content-Type"].startswith("text/plain; version=0.0.4")
    names = re.findall(r"^# TYPE (\S+) ", body.decode(), re.M)
    assert names and all(name.startswith(("lakehouse_", "process_")) for name in names)


def test_metrics_are_clean_for_promtool(appliance):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    body = fetch(appliance.url + "/metrics")[2]
    done = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=30)
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode()


def test_tls_and_plain_on_one_port(appliance):
    import ssl

    context = ssl.create_default_context(cafile=appliance.variables()["LAKEHOUSE_CA"])
    for port in ports(appliance):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert secure.recv(4096).startswith(b"HTTP/1.1 ")
                assert secure.version() in ("TLSv1.2", "TLSv1.3")
