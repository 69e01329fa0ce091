package import Authority
import Iceberg
import JSON

/// A quarantine table knows by a property which tables its rows were rows of: their policies hold for it too,
/// whatever it is called.
///
///     lakehouse.quarantine-of = [["<uuid>", "silver", "sales", "orders"]]
package enum QuarantineSources {
    /// The property of the table's metadata.
    package static let property = "lakehouse.quarantine-of"

    /// The tables that a value names; none where it is not such a list.
    package static func tables(_ text: String) -> [TableKey] {
        guard let lists = try? JSONValue(parsing: text).cursor.elements() else { return [] }
        return lists.compactMap { list in
            guard let parts = try? list.strings(), parts.count > 2 else { return nil }
            return TableKey(uuid: parts[0], path: Array(parts.dropFirst()))
        }
    }

    /// The value that names one more table; nil where it is there already.
    package static func text(adding table: TableKey, to text: String?) -> String? {
        var all = text.map(tables) ?? []
        guard !all.contains(table) else { return nil }
        all.append(table)
        return JSONValue.array(
            all.map { key in .array(([key.uuid] + key.path).map { .string($0) }) }
        ).encodedText()
    }
}

extension LoadedTable {
    /// The tables whose bad rows are kept here.
    var quarantined: [TableKey] {
        metadata.properties[QuarantineSources.property].map(QuarantineSources.tables) ?? []
    }
}
