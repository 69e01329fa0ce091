"""Runs in Spark's own environment: a statement a line in, rows or the error as JSON a line out."""

import json
import os
import sys


def main(jars):
    from pyspark.sql import SparkSession

    catalog = "spark.sql.catalog.lh"
    settings = {
        "spark.jars": ",".join(jars), "spark.driver.extraClassPath": ":".join(jars),
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g", "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog", f"{catalog}.type": "rest",
        f"{catalog}.cache-enabled": "false", f"{catalog}.uri": os.environ["CATALOG_URI"],
        f"{catalog}.warehouse": os.environ["WAREHOUSE"],
        f"{catalog}.credential": os.environ["CATALOG_CREDENTIAL"],
        f"{catalog}.oauth2-server-uri": os.environ["CATALOG_OAUTH2_URI"],
        f"{catalog}.scope": "catalog", f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.http-client.type": "urlconnection", f"{catalog}.client.region": "us-east-1",
    }
    builder = SparkSession.builder.master("local[2]").appName("lakehouse")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        try:
            answer = {"rows": [list(row) for row in spark.sql(json.loads(line)).collect()]}
        except Exception as error:
            answer = {"error": str(error)[:4000]}
        answers.write("\x1e" + json.dumps(answer, default=str) + "\n")
        answers.flush()
    spark.stop()


main(sys.argv[1:])
