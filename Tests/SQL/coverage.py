"""Which functions that a page of the dialect names does SHOW FUNCTIONS have?

    python3 Tests/SQL/coverage.py PAGE.md path/to/lakehouse

PAGE.md has a section "## 6. Functions" with a table of three tiers. Prints the number covered in each
tier and the names that are missing. Names with their own syntax (CAST, EXTRACT) are no functions.
"""

import re
import subprocess
import sys

SYNTAX = set(
    "case cast coalesce extract filter_where if nullif position try try_cast listagg json_exists json_value json_query"
    " json_object json_array json_table current_user current_catalog current_schema current_path current_date"
    " current_time current_timestamp localtime localtimestamp typeof exclude_columns classifier multiset".split()
)
# Words of the table that are no names.
WORDS = set(
    "forms n see array map all rest function table timezone to from string lambda nan() date_string json"
    " string+lambda x d fields learners other".split()
)
# What the page writes in short, in full.
GROUPS = {
    "current_*": "current_date current_time current_timestamp current_timezone",
    "bitwise_*": "bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift"
    " bitwise_right_shift_arithmetic",
    "hmac_*": "hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512",
    "spooky_hash_*": "spooky_hash_v2_32 spooky_hash_v2_64",
    "wilson_interval_*": "wilson_interval_lower wilson_interval_upper",
    "base64url": "to_base64url from_base64url",
    "base32": "to_base32 from_base32",
    "big_endian/ieee754": "to_big_endian_32 to_big_endian_64 from_big_endian_32 from_big_endian_64 to_ieee754_32"
    " to_ieee754_64 from_ieee754_32 from_ieee754_64",
    "beta_cdf": "beta_cdf inverse_beta_cdf",
    "t-cdf": "t_cdf t_pdf",
    "url_extract_host/path/query/parameter/protocol/port/fragment": "url_extract_host url_extract_path url_extract_query"
    " url_extract_parameter url_extract_protocol url_extract_port url_extract_fragment",
}


def wanted(page):
    text = open(page, encoding="utf-8").read()
    section = text[text.index("## 6. Functions") : text.index("## 7.")]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) < 4 or cells[0].startswith(("group", "---")):
            continue
        for tier, cell in enumerate(cells[1:4], 1):
            cell = re.sub(r"\([^)]*\)", " ", cell)
            for word in re.findall(r"[a-z][a-z0-9_/*+-]*", cell):
                for name in GROUPS.get(word, word).split():
                    if re.fullmatch(r"[a-z][a-z0-9_]*", name) and name not in WORDS and name not in SYNTAX:
                        found.setdefault(name, tier)
    return found


def present(binary):
    answer = subprocess.run([binary, "sql", "--csv", "-c", "SHOW FUNCTIONS"], capture_output=True, text=True, check=True)
    return {line.split(",")[0].strip('"') for line in answer.stdout.splitlines()}


def main():
    names = wanted(sys.argv[1])
    have = present(sys.argv[2])
    for tier in (1, 2, 3):
        mine = sorted(name for name, its in names.items() if its == tier)
        missing = [name for name in mine if name not in have]
        print(f"tier {tier}: {len(mine) - len(missing)} of {len(mine)}; missing: {' '.join(missing) or 'none'}")
    print(f"all: {len(set(names) & have)} of {len(names)}; SHOW FUNCTIONS has {len(have)} names")


main()
