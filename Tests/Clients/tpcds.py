"""TPC-DS: files, queries and DuckDB's answers, made once a scale; the queries in Trino's words.

The queries are those of DuckDB's extension, and say in DuckDB's words what Trino has no implicit form for: a
text as a date, a date plus a number. Where DuckDB divides decimals as doubles, and an order or a comparison
hangs on the digits behind, the query asks for doubles here as well.
"""

import re
import subprocess

from appliance import ROOT, plain_environment

NUMBERS = [f"{number:02}" for number in range(1, 100)]
# Averages and quotients of decimals, in order or compared.
DOUBLES = {
    **dict.fromkeys(["44", "53", "63"], (r"(?i)\bavg\((\w+|sum\(\w+\))\)", r"avg(CAST(\1 AS double))")),
    **dict.fromkeys(["58", "83"], (r"(?i)\bsum\((\w+)\)", r"CAST(sum(\1) AS double)")),
    "66": (r"/w_warehouse_sq_ft", "/CAST(w_warehouse_sq_ft AS double)"),
    "75": (r"DECIMAL\(17,2\)", "double"),
}


def tpcds_folder(scale):
    """The folder with the Parquet files, `NN.sql` and `answers.json`; tpcds_answers.py tells more."""
    place = ROOT / ".cache" / f"tpcds-sf{scale}"
    if not (place / "made").exists():
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [ROOT / ".venv/tpcds/bin/python", ROOT / "Tests/Clients/tpcds_answers.py", str(scale), place],
            check=True, capture_output=True, env=plain_environment(),
        )
        (place / "made").touch()
    return place


def in_trinos_words(number, text):
    text = re.sub(r"(?i)\binterval\s+(\d+)\s+(day|month|year)s?\b", r"INTERVAL '\1' \2", text)
    text = re.sub(r"(?<!DATE )'(\d{4}-\d\d-\d\d)'", r"DATE '\1'", text)
    text = text.replace("d1.d_date + 5", "d1.d_date + INTERVAL '5' DAY")
    if number in DOUBLES:
        text = re.sub(*DOUBLES[number], text)
    return text.rstrip().rstrip(";")
