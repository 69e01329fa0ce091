// YAML: a small document tree over libyaml, for pipeline, demo, seed and configuration files.
//
//   YAMLDocument.parse(text, name:) -> YAMLNode
//
// Scalars keep their text, style and place; what they mean (a number, a date, a flag) is asked for by
// the reader: `node.integer()`, `node.boolean()`. Maps keep their order; a key that occurs twice is a
// fault. Anchors and aliases work; merge keys (`<<`) too. One document a file.
//
// Faults carry `name:line:column`. Bytes, nesting and the size after aliases are expanded are limited
// (`YAMLLimits`), so that a small file cannot become a large tree. Source: YAML 1.1 as libyaml reads
// it; booleans and nulls as in YAML 1.2's core schema (`yes` and `no` are texts).
