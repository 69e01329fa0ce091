"""Queries as trees that can be written in Trino's dialect and in DuckDB's, and be made smaller.

A node's text is a template over its parts; `{0}` stands for the first part. Templates differ where the two
dialects or their semantics do: division, truncated dates, greatest of NULLs.
"""

import copy
from dataclasses import dataclass, field

TRINO, DUCKDB = 0, 1


class Node:
    def text(self, dialect):
        raise NotImplementedError


@dataclass
class Term(Node):
    """An expression of a type: `int`, `double`, `dec`, `str`, `bool`, `date`, `ts`, `ints` or `strs`."""

    type: str
    trino: str
    duckdb: str
    parts: list = field(default_factory=list)

    def text(self, dialect):
        template = self.duckdb if dialect else self.trino
        return template.format(*(part.text(dialect) for part in self.parts))

    def regexp(self):
        """regexp_like under DuckDB's name."""
        self.duckdb = self.trino.replace("regexp_like(", "regexp_matches(")
        return self

    def both(self):
        """The same template in both dialects."""
        self.duckdb = self.trino
        return self


def term(type, text, *parts, duckdb=None):
    return Term(type, text, duckdb or text, list(parts))


SQL_TYPES = {
    "int": "bigint", "double": "double", "dec": "decimal(12,2)", "str": "varchar", "bool": "boolean",
    "date": "date", "ts": "timestamp(6)",
}
DUCKDB_TYPES = {**SQL_TYPES, "ts": "timestamp"}


def null(type):
    if type == "ints":
        return term(type, "CAST(NULL AS array(bigint))", duckdb="CAST(NULL AS bigint[])")
    if type == "rows":
        return term(type, "SELECT 1")
    if type == "strs":
        return term(type, "CAST(NULL AS array(varchar))", duckdb="CAST(NULL AS varchar[])")
    return term(type, f"CAST(NULL AS {SQL_TYPES[type]})", duckdb=f"CAST(NULL AS {DUCKDB_TYPES[type]})")


def literal(type, value):
    """A constant; braces are doubled, since the text is a template."""
    if value is None:
        return null(type)
    match type:
        case "int":
            return term(type, f"{value}" if value >= 0 else f"({value})")
        case "double":
            return term(type, f"({value!r}E0)", duckdb=f"CAST({value!r} AS double)")
        case "dec":
            return term(type, f"CAST({value} AS decimal(12,2))")
        case "str":
            quoted = value.replace("'", "''").replace("{", "{{").replace("}", "}}")
            return term(type, f"'{quoted}'")
        case "bool":
            return term(type, "true" if value else "false")
        case "date":
            return term(type, f"DATE '{value}'")
        case "ts":
            return term(type, f"TIMESTAMP '{value}'")
    raise ValueError(type)


@dataclass
class Join(Node):
    """`kind` is as in SQL; without a condition it is a cross join."""

    kind: str
    left: Node
    right: Node
    on: Node | None = None
    using: list = field(default_factory=list)

    def text(self, dialect):
        left, right = self.left.text(dialect), self.right.text(dialect)
        if isinstance(self.right, Join):
            right = f"({right})"
        if self.using:
            return f"{left} {self.kind} JOIN {right} USING ({', '.join(self.using)})"
        if self.on is None:
            return f"{left} CROSS JOIN {right}"
        return f"{left} {self.kind} JOIN {right} ON {self.on.text(dialect)}"


@dataclass
class Source(Node):
    """A table, a subquery or a lateral one under an alias."""

    alias: str
    table: str | None = None
    query: Node | None = None
    lateral: bool = False
    columns: list = field(default_factory=list)

    def text(self, dialect):
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        if self.table is not None:
            return f"{self.table} AS {self.alias}{columns}"
        return f"{'LATERAL ' if self.lateral else ''}({self.query.text(dialect)}) AS {self.alias}{columns}"


@dataclass
class Unnested(Node):
    array: Node
    alias: str
    column: str
    ordinality: str | None = None

    def text(self, dialect):
        if self.ordinality:
            return (
                f"UNNEST({self.array.text(dialect)}) WITH ORDINALITY AS {self.alias}({self.column}, {self.ordinality})"
            )
        return f"UNNEST({self.array.text(dialect)}) AS {self.alias}({self.column})"


@dataclass
class Select(Node):
    items: list
    source: Node | None = None
    where: Node | None = None
    distinct: bool = False
    groups: list = field(default_factory=list)
    # "", "ROLLUP", "CUBE", or "SETS" with the sets as lists of places in `groups`.
    grouping: str = ""
    sets: list = field(default_factory=list)
    having: Node | None = None
    names: list = field(default_factory=list)

    def text(self, dialect):
        items = [f"{item.text(dialect)} AS {name}" for item, name in zip(self.items, self.names)]
        parts = ["SELECT", "DISTINCT" if self.distinct else "", ", ".join(items)]
        if self.source is not None:
            parts += ["FROM", self.source.text(dialect)]
        if self.where is not None:
            parts += ["WHERE", self.where.text(dialect)]
        keys = [key.text(dialect) for key in self.groups]
        if self.grouping == "SETS" and self.sets:
            sets = ("(" + ", ".join(keys[place] for place in one if place < len(keys)) + ")" for one in self.sets)
            parts.append(f"GROUP BY GROUPING SETS ({', '.join(sets)})")
        elif keys and self.grouping in ("ROLLUP", "CUBE"):
            parts.append(f"GROUP BY {self.grouping} ({', '.join(keys)})")
        elif keys:
            parts.append(f"GROUP BY {', '.join(keys)}")
        if self.having is not None:
            parts += ["HAVING", self.having.text(dialect)]
        return " ".join(part for part in parts if part)


