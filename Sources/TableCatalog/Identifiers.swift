/// A warehouse seen through one of its references: `silver`, or `silver@etl`.
package struct CatalogReference: Sendable, Hashable, CustomStringConvertible {
    package var warehouse: String
    package var reference: String

    package init(warehouse: String, reference: String = "main") {
        self.warehouse = warehouse
        self.reference = reference
    }

    /// Reads `warehouse` or `warehouse@reference`.
    package init(parsing text: String) {
        if let mark = text.lastIndex(of: "@"), mark != text.startIndex {
            self.init(
                warehouse: String(text[..<mark]),
                reference: text[text.index(after: mark)...].lowercased())
        } else {
            self.init(warehouse: text)
        }
    }

    package var description: String {
        reference == "main" ? warehouse : "\(warehouse)@\(reference)"
    }
}

/// What stands behind the name of a reference.
///
/// A transaction's reference is private to it: nothing lists it, and its changes are no commits.
package enum ReferenceKind: String, Sendable { case branch, tag, transaction }

/// A table or view by its name.
package struct TableIdentifier: Sendable, Hashable, CustomStringConvertible {
    package var namespace: [String]
    package var name: String

    package init(namespace: [String], name: String) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { (namespace + [name]).joined(separator: ".") }
}

/// What stands under a name.
package enum EntryKind: String, Sendable { case table, view }

/// A part of a list, in a stable order.
package struct Page<Element: Sendable>: Sendable {
    package var elements: [Element]
    /// Give it back to get what follows; nil at the end.
    package var nextToken: String?
}

/// The separator of namespace levels in the database and in REST paths.
package let namespaceSeparator = "\u{1F}"

extension [String] {
    /// The levels in one text.
    var joinedLevels: String { joined(separator: namespaceSeparator) }
    /// The text that is compared: names differ in more than case.
    var folded: String { joinedLevels.lowercased() }
}
