package import Vectors

extension LogicalType {
    /// Whether it is a number that is whole: tinyint to bigint.
    package var isInteger: Bool {
        switch self {
        case .tinyint, .smallint, .integer, .bigint: true
        default: false
        }
    }

    package var isDecimal: Bool { if case .decimal = self { true } else { false } }

    /// Whether it takes part in arithmetic as a number.
    package var isNumeric: Bool {
        switch self {
        case .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal: true
        default: false
        }
    }

    package var isVarchar: Bool { if case .varchar = self { true } else { false } }

    package var isText: Bool {
        switch self {
        case .varchar, .char: true
        default: false
        }
    }

    /// Whether `=` is defined and GROUP BY, DISTINCT and joins may use the type.
    package var isComparable: Bool {
        if case .opaque = self { return false }
        return children.allSatisfy(\.isComparable)
    }

    /// Whether `<` is defined and ORDER BY may use the type.
    package var isOrderable: Bool {
        switch self {
        case .map, .json, .opaque: false
        default: children.allSatisfy(\.isOrderable)
        }
    }

    /// Rank in the chain tinyint to double; nil for other types.
    private var numericRank: Int? {
        switch self {
        case .tinyint: 0
        case .smallint: 1
        case .integer: 2
        case .bigint: 3
        case .decimal: 4
        case .real: 5
        case .double: 6
        default: nil
        }
    }

    /// Whether a value of the type becomes `target` implicitly, without loss of meaning.
    package func coerces(to target: LogicalType) -> Bool {
        if self == target || self == .unknown { return true }
        if let from = numericRank, let to = target.numericRank {
            if case .decimal(let precision, let scale) = target, let own = asDecimal {
                return precision - scale >= own.precision - own.scale && scale >= own.scale
            }
            return from < to
        }
        switch (self, target) {
        case (.varchar(let own), .varchar(let other)):
            guard let other else { return true }
            return own.map { $0 <= other } ?? false
        case (.char(let own), .varchar(let other)): return other.map { own <= $0 } ?? true
        case (.char(let own), .char(let other)): return own <= other
        case (.opaque(.hyperLogLog), .opaque(.p4HyperLogLog)): return true
        case (.date, .timestamp), (.date, .timestampWithTimeZone): return true
        case (.time(let own), .time(let other)), (.time(let own), .timeWithTimeZone(let other)),
            (.timeWithTimeZone(let own), .timeWithTimeZone(let other)),
            (.timestamp(let own), .timestamp(let other)),
            (.timestamp(let own), .timestampWithTimeZone(let other)),
            (.timestampWithTimeZone(let own), .timestampWithTimeZone(let other)):
            return own <= other
        case (.array(let own), .array(let other)): return own.coerces(to: other)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            return key.coerces(to: otherKey) && value.coerces(to: otherValue)
        case (.row(let own), .row(let other)):
            return own.count == other.count
                && zip(own, other).allSatisfy { $0.type.coerces(to: $1.type) }
        default: return false
        }
    }

    /// The narrowest type that both become implicitly; nil when there is none.
    package static func commonSuperType(_ left: LogicalType, _ right: LogicalType) -> LogicalType? {
        if left == right || right == .unknown { return left }
        if left == .unknown { return right }
        if let leftRank = left.numericRank, let rightRank = right.numericRank {
            if max(leftRank, rightRank) == 4, let first = left.asDecimal,
                let second = right.asDecimal
            {
                return DecimalRules.union(first, second)
            }
            return leftRank < rightRank ? right : left
        }
        switch (left, right) {
        case (.array(let first), .array(let second)):
            return commonSuperType(first, second).map { .array($0) }
        case (.map(let firstKey, let firstValue), .map(let secondKey, let secondValue)):
            guard let key = commonSuperType(firstKey, secondKey),
                let value = commonSuperType(firstValue, secondValue)
            else { return nil }
            return .map(key: key, value: value)
        case (.row(let first), .row(let second)):
            guard first.count == second.count else { return nil }
            var fields: [RowField] = []
            for (one, other) in zip(first, second) {
                guard let type = commonSuperType(one.type, other.type) else { return nil }
                fields.append(RowField(name: one.name == other.name ? one.name : nil, type: type))
            }
            return .row(fields)
        case (.timestamp(let first), .timestampWithTimeZone(let second)),
            (.timestampWithTimeZone(let first), .timestamp(let second)):
            return .timestampWithTimeZone(precision: max(first, second))
        case (.time(let first), .timeWithTimeZone(let second)),
            (.timeWithTimeZone(let first), .time(let second)):
            return .timeWithTimeZone(precision: max(first, second))
        case (.char(let first), .varchar(let second)), (.varchar(let second), .char(let first)):
            return .varchar(length: second.map { max(first, $0) })
        default:
            if left.coerces(to: right) { return right }
            return right.coerces(to: left) ? left : nil
        }
    }

