package import Vectors

/// A column that a scan reads, as the table knows it: what file columns are matched against.
package struct WantedField: Sendable, Hashable {
    /// The table's name for it; compared exactly first, then without regard to ASCII case.
    package var name: String
    /// Iceberg's field id; matched when the file has ids.
    package var fieldID: Int?
    /// The type wanted, which may be wider than the file's (integer to bigint, real to double,
    /// decimals to more digits, date to timestamp).
    package var type: LogicalType
    /// Fields of a row, element of an array, key and value of a map, in the order of
    /// `type.children`; empty for the others. Rows may want fewer fields than the file has, or others.
    package var children: [WantedField]
    /// What a row has when the file lacks the column (Iceberg's initial default); nil: NULL.
    package var missingValue: ParquetValue?
    /// What files without ids call the field (Iceberg's name mapping), letter for letter; empty: they
    /// do not have it. Nil: `name` decides.
    package var storedNames: [String]?

    package init(
        name: String, fieldID: Int? = nil, type: LogicalType, children: [WantedField] = [],
        missingValue: ParquetValue? = nil
    ) {
        self.name = name
        self.fieldID = fieldID
        self.type = type
        self.children = children
        self.missingValue = missingValue
    }
}

/// A column of a scan.
package struct ScanColumn: Sendable {
    /// Where its values come from.
    package enum Source: Sendable {
        /// A top-level field of the file, read as `wanted.type`.
        case field(ParquetField, WantedField)
        /// The same value for every row; nil: NULL. For columns that the file lacks, partition values.
        case constant(ParquetValue?)
        /// The row's position in the file, from 0: Iceberg's `_pos`. A bigint.
        case rowPosition
        /// A bigint that the file may keep (`field`); rows without one have `start`, and where it is
        /// counted their position on top: Iceberg's row lineage. Filters cannot be given for it.
        case inherited(ParquetField?, start: Int64, isCounted: Bool)
    }

    package var source: Source
    /// The SQL type of what the scan hands out.
    package var type: LogicalType

    package init(source: Source, type: LogicalType) {
        self.source = source
        self.type = type
    }

    /// Finds the wanted column in the file: by field id if both sides have ids, else by name. One that
    /// is absent becomes a constant.
    package static func bind(_ wanted: WantedField, in schema: ParquetSchema) -> ScanColumn {
        if let field = schema.match(wanted, in: schema.fields) {
            return ScanColumn(source: .field(field, wanted), type: wanted.type)
        }
        return ScanColumn(source: .constant(wanted.missingValue), type: wanted.type)
    }

    /// A column of the file as the file has it.
    package static func whole(_ field: ParquetField) -> ScanColumn {
        ScanColumn(source: .field(field, WantedField(field)), type: field.type)
    }

    /// The row's position in the file.
    package static var rowPosition: ScanColumn { ScanColumn(source: .rowPosition, type: .bigint) }
}

extension WantedField {
    /// Wants a file's field as it is.
    package init(_ field: ParquetField) {
        self.init(
            name: field.name, fieldID: field.fieldID, type: field.type,
            children: field.children.map { WantedField($0) })
    }
}
