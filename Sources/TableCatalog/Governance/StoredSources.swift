import Authority
import Iceberg
import JSON

/// The storage of a materialized view holds rows of other tables, as its owner sees them: who sees only a
/// part of one of those gets neither its rows nor its files. Each refresh's snapshot names them.
///
/// Source: the draft of the Iceberg specification for materialized views, "refresh-state".
package enum StoredSources {
    /// Of a storage table: the id of its view.
    package static let viewProperty = "materialized-view.view-uuid"
    /// In the summary of a refresh's snapshot: which states of which tables were read.
    package static let stateKey = "refresh-state"

    /// The tables that a summary names; none where it is not such a text.
    static func tables(_ text: String) -> [TableKey] {
        guard let states = try? JSONValue(parsing: text).cursor["source-states"].elements()
        else { return [] }
        return states.compactMap { state in
            guard let catalog = try? state["catalog"].string(),
                let namespace = try? state["namespace"].string(),
                let name = try? state["name"].string(), let uuid = try? state["uuid"].string()
            else { return nil }
            let levels = namespace.split(separator: ".").map(String.init)
            return TableKey(
                uuid: uuid, path: [CatalogReference(parsing: catalog).warehouse] + levels + [name])
        }
    }
}

extension LoadedTable {
    /// The tables whose rows a materialized view's storage holds in any of its snapshots.
    var storedSources: [TableKey] {
        guard metadata.properties[StoredSources.viewProperty] != nil else { return [] }
        var found: Set<TableKey> = []
        var seen: Set<String> = []
        for snapshot in metadata.snapshots {
            guard let text = snapshot.summary[StoredSources.stateKey],
                seen.insert(text).inserted
            else { continue }
            found.formUnion(StoredSources.tables(text))
        }
        return found.sorted { $0.name < $1.name }
    }
}
