"""`lakehouse s3` beyond single objects: patterns, types of content, progress, links."""

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
