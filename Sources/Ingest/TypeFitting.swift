import Iceberg
import TableFiles
import Vectors

/// How a source's columns come into a table's.
struct ColumnPlan {
    /// The types that the source's columns are read as, in its order.
    var readTypes: [LogicalType] = []
    /// Columns that the table lacks.
    var added: [SourceColumn] = []
    /// Columns of the table to be widened, by field id.
    var promoted: [Int32: PrimitiveType] = [:]

    var changesSchema: Bool { !added.isEmpty || !promoted.isEmpty }
}

/// Fits a source's types to those of a table.
enum TypeFitting {
    /// Plans the columns. `widens` widens columns of the table where it can, even if the values might do
    /// without it: what declared types want at once, and guessed ones only after values did not fit.
    static func plan(
        _ source: any RowSource, into schema: Schema, widens: Bool
    ) throws -> ColumnPlan {
        var plan = ColumnPlan()
        for column in source.columns {
            let stored: LogicalType
            do throws(TableFileError) { stored = try IcebergTypes.storedType(column.type) } catch {
                throw IngestError(
                    .incompatibleType, "column \(column.name) of \(source.name): \(error.message)",
                    hint: error.hint, cause: error)
            }
            guard let field = schema.fields.first(where: { $0.name.lowercased() == column.name })
            else {
                plan.added.append(SourceColumn(name: column.name, type: stored))
                plan.readTypes.append(stored)
                continue
            }
            guard let present = IcebergTypes.sqlType(field.type) else {
                throw incompatible(column, source, "a type that cannot be written")
            }
            try checkScale(column, source, present, widens)
            if let wide = room(for: column, source, in: present), widens {
                plan.promoted[field.id] = wide.iceberg
                plan.readTypes.append(wide.sql)
            } else if present == stored {
                plan.readTypes.append(present)
            } else if widens, let wide = promotion(of: field, to: stored) {
                plan.promoted[field.id] = wide
                plan.readTypes.append(stored)
            } else if source.isGuessed || canRead(stored, as: present) {
                guard present.children.isEmpty else {
                    throw incompatible(column, source, "\(present)")
                }
                plan.readTypes.append(present)
            } else {
                throw incompatible(column, source, "\(present)")
            }
        }
        return plan
    }

    /// The decimal with as many digits behind the point as the table's and room for the source's values;
    /// nil where they have room, or nothing has: 38 digits are the most.
    private static func room(
        for column: SourceColumn, _ source: any RowSource, in present: LogicalType
    ) -> (iceberg: PrimitiveType, sql: LogicalType)? {
        guard case .decimal(let precision, let scale) = present, source.isGuessed,
            let digits = column.wholeDigits, digits + scale > precision, digits + scale <= 38
        else { return nil }
        switch column.type {
        case .bigint: break
        case .decimal(_, let own) where own <= scale: break
        default: return nil
        }
        let wide = digits + scale
        return (.decimal(precision: wide, scale: scale), .decimal(precision: wide, scale: scale))
    }

    /// Refuses guessed numbers with more digits behind the point than the table keeps: Iceberg has no way
    /// to give a column more of them, and to cut them off would change values in silence.
    private static func checkScale(
        _ column: SourceColumn, _ source: any RowSource, _ present: LogicalType, _ widens: Bool
    ) throws(IngestError) {
        guard widens, source.isGuessed, case .decimal(_, let scale) = present,
            case .decimal(let precision, let own) = column.type, own > scale
        else { return }
        throw IngestError(
            .incompatibleType,
            "column \(column.name) has \(own) digits behind the point in \(source.name), and the "
                + "table keeps \(scale): \(present)",
            hint:
                "Iceberg cannot add digits behind the point: make the table anew with CREATE TABLE … "
                + "AS SELECT CAST(\(column.name) AS decimal(\(precision),\(own))), or round the file"
        )
    }

    private static func promotion(of field: NestedField, to type: LogicalType) -> PrimitiveType? {
        var next: Int32 = 0
        guard let present = field.type.primitive,
            let wanted = (try? IcebergTypes.icebergType(type, &next))?.primitive, present != wanted,
            present.canPromote(to: wanted)
        else { return nil }
        return wanted
    }

    /// Whether values of a type have the same meaning as the other, value by value.
    private static func canRead(_ source: LogicalType, as target: LogicalType) -> Bool {
        switch (source, target) {
        case (.boolean, .text), (.integer, .text), (.bigint, .text), (.date, .text),
            (.timestamp, .text), (.double, .text), (.real, .text), (.decimal, .text):
            true
        case (.integer, .bigint), (.bigint, .integer), (.integer, .double), (.bigint, .double),
            (.real, .double), (.decimal, .double):
            true
        case (.integer, .decimal), (.bigint, .decimal): true
        case (.decimal(_, let from), .decimal(_, let to)): to >= from
        case (.date, .timestamp), (.timestamp, .timestampWithTimeZone): true
        default: false
        }
    }

    private static func incompatible(
        _ column: SourceColumn, _ source: any RowSource, _ present: String
    ) -> IngestError {
        IngestError(
            .incompatibleType,
            "column \(column.name) is \(column.type) in \(source.name), and \(present) in the table",
            hint: "cast it in a query, or load it into another table")
    }
}
