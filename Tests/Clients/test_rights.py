"""GRANT, DENY, REVOKE, roles and their listings, said by an administrator and felt by a person."""

import os
import uuid

import pytest
import trino
from trino.auth import JWTAuthentication
from trino.exceptions import TrinoUserError

pytestmark = pytest.mark.usefixtures("appliance")


class Person:
    """Somebody who asks through the trino client."""

    def __init__(self, variables):
        self.name = variables["TRINO_USER"]
        self.connection = trino.dbapi.connect(
            host=variables["TRINO_HOST"], port=int(variables["TRINO_PORT"]), user=self.name,
            http_scheme="https", verify=variables["LAKEHOUSE_CA"], catalog="lakehouse",
            auth=JWTAuthentication(variables["LAKEHOUSE_TOKEN"]),
        )

    def rows(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    def refused(self, sql):
        """The name of the error."""
        with pytest.raises(TrinoUserError) as caught:
            self.rows(sql)
        return caught.value.error_name


@pytest.fixture(scope="module")
def boss(appliance):
    return Person(os.environ)


@pytest.fixture
def world(appliance, boss):
    """A schema with two tables, and somebody who may ask but sees nothing yet."""
    mark = uuid.uuid4().hex[:8]
    asker, person, schema = f"asker-{mark}", f"ria-{mark}", f"rights_{mark}"
    appliance.command("role", "create", asker, "--grant", "query.run,warehouse.use@*")
    appliance.command("user", "create", person, "--role", asker)
    boss.rows(f"create schema {schema}")
    for table in ("cards", "other"):
        boss.rows(f"create table {schema}.{table} (id bigint, pan varchar)")
        boss.rows(f"insert into {schema}.{table} values (1, 'a'), (2, 'b')")
    yield schema, Person(appliance.variables(user=person))
    for table in ("cards", "other"):
        boss.rows(f"drop table {schema}.{table}")
    boss.rows(f"drop schema {schema}")
    appliance.command("user", "delete", person)
    appliance.command("role", "delete", asker)


def listed(boss, table):
    """Grantee, its kind, table and privilege of SHOW GRANTS."""
    return sorted((row[2], row[3], row[6], row[7]) for row in boss.rows(f"show grants on table {table}"))


def test_a_person_may_what_was_granted_and_no_more(boss, world):
    schema, person = world
    cards, other = f"{schema}.cards", f"{schema}.other"
    refusal = person.refused(f"select * from {cards}")
    assert refusal in ("PERMISSION_DENIED", "TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND")

    boss.rows(f'grant select on {cards} to user "{person.name}"')
    boss.rows(f'grant select on {cards} to user "{person.name}"')  # said twice, listed once
    assert person.rows(f"select id, pan from {cards} order by id") == [(1, "a"), (2, "b")]
    assert person.refused(f"select * from {other}") == refusal
    assert person.refused(f"insert into {cards} values (3, 'c')") == "PERMISSION_DENIED"
    assert listed(boss, cards) == [(person.name, "USER", "cards", "SELECT")]
    assert listed(boss, other) == []

    boss.rows(f'grant insert, delete on {cards} to user "{person.name}"')
    person.rows(f"insert into {cards} values (3, 'c')")
    person.rows(f"delete from {cards} where id = 1")
    assert person.refused(f"update {cards} set pan = 'x'") == "PERMISSION_DENIED"
    assert person.rows(f"select id from {cards} order by id") == [(2,), (3,)]

    boss.rows(f'revoke insert on {cards} from user "{person.name}"')
    assert person.refused(f"insert into {cards} values (4, 'd')") == "PERMISSION_DENIED"
    boss.rows(f'revoke all privileges on {cards} from user "{person.name}"')
    assert person.refused(f"select * from {cards}") == refusal
    assert listed(boss, cards) == []
    assert boss.rows(f"select count(*) from {cards}") == [(2,)]


def test_a_role_carries_its_rights_to_those_who_have_it(boss, world):
    schema, person = world
    role = f"risk_{schema[-8:]}"
    cards = f"{schema}.cards"
    boss.rows(f"create role {role}")
    assert boss.refused(f"create role {role}") == "ROLE_ALREADY_EXISTS"
    assert {(role,), ("admin",), ("viewer",)} <= set(boss.rows("show roles"))
    assert (role,) not in boss.rows("show current roles")
    assert (role,) not in person.rows("show roles")

    boss.rows(f"grant select on schema {schema} to role {role}")
    refusal = person.refused(f"select * from {cards}")
    boss.rows(f'grant {role} to user "{person.name}"')
    assert person.rows(f"select count(*) from {cards}") == [(2,)]
    for listing in ("show role grants", "show current roles", "show roles"):
        assert (role,) in person.rows(listing), listing

    # What is denied stands above what is allowed, whichever role it comes from.
    boss.rows(f'deny select on {cards} to user "{person.name}"')
    assert (person.name, "USER", "cards", "DENY SELECT") in listed(boss, cards)
    assert person.refused(f"select * from {cards}") in ("PERMISSION_DENIED", refusal)
    assert person.rows(f"select count(*) from {schema}.other") == [(2,)]
    boss.rows(f'revoke select on {cards} from user "{person.name}"')
    assert person.rows(f"select count(*) from {cards}") == [(2,)]

    boss.rows(f'revoke {role} from user "{person.name}"')
    assert person.refused(f"select * from {cards}") == refusal
    boss.rows(f"drop role {role}")
    assert boss.refused(f"drop role {role}") == "ROLE_NOT_FOUND"
    boss.rows(f"drop role if exists {role}")


def test_who_may_not_administer_may_not_grant(boss, world):
    schema, person = world
    cards = f"{schema}.cards"
    boss.rows(f'grant select on {cards} to user "{person.name}"')
    for sql in (
        f'grant insert on {cards} to user "{person.name}"',
        f'grant admin to user "{person.name}"',
        f'revoke select on {cards} from user "{boss.name}"',
        f'deny select on {cards} to user "{boss.name}"',
        "create role mine",
        "drop role analyst",
    ):
        assert person.refused(sql) == "PERMISSION_DENIED", sql
    assert person.refused(f"insert into {cards} values (3, 'c')") == "PERMISSION_DENIED"
    assert boss.rows(f"select count(*) from {cards}") == [(2,)]


@pytest.mark.parametrize(
    "sql, name",
    [
        ("grant select on {cards} to role nobody_has", "ROLE_NOT_FOUND"),
        ("grant select on {schema}.none to role viewer", "TABLE_NOT_FOUND"),
        ("grant select on schema no_such_schema to role viewer", "SCHEMA_NOT_FOUND"),
        ("grant fly on {cards} to role viewer", "INVALID_PRIVILEGE"),
        ("grant select on {cards} to user \"nobody-at-all\"", "NOT_FOUND"),
        ("grant select on {cards} to role admin with grant option", "NOT_SUPPORTED"),
        ("grant nobody_has to user \"nobody-at-all\"", "ROLE_NOT_FOUND"),
        # What the product made stays as it is.
        ("grant insert on {cards} to role viewer", "PERMISSION_DENIED"),
        ("drop role viewer", "PERMISSION_DENIED"),
    ],
)
def test_mistakes_are_named(boss, world, sql, name):
    schema, _ = world
    assert boss.refused(sql.format(schema=schema, cards=f"{schema}.cards")) == name
    assert listed(boss, f"{schema}.cards") == []
