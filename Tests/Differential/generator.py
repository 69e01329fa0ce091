"""Random tables and queries, each from a seed.

The queries have one right answer: an order is total where it matters, sums of doubles are exact (all values are
quarters), divisors are not zero, and what the two engines define differently is written out.
"""

import datetime
import random
from dataclasses import dataclass, field

from queries import (
    DUCKDB_TYPES, SQL_TYPES, Join, Ordered, Select, SetOperation, Source, Term, Unnested, With, literal, null, term,
)

TYPES = ["int", "double", "dec", "str", "bool", "date", "ts"]
WORDS = ["", "a", "b", "ab", "abc", "B", "zeta", "a b", "%", "a_b", "it's", "äö", "日本", "🙂x", "{}", "Abc", "null"]


@dataclass
class Table:
    name: str
    columns: list  # (name, type), the first is `id`, unique and never NULL
    rows: list
    files: int
    options: str


@dataclass
class Scope:
    """The columns that an expression may use, and the keys that make a row unique, if any are known."""

    columns: list = field(default_factory=list)
    keys: list | None = None
    outer: "Scope | None" = None
    rows: int = 1

    def of(self, type):
        return [column for column in self.columns if column.type == type]


def value(random, type):
    match type:
        case "int":
            return random.choice([0, 1, 2, 3, -1, 7, random.randint(-50, 50), random.randint(-5, 5)])
        case "double":
            return random.choice([0.0, 1.0, -1.5, 2.25, random.randint(-400, 400) / 4])
        case "dec":
            return random.choice(["0.00", "1.00", "-1.50", "2.25", f"{random.randint(-9999, 9999) / 100:.2f}"])
        case "str":
            return random.choice(WORDS)
        case "bool":
            return random.random() < 0.5
        case "date":
            return str(datetime.date(2020, 1, 1) + datetime.timedelta(random.randint(-70, 800)))
        case "ts":
            moment = datetime.datetime(2020, 1, 1) + datetime.timedelta(
                days=random.randint(-3, 40), hours=random.choice([0, 0, 5, 23]),
                microseconds=random.choice([0, 0, 1, 999999, 500000]))
            return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    raise ValueError(type)


def tables(random, prefix):
    """Four tables: two small ones, one that may be empty, and a larger one of several files."""
    made = []
    for index, count in enumerate(
        [random.randint(3, 30), random.randint(5, 40), random.choice([0, 1, 2, 25]), random.choice([300, 2500])]
    ):
        kinds = [("int" if index != 1 else random.choice(["int", "int", "str"])), *TYPES[1:]]
        columns = [("id", "int")] + [
            (f"c{place}", type)
            for place, type in enumerate(
                random.sample(kinds, random.randint(3, len(kinds))) + random.choices(["int", "int", "str"], k=2))
        ]
        empty = [0.0 if name == "id" else random.choice([0, 0.05, 0.3, 0.3, 1.0 if count < 30 else 0.2])
                 for name, _ in columns]
        pools = [[value(random, type) for _ in range(random.choice([2, 5, 40]))] for _, type in columns]
        rows = []
        for number in range(count):
            rows.append([
                number if name == "id" else None if random.random() < share else random.choice(pool)
                for (name, _), share, pool in zip(columns, empty, pools)
            ])
        options, name = "", random.choice(columns)[0]
        if random.random() < 0.35 and count < 100:
            kind = dict(columns)[name]
            transforms = {
                "int": ["bucket({}, 3)", "truncate({}, 10)", "{}"], "str": ["bucket({}, 3)", "truncate({}, 1)", "{}"],
                "date": ["month({})", "day({})", "year({})", "bucket({}, 2)"], "ts": ["month({})", "day({})", "hour({})"],
                "bool": ["{}"], "dec": ["truncate({}, 100)", "bucket({}, 2)"], "double": ["{}"],
            }
            options = f"WITH (partitioning = ARRAY['{random.choice(transforms[kind]).format(name)}'])"
        elif random.random() < 0.4:
            options = f"WITH (sorted_by = ARRAY['{name}'])"
        made.append(Table(f"{prefix}{index}", columns, rows, 3 if count > 100 else random.choice([1, 2]), options))
    return made


