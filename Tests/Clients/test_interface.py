"""What the lakehouse tells about itself: its authority for TLS, and its REST interface as OpenAPI."""

import re
import ssl
import urllib.request

import pytest
import requests
from appliance import lakehouse

API = "/api/v1/openapi.json"


def test_the_authority_can_be_shown_and_trusted(start, tmp_path):
    lakehouse("init", "--data", tmp_path / "data")
    assert "lakehouse serve" in lakehouse("tls", "show", "--data", tmp_path / "data", code=1).stderr
    server = start(tmp_path / "data")
    pem = server.command("tls", "show").stdout
    assert pem == (tmp_path / "data" / "tls" / "ca.pem").read_text()
    assert "BEGIN CERTIFICATE" in pem and "PRIVATE" not in pem
    anchors = tmp_path / "anchors"
    anchors.mkdir()
    for word in ("trusted: ", "trusted already: "):
        assert server.command("tls", "trust", "--into", anchors).stdout.startswith(word)
    (anchor,) = anchors.iterdir()
    context = ssl.create_default_context(cafile=anchor)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    assert opener.open(server.url.replace("http://", "https://") + "/healthz", timeout=30).read() == b"ok\n"
    assert server.command("tls", "trust", "--into", anchors, "--remove").stdout.startswith("removed: ")
    assert list(anchors.iterdir()) == []
    assert "does not trust" in server.command("tls", "trust", "--into", anchors, "--remove").stdout


@pytest.fixture(scope="module")
def document(appliance):
    answer = requests.get(appliance.url + API, headers=bearer(appliance), timeout=30)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    return answer.json()


def bearer(appliance):
    return {"Authorization": f"Bearer {appliance.variables()['LAKEHOUSE_TOKEN']}"}


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_whole(appliance, document):
    assert requests.get(appliance.url + API, timeout=30).status_code == 401
    assert document["openapi"].startswith("3.1.") and document["servers"] == [{"url": appliance.url}]
    found = operations(document)
    assert len(found) > 50 and API in document["paths"]
    identifiers = [operation["operationId"] for _, _, operation in found]
    assert len(set(identifiers)) == len(identifiers)
    for path, method, operation in found:
        where = f"{method} {path}"
        # A route without words fails here: they stand in OpenAPIWords.swift.
        assert operation.get("summary", "").endswith("."), where
        named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
        assert named == re.findall(r"\{([^}]+)\}", path), where
        assert ("requestBody" in operation) <= (method in ("post", "put", "patch")), where
        for reference in re.findall(r"'\$ref': '#/([^']+)'", str(operation)):
            part = document
            for name in reference.split("/"):
                part = part[name]


def test_every_described_operation_is_there(appliance, document):
    """Without a credential each is 401; what is not there would be 404 or 405."""
    for path, method, _ in operations(document):
        url = appliance.url + re.sub(r"\{[^}]+\}", "x", path)
        answer = requests.request(method, url, timeout=30, json={} if method in ("post", "put", "patch") else None)
        assert answer.status_code in (401, 403), f"{method} {path}: {answer.status_code}"


def test_a_client_that_reads_the_document_can_make_a_group(appliance, document):
    operation = document["paths"]["/api/v1/groups"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["name"] and set(schema["properties"]) == {"name", "id", "description"}
    for body, status in (({}, 400), ({name: "described" for name in schema["required"]}, 201)):
        answer = requests.post(appliance.url + "/api/v1/groups", json=body, headers=bearer(appliance), timeout=30)
        assert answer.status_code == status, answer.text
    assert {"code", "message"} <= set(requests.get(
        appliance.url + "/api/v1/groups/none", headers=bearer(appliance), timeout=30).json()["error"])
