import JSON
import Vectors

/// A path into a JSON value: Trino's JSONPath subset and the plain forms of SQL/JSON paths.
///
///     $   .name   ."any name"   ["name"]   [0]   [1 to 3]   [last]   [*]   .*   after lax or strict
struct JSONPath {
    enum Step {
        case member(String)
        case element(Int)
        /// From the end: 0 is the last.
        case fromLast(Int)
        case elements(Int, Int)
        case allElements, allMembers
    }

    /// Fewer questions asked: arrays are unwrapped for members, single values count as arrays.
    let isLax: Bool
    private(set) var steps: [Step] = []
    private static let maxSteps = 1_000

    /// Reads a path; `isSQL` allows a mode and the unwrapping that goes with it.
    init(_ text: String, isSQL: Bool) throws {
        var scanner = Scanner(text)
        var lax = false
        if isSQL {
            lax = !scanner.take(word: "strict")
            if lax { _ = scanner.take(word: "lax") }
        }
        isLax = lax
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

    /// A structural mismatch of strict mode.
    struct Mismatch: Error {}

    /// The values at the path. Strict SQL paths throw `Mismatch` where the structure lacks a step.
    func values(in root: JSONValue, isStrict: Bool = false) throws(Mismatch) -> [JSONValue] {
        var current = [root]
        for step in steps {
            var next: [JSONValue] = []
            for value in current { try apply(step, to: value, isStrict, &next) }
            current = next
        }
        return current
    }

    private func apply(
        _ step: Step, to value: JSONValue, _ isStrict: Bool, _ found: inout [JSONValue]
    ) throws(Mismatch) {
        switch step {
        case .member(let name):
            if isLax, case .array(let elements) = value {
                for element in elements {
                    if case .object(let object) = element, let member = object[name] {
                        found.append(member)
                    }
                }
                return
            }
            guard case .object(let object) = value, let member = object[name] else {
                if isStrict { throw Mismatch() }
                return
            }
            found.append(member)
        case .allMembers:
            switch value {
            case .object(let object): found += object.members.map(\.value)
            case .array(let elements) where isLax:
                for element in elements {
                    if case .object(let object) = element { found += object.members.map(\.value) }
                }
            case .array(let elements) where !isStrict: found += elements
            default: if isStrict { throw Mismatch() }
            }
        default:
            let elements: [JSONValue]
            if case .array(let own) = value {
                elements = own
            } else if isLax {
                elements = [value]
            } else if case .allElements = step, case .object(let object) = value, !isStrict {
                elements = object.members.map(\.value)
            } else {
                if isStrict { throw Mismatch() }
                return
            }
            let range: (Int, Int) =
                switch step {
                case .element(let index): (index, index)
                case .fromLast(let index): (elements.count - 1 - index, elements.count - 1 - index)
                case .elements(let first, let last): (first, last)
                default: (0, elements.count - 1)
                }
            if isStrict, range.0 < 0 || range.1 >= elements.count { throw Mismatch() }
            let first = max(range.0, 0)
            let last = min(range.1, elements.count - 1)
            if first <= last { found += elements[first...last] }
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
    private let isSQL: Bool
    private var last: (text: StringView, path: JSONPath)?

    init(_ call: KernelCall, _ index: Int = 1, isSQL: Bool = false) {
        texts = call.input(index)
        self.isSQL = isSQL
    }

    mutating func path(_ row: Int) throws -> JSONPath {
        let text = texts[row]
        if let last, last.text == text { return last.path }
        let path = try JSONPath(text.string, isSQL: isSQL)
        last = (text, path)
        return path
    }
}
