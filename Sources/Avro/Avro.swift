// Avro: schemas, binary values and object container files; Iceberg's manifests are such files.
//
//     file = magic "Obj\1" · metadata map (avro.schema, avro.codec, …) · 16-byte sync marker · block*
//     block = record count · byte count · records, compressed · sync marker
//
// `AvroFileReader` opens a container and hands out blocks; `AvroDecoder` reads primitives from one.
// Readers that know their records (manifests) walk the writer's schema and decode straight into
// their structs; `AvroValue` is the generic form. `AvroFileWriter` and `AvroEncoder` are the
// counterparts. Iceberg's `field-id`, `element-id`, `key-id` and `value-id` are kept as properties.
//
// Everything in a file is foreign: counts are checked against the bytes that could hold them, depth
// and sizes have limits (`Limits.swift`), and damage is an `AvroError`, never a trap. Source: Apache
// Avro 1.11 specification; Iceberg specification, appendix A.
