"""Who may do what in a warehouse: roles and grants against every door, as a matrix.

A row is somebody with one role or one right; a column is something that is done at a door: the REST catalog,
SQL, the files by vended credentials and by signed requests.
"""

import functools
import os
import uuid

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from iceberg_manifests import DATA, commit
from pyiceberg.catalog import load_catalog

pytestmark = pytest.mark.usefixtures("appliance")

SCHEMA = {"type": "struct", "schema-id": 0,
          "fields": [{"id": 1, "name": "a", "type": "long", "required": False}]}
MARK = uuid.uuid4().hex[:6]
HOME, NESTED, OTHER = f"rm_{MARK}", "inner", f"ro_{MARK}"


class Person:
    """Somebody with a token, at every door."""

    def __init__(self, appliance, name):
        self.name = name
        variables = appliance.variables(user=name)
        self.url = appliance.url
        self.s3 = variables["AWS_ENDPOINT_URL"]
        self.headers = {"Authorization": f"Bearer {variables['LAKEHOUSE_TOKEN']}"}

    def rest(self, method, path, body=None, headers=None, warehouse="silver"):
        base = f"{self.url}/iceberg/v1/{warehouse}"
        return requests.request(
            method, base + path, json=body, headers={**self.headers, **(headers or {})}, timeout=60)

    def sql(self, text):
        """`ok`, or the name of the error."""
        answer = requests.post(
            self.url + "/api/v1/sql", json={"sql": text}, headers=self.headers, timeout=60)
        return "ok" if answer.status_code == 200 else answer.json()["error"]["code"]

    def rows(self, text):
        answer = requests.post(
            self.url + "/api/v1/sql", json={"sql": text}, headers=self.headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    # What is done, each by one door; True: it was done.

    def loads(self, table=f"{HOME}/tables/t"):
        return self.rest("GET", f"/namespaces/{table}").status_code == 200

    def loads_in_capitals(self):
        return self.loads(f"{HOME.upper()}/tables/T")

    def commits(self):
        body = {"requirements": [], "updates": [
            {"action": "set-properties", "updates": {"by": self.name}}]}
        return self.rest("POST", f"/namespaces/{HOME}/tables/t", body).status_code == 200

    def creates(self):
        name = "made_" + uuid.uuid4().hex[:6]
        made = self.rest("POST", f"/namespaces/{HOME}/tables", {"name": name, "schema": SCHEMA})
        return made.status_code == 200

    def lists(self):
        answer = self.rest("GET", f"/namespaces/{HOME}/tables")
        return answer.status_code == 200 and "t" in [
            entry["name"] for entry in answer.json()["identifiers"]]

    def lists_namespaces(self):
        answer = self.rest("GET", "/namespaces")
        return answer.status_code == 200 and [HOME] in answer.json()["namespaces"]

    def reads_other(self):
        return self.loads(f"{OTHER}/tables/t")

    def selects(self):
        return self.sql(f"select * from silver.{HOME}.t") == "ok"

    def selects_view(self):
        return self.sql(f"select * from silver.{HOME}.v") == "ok"

    def selects_nested(self):
        return self.sql(f'select * from silver."{HOME}.{NESTED}".t') == "ok"

    def inserts(self):
        return self.sql(f"insert into silver.{HOME}.t values (2)") == "ok"

    def alters(self):
        return self.sql(f"alter table silver.{HOME}.t set properties extra_properties = "
                        "map(array['k'], array['v'])") == "ok"

    def grants(self):
        right = f"select on silver.{HOME}.t"
        done = self.sql(f'grant {right} to role "{HELD}"') == "ok"
        return done and self.sql(f'revoke {right} from role "{HELD}"') == "ok"

    @functools.cached_property
    def store(self):
        """An S3 client with what the catalog vends, and the bucket and prefix; None without."""
        loaded = self.rest("GET", f"/namespaces/{HOME}/tables/t",
                           headers={"X-Iceberg-Access-Delegation": "vended-credentials"})
        if loaded.status_code != 200:
            return None
        config = loaded.json()["config"]
        client = boto3.client(
            "s3", endpoint_url=self.s3, region_name="us-east-1",
            aws_access_key_id=config["s3.access-key-id"],
            aws_secret_access_key=config["s3.secret-access-key"],
            aws_session_token=config["s3.session-token"],
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))
        bucket, prefix = loaded.json()["metadata"]["location"][5:].split("/", 1)
        return client, bucket, prefix

    def reads_files(self):
        found = self.store
        if not found:
            return False
        client, bucket, prefix = found
        try:
            keys = client.list_objects_v2(Bucket=bucket, Prefix=prefix + "/")["Contents"]
            client.get_object(Bucket=bucket, Key=keys[0]["Key"])["Body"].read()
            return True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied", error
            return False

    def writes_files(self):
        found = self.store
        if not found:
            return False
        client, bucket, prefix = found
        try:
            client.put_object(Bucket=bucket, Key=f"{prefix}/data/{uuid.uuid4().hex}", Body=b"x")
            return True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied", error
            return False

    def reaches_beyond(self):
        """Whether vended credentials open anything but the table's own place."""
        found = self.store
        if not found:
            return False
        client, bucket, prefix = found
        opened = False
        for ask in (
            lambda: client.list_objects_v2(Bucket=bucket, Prefix=""),
            lambda: client.get_object(Bucket="landing", Key="x"),
            lambda: client.put_object(Bucket=bucket, Key=prefix + "x", Body=b"x"),
            lambda: client.list_buckets()["Buckets"][0],
        ):
            try:
                ask()
                opened = True
            except (ClientError, IndexError):
                pass
        return opened


