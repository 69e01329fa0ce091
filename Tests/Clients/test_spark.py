"""Apache Spark with Iceberg's own runtime: DDL, DML, procedures, branches, both ways (`LAKEHOUSE_LONG=1`).

The runtime comes out of a PyPI package that leaves out its relocated Jackson and HttpClient: they are put
together here from plain jars, with the names that the runtime asks for.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from appliance import ROOT, STARTED_WITH

pytestmark = pytest.mark.skipif(
    os.environ.get("LAKEHOUSE_LONG") != "1" or shutil.which("java") is None,
    reason="LAKEHOUSE_LONG=1 and a Java")

PLACE = ROOT / ".cache" / "spark"
PACKAGES = ["pyspark==3.5.9", "snowpark-connect-deps-iceberg==1.0.3", "bodo-iceberg-connector==2026.10"]
SHADED = b"org/apache/iceberg/shaded/"
MOVED = (b"com/fasterxml/jackson", b"org/apache/hc")
# Of the constants of a class file: how many bytes follow the tag.
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
AWS = (
    "annotations arns auth aws-core aws-json-protocol aws-query-protocol aws-xml-protocol checksums checksums-spi "
    "crt-core dynamodb endpoints-spi glue http-auth http-auth-aws http-auth-aws-eventstream http-auth-spi "
    "http-client-spi identity-spi json-utils kms metrics-spi profiles protocol-core regions retries retries-spi s3 "
    "sdk-core sts third-party-jackson-core url-connection-client utils").split()


def renamed(data):
    """A class file with the moved packages renamed in each of its texts."""
    count = struct.unpack(">H", data[8:10])[0]
    parts, at, index = [data[:10]], 10, 1
    while index < count:
        tag = data[at]
        if tag == 1:
            length = struct.unpack(">H", data[at + 1:at + 3])[0]
            text = data[at + 3:at + 3 + length]
            for name in MOVED:
                text = text.replace(name, SHADED + name)
                text = text.replace(name.replace(b"/", b"."), (SHADED + name).replace(b"/", b"."))
            parts.append(b"\x01" + struct.pack(">H", len(text)) + text)
            at += 3 + length
        else:
            size = SIZES[tag]
            parts.append(data[at:at + 1 + size])
            at += 1 + size
            index += tag in (5, 6)
        index += 1
    return b"".join([*parts, data[at:]])


def empty_interface(name):
    """The class file of an interface without members, for a type that is only mentioned."""
    texts = [name.encode(), b"java/lang/Object"]
    constants = b"".join(b"\x01" + struct.pack(">H", len(t)) + t for t in texts)
    constants += b"\x07\x00\x01\x07\x00\x02"
    return struct.pack(">IHHH", 0xCAFEBABE, 0, 52, 5) + constants + struct.pack(
        ">HHHHHHH", 0x0601, 3, 4, 0, 0, 0, 0)


def relocate(target, jars):
    seen = set()
    with zipfile.ZipFile(target, "w") as out:
        for jar in jars:
            with zipfile.ZipFile(jar) as source:
                for info in source.infolist():
                    name = info.filename
                    if name.endswith("/") or "module-info" in name or name == "META-INF/MANIFEST.MF" \
                            or name.startswith("META-INF/versions"):
                        continue
                    data = source.read(info)
                    if name.endswith(".class"):
                        data = renamed(data)
                    for moved in MOVED:
                        if name.startswith(moved.decode()):
                            name = SHADED.decode() + name
                    if name in seen or name.startswith("META-INF/services/"):
                        continue
                    seen.add(name)
                    out.writestr(name, data)
        # Newer than the HttpClient that there is, and used only by who sets up TLS himself.
        missing = "org/apache/iceberg/shaded/org/apache/hc/client5/http/ssl/TlsSocketStrategy"
        out.writestr(missing + ".class", empty_interface(missing))


def environment():
    """The Python of Spark's environment and the jars, made once."""
    python = PLACE / "bin" / "python"
    if not (PLACE / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
        uv = shutil.which("uv")
        install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
        subprocess.run([*install, *PACKAGES], check=True, capture_output=True, env=STARTED_WITH)
        (PLACE / "made").touch()
    (site,) = PLACE.glob("lib/python*/site-packages")
    spark, bodo = site / "pyspark" / "jars", site / "bodo_iceberg_connector" / "jars" / "libs"
    iceberg = site / "snowpark_connect_deps_iceberg" / "jars"
    shaded = PLACE / "shaded.jar"
    if not shaded.exists():
        plain = [*sorted(spark.glob("jackson-core-2*.jar")), *sorted(spark.glob("jackson-databind-*.jar")),
                 *sorted(spark.glob("jackson-annotations-*.jar")), *sorted(bodo.glob("httpclient5-*.jar")),
                 *sorted(bodo.glob("httpcore5-5*.jar")), *sorted(bodo.glob("httpcore5-h2-*.jar"))]
        relocate(PLACE / "shaded.tmp", plain)
        (PLACE / "shaded.tmp").rename(shaded)
    jars = [*iceberg.glob("iceberg-spark-runtime-3.5_2.12-*.jar"), shaded,
            *iceberg.glob("iceberg-spark-extensions-3.5_2.12-*.jar"),
            *bodo.glob("eventstream-1*.jar"), *bodo.glob("reactive-streams-*.jar")]
    for name in AWS:
        jars += bodo.glob(f"{name}-2.29.*.jar")
    return python, [str(jar) for jar in jars]


@pytest.fixture(scope="module")
def spark(appliance):
    python, jars = environment()
    process = subprocess.Popen(
        [str(python), str(Path(__file__).with_name("spark_session.py")), *jars],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def run(text, fails=False):
        process.stdin.write(json.dumps(text) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith("\x1e"):
                answer = json.loads(line[1:])
                assert ("error" in answer) == fails, (text, answer)
                return answer["error"] if fails else answer["rows"]
        raise AssertionError(f"Spark ended with {process.wait()} at: {text}")

    run("create namespace lh.spark")
    yield run
    process.stdin.close()
    process.wait(timeout=60)


@pytest.fixture
def ask(appliance):
    def run(text):
        done = appliance.command("sql", "--json", "-c", text)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


@pytest.mark.parametrize("version", [2, 3])
def test_rows_change_on_both_sides(spark, ask, version):
    theirs, ours = f"lh.spark.rows{version}", f"{os.environ['WAREHOUSE']}.spark.rows{version}"
    spark(f"create table {theirs} (id bigint, name string, at timestamp) using iceberg "
          f"partitioned by (bucket(4, id)) tblproperties ('format-version'='{version}', "
          "'write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read', "
          "'write.merge.mode'='merge-on-read')")
    spark(f"insert into {theirs} select id, concat('n', id), timestamp '2026-01-01 00:00:00' from range(100)")
    wanted = {n: f"n{n}" for n in range(100)}

    def same():
        rows = sorted(wanted.items())
        assert sorted((row["id"], row["name"]) for row in ask(f"select id, name from {ours}")) == rows
        assert sorted(map(tuple, spark(f"select id, name from {theirs}"))) == rows

    same()
    spark(f"delete from {theirs} where id % 10 = 3")
    spark(f"update {theirs} set name = 'x' where id = 5")
    spark(f"merge into {theirs} t using (select 7L as id, 'seven' as name union all select 700L, 'new') s "
          "on t.id = s.id when matched then update set name = s.name "
          "when not matched then insert (id, name) values (s.id, s.name)")
    wanted = {n: v for n, v in wanted.items() if n % 10 != 3}
    wanted.update({5: "x", 7: "seven", 700: "new"})
    same()
    ask(f"delete from {ours} where id % 10 = 4")
    ask(f"update {ours} set name = 'ours' where id in (6, 7)")
    wanted = {n: v for n, v in wanted.items() if n % 10 != 4}
    wanted.update({6: "ours", 7: "ours"})
    same()
    spark(f"delete from {theirs} where id < 20")
    wanted = {n: v for n, v in wanted.items() if n >= 20}
    same()
    spark(f"call lh.system.rewrite_data_files(table => 'spark.rows{version}', "
          "options => map('rewrite-all', 'true'))")
    spark(f"call lh.system.rewrite_manifests('spark.rows{version}')")
    spark(f"call lh.system.expire_snapshots(table => 'spark.rows{version}', retain_last => 1)")
    same()
    kinds = {row[0] for row in spark(f"select distinct file_format from {theirs}.files where content = 1")}
    assert kinds <= ({"PARQUET"} if version == 2 else {"PUFFIN"})


def test_branches_tags_and_time(spark, ask):
    theirs, ours = "lh.spark.moves", f"{os.environ['WAREHOUSE']}.spark.moves"
    spark(f"create table {theirs} (id bigint) using iceberg")
    spark(f"insert into {theirs} values (1), (2)")
    spark(f"alter table {theirs} create tag two retain 5 days")
    spark(f"alter table {theirs} create branch dev")
    spark(f"insert into {theirs}.branch_dev values (3)")
    assert spark(f"select count(*) from {theirs}.branch_dev") == [[3]]
    assert ask(f"select count(*) as n from {ours}") == [{"n": 2}]
    assert ask(f"select count(*) as n from {ours} for version as of 'dev'") == [{"n": 3}]
    spark("call lh.system.fast_forward('spark.moves', 'main', 'dev')")
    assert ask(f"select count(*) as n from {ours}") == [{"n": 3}]
    assert spark(f"select count(*) from {theirs} version as of 'two'") == [[2]]
    first = spark(f"select snapshot_id from {theirs}.snapshots order by committed_at")[0][0]
    spark(f"call lh.system.rollback_to_snapshot('spark.moves', {first})")
    assert ask(f"select count(*) as n from {ours}") == [{"n": 2}]
    assert {row[0] for row in spark(f"select name from {theirs}.refs")} == {"main", "dev", "two"}


def test_tables_change_their_shape(spark, ask):
    theirs, ours = "lh.spark.shape", f"{os.environ['WAREHOUSE']}.spark.shape"
    spark(f"create table {theirs} (id int, place struct<city: string>) using iceberg")
    spark(f"insert into {theirs} values (1, struct('Rome'))")
    spark(f"alter table {theirs} alter column id type bigint")
    spark(f"alter table {theirs} add column place.zip int")
    spark(f"alter table {theirs} rename column place.city to town")
    spark(f"alter table {theirs} add partition field bucket(2, id)")
    spark(f"insert into {theirs} values (5000000000, struct('Oslo', 12))")
    assert ask(f"select id, place.town as town, place.zip as zip from {ours} order by id") == [
        {"id": 1, "town": "Rome", "zip": None}, {"id": 5000000000, "town": "Oslo", "zip": 12}]


def test_views(spark, ask):
    warehouse = os.environ["WAREHOUSE"]
    spark("create table lh.spark.base (id bigint) using iceberg")
    spark("insert into lh.spark.base values (1), (2), (3)")
    spark("create view lh.spark.some as select id from lh.spark.base where id > 1")
    assert spark("select count(*) from lh.spark.some") == [[2]]
    spark("create or replace view lh.spark.some as select id from lh.spark.base where id > 2")
    assert spark("select count(*) from lh.spark.some") == [[1]]
    spark("drop view lh.spark.some")
    assert "TABLE_OR_VIEW_NOT_FOUND" in spark("select * from lh.spark.some", fails=True)
    spark("drop table lh.spark.base purge")
    assert "base" not in {row[1] for row in spark("show tables in lh.spark")}
    assert ask(f"select 1 as one from {warehouse}.information_schema.schemata "
               "where schema_name = 'spark'") == [{"one": 1}]
