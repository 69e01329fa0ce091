"""The issuer as OIDC clients use it, and one token at every door."""

import base64
import datetime
import hashlib
import json
import os
import secrets
import urllib.parse

import pytest
import requests
from appliance import fetch

PASSWORD = "a password of ana"
REDIRECT = "http://127.0.0.1/callback"


@pytest.fixture(scope="module")
def issuer(appliance):
    """The discovery document, and what it needs: a person and a tool that is a public client."""
    appliance.command("user", "create", "ana", "--role", "admin", "--password", "-", stdin=PASSWORD + "\n")
    token = appliance.variables()["LAKEHOUSE_TOKEN"]
    made = requests.post(
        appliance.url + "/api/v1/clients",
        json={
            "id": "tool", "name": "tool", "kind": "public", "redirectURIs": [REDIRECT],
            "grantTypes": ["authorization_code", "refresh_token"],
        },
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert made.status_code in (200, 201), made.text
    found = requests.get(appliance.url + "/oidc/.well-known/openid-configuration", timeout=10).json()
    found["url"] = appliance.url
    return found


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def head(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_in(issuer):
    session = requests.Session()
    session.trust_env = False
    answer = session.post(
        issuer["url"] + "/login",
        data={"name": "ana", "password": PASSWORD},
        headers={"Origin": issuer["url"]},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 303, answer.text
    return session


def code_for(issuer, session, verifier, **changes):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    parameters = {
        "response_type": "code", "client_id": "tool", "redirect_uri": "http://127.0.0.1:7777/callback",
        "scope": "openid groups offline_access", "state": "a b", "nonce": "n", "code_challenge": challenge,
        "code_challenge_method": "S256", **changes,
    }
    answer = session.get(
        issuer["authorization_endpoint"], params=parameters, allow_redirects=False, timeout=10
    )
    assert answer.status_code in (302, 303), answer.text
    target = urllib.parse.urlsplit(answer.headers["Location"])
    return target, dict(urllib.parse.parse_qsl(target.query))


def redeem(issuer, code, verifier):
    return requests.post(
        issuer["token_endpoint"],
        data={
            "grant_type": "authorization_code", "client_id": "tool", "code": code,
            "redirect_uri": "http://127.0.0.1:7777/callback", "code_verifier": verifier,
        },
        timeout=10,
    )


def test_discovery_and_keys(issuer, appliance):
    assert issuer["issuer"] == appliance.variables()["OIDC_ISSUER"] == appliance.url + "/oidc"
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        assert issuer[name].startswith(issuer["issuer"])
    assert {"authorization_code", "client_credentials", "refresh_token"} <= set(issuer["grant_types_supported"])
    keys = requests.get(issuer["jwks_uri"], timeout=10).json()["keys"]
    assert keys and all("d" not in key and key["kid"] for key in keys)


def test_the_signature_is_of_a_published_key(issuer):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    token = client_token(issuer)
    kind, part = head(token), lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    key = next(
        key for key in requests.get(issuer["jwks_uri"], timeout=10).json()["keys"] if key["kid"] == kind["kid"]
    )
    number = lambda name: int.from_bytes(part(key[name]), "big")
    signed, signature = token.rsplit(".", 1)
    signature = part(signature)
    if key["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
        public.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        public = ec.EllipticCurvePublicNumbers(number("x"), number("y"), ec.SECP256R1()).public_key()
        halves = [int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")]
        public.verify(utils.encode_dss_signature(*halves), signed.encode(), ec.ECDSA(hashes.SHA256()))


def client_token(issuer):
    client, secret = os.environ["CATALOG_CREDENTIAL"].split(":", 1)
    answer = requests.post(
        issuer["token_endpoint"],
        data={"grant_type": "client_credentials", "scope": "catalog"},
        auth=(client, secret),
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def test_a_person_signs_in_with_a_code_and_pkce_and_the_token_is_renewed(issuer):
    verifier = secrets.token_urlsafe(48)
    target, items = code_for(issuer, signed_in(issuer), verifier)
    assert (target.hostname, target.port, target.path) == ("127.0.0.1", 7777, "/callback")
    assert items["state"] == "a b" and items["iss"] == issuer["issuer"]
    assert redeem(issuer, items["code"], "another" * 10).status_code == 400
    _, items = code_for(issuer, signed_in(issuer), verifier)
    tokens = redeem(issuer, items["code"], verifier).json()
    identity = claims(tokens["id_token"])
    assert identity["nonce"] == "n" and identity["aud"] in ("tool", ["tool"])
    assert identity["iss"] == issuer["issuer"]
    about = requests.get(
        issuer["userinfo_endpoint"], headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=10
    ).json()
    assert about["preferred_username"] == "ana" and about["sub"] == identity["sub"]
    assert redeem(issuer, items["code"], verifier).status_code == 400, "a code works once"


def test_refresh_rotates_and_reuse_ends_the_family(issuer):
    verifier = secrets.token_urlsafe(48)
    _, items = code_for(issuer, signed_in(issuer), verifier)
    tokens = redeem(issuer, items["code"], verifier).json()

    def refresh(token):
        return requests.post(
            issuer["token_endpoint"],
            data={"grant_type": "refresh_token", "client_id": "tool", "refresh_token": token},
            timeout=10,
        )

    renewed = refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, renewed.text
    assert renewed.json()["refresh_token"] != tokens["refresh_token"]
    again = refresh(tokens["refresh_token"])
    assert again.status_code == 400 and again.json()["error"] == "invalid_grant"
    assert refresh(renewed.json()["refresh_token"]).status_code == 400


def doors(appliance):
    """A read at every door that takes a bearer token: method, URL, body."""
    return [
        ("GET", appliance.url + "/iceberg/v1/config?warehouse=lakehouse", None),
        ("GET", appliance.url + "/api/v1/users", None),
        ("GET", appliance.url + "/oidc/userinfo", None),
        ("POST", appliance.url + "/v1/statement", b"SELECT 1"),
    ]


def test_one_token_opens_every_door(appliance, issuer):
    fields = {"Authorization": f"Bearer {client_token(issuer)}"}
    for method, url, body in doors(appliance):
        status, _, content = fetch(url, method, body, fields)
        assert status == 200, (url, status, content[:500])


@pytest.mark.parametrize("token", [None, "x.y.z", "", "not a token"])
def test_every_door_refuses_who_has_no_token(appliance, issuer, token):
    fields = {} if token is None else {"Authorization": f"Bearer {token}"}
    for method, url, body in doors(appliance):
        status, answered, _ = fetch(url, method, body, fields)
        assert status == 401, (url, status)
        assert "WWW-Authenticate" in answered, url
    status, _, content = fetch(appliance.s3_url + "/lakehouse")
    assert status == 403 and b"AccessDenied" in content


def test_a_changed_token_is_refused(appliance, issuer):
    parts = client_token(issuer).split(".")
    changed = {**claims(".".join(parts)), "exp": 4102444800}
    parts[1] = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for token in [".".join(parts), f"{none}.{parts[1]}."]:
        for method, url, body in doors(appliance):
            assert fetch(url, method, body, {"Authorization": f"Bearer {token}"})[0] == 401, url


def test_an_expired_token_is_refused_and_says_so(start, tmp_path):
    clock = tmp_path / "clock"
    now = int(datetime.datetime(2031, 5, 1, 12, tzinfo=datetime.timezone.utc).timestamp())
    clock.write_text(f"{now}\n")
    server = start(None, "--set", f"clock={clock}")
    fields = {"Authorization": f"Bearer {server.variables()['LAKEHOUSE_TOKEN']}"}
    for method, url, body in doors(server):
        assert fetch(url, method, body, fields)[0] == 200, url
    clock.write_text(f"{now + 7200}\n")
    for method, url, body in doors(server):
        status, answered, content = fetch(url, method, body, fields)
        assert status == 401, url
        assert "invalid_token" in answered["WWW-Authenticate"] or b"expired" in content, url


def test_wrong_passwords_are_refused_alike_and_slowed_down(issuer):
    answers = []
    for name in ["ana", "nobody"] * 8:
        answer = requests.post(
            issuer["url"] + "/login", data={"name": name + "x", "password": "wrong"},
            headers={"Origin": issuer["url"]}, allow_redirects=False, timeout=30,
        )
        answers.append(answer.status_code)
    assert set(answers) <= {401, 429}
    other = requests.post(
        issuer["url"] + "/login", data={"name": "ana", "password": PASSWORD},
        headers={"Origin": "http://evil.example"}, allow_redirects=False, timeout=30,
    )
    assert other.status_code == 403 and "Set-Cookie" not in other.headers


def test_a_login_link_works_once(appliance):
    link = appliance.command("user", "link", "admin").stdout.strip()
    status, fields, _ = fetch(link)
    assert status in (302, 303) and "HttpOnly" in fields["Set-Cookie"] and "SameSite" in fields["Set-Cookie"]
    assert fetch(link)[0] == 401


def test_another_host_name_is_refused(appliance):
    assert fetch(appliance.url + "/login", headers={"Host": "evil.example"})[0] in (400, 403, 421)


def browser_answers(issuer, answer):
    """What a person does in the browser that a program opens."""

    def handler(address):
        with signed_in(issuer) as session:
            # The program reached us by its own address; the browser has the console's.
            path = urllib.parse.urlsplit(address).path
            shown = session.get(issuer["url"] + path, timeout=30)
            assert shown.status_code == 200 and "act as <b>ana</b>" in shown.text, shown.text
            token = shown.text.split('name="csrf" value="')[1].split('"')[0]
            done = session.post(
                issuer["url"] + path, data={"csrf": token, "answer": answer},
                headers={"Origin": issuer["url"]}, timeout=30)
            assert done.status_code == 200, done.text

    return handler


def query_as_ana(issuer, appliance, answer):
    import trino
    from trino.auth import OAuth2Authentication

    connection = trino.dbapi.connect(
        host=os.environ["TRINO_HOST"], port=int(os.environ["TRINO_PORT"]), user="ana", http_scheme="https",
        verify=os.environ["LAKEHOUSE_CA"],
        auth=OAuth2Authentication(redirect_auth_url_handler=browser_answers(issuer, answer)))
    return connection.cursor().execute("select current_user, 1 + 1").fetchall()


def test_a_program_logs_in_by_the_browser(issuer, appliance):
    assert query_as_ana(issuer, appliance, "allow") == [["ana", 2]]


def test_a_person_may_refuse_a_program(issuer, appliance):
    import trino

    with pytest.raises(trino.exceptions.TrinoAuthError, match="refused"):
        query_as_ana(issuer, appliance, "refuse")


def test_a_browser_login_needs_a_person_who_confirms(issuer):
    path = "/oauth2/token/initiate/" + "a" * 64
    plain = requests.get(issuer["url"] + path, allow_redirects=False, timeout=30)
    assert plain.status_code == 303 and plain.headers["Location"].startswith("/login?next=")
    with signed_in(issuer) as session:
        # Neither a form without its token nor one from another site counts.
        for data, origin in (({"answer": "allow"}, issuer["url"]), ({"answer": "allow"}, "https://elsewhere.example")):
            assert session.post(
                issuer["url"] + path, data=data, headers={"Origin": origin}, timeout=30).status_code == 403
    assert requests.get(issuer["url"] + "/oauth2/token/short", timeout=30).status_code == 404
