import JSON

/// Reads the text of an SQL/JSON path by precedence climbing, paths and predicates alike; then each place
/// is asked for the kind it needs.
struct SQLJSONPathParser {
    private let text: String
    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0
    private var nodeCount = 0

    private static let maxDepth = 200
    private static let maxNodes = 10_000

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    mutating func path() throws(QueryFault) -> (isLax: Bool, SQLJSONPath.Node) {
        let isStrict = take(word: "strict")
        if !isStrict { _ = take(word: "lax") }
        let node = try items(expression(0))
        skipBlanks()
        guard at == bytes.count else { throw fault() }
        return (!isStrict, node)
    }

    // MARK: Expressions

    private func binding(_ symbol: String) -> Int? {
        switch symbol {
        case "||": 1
        case "&&": 2
        case "==", "<>", "!=", "<", "<=", ">", ">=", "starts", "like_regex": 3
        case "+", "-": 4
        case "*", "/", "%": 5
        default: nil
        }
    }

    private mutating func expression(_ least: Int) throws(QueryFault) -> SQLJSONPath.Node {
        depth += 1
        nodeCount += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth, nodeCount <= Self.maxNodes else {
            throw fault("the path nests deeper than \(Self.maxDepth) or is too long")
        }
        var left = try unary()
        while let symbol = peekOperator(), let power = binding(symbol), power > least {
            takeOperator(symbol)
            switch symbol {
            case "||": left = .either(try condition(left), try condition(expression(power)))
            case "&&": left = .both(try condition(left), try condition(expression(power)))
            case "starts":
                guard take(word: "with") else { throw fault() }
                left = .startsWith(try items(left), try items(unary()))
            case "like_regex":
                guard let pattern = try string() else { throw fault() }
                var flags = ""
                if take(word: "flag") {
                    guard let written = try string() else { throw fault() }
                    flags = written
                }
                left = try likeRegex(items(left), pattern, flags)
            case "+", "-", "*", "/", "%":
                let operations: [String: SQLJSONPath.Operation] = [
                    "+": .add, "-": .subtract, "*": .multiply, "/": .divide, "%": .modulus,
                ]
                guard let operation = operations[symbol] else { throw fault() }
                left = .arithmetic(operation, try items(left), try items(expression(power)))
            default:
                let comparisons: [String: SQLJSONPath.Comparison] = [
                    "==": .equal, "<>": .notEqual, "!=": .notEqual, "<": .less,
                    "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual,
                ]
                guard let comparison = comparisons[symbol] else { throw fault() }
                left = .comparison(comparison, try items(left), try items(expression(power)))
            }
        }
        return left
    }

    private func likeRegex(
        _ operand: SQLJSONPath.Node, _ pattern: String, _ flags: String
    ) throws(QueryFault) -> SQLJSONPath.Node {
        var prefix = ""
        for flag in flags {
            guard "imsx".contains(flag) else { throw fault("unknown flag of like_regex: \(flag)") }
            if flag != "i" { prefix.append(flag) }
        }
        return .likeRegex(
            operand, prefix.isEmpty ? pattern : "(?\(prefix))" + pattern,
            ignoresCase: flags.contains("i"))
    }

