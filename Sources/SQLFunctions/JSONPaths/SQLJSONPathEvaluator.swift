import JSON
import Regex

/// Evaluates a path over one JSON value.
struct SQLJSONPathEvaluator {
    private let path: SQLJSONPath
    private let root: JSONValue
    private let variables: [String: JSONValue]
    /// Where `@` and `last` stand.
    private struct Place {
        var current: PathItem?
        var last: Int?
    }
    private var patterns: [String: RegexMatcher] = [:]
    private var keyvalueCount = 0

    /// How many items a sequence may have, however the subscripts repeat them.
    private static let maxItems = 1_000_000

    init(_ path: SQLJSONPath, root: JSONValue, variables: [String: JSONValue]) {
        self.path = path
        self.root = root
        self.variables = variables
    }

    /// The items at the path.
    mutating func values() throws(PathFault) -> [JSONValue] {
        try items(path.root, Place()).map(\.value)
    }

    // MARK: Sequences

    private mutating func items(
        _ node: SQLJSONPath.Node, _ place: Place
    ) throws(PathFault) -> [PathItem] {
        switch node {
        case .literal(let item): return [item]
        case .root: return [PathItem(root)]
        case .current:
            guard let item = place.current else {
                throw PathFault(message: "@ is outside a filter")
            }
            return [item]
        case .last:
            guard let last = place.last else {
                throw PathFault(message: "last is outside a subscript")
            }
            return [PathItem(.int(last), isDecimal: true)]
        case .variable(let name):
            guard let value = variables[name] else {
                throw PathFault(message: "no value was passed for the parameter \(name)")
            }
            return [PathItem(value, isDecimal: true)]
        case .member(let base, let name):
            let isLax = path.isLax
            return try objects(base, place) { object, found throws(PathFault) in
                if let value = object[name] {
                    found.append(PathItem(value))
                } else if !isLax {
                    throw PathFault(message: "missing member '\(name)' in JSON object")
                }
            }
        case .allMembers(let base):
            return try objects(base, place) { object, found throws(PathFault) in
                found += object.members.map { PathItem($0.value) }
            }
        case .descendants(let base, let name):
            var found: [PathItem] = []
            for item in try items(base, place) { Self.descend(item.value, name, &found) }
            return found
        case .allElements(let base):
            var found: [PathItem] = []
            for item in try items(base, place) {
                found += try elements(of: item).map { PathItem($0) }
            }
            return found
        case .elements(let base, let subscripts): return try subscripted(base, subscripts, place)
        case .filter(let base, let test):
            var kept: [PathItem] = []
            for item in unwrapped(try items(base, place)) {
                var inner = place
                inner.current = item
                if truth(test, inner) == true { kept.append(item) }
            }
            return kept
        case .method(let base, let method): return try applied(method, base, place)
        case .arithmetic(let operation, let left, let right):
            let x = try single(left, place)
            let y = try single(right, place)
            guard let item = try x.applying(operation, y).item else {
                throw PathFault(message: "the result of arithmetic is not finite")
            }
            return [item]
        case .negated(let base):
            return try numbers(base, place) { number in number.negated }
        case .numbers(let base):
            return try numbers(base, place) { number in number }
        case .both, .either, .not, .exists, .isUnknown, .startsWith, .likeRegex, .comparison:
            throw PathFault(message: "a condition is no value")
        }
    }

    /// What lax mode makes of a sequence for an operation that wants no arrays.
    private func unwrapped(_ items: [PathItem]) -> [PathItem] {
        guard path.isLax else { return items }
        return items.flatMap { item in
            if case .array(let elements) = item.value { return elements.map { PathItem($0) } }
            return [item]
        }
    }

    private func elements(of item: PathItem) throws(PathFault) -> [JSONValue] {
        if case .array(let elements) = item.value { return elements }
        guard path.isLax else {
            throw PathFault(message: "expected a JSON array, but got \(item.value.kind)")
        }
        return [item.value]
    }

    private mutating func objects(
        _ base: SQLJSONPath.Node, _ place: Place,
        _ body: (JSONObject, inout [PathItem]) throws(PathFault) -> Void
    ) throws(PathFault) -> [PathItem] {
        var found: [PathItem] = []
        for item in unwrapped(try items(base, place)) {
            guard case .object(let object) = item.value else {
                if path.isLax { continue }
                throw PathFault(message: "expected a JSON object, but got \(item.value.kind)")
            }
            try body(object, &found)
        }
        return found
    }

