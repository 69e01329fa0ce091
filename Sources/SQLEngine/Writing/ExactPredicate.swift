import Iceberg
import SQLPlanning
import TableFiles
import Vectors

/// Conditions of a plan as conditions of Iceberg that mean exactly the same, or not at all: what decides
/// whether whole files may go.
struct ExactPredicate {
    private let fields: [ColumnID: NestedField]

    init(_ scan: ScanNode, _ table: IcebergTable) {
        var fields: [ColumnID: NestedField] = [:]
        let all =
            Array(zip(scan.columns, scan.tableColumns))
            + scan.filterOnlyColumns.map { ($0.column, $0.tableColumn) }
        for (column, index) in all where index < table.fields.count {
            fields[column.id] = table.fields[index]
        }
        self.fields = fields
    }

    /// All conditions together; nil where one cannot be said.
    func all(_ conditions: [BoundExpression]) -> ScanPredicate? {
        var parts: [ScanPredicate] = []
        for condition in conditions {
            guard let part = predicate(condition) else { return nil }
            parts.append(part)
        }
        return parts.isEmpty ? .always : parts.count == 1 ? parts[0] : .and(parts)
    }

    /// What follows from the conditions: those that cannot be said are left out.
    func implied(_ conditions: [BoundExpression]) -> ScanPredicate {
        let parts = conditions.compactMap { predicate($0) }
        return parts.isEmpty ? .always : parts.count == 1 ? parts[0] : .and(parts)
    }

    private func predicate(_ expression: BoundExpression) -> ScanPredicate? {
        switch expression {
        case .literal(.boolean(let value), _): return value ? .always : .never
        case .column(let id, .boolean):
            return field(id).map { .compare($0.id, .equal, .boolean(true)) }
        case .comparison(let operation, .column(let id, _), .literal(let value, _)):
            return comparison(operation, id, value)
        case .comparison(let operation, .literal(let value, _), .column(let id, _)):
            return comparison(operation.turned, id, value)
        case .inList(.column(let id, _), let candidates):
            guard let field = field(id), let type = field.type.primitive else { return nil }
            var values: [Literal] = []
            for candidate in candidates {
                guard case .literal(let value, _) = candidate, value != .null,
                    let literal = storedLiteral(value, type)
                else { return nil }
                values.append(literal)
            }
            return .isIn(field.id, values)
        case .isNull(.column(let id, _)): return anyField(id).map { .isNull($0.id) }
        case .not(let inner): return predicate(inner).map { .not($0) }
        case .and(let parts):
            let translated = parts.compactMap { predicate($0) }
            return translated.count == parts.count ? .and(translated) : nil
        case .or(let parts):
            let translated = parts.compactMap { predicate($0) }
            return translated.count == parts.count ? .or(translated) : nil
        default: return nil
        }
    }

    private func comparison(
        _ operation: SQLPlanning.ComparisonOperator, _ id: ColumnID, _ value: LiteralValue
    ) -> ScanPredicate? {
        if value == .null {
            switch operation {
            case .notDistinct: return anyField(id).map { .isNull($0.id) }
            case .distinct: return anyField(id).map { .isNotNull($0.id) }
            // Unknown, also when negated: there is no such condition in Iceberg.
            default: return nil
            }
        }
        guard let field = field(id), let type = field.type.primitive,
            let literal = storedLiteral(value, type)
        else { return nil }
        switch operation {
        case .equal: return .compare(field.id, .equal, literal)
        case .notEqual: return .compare(field.id, .notEqual, literal)
        case .less: return .compare(field.id, .less, literal)
        case .lessOrEqual: return .compare(field.id, .lessOrEqual, literal)
        case .greater: return .compare(field.id, .greater, literal)
        case .greaterOrEqual: return .compare(field.id, .greaterOrEqual, literal)
        case .distinct, .notDistinct: return nil
        }
    }

    private func anyField(_ id: ColumnID) -> NestedField? {
        fields[id].flatMap { $0.type.primitive == nil ? nil : $0 }
    }

    /// Columns whose order and equality are the same there as here; NaN and bytes are left alone.
    private func field(_ id: ColumnID) -> NestedField? {
        guard let field = fields[id] else { return nil }
        switch field.type.primitive {
        case .boolean, .int, .long, .date, .time, .timestamp, .timestamptz, .string, .decimal:
            return field
        default: return nil
        }
    }
}

extension SQLPlanning.ComparisonOperator {
    /// The operator with its sides exchanged.
    fileprivate var turned: SQLPlanning.ComparisonOperator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .equal, .notEqual, .distinct, .notDistinct: self
        }
    }
}
