"""Fills the expected rows of every .slt file that says `# oracle: duckdb`, by asking DuckDB.

    oracle.py [--check] [PART OF A PATH]

`--check` changes nothing and fails when a file differs. Read the differences: where DuckDB and the SQL
standard disagree, the file is written by hand and has no such line.
"""

import datetime
import decimal
import json
import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def plain(value):
    """A value inside of an array or a map, as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return text(value)


def text(value):
    if value is None:
        return "NULL"
    if value == "" and isinstance(value, str):
        return "(empty)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float):
        if value != value:
            return "NaN"
        return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(value, repr(value))
    if isinstance(value, (list, dict)):
        return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def filled(content, connection, path):
    """The file's text with the rows that DuckDB gives."""
    out, lines, place = [], content.split("\n"), 0
    while place < len(lines):
        line = lines[place]
        out.append(line)
        place += 1
        if not line.startswith("query "):
            continue
        words, sql = line.split(), []
        while lines[place] != "----":
            if lines[place] == "":
                raise SystemExit(f"{path}:{place + 1}: a query without ----")
            sql.append(lines[place])
            place += 1
        out += sql + ["----"]
        place += 1
        while place < len(lines) and lines[place] != "":
            place += 1
        try:
            result = connection.execute("\n".join(sql)).fetchall()
        except duckdb.Error as error:
            raise SystemExit(f"{path}: {error}\n" + "\n".join(sql))
        rows = ["\t".join(text(value) for value in row) for row in result]
        if result and len(result[0]) != len(words[1]):
            raise SystemExit(f"{path}: {len(result[0])} columns, types {words[1]}\n" + "\n".join(sql))
        out += sorted(rows) if "rowsort" in words else rows
    return "\n".join(out)


def main():
    check = "--check" in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for file in sorted((HERE / "tables").glob("*.parquet")):
        connection.execute(f"create table {file.stem} as select * from read_parquet('{file}')")
    stale = []
    for path in sorted(HERE.rglob("*.slt")):
        content = path.read_text()
        if "# oracle: duckdb" not in content or wanted and not any(word in str(path) for word in wanted):
            continue
        made = filled(content, connection, path)
        if made != content:
            stale.append(str(path.relative_to(HERE)))
            if not check:
                path.write_text(made)
    print(("differ: " if check else "filled: ") + (", ".join(stale) or "none"))
    return 1 if check and stale else 0


sys.exit(main())