    private static func descend(_ value: JSONValue, _ name: String, _ found: inout [PathItem]) {
        switch value {
        case .object(let object):
            if let member = object[name] { found.append(PathItem(member)) }
            for member in object.members { descend(member.value, name, &found) }
        case .array(let elements):
            for element in elements { descend(element, name, &found) }
        default: break
        }
    }

    private mutating func subscripted(
        _ base: SQLJSONPath.Node, _ subscripts: [SQLJSONPath.Subscript], _ place: Place
    ) throws(PathFault) -> [PathItem] {
        var found: [PathItem] = []
        for item in try items(base, place) {
            let elements = try elements(of: item)
            var inner = place
            inner.last = elements.count - 1
            for written in subscripts {
                let first = try index(written.first, inner)
                let last =
                    try written.last.map { node throws(PathFault) in
                        try index(node, inner)
                    } ?? first
                guard first <= last, first >= 0, last < elements.count else {
                    guard path.isLax else {
                        throw PathFault(message: "invalid array subscript: [\(first), \(last)]")
                    }
                    let low = max(first, 0)
                    let high = min(last, elements.count - 1)
                    if low <= high { found += elements[low...high].map { PathItem($0) } }
                    continue
                }
                found += elements[first...last].map { PathItem($0) }
                guard found.count <= Self.maxItems else {
                    throw PathFault(message: "a sequence has more than \(Self.maxItems) items")
                }
            }
        }
        return found
    }

    private mutating func index(_ node: SQLJSONPath.Node, _ place: Place) throws(PathFault) -> Int {
        guard let index = try single(node, place).index else {
            throw PathFault(message: "an array subscript is out of range")
        }
        return index
    }

    /// The one number that an operand has to be.
    private mutating func single(
        _ node: SQLJSONPath.Node, _ place: Place
    ) throws(PathFault) -> PathNumber {
        let operands = unwrapped(try items(node, place))
        guard operands.count == 1, let number = PathNumber(operands[0]) else {
            throw PathFault(
                message: operands.count == 1
                    ? "expected a number, but got \(operands[0].value.kind)"
                    : "expected one number, but got \(operands.count) items")
        }
        return number
    }

    private mutating func numbers(
        _ base: SQLJSONPath.Node, _ place: Place, _ body: (PathNumber) -> PathNumber
    ) throws(PathFault) -> [PathItem] {
        var found: [PathItem] = []
        for item in unwrapped(try items(base, place)) {
            guard let number = PathNumber(item), let result = body(number).item else {
                throw PathFault(message: "expected a number, but got \(item.value.kind)")
            }
            found.append(result)
        }
        return found
    }

    // MARK: Methods

    private mutating func applied(
        _ method: SQLJSONPath.Method, _ base: SQLJSONPath.Node, _ place: Place
    ) throws(PathFault) -> [PathItem] {
        switch method {
        case .ceiling: return try numbers(base, place) { $0.rounded(up: true) }
        case .floor: return try numbers(base, place) { $0.rounded(up: false) }
        case .abs: return try numbers(base, place) { $0.magnitude }
        case .double:
            var found: [PathItem] = []
            for item in unwrapped(try items(base, place)) {
                var value: Double?
                if let number = PathNumber(item) {
                    value = number.double
                } else if case .string(let text) = item.value {
                    value = Double(text.filter { $0 != " " })
                }
                guard let value, let result = PathNumber.approximate(value).item else {
                    throw PathFault(message: "cannot convert \(item.value.kind) to a double")
                }
                found.append(result)
            }
            return found
        case .type:
            return try items(base, place).map { item in
                let name =
                    switch item.value {
                    case .null: "null"
                    case .bool: "boolean"
                    case .number: "number"
                    case .string: "string"
                    case .array: "array"
                    case .object: "object"
                    }
                return PathItem(.string(name))
            }
        case .size:
            var found: [PathItem] = []
            for item in try items(base, place) {
                found.append(PathItem(.int(try elements(of: item).count)))
            }
            return found
        case .keyvalue:
            var next = keyvalueCount
            let isLax = path.isLax
            var found: [PathItem] = []
            for item in unwrapped(try items(base, place)) {
                guard case .object(let object) = item.value else {
                    throw PathFault(
                        message: "expected a JSON object, but got \(item.value.kind)"
                            + (isLax ? "" : " in strict mode"))
                }
                found += object.members.map { member in
                    PathItem(
                        .object([
                            ("name", .string(member.name)), ("value", member.value),
                            ("id", .int(next)),
                        ]))
                }
                next += 1
            }
            keyvalueCount = next
            return found
        }
    }

