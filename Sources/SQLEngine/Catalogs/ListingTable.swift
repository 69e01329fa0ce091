import SQLExecution
import SQLFunctions
import SQLPlanning
import Vectors

/// A system table whose rows are made when it is scanned, with the scan's conditions on names known, so
/// that asking for one table's columns does not load every table.
final class ListingTable: ExecutableTable {
    /// What the scan says about columns: a column that is listed must equal one of the texts.
    struct Wanted {
        fileprivate var texts: [String: Set<String>]

        /// Whether rows with this value may be wanted.
        func allows(_ column: String, _ value: String) -> Bool {
            texts[column].map { $0.contains(value) } ?? true
        }
    }

    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics? = nil
    private let rows: @Sendable (Wanted) throws(QueryFault) -> [[LiteralValue]]

    init(
        _ name: TableName, _ columns: [TableColumn],
        rows: @escaping @Sendable (Wanted) throws(QueryFault) -> [[LiteralValue]]
    ) {
        self.name = name
        self.columns = columns
        self.rows = rows
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        var texts: [String: Set<String>] = [:]
        for filter in request.filters {
            guard let column = filter.column, !filter.passesNull, let candidates = filter.candidates
            else {
                continue
            }
            let values = candidates.compactMap { value -> String? in
                if case .bytes(let bytes) = value {
                    String(decoding: bytes, as: UTF8.self)
                } else {
                    nil
                }
            }
            guard values.count == candidates.count else { continue }
            let label = columns[request.columns[column]].name
            texts[label] = texts[label].map { $0.intersection(values) } ?? Set(values)
        }
        let table = MemoryTable(name: name, columns: columns, rows: try rows(Wanted(texts: texts)))
        return try table.openScan(request)
    }
}

extension LiteralValue {
    static func text(_ text: String) -> LiteralValue { .bytes(Array(text.utf8)) }
    static func optional(_ text: String?) -> LiteralValue { text.map { .text($0) } ?? .null }
}

/// Column lists of listings, written short.
func textColumns(_ names: String...) -> [TableColumn] {
    names.map { TableColumn(name: $0, type: .text) }
}