HELD = f"held-{MARK}"
DEEDS = [name for name, value in vars(Person).items() if callable(value) and name not in (
    "__init__", "rest", "sql", "rows", "store")]
READ = {"loads", "loads_in_capitals", "lists", "lists_namespaces", "selects", "reads_files"}
WHOLE = READ | {"selects_view", "selects_nested"}
WRITE = {"inserts", "writes_files"}
# Who, by which statements of SQL (an administrator's), and what they may then do.
MATRIX = [
    ("nothing", [], set()),
    ("reader", ["grant catalog_reader to {who} in silver"], WHOLE | {"reads_other"}),
    ("contributor", ["grant catalog_contributor to {who} in silver"],
     WHOLE | WRITE | {"reads_other", "commits", "creates", "alters"}),
    ("administrator", ["grant data_administrator to {who} in silver"],
     WHOLE | WRITE | {"reads_other", "commits", "creates", "alters", "grants"}),
    ("reader of gold", ["grant catalog_reader to {who} in gold"], set()),
    ("select on warehouse", ["grant select on catalog silver to {who}"],
     WHOLE | {"reads_other"}),
    ("select on schema", ["grant select on schema silver.{home} to {who}"], WHOLE),
    ("select on table", ["grant select on table silver.{home}.t to {who}"], READ),
    ("select on view", ["grant select on view silver.{home}.v to {who}"],
     {"selects_view", "lists_namespaces"}),
    ("writer of table", ["grant select, insert on silver.{home}.t to {who}"], READ | WRITE),
    ("creator", ["grant create on schema silver.{home} to {who}"],
     {"creates", "lists", "lists_namespaces"}),
    ("denied table", ["grant catalog_reader to {who} in silver",
                      "deny select on silver.{home}.t to {who}"],
     # The view reads with its owner's rights.
     {"lists", "lists_namespaces", "selects_nested", "selects_view", "reads_other"}),
    ("denied schema", ["grant catalog_contributor to {who} in silver",
                       "deny insert on schema silver.{home} to {who}"],
     WHOLE | {"writes_files", "reads_other", "commits", "creates", "alters"}),
]


@pytest.fixture(scope="module")
def boss(appliance):
    person = Person(appliance, os.environ["TRINO_USER"])
    run = person.sql
    for statement in (
        f"create schema silver.{HOME}", f'create schema silver."{HOME}.{NESTED}"',
        f"create schema silver.{OTHER}", f"create table silver.{HOME}.t as select bigint '1' a",
        f'create table silver."{HOME}.{NESTED}".t as select 1 a',
        f"create table silver.{OTHER}.t as select 1 a",
        f"create view silver.{HOME}.v security definer as select a from silver.{HOME}.t",
        f'create role "{HELD}"',
    ):
        assert run(statement) == "ok", statement
    return person


