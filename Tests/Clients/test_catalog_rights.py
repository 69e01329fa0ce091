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
