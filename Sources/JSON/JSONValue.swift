/// A JSON value. Numbers are kept as text, objects in order.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package static func int(_ value: Int64) -> JSONValue { .number(JSONNumber(value)) }
    package static func int(_ value: Int) -> JSONValue { .number(JSONNumber(Int64(value))) }
    /// A finite double; NaN and infinities have no JSON form and become null.
    package static func double(_ value: Double) -> JSONValue {
        value.isFinite ? .number(JSONNumber(text: shortestText(value))) : .null
    }
    package static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(JSONObject(members))
    }

    /// Parses a whole text; throws `.syntax` with the offset.
    package init(parsing bytes: [UInt8], depthLimit: Int = 512) throws(JSONError) {
        self = try JSONParser.parse(bytes, depthLimit: depthLimit)
    }

    package init(parsing text: String) throws(JSONError) {
        self = try JSONParser.parse(Array(text.utf8))
    }

    /// The value as a JSON text.
    package func encoded(_ style: JSONWriter.Style = .compact) -> [UInt8] {
        var writer = JSONWriter(style: style)
        writer.value(self)
        return writer.bytes
    }

    /// The value as a JSON text in a string.
    package func encodedText(_ style: JSONWriter.Style = .compact) -> String {
        String(decoding: encoded(style), as: UTF8.self)
    }

    /// What kind of value it is, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    package var isNull: Bool { self == .null }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

/// A number as it was written.
package struct JSONNumber: Sendable, Hashable {
    /// The text of a valid JSON number.
    package let text: String

    /// `text` has to be a number by JSON's grammar.
    package init(text: String) { self.text = text }
    package init(_ value: Int64) { text = String(value) }

    /// The value, if it is a whole number of 64 bits, also when written `1.0` or `1e3`.
    package var int64: Int64? {
        if let plain = Int64(text) { return plain }
        guard let (negative, digits, exponent) = decimalParts, exponent >= 0, exponent <= 19 else {
            return nil
        }
        var magnitude = digits
        while magnitude.count > 1, magnitude.first == "0" { magnitude.removeFirst() }
        if magnitude == "0" { return 0 }
        return Int64((negative ? "-" : "") + magnitude + String(repeating: "0", count: exponent))
    }

    /// The nearest double.
    package var double: Double? { Double(text) }

    /// Sign, digits and the power of ten: value = ± digits · 10^exponent, without trailing zeros.
    package var decimalParts: (isNegative: Bool, digits: String, exponent: Int)? {
        var rest = Substring(text)
        let negative = rest.first == "-"
        if negative { rest.removeFirst() }
        var exponent = 0
        if let mark = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            // Not by `abs`, which traps for the smallest integer.
            guard let power = Int(rest[rest.index(after: mark)...]),
                (-99_999...99_999).contains(power)
            else { return nil }
            exponent = power
            rest = rest[..<mark]
        }
        var digits = String(rest)
        if let point = rest.firstIndex(of: ".") {
            let fraction = rest[rest.index(after: point)...]
            digits = String(rest[..<point]) + fraction
            exponent -= fraction.utf8.count
        }
        while digits.utf8.count > 1, digits.utf8.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        if digits == "0" || digits.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) {
            return (negative, "0", 0)
        }
        return (negative, digits, exponent)
    }
}

/// The members of an object in their order.
package struct JSONObject: Sendable, Hashable {
    package private(set) var members: [(name: String, value: JSONValue)]

    package init(_ members: [(String, JSONValue)] = []) {
        self.members = members.map { (name: $0.0, value: $0.1) }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var names: [String] { members.map(\.name) }

    /// The value under the name; setting replaces in place or appends, nil removes.
    package subscript(_ name: String) -> JSONValue? {
        get { members.last { $0.name == name }?.value }
        set {
            guard let newValue else { return members.removeAll { $0.name == name } }
            if let index = members.lastIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                members.append((name: name, value: newValue))
            }
        }
    }

    /// Adds a member without looking for one of the same name.
    package mutating func append(_ name: String, _ value: JSONValue) {
        members.append((name: name, value: value))
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count
            && zip(left.members, right.members).allSatisfy {
                $0.name == $1.name && $0.value == $1.value
            }
    }

    package func hash(into hasher: inout Hasher) {
        for member in members {
            hasher.combine(member.name)
            hasher.combine(member.value)
        }
    }
}

/// The shortest text that reads back as the same double, as a JSON number.
package func shortestText(_ value: Double) -> String {
    var text = value.description
    if text.hasSuffix(".0") { text.removeLast(2) }
    return text
}
