import JSON
import Vectors

/// A path into a JSON value as `json_extract` takes it: Trino's subset of JSONPath.
///
///     $   .name   ."any name"   ["name"]   [0]   [1 to 3]   [last]   [*]   .*
///
/// What it does not find is left out. The language of JSON_QUERY and its like is `SQLJSONPath`.
struct JSONPath {
    enum Step {
        case member(String)
        case element(Int)
        /// From the end: 0 is the last.
        case fromLast(Int)
        case elements(Int, Int)
        case allElements, allMembers
    }

    private(set) var steps: [Step] = []
    private static let maxSteps = 1_000

    init(_ text: String) throws {
        var scanner = Scanner(text)
        guard scanner.take("$") else { throw scanner.fault() }
        while !scanner.isAtEnd {
            guard steps.count < Self.maxSteps else { throw scanner.fault() }
            if scanner.take(".") {
                if scanner.take("*") {
                    steps.append(.allMembers)
                } else if let name = try scanner.quoted() ?? scanner.name() {
                    steps.append(.member(name))
                } else {
                    throw scanner.fault()
                }
            } else if scanner.take("[") {
                steps.append(try scanner.subscripted())
                guard scanner.take("]") else { throw scanner.fault() }
            } else {
                throw scanner.fault()
            }
        }
    }

    /// Whether the path may give more than one value.
    var isMany: Bool {
        steps.contains { step in
            switch step {
            case .allElements, .allMembers, .elements: true
            default: false
            }
        }
    }

    /// The values at the path.
    func values(in root: JSONValue) -> [JSONValue] {
        var current = [root]
        for step in steps {
            var next: [JSONValue] = []
            for value in current { apply(step, to: value, &next) }
            current = next
        }
        return current
    }

    private func apply(_ step: Step, to value: JSONValue, _ found: inout [JSONValue]) {
        switch (step, value) {
        case (.member(let name), .object(let object)):
            if let member = object[name] { found.append(member) }
        case (.allMembers, .object(let object)), (.allElements, .object(let object)):
            found += object.members.map(\.value)
        case (.allMembers, .array(let elements)), (.allElements, .array(let elements)):
            found += elements
        case (.element(let index), .array(let elements)):
            if index < elements.count { found.append(elements[index]) }
        case (.fromLast(let back), .array(let elements)):
            if back < elements.count { found.append(elements[elements.count - 1 - back]) }
        case (.elements(let first, let last), .array(let elements)):
            let end = min(last, elements.count - 1)
            if first <= end { found += elements[first...end] }
        default: break
        }
    }
}

extension JSONPath {
    /// Reads a path's text.
    private struct Scanner {
        private let text: String
        private let bytes: [UInt8]
        private var at = 0

        init(_ text: String) {
            self.text = text
            bytes = Array(text.utf8)
            skipBlanks()
        }

        var isAtEnd: Bool { at >= bytes.count }

        func fault() -> QueryFault { invalid("Invalid JSON path: '\(text)'") }

        mutating func skipBlanks() { while at < bytes.count, bytes[at] == 0x20 { at += 1 } }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard at < bytes.count, UInt32(bytes[at]) == character.value else { return false }
            at += 1
            skipBlanks()
            return true
        }

        mutating func take(word: String) -> Bool {
            let wanted = Array(word.utf8)
            guard bytes.count - at > wanted.count,
                zip(bytes[at...], wanted).allSatisfy({ $0 | 0x20 == $1 }),
                bytes[at + wanted.count] == 0x20 || bytes[at + wanted.count] == UInt8(ascii: "$")
            else { return false }
            at += wanted.count
            skipBlanks()
            return true
        }

        mutating func name() -> String? {
            let start = at
            while at < bytes.count,
                bytes[at] >= 0x80 || bytes[at] == UInt8(ascii: "_")
                    || bytes[at] == UInt8(ascii: "-")
                    || bytes[at] == UInt8(ascii: "$") || bytes[at] == UInt8(ascii: ":")
                    || (bytes[at] >= 48 && bytes[at] <= 57)
                    || (bytes[at] | 0x20 >= 97 && bytes[at] | 0x20 <= 122)
            { at += 1 }
            guard at > start else { return nil }
            defer { skipBlanks() }
            return String(decoding: bytes[start..<at], as: UTF8.self)
        }

        mutating func quoted() throws -> String? {
            guard at < bytes.count,
                bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'")
            else { return nil }
            let quote = bytes[at]
            at += 1
            var name: [UInt8] = []
            while at < bytes.count, bytes[at] != quote {
                if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count { at += 1 }
                name.append(bytes[at])
                at += 1
            }
            guard at < bytes.count else { throw fault() }
            at += 1
            skipBlanks()
            return String(decoding: name, as: UTF8.self)
        }

        mutating func subscripted() throws -> Step {
            if take("*") { return .allElements }
            if let name = try quoted() { return .member(name) }
            if take(word: "last") || lastAtEnd() {
                guard take("-") else { return .fromLast(0) }
                guard let back = number() else { throw fault() }
                return .fromLast(back)
            }
            guard let first = number() else {
                guard let name = name() else { throw fault() }
                return .member(name)
            }
            guard take(word: "to") else { return .element(first) }
            guard let last = number() else { throw fault() }
            return .elements(first, last)
        }

        private mutating func lastAtEnd() -> Bool {
            guard bytes[at...].starts(with: "last]".utf8) || bytes[at...].starts(with: "last-".utf8)
            else { return false }
            at += 4
            return true
        }

        private mutating func number() -> Int? {
            let start = at
            var value = 0
            while at < bytes.count, at - start < 9, bytes[at] >= 48, bytes[at] <= 57 {
                value = value * 10 + Int(bytes[at]) - 48
                at += 1
            }
            guard at > start else { return nil }
            skipBlanks()
            return value
        }
    }
}

/// Parses paths of one argument, remembering the last.
struct JSONPathReader {
    private let texts: Input<StringView>
    private var last: (text: StringView, path: JSONPath)?

    init(_ call: KernelCall, _ index: Int = 1) { texts = call.input(index) }

    mutating func path(_ row: Int) throws -> JSONPath {
        let text = texts[row]
        if let last, last.text == text { return last.path }
        let path = try JSONPath(text.string)
        last = (text, path)
        return path
    }
}
