import SQLFunctions
import SQLPlanning
import Vectors

/// Makes the form of a conjunct that scans work with. `columns` are those of the scan, in order.
func pushedFilter(_ predicate: BoundExpression, _ columns: [PlanColumn]) -> PushedFilter {
    var ids: [ColumnID] = []
    visitColumns(predicate) { id, _ in if !ids.contains(id) { ids.append(id) } }
    let positions = ids.compactMap { id in columns.firstIndex { $0.id == id } }
    let known = ids.filter { id in columns.contains { $0.id == id } }
    let single = known.count == 1 && ids.count == 1 ? known.first : nil
    var range: ValueRange?
    var candidates: [LiteralValue]?
    if let single { (range, candidates) = analyse(predicate, single) }
    let ofNull = single == nil ? .undetermined : nullOutcome(predicate)
    return PushedFilter(
        column: single == nil ? nil : positions.first, columns: positions, range: range,
        candidates: candidates,
        passesNull: single != nil && (ofNull == .passes || ofNull == .undetermined),
        isDictionaryCapable: ofNull != .undetermined && fingerprint(predicate) != nil,
        predicate: predicate,
        columnIDs: known, columnTypes: positions.map { columns[$0].type })
}

/// What a predicate says of a row whose only column is NULL.
private enum NullOutcome { case passes, fails, isNull, undetermined }

/// Three-valued logic with NULL for the column. Where words do not tell, `.undetermined`: then rows are
/// asked one by one, and dictionaries, which have no entry for NULL, are not.
private func nullOutcome(_ predicate: BoundExpression) -> NullOutcome {
    switch predicate {
    case .literal(.boolean(let value), _): return value ? .passes : .fails
    case .comparison(let operation, let left, let right):
        guard isDistinctKind(operation) else {
            return isNullOfNull(left) || isNullOfNull(right) ? .isNull : .undetermined
        }
        // One side NULL, the other a value that is there: they are distinct.
        guard isNullOfNull(left) && isValue(right) || isNullOfNull(right) && isValue(left) else {
            return .undetermined
        }
        return operation == .distinct ? .passes : .fails
    case .isNull(let operand): return isNullOfNull(operand) ? .passes : .undetermined
    case .not(let operand):
        switch nullOutcome(operand) {
        case .passes: return .fails
        case .fails: return .passes
        case .isNull: return .isNull
        case .undetermined: return .undetermined
        }
    case .and(let operands):
        let outcomes = operands.map(nullOutcome)
        if outcomes.contains(.fails) { return .fails }
        if outcomes.contains(.undetermined) { return .undetermined }
        return outcomes.contains(.isNull) ? .isNull : .passes
    case .or(let operands):
        let outcomes = operands.map(nullOutcome)
        if outcomes.contains(.passes) { return .passes }
        if outcomes.contains(.undetermined) { return .undetermined }
        return outcomes.contains(.isNull) ? .isNull : .fails
    default: return isNullOfNull(predicate) ? .isNull : .undetermined
    }
}

/// Whether an expression is certainly NULL when its column is.
private func isNullOfNull(_ expression: BoundExpression) -> Bool {
    switch expression {
    case .column: true
    case .literal(let value, _): value == .null
    case .arithmetic(_, let left, let right, _): isNullOfNull(left) || isNullOfNull(right)
    case .negate(let operand), .cast(let operand, _, _), .inList(let operand, _):
        isNullOfNull(operand)
    case .like(let operand, let pattern, _): isNullOfNull(operand) || isNullOfNull(pattern)
    case .call(let resolved, let arguments):
        resolved.function.nullsPropagate && arguments.contains(where: isNullOfNull)
    default: false
    }
}

private func isValue(_ expression: BoundExpression) -> Bool {
    if case .literal(let value, _) = expression { value != .null } else { false }
}

/// The bounds and candidates that follow from a conjunct of one column.
private func analyse(
    _ predicate: BoundExpression, _ column: ColumnID
) -> (ValueRange?, [LiteralValue]?) {
    switch predicate {
    case .comparison(let operation, .column, .literal(let value, _)) where value != .null:
        return bounds(operation, value)
    case .comparison(let operation, .literal(let value, _), .column) where value != .null:
        return bounds(operation.mirrored, value)
    case .inList(.column, let list):
        var values: [LiteralValue] = []
        for candidate in list {
            guard case .literal(let value, _) = candidate else { return (nil, nil) }
            if value != .null { values.append(value) }
        }
        guard let first = values.first else { return (nil, nil) }
        var lower = first
        var upper = first
        for value in values {
            guard let isLess = precedes(value, lower), let isMore = precedes(upper, value) else {
                return (nil, values.count <= 100 ? values : nil)
            }
            if isLess { lower = value }
            if isMore { upper = value }
        }
        return (ValueRange(lower: lower, upper: upper), values.count <= 100 ? values : nil)
    case .isNull(.column): return (ValueRange(onlyNull: true), nil)
    case .like(.column, pattern: .literal(.bytes(let bytes), _), let escape):
        guard escape == nil else { return (nil, nil) }
        let prefix = Array(bytes.prefix { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "_") })
        guard !prefix.isEmpty else { return (nil, nil) }
        // The least text beyond the prefix: its last byte that can be raised, raised.
        var upper = prefix
        while let last = upper.last, last >= 0x7F { upper.removeLast() }
        guard let last = upper.last else { return (ValueRange(lower: .bytes(prefix)), nil) }
        upper[upper.count - 1] = last + 1
        return (
            ValueRange(lower: .bytes(prefix), upper: .bytes(upper), isUpperInclusive: false), nil
        )
    default: return (nil, nil)
    }
}

private func bounds(
    _ operation: ComparisonOperator, _ value: LiteralValue
) -> (ValueRange?, [LiteralValue]?) {
    switch operation {
    case .equal, .notDistinct: (ValueRange(lower: value, upper: value), [value])
    case .less: (ValueRange(upper: value, isUpperInclusive: false), nil)
    case .lessOrEqual: (ValueRange(upper: value), nil)
    case .greater: (ValueRange(lower: value, isLowerInclusive: false), nil)
    case .greaterOrEqual: (ValueRange(lower: value), nil)
    case .notEqual, .distinct: (nil, nil)
    }
}

/// The order of two literals of one type; nil where words do not tell.
private func precedes(_ left: LiteralValue, _ right: LiteralValue) -> Bool? {
    switch (left, right) {
    case (.integer(let a), .integer(let b)): a < b
    case (.wide(let a), .wide(let b)): a < b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    case (.double(let a), .double(let b)):
        Double(bitPattern: a).isNaN || Double(bitPattern: b).isNaN
            ? nil : Double(bitPattern: a) < Double(bitPattern: b)
    default: nil
    }
}
