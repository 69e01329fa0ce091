/// Header or trailer fields in the order received. Names compare without case.
package struct Fields: Sendable {
    /// Every field, as received: names keep their case, repeated names their places.
    package private(set) var all: [(name: String, value: String)] = []

    /// No field.
    package init() {}
    /// The given fields, in their order.
    package init(_ pairs: [(String, String)]) { all = pairs.map { (name: $0.0, value: $0.1) } }

    /// The first value under the name, if any.
    package subscript(_ name: String) -> String? {
        get { all.first { equalsIgnoringCase($0.name, name) }?.value }
        set {
            all.removeAll { equalsIgnoringCase($0.name, name) }
            if let newValue { all.append((name: name, value: newValue)) }
        }
    }

    /// Every value under the name, in order.
    package func values(_ name: String) -> [String] {
        all.filter { equalsIgnoringCase($0.name, name) }.map(\.value)
    }

    /// Adds a field and keeps those of the same name.
    package mutating func append(_ name: String, _ value: String) {
        all.append((name: name, value: value))
    }
}

/// Whether two field names are the same by ASCII case folding.
package func equalsIgnoringCase(_ left: String, _ right: String) -> Bool {
    let a = left.utf8
    let b = right.utf8
    guard a.count == b.count else { return false }
    return zip(a, b).allSatisfy { x, y in
        x == y || ((x | 0x20) == (y | 0x20) && (x | 0x20) >= 0x61 && (x | 0x20) <= 0x7A)
    }
}
