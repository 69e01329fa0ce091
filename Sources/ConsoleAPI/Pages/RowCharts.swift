import Ledger

/// The tiles that read a table while it held a row, or what was made from the table.
///
/// The ledger knows which state of a table a tile read, not what of it the tile showed: its filters and its
/// viewer's policies may have left the row out. So nobody is said to have seen the row; reads of states that
/// did not hold it are left out.
struct RowCharts {
    /// What a tile read.
    enum Kind: String {
        /// A state of the table that holds the row.
        case row
        /// A state of the table of which this is not known: too old to be looked at, or hidden.
        case table
        /// A table that was made from this one.
        case derived

        var words: String {
            switch self {
            case .row: "a state of the table that holds the row"
            case .table: "the table, in a state that was not looked at"
            case .derived: "a table made from this one"
            }
        }
    }

    struct Chart {
        var read: TracedRead
        var kind: Kind
    }

    /// Newest first; of each tile, viewer and table one.
    private(set) var charts: [Chart] = []
    /// Whether there may be more.
    private(set) var isCut = false

    init() {}

    /// `holds` tells of each state of the table that was looked at whether it has the row.
    init(_ found: TracedCharts, table resource: String, holds: [Int64: Bool]) {
        isCut = found.isCut
        let isSeen = holds.values.contains(true)
        var places: [[String]: Int] = [:]
        for read in found.reads {
            var kind = Kind.derived
            if read.resource == resource {
                // Without a snapshot the table was empty.
                let has = read.snapshotID.map { holds[$0] } ?? false
                if isSeen, has == false { continue }
                kind = has == true ? .row : .table
            }
            let key = [read.source ?? "", read.entry.principalID, read.resource]
            if let place = places[key] {
                // An older read of the row says more than a newer one of which nothing is known.
                if kind == .row, charts[place].kind == .table {
                    charts[place] = Chart(read: read, kind: kind)
                }
                continue
            }
            places[key] = charts.count
            charts.append(Chart(read: read, kind: kind))
        }
        charts.sort { $0.read.entry.sequence > $1.read.entry.sequence }
    }
}
