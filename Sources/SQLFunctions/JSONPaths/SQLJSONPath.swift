import JSON

/// A path of the SQL/JSON path language, as JSON_EXISTS, JSON_VALUE, JSON_QUERY and JSON_TABLE take it.
///
///     lax $.store.book[*]?(@.price < $limit && exists(@.isbn)).title
///
/// A path is a tree: accessors over a value, arithmetic over paths, and predicates in filters. Each part
/// gives a sequence of items. In lax mode arrays are unwrapped and single values wrapped as an operation
/// needs it, and what is absent is left out; in strict mode both are errors.
/// Source: ISO/IEC 9075-2:2016 section 9.39; Trino documentation, "JSON path language".
struct SQLJSONPath {
    indirect enum Node {
        case literal(PathItem)
        /// `$`.
        case root
        /// `@`.
        case current
        case last
        case variable(String)
        case member(Node, String)
        case allMembers(Node)
        case descendants(Node, String)
        case elements(Node, [Subscript])
        case allElements(Node)
        case filter(Node, Node)
        case method(Node, Method)
        case arithmetic(Operation, Node, Node)
        case negated(Node)
        /// Unary plus: the operand has to be numbers.
        case numbers(Node)
        // Predicates, which have a truth value and no items.
        case both(Node, Node)
        case either(Node, Node)
        case not(Node)
        case exists(Node)
        case isUnknown(Node)
        case startsWith(Node, Node)
        case likeRegex(Node, String, ignoresCase: Bool)
        case comparison(Comparison, Node, Node)
    }

    struct Subscript {
        var first: Node
        /// The end of a range, which is part of it.
        var last: Node?
    }

    enum Method: String, CaseIterable { case double, ceiling, floor, abs, keyvalue, type, size }
    enum Operation { case add, subtract, multiply, divide, modulus }
    enum Comparison { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

    let isLax: Bool
    let root: Node

    /// Reads a path. Throws INVALID_PATH.
    init(_ text: String) throws(QueryFault) {
        var parser = SQLJSONPathParser(text)
        (isLax, root) = try parser.path()
    }
}

extension SQLJSONPath.Node {
    /// Whether it is a condition rather than a sequence of items.
    var isPredicate: Bool {
        switch self {
        case .both, .either, .not, .exists, .isUnknown, .startsWith, .likeRegex, .comparison: true
        default: false
        }
    }
}

/// One item of a sequence. A number that a path's literal or its arithmetic made may be an exact decimal;
/// those of the input with a fraction or an exponent are doubles, as in Trino.
struct PathItem {
    var value: JSONValue
    var isDecimal = false

    init(_ value: JSONValue, isDecimal: Bool = false) {
        self.value = value
        self.isDecimal = isDecimal
    }
}

/// Why a path gave no sequence: the message of PATH_EVALUATION_ERROR.
struct PathFault: Error { let message: String }

/// The door to the path language for the binder.
package enum JSONPathSyntax {
    /// Throws INVALID_PATH for a text that is no path.
    package static func check(_ text: String) throws(QueryFault) { _ = try SQLJSONPath(text) }
}