@pytest.mark.parametrize("through", ["user", "group"])
def test_roles_and_rights_hold_at_every_door(appliance, boss, through):
    wrong = []
    for number, (title, statements, allowed) in enumerate(MATRIX):
        if through == "group" and title not in ("reader", "select on schema", "denied table"):
            continue
        name = f"p{number}-{through}-{MARK}"
        appliance.command("user", "create", name)
        who = f'user "{name}"'
        if through == "group":
            appliance.command("group", "create", f"g-{name}")
            appliance.command("group", "add", f"g-{name}", name)
            who = f'group "g-{name}"'
        for statement in statements:
            assert boss.sql(statement.format(who=who, home=HOME)) == "ok", statement
        person = Person(appliance, name)
        for deed in DEEDS:
            if getattr(person, deed)() != (deed in allowed):
                wrong.append(f"{title}: {deed} {'refused' if deed in allowed else 'allowed'}")
    assert wrong == []


def test_what_was_vended_ends_with_the_right(appliance, boss):
    name = f"late-{MARK}"
    appliance.command("user", "create", name)
    table = f"table:silver.{HOME}.t"
    appliance.command("grant", "add", "select,insert", table, "--user", name)
    person = Person(appliance, name)
    client, bucket, prefix = person.store
    key = client.list_objects_v2(Bucket=bucket, Prefix=prefix + "/")["Contents"][0]["Key"]
    appliance.command("grant", "remove", "insert", table, "--user", name)
    client.get_object(Bucket=bucket, Key=key)
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=bucket, Key=f"{prefix}/late", Body=b"x")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    appliance.command("grant", "remove", "select", table, "--user", name)
    with pytest.raises(ClientError) as caught:
        client.get_object(Bucket=bucket, Key=key)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_the_administrator_of_a_warehouse_gives_what_they_have_there_and_no_more(appliance, boss):
    keeper, other = f"keeper-{MARK}", f"other-{MARK}"
    for name in (keeper, other):
        appliance.command("user", "create", name)
    appliance.command("role", "assign", "silver.data_administrator", keeper)
    person = Person(appliance, keeper)
    right = {"user": other, "privileges": ["SELECT"], "on": f"schema:silver.{HOME}"}

    def post(path, body):
        return requests.post(
            appliance.url + path, json=body, headers=person.headers, timeout=60).status_code

    assert post("/api/v1/rights", right) == 201
    assert Person(appliance, other).selects()
    assert other in {row[2] for row in person.rows(f"show grants on schema silver.{HOME}")}
    assert post("/api/v1/rights/revoke", right) == 200
    assert not Person(appliance, other).selects()
    assert person.sql(f'grant catalog_reader to user "{other}" in silver') == "ok"
    assert Person(appliance, other).selects()
    for statement in (
        f'grant catalog_reader to user "{other}" in gold',
        f'grant select on catalog gold to user "{other}"',
        f'grant admin to user "{keeper}"',
        "grant select on catalog silver to role admin",
        f'grant drop on catalog gold to user "{keeper}"',
    ):
        assert person.sql(statement) == "PERMISSION_DENIED", statement
    assert post("/api/v1/rights", {**right, "on": "warehouse:gold"}) == 403


