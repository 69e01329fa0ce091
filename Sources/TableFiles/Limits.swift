/// Limits on foreign files of a table.
enum Limits {
    /// Bytes of one deletion vector. Source: Puffin specification (2 GiB); more than this many would mean
    /// billions of deleted rows in one data file.
    static let deletionVectorBytes = 256 << 20
    /// How deep the columns of an Avro file may nest.
    static let avroDepth = 32
}
