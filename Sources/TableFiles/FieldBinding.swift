package import Iceberg
package import Parquet
package import Vectors

/// Finds a table's columns in its data files: by field id, in files without ids by the table's name
/// mapping (without one, by name), and where a file lacks a column that it is partitioned by, in the
/// file's partition. Source: Iceberg specification, "Column Projection".
package struct FieldBinding: Sendable {
    private let metadata: TableMetadata?
    private let mapping: NameMapping?
    private let mappingError: IcebergError?

    /// `metadata` is the table's, for its mapping and its specs.
    package init(_ metadata: TableMetadata?) {
        self.metadata = metadata
        var known: NameMapping?
        var failure: IcebergError?
        if let text = metadata?.properties[NameMapping.property] {
            do throws(IcebergError) { known = try NameMapping(parsing: text) } catch {
                failure = error
            }
        }
        (mapping, mappingError) = (known, failure)
    }

    /// Where a column of `type` comes from in a file of this schema. Throws `.corrupted` where the file
    /// needs a name mapping that cannot be read.
    package func column(
        _ field: NestedField, _ type: LogicalType, in schema: ParquetSchema, of data: DataFile?
    ) throws(TableFileError) -> ScanColumn {
        if let mappingError, !schema.hasFieldIDs {
            throw TableFileError(
                code: .corrupted, message: mappingError.message, hint: mappingError.hint,
                cause: mappingError)
        }
        let wanted = IcebergTypes.wantedField(field, type, mapping: mapping)
        let found = ScanColumn.bind(wanted, in: schema)
        guard case .constant = found.source, let data,
            let spec = metadata?.spec(id: data.specID),
            let part = spec.fields.firstIndex(where: {
                $0.sourceID == field.id && $0.transform == .identity
            }), part < data.partition.count, let value = data.partition[part]
        else { return found }
        return ScanColumn(source: .constant(IcebergTypes.value(value, as: type)), type: type)
    }

    /// The lineage of a version 3 file's rows; a constant NULL where the file has none yet.
    package func lineage(
        _ column: RowLineage, in schema: ParquetSchema, of data: DataFile,
        sequenceNumber: Int64
    ) -> ScanColumn {
        guard let first = data.firstRowID else {
            return ScanColumn(source: .constant(nil), type: .bigint)
        }
        let field = schema.fields.first { $0.fieldID == Int(column.rawValue) }
        switch column {
        case .rowID:
            return ScanColumn(
                source: .inherited(field, start: first, isCounted: true), type: .bigint)
        case .lastUpdated:
            return ScanColumn(
                source: .inherited(field, start: sequenceNumber, isCounted: false), type: .bigint)
        }
    }
}

/// The columns that version 3 keeps for each row beside its own. Source: Iceberg specification,
/// "Row Lineage", "Reserved Field IDs".
package enum RowLineage: Int32, Sendable, CaseIterable {
    case rowID = 2_147_483_540
    case lastUpdated = 2_147_483_539

    /// The field as data files keep it; NULL means that a row takes what its place in the table gives.
    package var field: NestedField {
        NestedField(
            id: rawValue,
            name: self == .rowID ? "_row_id" : "_last_updated_sequence_number", isRequired: false,
            type: .primitive(.long))
    }
}