    private mutating func unary() throws(QueryFault) -> SQLJSONPath.Node {
        skipBlanks()
        if take("!") {
            // Only what is delimited can be negated, as the grammar has it.
            skipBlanks()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "(") || isNext(word: "exists") else {
                throw fault()
            }
            return .not(try condition(primary()))
        }
        // A sign stands before a whole accessor expression: -$.a.abs() is -($.a.abs()).
        if take("-") { return .negated(try items(nested())) }
        if take("+") { return .numbers(try items(nested())) }
        return try accessors(primary())
    }

    private mutating func nested() throws(QueryFault) -> SQLJSONPath.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            throw fault("the path nests deeper than \(Self.maxDepth)")
        }
        return try unary()
    }

    private mutating func primary() throws(QueryFault) -> SQLJSONPath.Node {
        skipBlanks()
        if take("(") {
            let inner = try expression(0)
            guard take(")") else { throw fault() }
            if inner.isPredicate, take(word: "is") {
                guard take(word: "unknown") else { throw fault() }
                return .isUnknown(inner)
            }
            return inner
        }
        if take("$") {
            guard let name = plainName(), !name.isEmpty else { return .root }
            return .variable(name)
        }
        if take("@") { return .current }
        if let text = try string() { return .literal(PathItem(.string(text))) }
        if let number = number() { return .literal(number) }
        if take(word: "exists") {
            guard take("(") else { throw fault() }
            let inner = try items(expression(0))
            guard take(")") else { throw fault() }
            return .exists(inner)
        }
        if take(word: "last") { return .last }
        if take(word: "true") { return .literal(PathItem(.bool(true))) }
        if take(word: "false") { return .literal(PathItem(.bool(false))) }
        if take(word: "null") { return .literal(PathItem(.null)) }
        throw fault()
    }

    private mutating func accessors(
        _ base: SQLJSONPath.Node
    ) throws(QueryFault) -> SQLJSONPath.Node {
        var node = base
        while true {
            nodeCount += 1
            guard nodeCount <= Self.maxNodes else { throw fault("the path is too long") }
            if take("..") {
                guard let name = try string() ?? identifier() else { throw fault() }
                node = .descendants(try items(node), name)
            } else if take(".") {
                if take("*") {
                    node = .allMembers(try items(node))
                    continue
                }
                if let name = try string() {
                    node = .member(try items(node), name)
                    continue
                }
                guard let name = identifier() else { throw fault() }
                guard take("(") else {
                    node = .member(try items(node), name)
                    continue
                }
                guard take(")"), let method = SQLJSONPath.Method(rawValue: name) else {
                    throw fault("unknown method: \(name)")
                }
                node = .method(try items(node), method)
            } else if take("[") {
                if take("*") {
                    node = .allElements(try items(node))
                } else {
                    node = .elements(try items(node), try subscripts())
                }
                guard take("]") else { throw fault() }
            } else if take("?") {
                guard take("(") else { throw fault() }
                let test = try condition(expression(0))
                guard take(")") else { throw fault() }
                node = .filter(try items(node), test)
            } else {
                return node
            }
        }
    }

    private mutating func subscripts() throws(QueryFault) -> [SQLJSONPath.Subscript] {
        var found: [SQLJSONPath.Subscript] = []
        repeat {
            let first = try items(expression(0))
            let last = take(word: "to") ? try items(expression(0)) : nil
            found.append(SQLJSONPath.Subscript(first: first, last: last))
        } while take(",")
        return found
    }

    private func items(_ node: SQLJSONPath.Node) throws(QueryFault) -> SQLJSONPath.Node {
        guard !node.isPredicate else { throw fault("a condition stands where a value is expected") }
        return node
    }

    private func condition(_ node: SQLJSONPath.Node) throws(QueryFault) -> SQLJSONPath.Node {
        guard node.isPredicate else { throw fault("a value stands where a condition is expected") }
        return node
    }

    // MARK: Tokens

    private func fault(_ why: String? = nil) -> QueryFault {
        let line = bytes[..<min(at, bytes.count)].count { $0 == 0x0A } + 1
        return QueryFault(
            .invalidPath,
            "Invalid JSON path '\(text)', at line \(line), byte \(at)"
                + (why.map { ": \($0)" } ?? ""))
    }

    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ symbol: String) -> Bool {
        skipBlanks()
        guard bytes[at...].starts(with: symbol.utf8) else { return false }
        // `.` is not the first half of `..`, `!` not of `!=`.
        if symbol == ".", at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: ".") { return false }
        if symbol == "!", at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "=") { return false }
        at += symbol.utf8.count
        return true
    }

    private func isNamePart(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || (48...57).contains(byte)
            || (97...122).contains(byte | 0x20)
    }

    private func isNext(word: String) -> Bool {
        let end = at + word.utf8.count
        return bytes[at...].starts(with: word.utf8)
            && (end >= bytes.count || !isNamePart(bytes[end]))
    }

    private mutating func take(word: String) -> Bool {
        skipBlanks()
        guard isNext(word: word) else { return false }
        at += word.utf8.count
        return true
    }

    private mutating func peekOperator() -> String? {
        skipBlanks()
        let symbols = [
            "||", "&&", "==", "<>", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%",
        ]
        if let symbol = symbols.first(where: { bytes[at...].starts(with: $0.utf8) }) {
            return symbol
        }
        return ["starts", "like_regex"].first { isNext(word: $0) }
    }

    private mutating func takeOperator(_ symbol: String) { at += symbol.utf8.count }

    private mutating func identifier() -> String? {
        skipBlanks()
        return plainName()
    }

    private mutating func plainName() -> String? {
        let start = at
        while at < bytes.count, isNamePart(bytes[at]) { at += 1 }
        return at > start ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
    }

    private mutating func number() -> PathItem? {
        skipBlanks()
        let start = at
        var end = at
        func digits() { while end < bytes.count, (48...57).contains(bytes[end]) { end += 1 } }
        digits()
        var isExact = true
        // `1.abs()` is a method of 1.
        if end < bytes.count, bytes[end] == UInt8(ascii: "."), end + 1 < bytes.count,
            (48...57).contains(bytes[end + 1])
        {
            end += 1
            digits()
        }
        guard end > start else { return nil }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            var after = end + 1
            if after < bytes.count,
                bytes[after] == UInt8(ascii: "-") || bytes[after] == UInt8(ascii: "+")
            {
                after += 1
            }
            if after < bytes.count, (48...57).contains(bytes[after]) {
                end = after
                digits()
                isExact = false
            }
        }
        at = end
        var text = String(decoding: bytes[start..<end], as: UTF8.self)
        if text.hasPrefix(".") { text = "0" + text }
        return PathItem(.number(JSONNumber(text: text)), isDecimal: isExact)
    }

    /// A string in double quotes, with JSON's escapes and `""` for one quote.
    private mutating func string() throws(QueryFault) -> String? {
        skipBlanks()
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return nil }
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        at += 1
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                guard at + 1 < bytes.count, bytes[at + 1] == byte else { break }
                quoted += [UInt8(ascii: "\\"), byte]
                at += 2
                continue
            }
            quoted.append(byte)
            at += 1
            if byte == UInt8(ascii: "\\"), at < bytes.count {
                quoted.append(bytes[at])
                at += 1
            }
        }
        guard at < bytes.count else { throw fault("a string is not closed") }
        at += 1
        quoted.append(UInt8(ascii: "\""))
        guard case .string(let value)? = try? JSONValue(parsing: quoted) else {
            throw fault("a string has an unknown escape")
        }
        return value
    }
}
