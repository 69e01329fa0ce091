"""The two engines behind one face: rows as comparable values, or the error's name."""

import datetime
import decimal
import http.client
import json

import duckdb
from queries import DUCKDB_TYPES, SQL_TYPES


class Failed(Exception):
    """A statement that an engine refused; `name` is the error's name (DuckDB's class)."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name


class Lakehouse:
    """One connection that is kept open, over Trino's protocol."""

    def __init__(self, host, port, token, schema):
        self.address = (host, port)
        self.connection = None
        self.fields = {
            "Authorization": f"Bearer {token}", "X-Trino-Catalog": "lakehouse", "X-Trino-Schema": schema,
            "X-Trino-Source": "differential", "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }

    def _exchange(self, method, path, body=None, session=""):
        fields = {**self.fields, **({"X-Trino-Session": session} if session else {})}
        for attempt in range(2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(*self.address, timeout=120)
                self.connection.request(method, path, body=body, headers=fields)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection = None
                if attempt:
                    raise
        if answer.status != 200:
            raise Failed("HTTP", f"{answer.status} {text[:300]!r}")
        return json.loads(text)

    def rows(self, sql, mode=""):
        """All rows; `mode` is a value of the session property `verification`."""
        session = f"verification={mode}" if mode else ""
        answer = self._exchange("POST", "/v1/statement", sql.encode(), session)
        found, readers = [], None
        while True:
            if error := answer.get("error"):
                raise Failed(error["errorName"], error["message"])
            if readers is None and answer.get("columns"):
                readers = [reader(column["type"]) for column in answer["columns"]]
            for row in answer.get("data") or []:
                found.append(tuple(None if v is None else read(v) for v, read in zip(row, readers)))
            if "nextUri" not in answer:
                return found
            answer = self._exchange("GET", "/" + answer["nextUri"].split("/", 3)[3])

    def load(self, table):
        self.rows(f"DROP TABLE IF EXISTS {table.name}")
        columns = ", ".join(f"{name} {SQL_TYPES[type]}" for name, type in table.columns)
        self.rows(f"CREATE TABLE {table.name} ({columns}) {table.options}")
        step = max(1, -(-len(table.rows) // table.files))
        for start in range(0, len(table.rows), step):
            self.rows(insertion(table, table.rows[start:start + step]))


def insertion(table, rows):
    """INSERT of rows that both dialects read."""
    names = [f"CAST(x{place} AS {SQL_TYPES[type]})" for place, (_, type) in enumerate(table.columns)]
    texts = (", ".join("NULL" if v is None else "'" + str(v).replace("'", "''") + "'" for v in row) for row in rows)
    aliases = ", ".join(f"x{place}" for place in range(len(table.columns)))
    # Every column is text first, also one without a value.
    cast = ", ".join(f"CAST(x{place} AS varchar) AS x{place}" for place in range(len(table.columns)))
    values = ", ".join(f"({text})" for text in texts)
    return (
        f"INSERT INTO {table.name} SELECT {', '.join(names)} FROM (SELECT {cast} FROM (VALUES {values}) "
        f"AS v({aliases})) AS w"
    )


def reader(type):
    """How a value of the JSON answer becomes what DuckDB's client has for it."""
    if type.startswith("decimal"):
        return lambda text: decimal.Decimal(text)
    if type.startswith("timestamp"):
        return lambda text: text[:26].rstrip("0").rstrip(".") if "." in text else text
    if type in ("double", "real"):
        return float
    return lambda value: value


class DuckDB:
    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")

    def load(self, table):
        columns = ", ".join(f"{name} {DUCKDB_TYPES[type]}" for name, type in table.columns)
        self.connection.execute(f"CREATE OR REPLACE TABLE {table.name} ({columns})")
        for start in range(0, len(table.rows), 500):
            sql = insertion(table, table.rows[start:start + 500])
            self.connection.execute(sql.replace("timestamp(6)", "timestamp"))

    def rows(self, sql):
        try:
            found = self.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise Failed(type(error).__name__, str(error)) from None
        return [tuple(plain(value) for value in row) for row in found]


def plain(value):
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
        return text.rstrip("0").rstrip(".")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


# ---- Comparing


def key(value):
    """Values of one column in an order; numbers of any kind together."""
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (1, int(value))
    if isinstance(value, float):
        return (2, float(f"{value:.9g}"))
    if isinstance(value, (int, decimal.Decimal)):
        return (2, float(value)) if abs(value) < 1 << 50 else (2, value)
    return (3, str(value))


def close(one, other):
    if one is None or other is None or isinstance(one, (bool, str)) or isinstance(other, (bool, str)):
        return one == other and isinstance(one, bool) == isinstance(other, bool)
    if isinstance(one, float) or isinstance(other, float):
        one, other = float(one), float(other)
        return one == other or abs(one - other) <= 1e-9 * max(abs(one), abs(other))
    return one == other


def equal(one, other, ordered):
    """Whether two results are the same rows, in the same order when that is asked for."""
    if len(one) != len(other):
        return False
    if not ordered:
        order = lambda row: [key(value) for value in row]
        one, other = sorted(one, key=order), sorted(other, key=order)
    return all(len(a) == len(b) and all(map(close, a, b)) for a, b in zip(one, other))
