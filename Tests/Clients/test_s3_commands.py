"""`lakehouse s3` beyond single objects: patterns, types of content, progress, links."""

import json
import re

from appliance import Appliance, fetch, lakehouse


def test_patterns_types_and_links(tmp_path):
    data = ["--data", tmp_path / "lake"]
    files = tmp_path / "files"
    (files / "deep").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "c.json", "deep/d.csv", "plain"):
        (files / name).write_text(name)
    with Appliance(tmp_path / "lake"):
        done = lakehouse("s3", "cp", files, "s3://bronze/in", "--recursive", "--progress", *data)
        assert "copied 5 objects" in done.stdout and "5 bytes" in done.stderr
        # A star stays within its folder, two do not; one object that fits goes into the folder as well.
        for pattern, names in [
            ("in/*.csv", {"a.csv", "b.csv"}),
            ("in/**.csv", {"a.csv", "b.csv", "deep/d.csv"}),
            ("in/?.json", {"c.json"}),
        ]:
            target = tmp_path / "out" / str(len(names))
            lakehouse("s3", "cp", f"s3://bronze/{pattern}", target, *data)
            found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
            assert found == names
        assert "no object fits" in lakehouse("s3", "cp", "s3://bronze/in/*.xml", tmp_path / "no", *data, code=1).stderr
        lakehouse("s3", "cp", "s3://bronze/in/*.json", "s3://silver/kept/", *data)
        assert lakehouse("s3", "cat", "s3://silver/kept/c.json", *data).stdout == "c.json"

        types = {"a.csv": "text/csv", "c.json": "application/json", "plain": "binary/octet-stream"}
        for name, kind in types.items():
            link = lakehouse("s3", "presign", f"s3://bronze/in/{name}", "--expires", "60", *data).stdout.strip()
            status, fields, body = fetch(link)
            assert (status, fields["Content-Type"], body.decode()) == (200, kind, name)
            assert fetch(re.sub("in/", "in/deep/", link))[0] == 403
        lakehouse("s3", "presign", "s3://bronze/in/absent", *data, code=1)

        assert "deleted 2 objects" in lakehouse("s3", "rm", "s3://bronze/in/*.csv", *data).stdout
        assert "deep/d.csv" in lakehouse("s3", "ls", "s3://bronze/in/", "--recursive", *data).stdout


def keys(bucket, data):
    return {row["key"] for row in json.loads(
        lakehouse("s3", "ls", f"s3://{bucket}/", "--recursive", "--json", *data).stdout)}


def test_braces_before_the_first_star(tmp_path):
    data = ["--data", tmp_path / "lake"]
    (tmp_path / "a").write_text("a")
    with Appliance(tmp_path / "lake"):
        for name in ("2024/a.csv", "2025/a.csv", "2026/a.csv", "2026/b.json"):
            lakehouse("s3", "cp", tmp_path / "a", f"s3://bronze/{name}", *data)
        lakehouse("s3", "cp", "s3://bronze/{2025,2026}/*.csv", tmp_path / "out", *data)
        assert {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")} == {
            "2025/a.csv", "2026/a.csv"}
        lakehouse("s3", "mv", "s3://bronze/202{4,5}/a.csv", "s3://silver/", *data)
        assert keys("silver", data) == {"2024/a.csv", "2025/a.csv"}
        said = lakehouse("s3", "rm", "s3://bronze/{2025,2026}/*.{csv,json}", *data).stdout
        assert said.splitlines() == [
            "deleted s3://bronze/2026/a.csv", "deleted s3://bronze/2026/b.json", "deleted 2 objects"]
        assert "close its braces" in lakehouse("s3", "rm", "s3://bronze/{a", *data, code=2).stderr


def test_a_key_with_the_letters_of_a_pattern_is_meant_first(tmp_path):
    data = ["--data", tmp_path / "lake"]
    (tmp_path / "a").write_text("a")
    names = {"report?.csv", "report1.csv", "{x}/a", "x/a", "all*", "all/1"}
    with Appliance(tmp_path / "lake"):
        for name in sorted(names):
            lakehouse("s3", "cp", tmp_path / "a", f"s3://bronze/{name}", *data)
        assert keys("bronze", data) == names
        assert lakehouse("s3", "cat", "s3://bronze/report?.csv", *data).stdout == "a"
        for typed, gone in [("report?.csv", "report?.csv"), ("{x}/a", "{x}/a"), ("all*", "all*")]:
            assert f"deleted s3://bronze/{gone}\n" in lakehouse("s3", "rm", f"s3://bronze/{typed}", *data).stdout
        assert keys("bronze", data) == {"report1.csv", "x/a", "all/1"}
        # Gone, the names are patterns; with --raw they are not.
        lakehouse("s3", "rm", "s3://bronze/report?.csv", "--raw", *data, code=1)
        lakehouse("s3", "cp", "s3://bronze/report?.csv", tmp_path / "no", "--raw", *data, code=1)
        lakehouse("s3", "cat", "s3://bronze/report?.csv", *data, code=1)
        assert lakehouse("s3", "rm", "s3://bronze/{x}/", "-r", "--raw", *data).stdout == "deleted 0 objects\n"
        assert keys("bronze", data) == {"report1.csv", "x/a", "all/1"}
        said = lakehouse("s3", "rm", "s3://bronze/report?.csv", "--quiet", *data).stdout
        assert said == "deleted 1 object\n"
        # With --recursive too what begins so, letter by letter, comes first.
        lakehouse("s3", "cp", tmp_path / "a", "s3://bronze/{x}/b", *data)
        lakehouse("s3", "rm", "s3://bronze/{x}/", "-r", *data)
        assert keys("bronze", data) == {"x/a", "all/1"}
    for verb in ("cp", "mv", "rm"):
        said = lakehouse("s3", verb, "--help").stdout
        assert "--raw" in said and "{csv,json}" in said