    // MARK: Truth

    /// Three-valued truth of a condition, which never fails: what fails is unknown.
    private mutating func truth(_ node: SQLJSONPath.Node, _ place: Place) -> Bool? {
        switch node {
        case .both(let left, let right):
            let first = truth(left, place)
            if first == false { return false }
            let second = truth(right, place)
            return second == false ? false : first == nil || second == nil ? nil : true
        case .either(let left, let right):
            let first = truth(left, place)
            if first == true { return true }
            let second = truth(right, place)
            return second == true ? true : first == nil || second == nil ? nil : false
        case .not(let inner): return truth(inner, place).map { !$0 }
        case .isUnknown(let inner): return truth(inner, place) == nil
        case .exists(let inner): return (try? items(inner, place)).map { !$0.isEmpty }
        case .startsWith(let base, let prefix):
            guard let prefixes = try? items(prefix, place), prefixes.count == 1,
                case .string(let start) = prefixes[0].value,
                let texts = try? unwrapped(items(base, place))
            else { return nil }
            return any(texts) { item in
                if case .string(let text) = item.value {
                    return text.utf8.starts(with: start.utf8)
                }
                return nil
            }
        case .likeRegex(let base, let pattern, let ignoresCase):
            guard let matcher = matcher(pattern, ignoresCase),
                let texts = try? unwrapped(items(base, place))
            else { return nil }
            return any(texts) { item in
                if case .string(let text) = item.value { return try? matcher.matches(text) }
                return nil
            }
        case .comparison(let comparison, let left, let right):
            guard let lefts = try? unwrapped(items(left, place)),
                let rights = try? unwrapped(items(right, place))
            else { return nil }
            var pairs: [(PathItem, PathItem)] = []
            pairs.reserveCapacity(min(lefts.count, 64))
            for one in lefts { for other in rights { pairs.append((one, other)) } }
            return any(pairs) { Self.compare(comparison, $0.0.value, $0.1.value, $0.0, $0.1) }
        default: return nil
        }
    }

    /// Whether a test holds of any: in strict mode an error makes it unknown, in lax mode what comes first
    /// decides.
    private func any<Tested>(_ items: [Tested], _ test: (Tested) -> Bool?) -> Bool? {
        var result: Bool? = false
        for item in items {
            switch test(item) {
            case true?:
                if path.isLax { return true }
                if result == false { result = true }
            case false?: break
            case nil: return nil
            }
        }
        return result
    }

    private static func compare(
        _ comparison: SQLJSONPath.Comparison, _ left: JSONValue, _ right: JSONValue,
        _ leftItem: PathItem, _ rightItem: PathItem
    ) -> Bool? {
        switch (left, right) {
        case (.null, .null): return comparison == .equal
        case (.null, _), (_, .null): return comparison == .notEqual
        default: break
        }
        let order: Int
        switch (left, right) {
        case (.bool(let x), .bool(let y)): order = x == y ? 0 : x ? 1 : -1
        case (.string(let x), .string(let y)):
            order =
                x.unicodeScalars.elementsEqual(y.unicodeScalars)
                ? 0
                : x.unicodeScalars.lexicographicallyPrecedes(y.unicodeScalars) ? -1 : 1
        case (.number, .number):
            guard let x = PathNumber(leftItem), let y = PathNumber(rightItem),
                let compared = x.compared(to: y)
            else { return nil }
            order = compared
        default: return nil
        }
        switch comparison {
        case .equal: return order == 0
        case .notEqual: return order != 0
        case .less: return order < 0
        case .lessOrEqual: return order <= 0
        case .greater: return order > 0
        case .greaterOrEqual: return order >= 0
        }
    }

    private mutating func matcher(_ pattern: String, _ ignoresCase: Bool) -> RegexMatcher? {
        let key = (ignoresCase ? "i" : " ") + pattern
        if let known = patterns[key] { return known }
        guard let compiled = try? RegexPattern(pattern, ignoresCase: ignoresCase) else {
            return nil
        }
        let matcher = RegexMatcher(compiled)
        patterns[key] = matcher
        return matcher
    }
}