@dataclass
class SetOperation(Node):
    operator: str
    left: Node
    right: Node

    def text(self, dialect):
        return f"({self.left.text(dialect)}) {self.operator} ({self.right.text(dialect)})"


@dataclass
class Ordered(Node):
    """A body with ORDER BY over its ordinals, OFFSET and LIMIT: `order` has (ordinal, descending, nulls first)."""

    body: Node
    order: list = field(default_factory=list)
    limit: int | None = None
    offset: int | None = None

    def text(self, dialect):
        text = self.body.text(dialect)
        if self.order:
            keys = (
                f"{ordinal} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"
                for ordinal, descending, first in self.order
            )
            text += f" ORDER BY {', '.join(keys)}"
        limit = "" if self.limit is None else f" LIMIT {self.limit}"
        offset = "" if self.offset is None else f" OFFSET {self.offset}"
        # Trino has the offset first.
        return text + (limit + offset if dialect else offset + limit)


@dataclass
class With(Node):
    """Common tables in front of a body: (name, columns, query); recursive ones are templates."""

    tables: list
    body: Node
    recursive: bool = False

    def text(self, dialect):
        if not self.tables:
            return self.body.text(dialect)
        tables = (f"{name} ({', '.join(columns)}) AS ({query.text(dialect)})" for name, columns, query in self.tables)
        return f"WITH {'RECURSIVE ' if self.recursive else ''}{', '.join(tables)} {self.body.text(dialect)}"


# ---- Making smaller


def _children(node):
    """(setter, child) of everything directly below a node."""
    found = []

    def place(container, key, child):
        found.append((lambda value, c=container, k=key: c.__setitem__(k, value), child))

    for name, value in vars(node).items():
        if isinstance(value, Node):
            place(vars(node), name, value)
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                if isinstance(entry, Node):
                    place(value, index, entry)
                elif isinstance(entry, list):
                    for inner, part in enumerate(entry):
                        if isinstance(part, Node):
                            place(entry, inner, part)
    return found


def _walk(node):
    yield node
    for _, child in _children(node):
        yield from _walk(child)


def size(node):
    return sum(1 for _ in _walk(node))


def _edits(node):
    """Functions that each change a copy's node in one way; (path to the node, function)."""

    def visit(current, path):
        if isinstance(current, Select):
            for name in ("where", "having"):
                if getattr(current, name) is not None:
                    yield path, lambda n, a=name: setattr(n, a, None)
            if current.distinct:
                yield path, lambda n: setattr(n, "distinct", False)
            if current.grouping:
                yield path, lambda n: setattr(n, "grouping", "")
            for index in range(len(current.sets)):
                if len(current.sets) > 1:
                    yield path, lambda n, i=index: n.sets.pop(i)
            for index in range(len(current.groups)):
                if not current.sets:
                    yield path, lambda n, i=index: n.groups.pop(i)
            if len(current.items) > 1:
                for index in range(len(current.items)):
                    yield path, lambda n, i=index: (n.items.pop(i), n.names.pop(i))
        if isinstance(current, Ordered):
            if current.limit is not None:
                yield path, lambda n: setattr(n, "limit", None)
            if current.offset is not None:
                yield path, lambda n: setattr(n, "offset", None)
            if current.order and current.limit is None and current.offset is None:
                yield path, lambda n: setattr(n, "order", [])
        if isinstance(current, With):
            for index in range(len(current.tables)):
                yield path, lambda n, i=index: n.tables.pop(i)
        if isinstance(current, Join):
            yield path[:-1], lambda n, p=path: _children(n)[p[-1]][0](_children(n)[p[-1]][1].left) if p else None
            yield path[:-1], lambda n, p=path: _children(n)[p[-1]][0](_children(n)[p[-1]][1].right) if p else None
        if isinstance(current, SetOperation) and path:
            for side in ("left", "right"):
                yield path[:-1], lambda n, p=path, s=side: _children(n)[p[-1]][0](
                    getattr(_children(n)[p[-1]][1], s)
                )
        if isinstance(current, Term) and current.parts and path:
            inside = [n for n in _walk(current) if n is not current and isinstance(n, Term)]
            for option in [n for n in inside if n.type == current.type][:6] + [null(current.type)]:
                yield path[:-1], lambda n, p=path, o=option: _children(n)[p[-1]][0](copy.deepcopy(o))
        for index, (_, child) in enumerate(_children(current)):
            yield from visit(child, [*path, index])

    yield from visit(node, [])


def reduced(node, fails, budget=400):
    """A smaller tree for which `fails` still holds; asks it at most `budget` times."""
    changed = True
    while changed and budget > 0:
        changed = False
        for path, edit in list(_edits(node)):
            if budget <= 0:
                break
            candidate = copy.deepcopy(node)
            place = candidate
            try:
                for index in path:
                    place = _children(place)[index][1]
                edit(place)
            except (IndexError, AttributeError):
                continue
            if size(candidate) > size(node) or candidate.text(TRINO) == node.text(TRINO):
                continue
            budget -= 1
            if fails(candidate):
                node, changed = candidate, True
                break
    return node