    /// The common super type of all; `.unknown` for an empty list.
    package static func commonSuperType(_ types: some Sequence<LogicalType>) -> LogicalType? {
        var result = LogicalType.unknown
        for type in types {
            guard let next = commonSuperType(result, type) else { return nil }
            result = next
        }
        return result
    }

    /// Whether a coercion to `target` leaves the bytes as they are: it needs no cast at run time.
    ///
    /// So it is for varchars of growing length, and for row types that differ in field names only.
    package func hasSameValues(as target: LogicalType) -> Bool {
        if self == target { return true }
        switch (self, target) {
        case (.varchar(let own), .varchar(let other)):
            return other.map { limit in own.map { $0 <= limit } ?? false } ?? true
        case (.timestamp(let own), .timestamp(let other)):
            return own <= other && (own <= 6) == (other <= 6)
        case (.time(let own), .time(let other)): return own <= other
        case (.timestampWithTimeZone(let own), .timestampWithTimeZone(let other)):
            return own <= other
        case (.decimal(let precision, let scale), .decimal(let wider, let otherScale)):
            return scale == otherScale && precision <= wider && (precision <= 18) == (wider <= 18)
        case (.array(let own), .array(let other)): return own.hasSameValues(as: other)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            return key.hasSameValues(as: otherKey) && value.hasSameValues(as: otherValue)
        case (.row(let own), .row(let other)):
            return own.count == other.count
                && zip(own, other).allSatisfy { $0.type.hasSameValues(as: $1.type) }
        default: return false
        }
    }
}

extension LogicalType {
    /// Whether CAST knows a way from this type to `target` (values may still fail).
    package func casts(to target: LogicalType) -> Bool {
        if self == target || self == .unknown || coerces(to: target) { return true }
        switch (self, target) {
        case (.array(let own), .array(let other)): return own.casts(to: other)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            return key.casts(to: otherKey) && value.casts(to: otherValue)
        case (.row(let own), .row(let other)):
            return own.count == other.count
                && zip(own, other).allSatisfy { $0.type.casts(to: $1.type) }
        case (.array(let own), .json): return own.casts(to: .json)
        case (.map(let key, let value), .json):
            return (key.isText || key.isNumeric || key == .boolean) && value.casts(to: .json)
        case (.row(let own), .json): return own.allSatisfy { $0.type.casts(to: .json) }
        case (.json, .array(let other)): return LogicalType.json.casts(to: other)
        case (.json, .map(let key, let value)):
            return (key.isText || key.isNumeric || key == .boolean)
                && LogicalType.json.casts(to: value)
        case (.json, .row(let other)):
            return other.allSatisfy { LogicalType.json.casts(to: $0.type) }
        case (.array, _), (.map, _), (.row, _), (_, .array), (_, .map), (_, .row): return false
        case (.opaque(let own), .varbinary), (.varbinary, .opaque(let own)): return own.isDigest
        case (.opaque(.p4HyperLogLog), .opaque(.hyperLogLog)): return true
        case (.opaque, _), (_, .opaque): return false
        default: return castsScalar(to: target)
        }
    }

    private func castsScalar(to target: LogicalType) -> Bool {
        let own = scalarGroup
        let other = target.scalarGroup
        if own == other { return true }
        switch (own, other) {
        case (.text, .binary), (.binary, .text): return other == .binary
        case (.text, _): return true
        case (.binary, .uuid), (.uuid, .binary), (.binary, .ip), (.ip, .binary): return true
        case (.binary, _): return false
        case (_, .text): return true
        case (.boolean, .number), (.number, .boolean): return true
        case (.boolean, .json), (.number, .json), (.json, .boolean), (.json, .number): return true
        case (.date, .timestamp), (.timestamp, .date), (.timestamp, .time): return true
        case (.date, .json), (.timestamp, .json): return true
        default: return false
        }
    }

    private enum ScalarGroup {
        case text, binary, number, boolean, date, time, timestamp, uuid, ip, json, months, days,
            other
    }

    private var scalarGroup: ScalarGroup {
        switch self {
        case .varchar, .char: .text
        case .varbinary: .binary
        case .boolean: .boolean
        case .date: .date
        case .time, .timeWithTimeZone: .time
        case .timestamp, .timestampWithTimeZone: .timestamp
        case .uuid: .uuid
        case .ipaddress: .ip
        case .json: .json
        case .intervalYearToMonth: .months
        case .intervalDayToSecond: .days
        case .unknown, .array, .map, .row, .opaque: .other
        default: .number
        }
    }
}
