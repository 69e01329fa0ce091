package import Vectors

extension LogicalType {
    /// Reads a type as people and DESCRIBE write it: `decimal(12,2)`, `array(row(a int, b varchar))`,
    /// `timestamp(3) with time zone`, legacy `array<int>`. Nil when it is no type.
    package init?(parsing text: String) {
        var parser = TypeParser(text)
        guard let type = parser.type(), parser.isAtEnd else { return nil }
        self = type
    }
}

/// A recursive-descent reader of type names over Unicode scalars.
private struct TypeParser {
    private enum Token: Equatable {
        case word(String), quoted(String), number(Int), symbol(Character)
    }

    /// Nesting beyond this is refused.
    private static let maxDepth = 64

    private var tokens: [Token] = []
    private var position = 0
    private var depth = 0

    init(_ text: String) {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if scalar.properties.isWhitespace {
                rest = rest.dropFirst()
            } else if scalar == "\"" {
                rest = rest.dropFirst()
                var word = String.UnicodeScalarView()
                while let next = rest.first {
                    rest = rest.dropFirst()
                    if next == "\"" {
                        guard rest.first == "\"" else { break }
                        rest = rest.dropFirst()
                    }
                    word.append(next)
                }
                tokens.append(.quoted(String(word)))
            } else if scalar.properties.isAlphabetic || scalar == "_" || scalar == "$" {
                let end = rest.firstIndex {
                    !($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_"
                        || $0 == "$")
                }
                tokens.append(.word(String(rest[..<(end ?? rest.endIndex)]).lowercased()))
                rest = rest[(end ?? rest.endIndex)...]
            } else if scalar >= "0" && scalar <= "9" {
                let end = rest.firstIndex { $0 < "0" || $0 > "9" } ?? rest.endIndex
                tokens.append(.number(Int(String(rest[..<end])) ?? Int.max))
                rest = rest[end...]
            } else {
                tokens.append(.symbol(Character(scalar)))
                rest = rest.dropFirst()
            }
        }
    }

    var isAtEnd: Bool { position == tokens.count }

    private var current: Token? { position < tokens.count ? tokens[position] : nil }

    private mutating func take(_ token: Token) -> Bool {
        guard current == token else { return false }
        position += 1
        return true
    }

    private mutating func takeWords(_ words: String...) -> Bool {
        let start = position
        for word in words where !take(.word(word)) {
            position = start
            return false
        }
        return true
    }

    mutating func type() -> LogicalType? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth, case .word(let name)? = current else { return nil }
        position += 1
        guard var result = base(name) else { return nil }
        while take(.word("array")) { result = .array(result) }
        return result
    }

    private mutating func base(_ name: String) -> LogicalType? {
        switch name {
        case "unknown": return .unknown
        case "boolean", "bool": return .boolean
        case "tinyint": return .tinyint
        case "smallint": return .smallint
        case "integer", "int": return .integer
        case "bigint": return .bigint
        case "real": return .real
        case "double":
            _ = takeWords("precision")
            return .double
        case "decimal", "dec", "numeric":
            guard let numbers = arguments(atMost: 2) else { return nil }
            let precision = numbers.first ?? 38
            let scale = numbers.count > 1 ? numbers[1] : 0
            guard precision >= 1, precision <= 38, scale <= precision else { return nil }
            return .decimal(precision: precision, scale: scale)
        case "varchar", "string":
            guard let numbers = arguments(atMost: 1) else { return nil }
            if let length = numbers.first, length > 2_147_483_646 { return nil }
            return .varchar(length: numbers.first)
        case "char":
            guard let numbers = arguments(atMost: 1), numbers.first ?? 1 <= 65_536 else {
                return nil
            }
            return .char(length: numbers.first ?? 1)
        case "varbinary": return .varbinary
        case "json": return .json
        case "date": return .date
        case "time": return temporal(LogicalType.time, LogicalType.timeWithTimeZone)
        case "timestamp": return temporal(LogicalType.timestamp, LogicalType.timestampWithTimeZone)
        case "interval":
            if takeWords("year", "to", "month") { return .intervalYearToMonth }
            return takeWords("day", "to", "second") ? .intervalDayToSecond : nil
        case "uuid": return .uuid
        case "ipaddress": return .ipaddress
        case "hyperloglog": return .opaque(.hyperLogLog)
        case "p4hyperloglog": return .opaque(.p4HyperLogLog)
        case "setdigest": return .opaque(.setDigest)
        case "tdigest": return .opaque(.tdigest)
        case "geometry": return .opaque(.geometry)
        case "sphericalgeography": return .opaque(.sphericalGeography)
        case "qdigest":
            guard let types = typeArguments(), types.count == 1,
                [.bigint, .double, .real].contains(types[0])
            else { return nil }
            return .opaque(.qdigest(types[0]))
        case "array":
            guard let types = typeArguments(), types.count == 1 else { return nil }
            return .array(types[0])
        case "map":
            guard let types = typeArguments(), types.count == 2 else { return nil }
            return .map(key: types[0], value: types[1])
        case "row": return row()
        default: return nil
        }
    }

    private mutating func temporal(
        _ plain: (Int) -> LogicalType, _ zoned: (Int) -> LogicalType
    ) -> LogicalType? {
        guard let numbers = arguments(atMost: 1) else { return nil }
        let precision = numbers.first ?? 3
        guard precision <= 12 else { return nil }
        if takeWords("with", "time", "zone") { return zoned(precision) }
        _ = takeWords("without", "time", "zone")
        return plain(precision)
    }

    /// Numbers in parentheses; an empty list when there are no parentheses.
    private mutating func arguments(atMost limit: Int) -> [Int]? {
        guard take(.symbol("(")) else { return [] }
        var numbers: [Int] = []
        repeat {
            guard case .number(let number)? = current, numbers.count < limit else { return nil }
            numbers.append(number)
            position += 1
        } while take(.symbol(","))
        return take(.symbol(")")) ? numbers : nil
    }

    private mutating func typeArguments() -> [LogicalType]? {
        let closing: Character
        if take(.symbol("(")) {
            closing = ")"
        } else if take(.symbol("<")) {
            closing = ">"
        } else {
            return nil
        }
        var types: [LogicalType] = []
        repeat {
            guard let type = type() else { return nil }
            types.append(type)
        } while take(.symbol(","))
        return take(.symbol(closing)) ? types : nil
    }

    private mutating func row() -> LogicalType? {
        guard take(.symbol("(")) else { return nil }
        var fields: [RowField] = []
        repeat {
            // `name type`, or a type alone: try the name first and go back when no type follows.
            let start = position
            var name: String?
            if case .quoted(let text)? = current {
                name = text
            } else if case .word(let text)? = current {
                name = text
            }
            if name != nil { position += 1 }
            if name != nil, let type = type(), current == .symbol(",") || current == .symbol(")") {
                fields.append(RowField(name: name, type: type))
                continue
            }
            position = start
            guard let type = type() else { return nil }
            fields.append(RowField(name: nil, type: type))
        } while take(.symbol(","))
        return take(.symbol(")")) ? .row(fields) : nil
    }
}
