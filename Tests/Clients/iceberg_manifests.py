"""Commits of delete files and foreign data files, which PyIceberg cannot write: manifests made by hand.

Source: Iceberg specification, "Manifests", "Manifest Lists"; field ids as there.
"""

import io
import random

import fastavro
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.table.update import AddSnapshotUpdate, AssertRefSnapshotId, SetSnapshotRefUpdate

DATA, POSITION_DELETES, EQUALITY_DELETES = 0, 1, 2


def field(id, name, kind, required=False):
    if required:
        return {"name": name, "type": kind, "field-id": id}
    return {"name": name, "type": ["null", kind], "default": None, "field-id": id}


def numbers_by_id(key, value, kind):
    entry = {"type": "record", "name": f"k{key}_v{value}", "fields": [
        field(key, "key", "int", True), field(value, "value", kind, True)]}
    return {"type": "array", "logicalType": "map", "items": entry}


def entry_schema(partition):
    """`partition` are the Avro fields of the partition record."""
    data_file = {"type": "record", "name": "r2", "fields": [
        field(134, "content", "int", True),
        field(100, "file_path", "string", True),
        field(101, "file_format", "string", True),
        field(102, "partition", {"type": "record", "name": "r102", "fields": partition}, True),
        field(103, "record_count", "long", True),
        field(104, "file_size_in_bytes", "long", True),
        field(109, "value_counts", numbers_by_id(119, 120, "long")),
        field(110, "null_value_counts", numbers_by_id(121, 122, "long")),
        field(125, "lower_bounds", numbers_by_id(126, 127, "bytes")),
        field(128, "upper_bounds", numbers_by_id(129, 130, "bytes")),
        field(135, "equality_ids", {"type": "array", "items": "int", "element-id": 136}),
        field(143, "referenced_data_file", "string"),
        field(144, "content_offset", "long"),
        field(145, "content_size_in_bytes", "long"),
    ]}
    return {"type": "record", "name": "manifest_entry", "fields": [
        field(0, "status", "int", True), field(1, "snapshot_id", "long"),
        field(3, "sequence_number", "long"), field(4, "file_sequence_number", "long"),
        field(2, "data_file", data_file, True)]}


LIST_SCHEMA = {"type": "record", "name": "manifest_file", "fields": [
    field(500, "manifest_path", "string", True), field(501, "manifest_length", "long", True),
    field(502, "partition_spec_id", "int", True), field(517, "content", "int", True),
    field(515, "sequence_number", "long", True), field(516, "min_sequence_number", "long", True),
    field(503, "added_snapshot_id", "long", True), field(504, "added_files_count", "int", True),
    field(505, "existing_files_count", "int", True), field(506, "deleted_files_count", "int", True),
    field(512, "added_rows_count", "long", True), field(513, "existing_rows_count", "long", True),
    field(514, "deleted_rows_count", "long", True), field(520, "first_row_id", "long")]}


def put(table, name, payload):
    """Writes bytes below the table's location; the whole path."""
    path = f"{table.location()}/{name}"
    with table.io.new_output(path).create(overwrite=True) as stream:
        stream.write(payload)
    return path


def get(table, path):
    with table.io.new_input(path).open() as stream:
        return stream.read()


def avro(schema, records, metadata):
    stream = io.BytesIO()
    fastavro.writer(stream, schema, records, codec="deflate", metadata=metadata)
    return stream.getvalue()


def commit(catalog, table, files, partition=(), spec_id=None):
    """Adds a snapshot with `files`: dictionaries with what differs from the defaults. Returns the table."""
    table = catalog.load_table(table.name())
    metadata = table.metadata
    snapshot_id = random.Random(metadata.last_sequence_number * 7919 + len(files)).getrandbits(62)
    sequence = metadata.last_sequence_number + 1
    spec_id = metadata.default_spec_id if spec_id is None else spec_id
    schema_text = table.schema().model_dump_json()
    spec = metadata.specs()[spec_id]
    spec_text = "[" + ",".join(part.model_dump_json(by_alias=True) for part in spec.fields) + "]"
    manifests = []
    for content in (0, 1):
        entries = [
            {"status": 1, "snapshot_id": snapshot_id, "sequence_number": None,
             "file_sequence_number": None, "data_file": {"partition": {}, **file}}
            for file in files if (file["content"] != DATA) == (content == 1)
        ]
        if not entries:
            continue
        payload = avro(entry_schema(list(partition)), entries, {
            "schema": schema_text, "schema-id": str(metadata.current_schema_id),
            "partition-spec": spec_text, "partition-spec-id": str(spec_id),
            "format-version": str(metadata.format_version), "content": ["data", "deletes"][content]})
        path = put(table, f"metadata/{snapshot_id}-m{content}.avro", payload)
        manifests.append({
            "manifest_path": path, "manifest_length": len(payload), "partition_spec_id": spec_id,
            "content": content, "sequence_number": sequence, "min_sequence_number": sequence,
            "added_snapshot_id": snapshot_id, "added_files_count": len(entries),
            "existing_files_count": 0, "deleted_files_count": 0,
            "added_rows_count": sum(entry["data_file"]["record_count"] for entry in entries),
            "existing_rows_count": 0, "deleted_rows_count": 0, "first_row_id": None})
    current = table.current_snapshot()
    if current is not None:
        names = [each["name"] for each in LIST_SCHEMA["fields"]]
        for record in fastavro.reader(io.BytesIO(get(table, current.manifest_list))):
            manifests.append({name: record.get(name) for name in names})
    path = put(table, f"metadata/snap-{snapshot_id}.avro", avro(LIST_SCHEMA, manifests, {
        "snapshot-id": str(snapshot_id), "sequence-number": str(sequence),
        "format-version": str(metadata.format_version)}))
    rows = {}
    if metadata.format_version >= 3:
        added = sum(file["record_count"] for file in files if file["content"] == DATA)
        rows = {"first_row_id": metadata.next_row_id, "added_rows": added}
    snapshot = Snapshot(
        snapshot_id=snapshot_id, parent_snapshot_id=current.snapshot_id if current else None,
        sequence_number=sequence, manifest_list=path, schema_id=metadata.current_schema_id,
        timestamp_ms=metadata.last_updated_ms + 1,
        summary=Summary(Operation.OVERWRITE), **rows)
    catalog.commit_table(
        table, (AssertRefSnapshotId(ref="main", snapshot_id=current.snapshot_id if current else None),),
        (AddSnapshotUpdate(snapshot=snapshot),
         SetSnapshotRefUpdate(ref_name="main", type="branch", snapshot_id=snapshot_id)))
    return catalog.load_table(table.name())