class Generator:
    def __init__(self, seed, tables):
        self.random = random.Random(seed)
        self.tables = tables
        self.names = 0
        self.common = []
        # How many subqueries the whole query may still have.
        self.subqueries = 4

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def chance(self, share):
        return self.random.random() < share

    def one(self, options):
        return self.random.choice(options)

    # ---- Expressions

    def leaf(self, type, scope):
        columns = scope.of(type)
        outer = scope.outer.of(type) if scope.outer else []
        if outer and self.chance(0.3):
            return self.one(outer)
        if columns and self.chance(0.85):
            return self.one(columns)
        if self.chance(0.06):
            return null(type)
        return literal(type, value(self.random, type)) if type in SQL_TYPES else null(type)

    def expression(self, type, scope, depth=2, leaf=None):
        leaf = leaf or self.leaf
        if depth <= 0 or self.chance(0.35):
            return leaf(type, scope)
        make = lambda kind: self.expression(kind, scope, depth - 1, leaf)
        if self.chance(0.22):
            return self.conditional(type, make)
        if self.subqueries > 0 and leaf == self.leaf and self.chance(0.06) and type in SQL_TYPES:
            return self.scalar_subquery(type, scope)
        return getattr(self, f"make_{type}")(make, scope, depth, leaf)

    def conditional(self, type, make):
        match self.random.randint(0, 5):
            case 0:
                return term(type, "COALESCE({0}, {1})", make(type), make(type))
            case 1:
                return term(type, "CASE WHEN {0} THEN {1} ELSE {2} END", make("bool"), make(type), make(type))
            case 2:
                return term(type, "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} END",
                            make("bool"), make(type), make("bool"), make(type))
            case 3:
                return term(type, "NULLIF({0}, {1})", make(type), make(type))
            case 4:
                kind = self.one(["int", "str", "date"])
                return term(type, "CASE {0} WHEN {1} THEN {2} ELSE {3} END",
                            make(kind), make(kind), make(type), make(type))
            case _:
                return term(type, "IF({0}, {1}, {2})", make("bool"), make(type), make(type),
                            duckdb="CASE WHEN {0} THEN {1} ELSE {2} END")

    def extremes(self, type, make):
        name = self.one(["greatest", "least"])
        return term(type, name + "({0}, {1})", make(type), make(type),
                    duckdb="CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL ELSE " + name + "({0}, {1}) END")

    def make_int(self, make, scope, depth, leaf):
        match self.random.randint(0, 18):
            case 0 | 1 | 2:
                return term("int", "({0} " + self.one("+-") + " {1})", make("int"), make("int"))
            case 3:
                return term("int", "({0} * {1})", self.leaf_or(make, leaf, "int", scope), leaf("int", scope))
            case 4:
                return term("int", "({0} / NULLIF({1}, 0))", make("int"), make("int"),
                            duckdb="({0} // NULLIF({1}, 0))")
            case 5:
                return term("int", "({0} % NULLIF({1}, 0))", make("int"), make("int"))
            case 6:
                return term("int", "length({0})", make("str"))
            case 7:
                return term("int", "abs({0})", make("int"))
            case 8:
                part, duckdb = self.one([
                    ("year", "year"), ("month", "month"), ("day", "day"), ("quarter", "quarter"),
                    ("day_of_week", "isodow"), ("day_of_year", "dayofyear"), ("week", "weekofyear")])
                return term("int", part + "({0})", make(self.one(["date", "ts"])), duckdb=duckdb + "({0})")
            case 9:
                return term("int", "date_diff('day', {0}, {1})", make("date"), make("date"))
            case 10:
                return self.extremes("int", make)
            case 11:
                return term("int", "strpos({0}, {1})", make("str"), make("str"))
            case 12:
                return term("int", "CAST({0} AS bigint)", make("bool"))
            case 13:
                return term("int", "(- {0})", make("int"))
            case 14:
                name, symbol = self.one([("bitwise_and", "&"), ("bitwise_or", "|")])
                return term("int", name + "({0}, {1})", make("int"), make("int"), duckdb=f"({{0}} {symbol} {{1}})")
            case 15:
                return term("int", self.one(["hour", "minute", "second"]) + "({0})", make("ts"))
            case 16:
                return term("int", "cardinality({0})", self.array(make), duckdb="len({0})")
            case 17:
                return term("int", "sign({0})", make("int"))
            case _:
                return term("int", "CAST(round({0}) AS bigint)", make("dec"))

    def leaf_or(self, make, leaf, type, scope):
        return leaf(type, scope)

    def array(self, make, type=None):
        type = type or self.one(["int", "str"])
        parts = [make(type) for _ in range(self.random.randint(1, 3))]
        places = ", ".join("{%d}" % place for place in range(len(parts)))
        return term(type + "s", f"ARRAY[{places}]", *parts, duckdb=f"[{places}]")

    def make_double(self, make, scope, depth, leaf):
        match self.random.randint(0, 5):
            case 0 | 1:
                return term("double", "({0} " + self.one("+-") + " {1})", make("double"), make("double"))
            case 2:
                return term("double", "CAST({0} AS double)", make(self.one(["int", "dec"])))
            case 3:
                return term("double", "abs({0})", make("double"))
            case 4:
                return term("double", self.one(["floor", "ceil"]) + "({0})", make("double"))
            case _:
                return self.extremes("double", make)

    def make_dec(self, make, scope, depth, leaf):
        # Wider types come from sums and products; a cast brings them back where both engines agree.
        match self.random.randint(0, 4):
            case 0 | 1:
                return term("dec", "CAST({0} " + self.one("+-") + " {1} AS decimal(12,2))", make("dec"), make("dec"))
            case 2:
                return term("dec", "CAST({0} AS decimal(12,2))", make("int"))
            case 3:
                return term("dec", "abs({0})", make("dec")) if self.chance(0.5) else term(
                    "dec", "CAST({0} * {1} AS decimal(12,2))", leaf("dec", scope), self.constant("dec"))
            case _:
                return self.extremes("dec", make)

    def make_str(self, make, scope, depth, leaf):
        match self.random.randint(0, 15):
            case 0 | 1:
                return term("str", "({0} || {1})", make("str"), make("str"))
            case 2:
                return term("str", self.one(["lower", "upper"]) + "({0})", make("str"))
            case 3:
                return term("str", "substr({0}, " + str(self.random.randint(1, 3)) + ")", make("str"))
            case 4:
                return term("str", "substr({0}, 1, " + str(self.random.randint(0, 3)) + ")", make("str"))
            case 5:
                return term("str", "replace({0}, 'a', {1})", make("str"), make("str"))
            case 6:
                return term("str", self.one(["trim", "ltrim", "rtrim"]) + "({0})", make("str"))
            case 7:
                return term("str", "CAST({0} AS varchar)", make(self.one(["int", "bool", "date"])))
            case 8:
                return self.extremes("str", make)
            case 9:
                return term("str", "concat({0}, '-', {1})", make("str"), make("str"),
                            duckdb="({0} || '-' || {1})")
            case 10:
                name, width = self.one(["lpad", "rpad"]), self.random.randint(0, 6)
                return term("str", f"{name}({{0}}, {width}, 'xy')", make("str"))
            case 11:
                return term("str", "split_part({0}, ' ', 1)", make("str"))
            case 12:
                return term("str", "to_hex(md5(to_utf8({0})))", make("str"), duckdb="upper(md5({0}))")
            case 13:
                return term("str", "date_format({0}, '%Y-%m-%d %H:%i')", make("ts"),
                            duckdb="strftime({0}, '%Y-%m-%d %H:%M')")
            case 14:
                return term("str", "array_join(array_sort({0}), ',')", self.array(make, "str"),
                            duckdb="coalesce(array_to_string(list_sort(list_filter({0}, x -> x IS NOT NULL)), ','), '')")
            case _:
                return term("str", "element_at({0}, 1)", self.array(make, "str"), duckdb="({0})[1]")

    def make_date(self, make, scope, depth, leaf):
        match self.random.randint(0, 4):
            case 0:
                unit, count = self.one(["day", "month", "year"]), self.random.randint(-3, 13)
                return term("date", f"({{0}} + INTERVAL '{count}' {unit})", make("date"),
                            duckdb=f"CAST({{0}} + INTERVAL '{count}' {unit} AS date)")
            case 1:
                unit = self.one(["week", "month", "quarter", "year"])
                return term("date", f"date_trunc('{unit}', {{0}})", make("date"),
                            duckdb=f"CAST(date_trunc('{unit}', {{0}}) AS date)")
            case 2:
                return term("date", "CAST({0} AS date)", make("ts"))
            case 3:
                return term("date", "last_day_of_month({0})", make("date"), duckdb="last_day({0})") \
                    if self.chance(0.5) else term(
                        "date", "date_add('month', {0}, {1})", self.small_int(make), make("date"),
                        duckdb="CAST({1} + to_months(CAST({0} AS integer)) AS date)")
            case _:
                return self.extremes("date", make)

    def small_int(self, make):
        return term("int", "({0} % 24)", make("int"))

    def make_ts(self, make, scope, depth, leaf):
        match self.random.randint(0, 3):
            case 0:
                unit, count = self.one(["second", "hour", "day", "month"]), self.random.randint(-30, 30)
                return term("ts", f"({{0}} + INTERVAL '{count}' {unit})", make("ts"))
            case 1:
                return term("ts", f"date_trunc('{self.one(['minute', 'hour', 'day', 'month'])}', {{0}})", make("ts"))
            case 2:
                return term("ts", "CAST({0} AS timestamp(6))", make("date"), duckdb="CAST({0} AS timestamp)")
            case _:
                return self.extremes("ts", make)

    def make_bool(self, make, scope, depth, leaf):
        kind = self.one([type for type in TYPES if type != "bool"])
        pick = self.random.randint(0, 17)
        if pick <= 4:
            return term("bool", "({0} " + self.one(["=", "<>", "<", "<=", ">", ">=", "="]) + " {1})",
                        make(kind), make(kind))
        if pick <= 7:
            return term("bool", "({0} " + self.one(["AND", "OR"]) + " {1})", make("bool"), make("bool"))
        match pick:
            case 8:
                return term("bool", "(NOT {0})", make("bool"))
            case 9:
                return term("bool", "({0} IS " + self.one(["", "NOT "]) + "NULL)", make(self.one(TYPES)))
            case 10:
                return term("bool", "({0} IS " + self.one(["", "NOT "]) + "DISTINCT FROM {1})", make(kind), make(kind))
            case 11:
                return term("bool", "({0} " + self.one(["", "NOT "]) + "BETWEEN {1} AND {2})",
                            make(kind), make(kind), make(kind))
            case 12:
                entries = [leaf(kind, scope) if self.chance(0.3) else self.constant(kind)
                           for _ in range(self.random.randint(1, 5))]
                places = ", ".join("{%d}" % (place + 1) for place in range(len(entries)))
                return term("bool", "({0} " + self.one(["", "NOT "]) + f"IN ({places}))", make(kind), *entries)
            case 13:
                pattern = self.one(["a%", "%b%", "_", "%", "a_c", "", "%'%", "a\\_%", "%日%"])
                escape = " ESCAPE '\\'" if "\\" in pattern else ""
                return term("bool", "({0} " + self.one(["", "NOT "]) + "LIKE '" + pattern.replace("'", "''") + f"'{escape})",
                            make("str"))
            case 14:
                return term("bool", "starts_with({0}, {1})", make("str"), make("str")) if self.chance(0.5) else term(
                    "bool", "regexp_like({0}, '" + self.one(["^a", "b$", "[ab]+", "^.$", "\\s"]) + "')", make("str"),
                    duckdb=None).regexp()
            case _ if self.subqueries > 0 and leaf == self.leaf and self.chance(0.7):
                return self.subquery_condition(kind, scope, make)
            case _:
                return term("bool", "({0} = {1})", make(kind), make(kind))

    def constant(self, type):
        return null(type) if self.chance(0.08) else literal(type, value(self.random, type))

    def condition(self, scope, depth=2):
        made = self.expression("bool", scope, depth)
        while self.chance(0.3):
            made = term("bool", "({0} AND {1})", made, self.expression("bool", scope, depth - 1))
        return made

    # ---- Subqueries in expressions

    def scalar_subquery(self, type, scope):
        """One value: an aggregate without groups."""
        self.subqueries -= 1
        inner = self.inner_scope(scope)
        source, inside = self.source(inner.outer, small=True, tables=1)
        where = self.correlated(inside) if self.chance(0.7) else None
        if inside.keys and self.chance(0.3):
            # The first row in a total order.
            order = ", ".join(f"{{2}} {self.one(['ASC', 'DESC'])}" for _ in inside.keys[:1])
            inner = Select([self.leaf(type, inside)], source, where, names=[self.name("s")])
            offset = self.one(["", "", " OFFSET 1"])
            return Term(type, f"({{0}} ORDER BY {{1}} {order[4:]}{offset} LIMIT 1)",
                        f"({{0}} ORDER BY {{1}} {order[4:]} LIMIT 1{offset})", [inner, inside.keys[0]])
        item = self.aggregate(type, inside)
        select = Select([item], source, where, names=[self.name("s")])
        if self.chance(0.15):
            select.having = self.expression("bool", inside, 1, self.aggregate_leaf([]))
        return term(type, "({0})", select)

    def inner_scope(self, scope):
        """A scope whose outer one is this scope's columns: one level of correlation."""
        columns = list(scope.columns)
        if scope.outer and self.chance(0.4):
            columns += scope.outer.columns
        return Scope(outer=Scope(columns=columns) if columns and self.chance(0.75) else None)

    def correlated(self, inside):
        """A condition that mostly compares a column with an outer one."""
        made = None
        if inside.outer and inside.outer.columns and self.chance(0.85):
            column = self.one(inside.outer.columns)
            own = inside.of(column.type)
            if own:
                operator = self.one(["=", "=", "=", "=", "<", ">=", "<>", "IS NOT DISTINCT FROM"])
                made = term("bool", "({0} " + operator + " {1})", self.one(own), column)
        if made is None or self.chance(0.4):
            further = self.expression("bool", inside, 1)
            made = term("bool", "({0} AND {1})", made, further) if made else further
        return made

    def subquery_condition(self, kind, scope, make):
        self.subqueries -= 1
        inner = self.inner_scope(scope)
        source, inside = self.source(inner.outer, small=True, tables=self.one([1, 1, 1, 2]))
        where = self.correlated(inside) if self.chance(0.8) else None
        pick = self.random.randint(0, 5)
        if pick <= 1:
            select = Select([term("int", "1")], source, where, names=["one"])
            if self.chance(0.2):
                select.groups = [self.one(inside.columns)]
                select.having = self.expression("bool", inside, 1, self.aggregate_leaf(select.groups))
            return term("bool", self.one(["", "NOT "]) + "EXISTS ({0})", select)
        if pick == 2 and self.chance(0.5):
            other = self.one(TYPES[:1] + TYPES[3:4])
            select = Select([self.leaf(kind, inside), self.leaf(other, inside)], source, where, names=["x", "y"])
            return term("bool", "(({0}, {1}) IN ({2}))", make(kind), make(other), select)
        item = self.expression(kind, inside, 1)
        select = Select([item], source, where, names=["x"])
        if self.chance(0.2):
            select = Select([self.aggregate(kind, inside)], source, where,
                            groups=[self.one(inside.columns)], names=["x"])
        if pick <= 4:
            return term("bool", "({0} " + self.one(["IN", "IN", "NOT IN"]) + " ({1}))", make(kind), select)
        operator = self.one(["=", "<>", "<", "<=", ">", ">="]) + " " + self.one(["ANY", "ALL"])
        return term("bool", "({0} " + operator + " ({1}))", make(kind), select)

    # ---- Aggregates

    def aggregate(self, type, scope):
        """A call that gives the type; NULL of it where no aggregate does."""
        # An aggregate of outer columns alone belongs to the outer query in SQL, but not in Trino.
        own = Scope(scope.columns, scope.keys)
        argument = lambda kind: self.expression(kind, own, 1)
        suffix = ""
        parts = []
        if self.chance(0.2):
            suffix, parts = " FILTER (WHERE {%d})", [argument("bool")]
        distinct = "DISTINCT " if self.chance(0.2) else ""

        def call(text, *arguments, duckdb=None):
            end = suffix % len(arguments) if suffix else ""
            return Term(type, text + end, (duckdb or text) + end, [*arguments, *parts])

        pick = self.random.random()
        if type == "int":
            if pick < 0.2:
                return call("count(*)")
            if pick < 0.4:
                return call(f"count({distinct}{{0}})", argument(self.one(TYPES)))
            if pick < 0.65:
                return call(f"sum({distinct}{{0}})", argument("int"))
            if pick < 0.75:
                return call("count_if({0})", argument("bool"), duckdb="count(CASE WHEN {0} THEN 1 END)")
        if type == "double" and pick < 0.5:
            return call(f"sum({distinct}{{0}})", argument("double")) if pick < 0.3 \
                else call(f"avg({distinct}{{0}})", argument(self.one(["int", "double"])))
        if type == "dec" and pick < 0.4:
            return call(f"sum({distinct}{{0}})", argument("dec"))
        if type == "bool":
            if pick < 0.5:
                return call(self.one(["bool_and", "bool_or"]) + "({0})", argument("bool"))
            return Term("bool", "({0} " + self.one(["=", ">", "<"]) + " {1})",
                        "", [self.aggregate("int", scope), literal("int", self.random.randint(-2, 5))]).both()
        if type == "str" and pick < 0.2 and scope.keys:
            keys = ", ".join("{%d}" % (place + 1) for place in range(len(scope.keys)))
            plain = f"({{0}}, '/') WITHIN GROUP (ORDER BY {keys})"
            return call("listagg" + plain, argument("str"), *scope.keys,
                        duckdb=f"string_agg({{0}}, '/' ORDER BY {keys})")
        if pick > 0.9 and scope.keys and len(scope.keys) == 1:
            name = self.one(["min_by", "max_by"])
            column = scope.of(type)
            if column:
                return call(name + "({0}, {1})", self.one(column), scope.keys[0],
                            duckdb=name.replace("min_by", "arg_min_null").replace("max_by", "arg_max_null")
                            + "({0}, {1})")
        return call(self.one(["min", "max"]) + f"({distinct if self.chance(0.2) else ''}{{0}})", argument(type))

    def aggregate_leaf(self, groups):
        """Leaves over groups: the groups' expressions, aggregates and constants."""

        def leaf(type, scope):
            keys = [key for key in groups if key.type == type]
            if keys and self.chance(0.5):
                return self.one(keys)
            if self.chance(0.15):
                return self.constant(type)
            return self.aggregate(type, scope)

        return leaf

    # ---- FROM

    def table(self, small):
        options = [table for table in self.tables if not small or len(table.rows) < 100]
        return self.one(options)

    def source(self, outer=None, small=False, tables=None):
        """A FROM clause and the scope that it opens."""
        count = tables or self.one([1, 1, 1, 2, 2, 2, 3])
        node, scope = self.relation(outer, small, depth=1)
        for _ in range(count - 1):
            # Behind USING its column has no table any more; a further table's would be as good.
            if isinstance(node, Join) and node.using:
                break
            node, scope = self.joined(node, scope, outer)
        scope.outer = outer
        return node, scope

    def relation(self, outer, small, depth):
        if depth > 0 and self.subqueries > 0 and self.chance(0.15):
            self.subqueries -= 1
            types = self.random.choices(TYPES, k=self.random.randint(1, 4))
            alias = self.name("q")
            query = self.body(types, depth - 1, small=True)
            names = [f"x{place}" for place in range(len(types))]
            scope = Scope([term(type, f"{alias}.{name}") for type, name in zip(types, names)], None, outer, 40)
            return Source(alias, query=query, columns=names), scope
        if self.chance(0.06):
            return self.values_relation(outer)
        if self.common and self.chance(0.4):
            name, types, names = self.one(self.common)
            alias = self.name("w")
            scope = Scope([term(type, f"{alias}.{column}") for type, column in zip(types, names)], None, outer, 40)
            return Source(alias, table=name), scope
        table = self.table(small)
        alias = self.name("a")
        columns = [term(type, f"{alias}.{name}") for name, type in table.columns]
        return Source(alias, table=table.name), Scope(columns, [columns[0]], outer, len(table.rows))

    def values_relation(self, outer):
        types = self.random.choices(["int", "str", "date", "dec"], k=self.random.randint(1, 3))
        rows = [[self.constant(type) for type in types] for _ in range(self.random.randint(1, 5))]
        parts = [cell for row in rows for cell in row]
        width = len(types)
        texts = [", ".join("{%d}" % (start + place) for place in range(width)) for start in range(0, len(parts), width)]
        template = "VALUES " + ", ".join(f"({text})" for text in texts)
        alias = self.name("v")
        names = [f"x{place}" for place in range(width)]
        # The types are said once more, since DuckDB's literals are narrower.
        casts = ", ".join(f"CAST(y{place} AS {SQL_TYPES[type]}) AS x{place}" for place, type in enumerate(types))
        inner = ", ".join(f"y{place}" for place in range(width))
        text = f"SELECT {casts} FROM ({template}) AS y({inner})"
        scope = Scope([term(type, f"{alias}.{name}") for type, name in zip(types, names)], None, outer, len(rows))
        return Source(alias, query=Term("rows", text, text, parts), columns=names), scope

    def joined(self, left, scope, outer):
        if self.chance(0.07):
            return self.unnested(left, scope)
        if self.chance(0.07) and self.subqueries > 0 and scope.rows < 100:
            return self.lateral(left, scope)
        right, other = self.relation(outer, small=scope.rows > 100, depth=1)
        both = Scope(scope.columns + other.columns, None, outer, scope.rows * other.rows)
        if scope.keys and other.keys:
            both.keys = scope.keys + other.keys
        kind = self.one(["INNER", "INNER", "INNER", "LEFT", "LEFT", "RIGHT", "FULL", "CROSS"])
        if kind == "CROSS" and both.rows < 2000:
            return Join("CROSS", left, right), both
        kind = "INNER" if kind == "CROSS" else kind
        if kind != "CROSS" and isinstance(left, Source) and isinstance(right, Source) and left.table and right.table \
                and self.chance(0.1):
            shared = [c.trino.split(".")[1] for c in scope.columns
                      if any(c.trino.split(".")[1] == o.trino.split(".")[1] and c.type == o.type for o in other.columns)]
            if shared:
                name = self.one(shared)
                rest = [c for c in both.columns if c.trino.split(".")[1] != name]
                kept = next(c.type for c in scope.columns if c.trino.split(".")[1] == name)
                column = term(kept, name)
                both.columns, both.keys = rest + [column], None
                return Join(kind, left, right, using=[name]), both
        pairs = [(a, b) for a in scope.columns for b in other.columns if a.type == b.type and a.type != "bool"]
        conditions = []
        if pairs and (self.chance(0.85) or both.rows > 5000):
            for _ in range(self.one([1, 1, 2])):
                a, b = self.one(pairs)
                conditions.append(term("bool", "({0} = {1})", a, b))
        if not conditions or self.chance(0.25):
            deep = Scope(both.columns, None, None)
            saved, self.subqueries = self.subqueries, 0
            conditions.append(self.expression("bool", deep, self.one([1, 2])))
            self.subqueries = saved
        on = conditions[0]
        for further in conditions[1:]:
            on = term("bool", "({0} AND {1})", on, further)
        if kind != "INNER":
            both.keys = both.keys
        return Join(kind, left, right, on), both

    def unnested(self, left, scope):
        type = self.one(["int", "str"])
        parts = [self.leaf(type, scope) for _ in range(self.random.randint(1, 3))]
        places = ", ".join("{%d}" % place for place in range(len(parts)))
        if type == "int":
            array = term("ints", f"ARRAY[{places}]", *parts, duckdb=f"[{places}]")
        else:
            array = term("strs", f"ARRAY[{places}]", *parts, duckdb=f"[{places}]")
        alias = self.name("u")
        columns = scope.columns + [term(type, f"{alias}.e")]
        keys, ordinality = None, None
        if self.chance(0.5):
            ordinality = "o"
            columns.append(term("int", f"{alias}.o"))
            keys = scope.keys and scope.keys + columns[-1:]
        return Join("CROSS", left, Unnested(array, alias, "e", ordinality)), Scope(
            columns, keys, scope.outer, scope.rows * 2)

    def lateral(self, left, scope):
        self.subqueries -= 1
        inner = Scope(columns=list(scope.columns))
        source, inside = self.source(inner, small=True, tables=1)
        where = self.correlated(inside)
        types = self.random.choices(TYPES, k=self.random.randint(1, 2))
        alias = self.name("l")
        names = [f"x{place}" for place in range(len(types))]
        if self.chance(0.5):
            query = Select([self.aggregate(type, inside) for type in types], source, where, names=names)
        else:
            query = Select([self.leaf(type, inside) for type in types], source, where, names=names)
        columns = scope.columns + [term(type, f"{alias}.{name}") for type, name in zip(types, names)]
        node = Source(alias, query=query, lateral=True, columns=names)
        joined = Join("LEFT", left, node, term("bool", "true")) if self.chance(0.5) else Join("CROSS", left, node)
        return joined, Scope(columns, None, scope.outer, scope.rows * 5)

    # ---- Windows

    def window(self, type, scope, leaf):
        """A window call of the type; its order is total wherever ties would matter."""
        simple = lambda kind: leaf(kind, scope)
        partition = [simple(self.one(TYPES)) for _ in range(self.one([0, 1, 1, 2]))]
        keys = [simple(self.one([t for t in TYPES if t != "bool"])) for _ in range(self.one([0, 1, 1, 2]))]
        total = bool(scope.keys) and leaf == self.leaf and self.chance(0.7)
        if total:
            keys += scope.keys
        parts = []

        def place(part):
            parts.append(part)
            return "{%d}" % (len(parts) - 1)

        function, duckdb, framed = None, None, True
        pick = self.random.random()
        if type == "int" and pick < 0.45:
            names = ["rank()", "dense_rank()", "count(*)"] + (["row_number()", "ntile(3)"] if total else [])
            function = self.one(names)
            framed = function == "count(*)"
        elif type == "double" and pick < 0.3 and keys:
            function, framed = self.one(["percent_rank()", "cume_dist()"]), False
        elif total and pick < 0.75:
            name = self.one(["lag", "lead", "first_value", "last_value", "nth_value"])
            argument = place(simple(type))
            ignoring = " IGNORE NULLS" if self.chance(0.25) else ""
            if name in ("lag", "lead"):
                framed = False
                rest = self.one(["", ", 2", ", 1, " + place(self.constant(type))])
                function = f"{name}({argument}{rest}){ignoring}"
                duckdb = f"{name}({argument}{rest}{ignoring})"
            else:
                rest = ", 2" if name == "nth_value" else ""
                function = f"{name}({argument}{rest}){ignoring}"
                duckdb = f"{name}({argument}{rest}{ignoring})"
        elif type in ("int", "double", "dec") and pick < 0.9:
            function = f"sum({place(simple(type))})"
        else:
            function = f"{self.one(['min', 'max'])}({place(simple(type))})"
        clauses = []
        if partition:
            clauses.append("PARTITION BY " + ", ".join(place(part) for part in partition))
        if keys:
            clauses.append("ORDER BY " + ", ".join(
                place(key) + self.one([" ASC", " DESC"]) + self.one([" NULLS FIRST", " NULLS LAST"]) for key in keys))
            if framed and self.chance(0.6):
                clauses.append(self.frame(total, keys))
        elif framed and self.chance(0.2):
            clauses.append("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")
        over = f" OVER ({' '.join(clauses)})"
        return Term(type, function + over, (duckdb or function) + over, parts)

    def frame(self, total, keys):
        unit = self.one(["ROWS", "ROWS", "GROUPS", "RANGE"] if total else ["GROUPS", "RANGE"])
        if unit == "RANGE" and len(keys) == 1 and keys[0].type in ("date", "ts") and self.chance(0.6):
            days = self.random.randint(0, 40)
            return self.one([
                f"RANGE BETWEEN INTERVAL '{days}' DAY PRECEDING AND CURRENT ROW",
                f"RANGE BETWEEN CURRENT ROW AND INTERVAL '{days}' DAY FOLLOWING",
                f"RANGE BETWEEN INTERVAL '{days + 3}' DAY PRECEDING AND INTERVAL '{days}' DAY PRECEDING"])
        offsets = unit != "RANGE" or (len(keys) == 1 and keys[0].type in ("int", "dec", "double"))
        starts = ["UNBOUNDED PRECEDING", "CURRENT ROW"]
        ends = ["CURRENT ROW", "UNBOUNDED FOLLOWING"]
        if offsets:
            low, high = sorted([self.random.randint(0, 3), self.random.randint(0, 3)])
            starts += [f"{high} PRECEDING", f"{low} PRECEDING"]
            ends += [f"{high} FOLLOWING", f"{low} FOLLOWING"]
            if self.chance(0.2):
                return f"{unit} BETWEEN {high} PRECEDING AND {low} PRECEDING"
            if self.chance(0.2):
                return f"{unit} BETWEEN {low} FOLLOWING AND {high} FOLLOWING"
        return f"{unit} BETWEEN {self.one(starts)} AND {self.one(ends)}"

    # ---- Queries

    def select(self, types, small=False, tables=None):
        source, scope = self.source(small=small, tables=tables)
        names = [self.name("r") for _ in types]
        made = Select([], source, names=names)
        if self.chance(0.6):
            made.where = self.condition(scope)
        pick = self.random.random()
        if pick < 0.4:
            self.grouped(made, types, scope)
        elif pick < 0.55 and scope.rows < 20000:
            made.items = [
                self.window(type, scope, self.leaf) if self.chance(0.6) else self.expression(type, scope, 1)
                for type in types
            ]
            if self.chance(0.2):
                made.items = [self.over(item, scope) for item in made.items]
        else:
            made.items = [self.expression(type, scope) for type in types]
            made.distinct = self.chance(0.2)
        return made

    def over(self, item, scope):
        """An expression around a window call."""
        return term(item.type, "COALESCE({0}, {1})", item, self.leaf(item.type, scope))

    def grouped(self, made, types, scope):
        keys = []
        style = self.random.random()
        plain = style < 0.35
        for _ in range(self.one([0, 1, 1, 2, 2, 3])):
            kind = self.one(TYPES)
            columns = scope.of(kind)
            if plain or self.chance(0.6):
                if columns:
                    keys.append(self.one(columns))
            else:
                saved, self.subqueries = self.subqueries, 0
                key = self.expression(kind, scope, 1)
                self.subqueries = saved
                # A constant as a group is an ordinal, or refused.
                if key.parts and any(column in walk_terms(key) for column in map(id, scope.columns)):
                    keys.append(key)
        keys = list({key.text(0): key for key in keys}.values())
        made.groups = keys
        leaf = self.aggregate_leaf(keys)
        if keys and plain and self.chance(0.5):
            made.grouping = self.one(["ROLLUP", "CUBE", "SETS"])
            if made.grouping == "SETS":
                places = list(range(len(keys)))
                made.sets = [sorted(self.random.sample(places, self.random.randint(0, len(places))))
                             for _ in range(self.random.randint(1, 3))]
                if not any(made.sets):
                    made.sets.append(places)
                used = {place for one in made.sets for place in one}
                keys = [key for place, key in enumerate(keys) if place in used]
                renumbered = {place: index for index, place in enumerate(sorted(used))}
                made.sets = [[renumbered[place] for place in one] for one in made.sets]
                made.groups = keys
                leaf = self.aggregate_leaf(keys)
        windowed = self.chance(0.12)
        for type in types:
            if made.grouping and type == "int" and self.chance(0.3):
                chosen = self.random.sample(keys, self.random.randint(1, len(keys)))
                places = ", ".join("{%d}" % place for place in range(len(chosen)))
                made.items.append(term("int", f"grouping({places})", *chosen))
            elif windowed and self.chance(0.5):
                made.items.append(self.window(type, scope, leaf))
            else:
                made.items.append(self.expression(type, scope, 1, leaf))
        if self.chance(0.25):
            made.having = self.expression("bool", scope, 1, leaf)

    # ---- Changes

    def change(self, table):
        """DELETE, UPDATE, MERGE or INSERT; `id` stays unique, and no row of a MERGE has two sources."""
        columns = [term(type, f"{table.name}.{name}") for name, type in table.columns]
        scope = Scope(columns, [columns[0]], None, len(table.rows))
        pick = self.random.random()
        if pick < 0.35:
            return term("rows", f"DELETE FROM {table.name} WHERE {{0}}", self.narrow(scope))
        if pick < 0.7:
            sets, parts = self.assignments(table, scope)
            parts.append(self.narrow(scope))
            return term("rows", f"UPDATE {table.name} SET {sets} WHERE {{{len(parts) - 1}}}", *parts)
        other = self.one([other for other in self.tables if len(other.rows) < 100])
        if pick < 0.8:
            source = Scope([term(type, f"s.{name}") for name, type in other.columns], None)
            parts = [self.expression(type, source, 1) for _, type in table.columns[1:]]
            places = ", ".join("{%d}" % place for place in range(len(parts)))
            return term("rows", f"INSERT INTO {table.name} SELECT s.id + {self.random.randint(3, 9)}00000"
                        f"{', ' + places if places else ''} FROM {other.name} AS s", *parts)
        source = [term(type, f"s.{name}") for name, type in other.columns]
        both = Scope(columns + source, None)
        text = f"MERGE INTO {table.name} USING {other.name} AS s ON {table.name}.id = s.id"
        parts = []
        for _ in range(self.one([1, 1, 2])):
            parts.append(self.expression("bool", both, 1))
            text += f" WHEN MATCHED AND {{{len(parts) - 1}}} THEN "
            if self.chance(0.4):
                text += "DELETE"
            else:
                sets, made = self.assignments(table, both, len(parts))
                text += f"UPDATE SET {sets}"
                parts += made
        if self.chance(0.7):
            only = Scope(source, None)
            made = [self.expression(type, only, 1) for _, type in table.columns[1:]]
            places = "".join(", {%d}" % (len(parts) + place) for place in range(len(made)))
            names = ", ".join(name for name, _ in table.columns)
            text += f" WHEN NOT MATCHED THEN INSERT ({names}) VALUES (s.id{places})"
            parts += made
        return term("rows", text, *parts)

    def narrow(self, scope):
        """A condition that leaves some rows alone, mostly."""
        made = self.condition(scope)
        return made if self.chance(0.4) else term(
            "bool", "({0} AND {1} % 3 = " + str(self.random.randint(0, 2)) + ")", made, scope.keys[0])

    def assignments(self, table, scope, start=0):
        chosen = self.random.sample(table.columns[1:], self.random.randint(1, min(3, len(table.columns) - 1)))
        parts = [self.expression(type, scope, 1) for _, type in chosen]
        return ", ".join(f"{name} = {{{start + place}}}" for place, (name, _) in enumerate(chosen)), parts

    def body(self, types, depth, small=False):
        if depth > 0 and self.chance(0.15):
            operator = self.one(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
            return SetOperation(operator, self.body(types, depth - 1, True), self.body(types, depth - 1, True))
        return self.select(types, small, tables=1 if small and self.chance(0.6) else None)

    def query(self):
        types = self.random.choices(TYPES, k=self.random.randint(1, 5))
        common = []
        while self.chance(0.15) and len(common) < 2:
            kinds = self.random.choices(TYPES, k=self.random.randint(1, 4))
            name = self.name("common")
            names = [f"x{place}" for place in range(len(kinds))]
            common.append([name, names, self.body(kinds, 1, small=True)])
            self.common.append((name, kinds, names))
        made = Ordered(self.body(types, 2))
        if self.chance(0.5):
            ordinals = list(range(1, len(types) + 1))
            self.random.shuffle(ordinals)
            made.order = [(ordinal, self.chance(0.5), self.chance(0.5)) for ordinal in ordinals]
            # A mean may differ in its last bit, and so decide who is behind a limit.
            if self.chance(0.6) and "avg(" not in made.text(0):
                made.limit = self.one([0, 1, 3, 10, 100])
                if self.chance(0.4):
                    made.offset = self.one([0, 1, 5])
        return With(common, made)


def walk_terms(node):
    found = {id(node)}
    for part in node.parts:
        if isinstance(part, Term):
            found |= walk_terms(part)
    return found