def test_rights_are_listed_and_mistakes_named(appliance, boss):
    group = f"desk-{MARK}"
    appliance.command("group", "create", group)
    appliance.command("grant", "add", "all", f"schema:silver.{HOME}.{NESTED}", "--group", group)
    appliance.command("grant", "add", "create-branch", "warehouse:silver", "--group", group)
    appliance.command("grant", "add", "delete", f"table:silver.{HOME}.t", "--group", group, "--deny")
    listed = boss.rows("show grants")
    assert sorted(
        (row[3], row[5], row[6], row[7]) for row in listed if row[2] == group
    ) == sorted(
        [("GROUP", f"{HOME}.{NESTED}", "*", privilege)
         for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE")]
        + [("GROUP", "*", "*", "CREATE BRANCH"), ("GROUP", HOME, "t", "DENY DELETE")])
    text = appliance.command("grant", "list", "--on", f"table:silver.{HOME}.t").stdout
    assert group in text and "deny" in text
    roles = {row[0] for row in boss.rows("show roles from silver")}
    assert roles == {"catalog_reader", "catalog_contributor", "data_administrator"}
    for arguments, words in (
        (("grant", "add", "fly", "warehouse:silver", "--group", group), "not a privilege"),
        (("grant", "add", "select", "silver", "--group", group), "not something that rights are on"),
        (("grant", "add", "select", "warehouse:silver"), "--user, --group and --role"),
        (("grant", "add", "select", "warehouse:silver", "--user", "nobody-here"), "nobody-here"),
        (("grant", "add", "select", "warehouse:silver", "--role", "silver.catalog_reader"), "built in"),
    ):
        with pytest.raises(AssertionError) as caught:
            appliance.command(*arguments)
        assert words in str(caught.value), (arguments, str(caught.value)[:400])


def client_of(person, loaded):
    """An S3 client with the credentials that a table was answered with."""
    config = loaded["config"]
    return boto3.client(
        "s3", endpoint_url=person.s3, region_name="us-east-1",
        aws_access_key_id=config["s3.access-key-id"],
        aws_secret_access_key=config["s3.secret-access-key"],
        aws_session_token=config["s3.session-token"],
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))


VENDED = {"X-Iceberg-Access-Delegation": "vended-credentials"}


def is_refused(ask):
    try:
        ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDenied", "403"), error
        return True
    return False


def deeds(client, bucket, key):
    """What might be done with an object that is not one's own."""
    return {
        "read": lambda: client.get_object(Bucket=bucket, Key=key),
        "write": lambda: client.put_object(Bucket=bucket, Key=key + ".new", Body=b"x"),
        "delete": lambda: client.delete_object(Bucket=bucket, Key=key),
        "list": lambda: client.list_objects_v2(Bucket=bucket, Prefix=key[:-1]),
    }


@pytest.fixture(scope="module")
def secret(appliance):
    """Objects that are no contributor's business: of another warehouse, and loose ones in silver."""
    variables = appliance.variables(user=os.environ["TRINO_USER"])
    client = boto3.client(
        "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"])
    places = [("gold", f"of-{MARK}/secret"), ("landing", f"of-{MARK}/secret"),
              ("silver", f"of-{MARK}/secret")]
    for bucket, key in places:
        client.put_object(Bucket=bucket, Key=key, Body=b"secret")
    return places


@pytest.fixture(scope="module")
def contributor(appliance, boss):
    """Makes tables in silver, and has no right to any object."""
    name = f"contributor-{MARK}"
    appliance.command("user", "create", name)
    appliance.command("role", "assign", "silver.catalog_contributor", name)
    return Person(appliance, name)


def test_a_place_that_the_owner_of_a_table_chose_opens_no_files(boss, contributor, secret):
    """The catalog itself writes and cleans up there, so it takes rights to the files to say such a place;
    and who works with the table afterwards has no more of them by its credentials."""
    person = contributor
    opened = []
    for bucket, key in secret:
        folder = f"s3://{bucket}/{key.rsplit('/', 1)[0]}"
        for title, body in {
            "bucket": {"properties": {"write.data.path": f"s3://{bucket}"}},
            "data": {"properties": {"write.data.path": folder}},
            "metadata": {"properties": {"write.metadata.path": folder}},
            "location": {"location": folder},
        }.items():
            for staged in (True, False):
                name = f"w_{uuid.uuid4().hex[:8]}"
                wanted = {"name": name, "schema": SCHEMA, "stage-create": staged, **body}
                made = person.rest("POST", f"/namespaces/{HOME}/tables", wanted, headers=VENDED)
                assert made.status_code == 403, made.text
                made = boss.rest("POST", f"/namespaces/{HOME}/tables", {**wanted, "stage-create": False})
                assert made.status_code == 200, made.text
                made = person.rest("GET", f"/namespaces/{HOME}/tables/{name}", headers=VENDED)
                client = client_of(person, made.json())
                opened += [(bucket, title, name) for name, deed in deeds(client, bucket, key).items()
                           if not is_refused(deed)]
    assert opened == []


