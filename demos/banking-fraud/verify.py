"""Replays claims of the walkthrough through other people's clients, those that are installed.

    python3 verify.py ACCESS.json RESULTS.jsonl CLAIM ...

ACCESS.json has addresses, tokens and keys of the running appliance, and what was recorded of its tables; each
line that is added to RESULTS.jsonl is one claim: its id, whether it holds, the evidence; of a client that is
not installed: the id, and which module is missing as "skipped".
"""

import asyncio
import json
import os
import sys

# A bundle named here would stand above the appliance's own authority.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
    os.environ.pop(name, None)
os.environ["NO_PROXY"] = "*"

access = json.load(open(sys.argv[1]))
results = open(sys.argv[2], "a")
CLAIMS = sys.argv[3:]
TABLE = "silver.banking.transactions"
FEATURES = ["amount_log", "times_usual", "speed_kmh", "is_night", "device_burst", "device_newness", "is_round_or_refund"]


def claim(name):
    """Runs a check; absent clients are named, everything else is an answer."""

    def write(result):
        results.write(json.dumps({"id": name, **result}) + "\n")
        results.flush()

    def run(check):
        if name not in CLAIMS:
            return
        try:
            holds, evidence = check()
        except ModuleNotFoundError as error:
            return write({"skipped": str(error.name)})
        except Exception as error:  # what a client says of us is evidence
            holds, evidence = False, f"{type(error).__name__}: {error}"
        write({"holds": bool(holds), "evidence": str(evidence)})

    return run


def sql(statement):
    import trino

    connection = trino.dbapi.connect(
        host="localhost", port=access["port"], user="admin", http_scheme="https", verify=access["authority"],
        auth=trino.auth.JWTAuthentication(access["token"]),
    )
    cursor = connection.cursor()
    cursor.execute(statement)
    return cursor.fetchall()


def iceberg():
    from pyiceberg.catalog.rest import RestCatalog

    return RestCatalog("silver", uri=access["catalog"], warehouse="silver", token=access["token"])


@claim("verify.trino")
def _():
    rows, total = sql(f"SELECT count(*), sum(amount) FROM {TABLE}")[0]
    return [str(rows), str(total)] == access["expected"], f"trino counts {rows} rows, {total} EUR"


@claim("verify.pyiceberg")
def _():
    import pyarrow.compute as compute

    table = iceberg().load_table("banking.transactions").scan(selected_fields=("amount",)).to_arrow()
    found = [str(table.num_rows), str(compute.sum(table["amount"]).as_py())]
    return found == access["expected"], f"PyIceberg reads {found}"


@claim("verify.duckdb")
def _():
    """DuckDB reads the table's Parquet files itself, and leaves out the rows that its delete files name."""
    import tempfile

    import boto3
    import duckdb
    from botocore.config import Config

    s3 = boto3.client(
        "s3", endpoint_url=access["s3"], region_name="us-east-1", aws_access_key_id=access["keys"]["admin"][0],
        aws_secret_access_key=access["keys"]["admin"][1], config=Config(s3={"addressing_style": "path"}),
    )
    tasks = list(iceberg().load_table("banking.transactions").scan().plan_files())
    with tempfile.TemporaryDirectory() as folder:
        local = {}

        def fetch(place):
            if place not in local:
                local[place] = f"{folder}/{len(local)}.parquet"
                bucket, key = place.removeprefix("s3://").split("/", 1)
                s3.download_file(bucket, key, local[place])
            return local[place]

        data = [fetch(task.file.file_path) for task in tasks]
        duckdb.sql("create or replace temp table gone (file varchar, pos bigint)")
        for place in {deletes.file_path for task in tasks for deletes in task.delete_files}:
            for file, pos in duckdb.sql(f"select file_path, pos from read_parquet('{fetch(place)}')").fetchall():
                if file in local:
                    duckdb.execute("insert into gone values (?, ?)", [local[file], pos])
        theirs = duckdb.sql(
            f"select region, count(*), sum(amount) from read_parquet({data}, filename = true, file_row_number = true) r "
            "where not exists (select 1 from gone g where g.file = r.filename and g.pos = r.file_row_number) "
            "group by 1 order by 1"
        ).fetchall()
    theirs = [[str(value) for value in row] for row in theirs]
    other = [(ours, row) for ours, row in zip(access["regions"], theirs) if ours != row]
    return theirs == access["regions"], (
        f"DuckDB reads {len(data)} Parquet files and sums {len(theirs)} regions; other than recorded: {other}"
    )


@claim("verify.boto3")
def _():
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    def client(who):
        return boto3.client(
            "s3", endpoint_url=access["s3"], region_name="us-east-1", aws_access_key_id=access["keys"][who][0],
            aws_secret_access_key=access["keys"][who][1], config=Config(s3={"addressing_style": "path"}),
        )

    listed = client("admin").list_objects_v2(Bucket="silver", MaxKeys=50)["KeyCount"]
    bucket, key = sql('SELECT min("$path") FROM silver.banking.cards')[0][0].removeprefix("s3://").split("/", 1)
    try:
        client("engineer").get_object(Bucket=bucket, Key=key)
        refused = "nothing"
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    return listed > 0 and refused == "AccessDenied", f"boto3 lists {listed} objects; a masked table's file: {refused}"


@claim("verify.scikit-learn")
def _():
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    names = ", ".join(f"f.{name}" for name in FEATURES)
    rows = sql(
        f"SELECT {names}, ai_anomaly('gold.banking.fraud_iforest', {names}), coalesce(l.is_fraud, false) "
        "FROM gold.banking.fraud_features f LEFT JOIN silver.banking.fraud_labels l "
        "ON l.transaction_id = f.transaction_id"
    )
    features, scores, truth = [row[:7] for row in rows], [row[7] for row in rows], [row[8] for row in rows]
    forests = [IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(features) for seed in range(3)]
    theirs = sorted(roc_auc_score(truth, -forest.score_samples(features)) for forest in forests)[1]
    ours = roc_auc_score(truth, scores)
    return abs(ours - theirs) <= 0.02, f"AUC {ours:.4f} beside scikit-learn's {theirs:.4f}"


@claim("verify.vader")
def _():
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    # What step 8 wrote, of all memos but those that were changed by hand since, and what is computed now.
    rows = sql(
        f"SELECT DISTINCT memo, round(memo_sentiment, 4), round(ai_sentiment(memo), 4) FROM {TABLE} "
        "WHERE memo IS NOT NULL AND memo <> 'checked by hand' ORDER BY 1 LIMIT 3000")

    def differs(memo, *ours):
        theirs = analyzer.polarity_scores(memo)["compound"]
        return any(score is None or abs(theirs - score) > 5e-5 for score in ours)

    wrong = [row for row in rows if differs(*row)]
    return not wrong and rows, f"{len(rows)} memos, {len(wrong)} with another compound {wrong[:2]}"


@claim("verify.mcp")
def _():
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    async def look():
        headers = {"Authorization": f"Bearer {access['token']}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            async with Client(streamable_http_client(access["mcp"], http_client=http)) as client:
                count = await client.call_tool("query", {"sql": f"SELECT count(*) AS n FROM {TABLE}"})
                write = await client.call_tool("query", {"sql": f"DELETE FROM {TABLE}"})
                return json.dumps(count.structured_content), write.is_error

    counted, refused = asyncio.run(look())
    return access["expected"][0] in counted and refused, f"an agent counts {counted[:80]}; its write was refused: {refused}"