def test_a_place_set_later_opens_no_files_and_shuts_none_of_ones_own(boss, contributor, secret):
    person, name = contributor, f"later_{MARK}"
    made = person.rest("POST", f"/namespaces/{HOME}/tables", {"name": name, "schema": SCHEMA})
    assert made.status_code == 200, made.text
    bucket, prefix = made.json()["metadata"]["location"][5:].split("/", 1)
    change = {
        "requirements": [],
        "updates": [{"action": "set-properties", "updates": {"write.data.path": "s3://gold"}}]}
    assert person.rest("POST", f"/namespaces/{HOME}/tables/{name}", change).status_code == 403
    changed = boss.rest("POST", f"/namespaces/{HOME}/tables/{name}", change)
    assert changed.status_code == 200, changed.text
    loaded = person.rest("GET", f"/namespaces/{HOME}/tables/{name}", headers=VENDED).json()
    client = client_of(person, loaded)
    client.put_object(Bucket=bucket, Key=f"{prefix}/data/own", Body=b"own")
    assert client.get_object(Bucket=bucket, Key=f"{prefix}/data/own")["Body"].read() == b"own"
    key = secret[0][1]
    assert [deed for deed, ask in deeds(client, "gold", key).items() if not is_refused(ask)] == []
    assert is_refused(lambda: client.copy_object(
        Bucket=bucket, Key=f"{prefix}/data/stolen", CopySource={"Bucket": "gold", "Key": key}))
    assert is_refused(lambda: client.copy_object(
        Bucket="gold", Key=f"{key}.mine", CopySource={"Bucket": bucket, "Key": f"{prefix}/data/own"}))
    gone = client.delete_objects(Bucket="gold", Delete={"Objects": [{"Key": key}]})
    assert "Deleted" not in gone and gone["Errors"][0]["Code"] == "AccessDenied"
    # What is signed for a client reaches as far.
    uri = f"{person.s3}/gold/{key}"
    signed = person.rest("POST", f"/namespaces/{HOME}/tables/{name}/sign", {
        "region": "us-east-1", "uri": uri, "method": "GET", "headers": {}})
    if signed.status_code == 200:
        fields = {field: values[0] for field, values in signed.json()["headers"].items()}
        signed = requests.get(signed.json()["uri"], headers=fields, timeout=60)
    assert signed.status_code == 403, signed.text


def test_an_own_grant_on_objects_counts_where_the_table_says_nothing(appliance, boss, secret):
    name, role = f"granted-{MARK}", f"gold-objects-{MARK}"
    made = boss_post(appliance, boss, "/api/v1/roles", {"name": role, "grants": [
        {"actions": ["object.read"], "resource": f"object:gold/of-{MARK}/**"}]})
    assert made.status_code in (200, 201), made.text
    appliance.command("user", "create", name, "--role", role)
    appliance.command("role", "assign", "silver.catalog_contributor", name)
    person = Person(appliance, name)
    made = boss.rest(
        "POST", f"/namespaces/{HOME}/tables",
        {"name": f"g_{MARK}", "schema": SCHEMA, "properties": {"write.data.path": "s3://gold"}})
    assert made.status_code == 200, made.text
    loaded = person.rest("GET", f"/namespaces/{HOME}/tables/g_{MARK}", headers=VENDED).json()
    client = client_of(person, loaded)
    key = secret[0][1]
    assert client.get_object(Bucket="gold", Key=key)["Body"].read() == b"secret"
    assert {deed for deed, ask in deeds(client, "gold", key).items() if not is_refused(ask)} == {"read"}


def test_what_was_vended_ends_when_only_a_part_of_the_table_is_left(appliance, boss):
    name, role = f"part-{MARK}", f"part-of-t-{MARK}"
    appliance.command("user", "create", name)
    appliance.command("grant", "add", "select", f"table:silver.{HOME}.t", "--user", name)
    client, bucket, prefix = Person(appliance, name).store
    key = client.list_objects_v2(Bucket=bucket, Prefix=prefix + "/")["Contents"][0]["Key"]
    client.get_object(Bucket=bucket, Key=key)
    made = boss_post(appliance, boss, "/api/v1/roles", {"name": role, "grants": [
        {"actions": ["table.select"], "resource": f"table:silver/{HOME}/t", "rowFilter": "a > 100"}]})
    assert made.status_code in (200, 201), made.text
    appliance.command("role", "assign", role, name)
    appliance.command("grant", "remove", "select", f"table:silver.{HOME}.t", "--user", name)
    assert is_refused(lambda: client.get_object(Bucket=bucket, Key=key))


def boss_post(appliance, boss, path, body):
    return requests.post(appliance.url + path, json=body, headers=boss.headers, timeout=60)


def test_a_table_cannot_be_laid_over_anothers(appliance, boss, contributor):
    person = contributor
    other = boss.rest("GET", f"/namespaces/{OTHER}/tables/t").json()
    place, identity = other["metadata"]["location"], other["metadata"]["table-uuid"]
    # A contributor who is kept from the table itself.
    assert boss.sql(f'deny select on silver.{OTHER}.t to user "{person.name}"') == "ok"
    assert not person.reads_other()
    for location in (place, place + "/", place + "/data", place.rsplit("/", 1)[0]):
        made = person.rest("POST", f"/namespaces/{HOME}/tables", {
            "name": f"over_{uuid.uuid4().hex[:8]}", "schema": SCHEMA, "location": location})
        assert made.status_code == 403, (location, made.text)
        created = person.rest("POST", f"/namespaces/{HOME}/tables/over_{uuid.uuid4().hex[:8]}", {
            "requirements": [{"type": "assert-create"}],
            "updates": [
                {"action": "assign-uuid", "uuid": identity},
                {"action": "upgrade-format-version", "format-version": 2},
                {"action": "add-schema", "schema": SCHEMA, "last-column-id": 1},
                {"action": "set-current-schema", "schema-id": -1},
                {"action": "add-spec", "spec": {"spec-id": 0, "fields": []}},
                {"action": "set-default-spec", "spec-id": -1},
                {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
                {"action": "set-default-sort-order", "sort-order-id": -1},
                {"action": "set-location", "location": location}]})
        assert created.status_code == 403, (location, created.text)
        moved = person.rest("POST", f"/namespaces/{HOME}/tables/t", {
            "requirements": [], "updates": [{"action": "set-location", "location": location}]})
        assert moved.status_code == 403, (location, moved.text)
    registered = person.rest("POST", f"/namespaces/{HOME}/register", {
        "name": f"reg_{MARK}", "metadata-location": other["metadata-location"]})
    assert registered.status_code == 403, registered.text
    # Nothing of this took the others' right to their own files.
    assert boss.sql(f'revoke select on silver.{OTHER}.t from user "{person.name}"') == "ok"
    assert person.reads_files()


def test_a_right_to_a_view_is_used_without_a_denial(appliance, boss):
    name = f"viewer-{MARK}"
    appliance.command("user", "create", name)
    appliance.command("grant", "add", "select", f"view:silver.{HOME}.v", "--user", name)
    person = Person(appliance, name)
    assert person.selects_view()
    denied = "select action, resource from system.ledger.entries where decision = 'denied'"
    assert boss.rows(f"{denied} and principal = '{name}'") == []
    assert not person.selects()
    assert boss.rows(f"{denied} and principal = '{name}'") != []


def test_names_of_rights_are_the_same_in_any_case(appliance, boss):
    group = f"caps-{MARK}"
    appliance.command("group", "create", group)
    appliance.command("grant", "add", "select", f"table:Silver.{HOME.upper()}.T", "--group", group)
    for statement in (f"show grants on silver.{HOME}.t", f"show grants on table silver.{HOME.upper()}.T"):
        assert group in {row[2] for row in boss.rows(statement)}, statement
    listed = appliance.command("grant", "list", "--on", f"table:silver.{HOME}.t").stdout
    assert group in listed


def test_a_new_warehouse_has_its_roles_at_once(appliance, boss):
    name, reader = f"w_{MARK}", f"w-reader-{MARK}"
    assert boss.sql(f"create catalog {name} using iceberg") == "ok"
    assert {row[0] for row in boss.rows(f"show roles from {name}")} == {
        "catalog_reader", "catalog_contributor", "data_administrator"}
    assert boss.sql(f"create schema {name}.s") == "ok"
    assert boss.sql(f"create table {name}.s.t as select 1 a") == "ok"
    appliance.command("user", "create", reader)
    assert boss.sql(f'grant catalog_reader to user "{reader}" in {name}') == "ok"
    assert Person(appliance, reader).sql(f"select * from {name}.s.t") == "ok"
    # A name that no warehouse can have leaves no bucket behind.
    assert boss.sql(f'create catalog "lost-{MARK}/x" using iceberg') != "ok"
    assert boss.sql(f"create catalog w2_{MARK} using iceberg with (location = 's3://lost-{MARK}')") == "ok"


def catalog_of(person, appliance):
    """PyIceberg as somebody: commits with their rights, files with what is vended."""
    return load_catalog(
        f"of-{person.name}", type="rest", uri=person.url + "/iceberg", warehouse="silver",
        token=person.headers["Authorization"].split(" ", 1)[1],
        **{"header.X-Iceberg-Access-Delegation": "vended-credentials"})


def test_files_that_are_named_in_a_commit_are_read_by_those_who_may(appliance, boss, contributor):
    """A contributor's table names the data file of a table that they are kept from: whoever reads it by SQL
    needs a right to the object, for the appliance's own rights are not the committer's to lend."""
    person, name = contributor, f"borrowed_{MARK}"
    assert boss.sql(f"create table silver.{OTHER}.kept as select bigint '7' a") == "ok"
    assert boss.sql(f'deny select on silver.{OTHER}.kept to user "{person.name}"') == "ok"
    [[path, size, rows]] = boss.rows(
        f'select file_path, file_size_in_bytes, record_count from silver.{OTHER}."kept$files"')
    assert person.sql(f"select * from silver.{OTHER}.kept") == "PERMISSION_DENIED"
    assert person.sql(f"create table silver.{HOME}.{name} as select bigint '1' a") == "ok"
    catalog = catalog_of(person, appliance)
    table = catalog.load_table(f"{HOME}.{name}")
    commit(catalog, table, [{
        "content": DATA, "file_path": path, "file_format": "PARQUET", "record_count": rows,
        "file_size_in_bytes": size}])
    assert person.sql(f"select * from silver.{HOME}.{name}") == "PERMISSION_DENIED"
    assert person.sql(f"select count(*) from silver.{HOME}.{name} where a > 0") == "PERMISSION_DENIED"
    assert person.sql(f"alter table silver.{HOME}.{name} execute optimize") == "ok"
    assert person.sql(f"select * from silver.{HOME}.{name}") == "PERMISSION_DENIED"
    places = f"map(array['lakehouse.read-places'], array['{path.rsplit('/', 2)[0]}'])"
    change = f"alter table silver.{HOME}.{name} set properties extra_properties = {places}"
    assert person.sql(change) == "PERMISSION_DENIED"
    # An administrator reads the object itself, and may open it to the readers of the table.
    assert sorted(boss.rows(f"select * from silver.{HOME}.{name}")) == [[1], [7]]
    assert boss.sql(change) == "ok"
    assert sorted(person.rows(f"select * from silver.{HOME}.{name}")) == [[1], [7]]
    # What is in the list of a snapshot is looked at by the commit itself.
    snapshot = {"action": "add-snapshot", "snapshot": {
        "snapshot-id": 5, "sequence-number": 9, "timestamp-ms": 1, "summary": {"operation": "append"},
        "manifest-list": "s3://gold/x.avro"}}
    refused = person.rest(
        "POST", f"/namespaces/{HOME}/tables/{name}", {"requirements": [], "updates": [snapshot]})
    assert refused.status_code == 400, refused.text
