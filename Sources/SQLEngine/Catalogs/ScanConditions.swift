import SQLExecution
import SQLFunctions
import SQLPlanning

/// What follows from a query's conditions for the rows of a system table that have a moment and texts; rows beyond may
/// come all the same.
package struct ScanConditions: Sendable {
    /// Microseconds since 1970, inclusive; nil: no bound.
    package var sinceMicroseconds: Int64?
    /// Exclusive.
    package var untilMicroseconds: Int64?
    /// By column: the texts one of which a row must have.
    package var texts: [String: [String]] = [:]

    /// Reads the conditions on `time`, a timestamp with time zone, and on columns of text.
    init(_ request: ScanRequest, of columns: [TableColumn], time: String, texts names: [String]) {
        for filter in request.filters where !filter.passesNull {
            guard let place = filter.column else { continue }
            let column = columns[request.columns[place]]
            if column.name == time, let range = filter.range {
                add(range)
            } else if names.contains(column.name), texts[column.name] == nil,
                let candidates = filter.candidates
            {
                let found = candidates.compactMap { value -> String? in
                    guard case .bytes(let bytes) = value else { return nil }
                    return String(validating: bytes, as: UTF8.self)
                }
                if found.count == candidates.count { texts[column.name] = found }
            }
        }
    }

    /// Moments are compared in whole microseconds: rows of at most one too many are read.
    private mutating func add(_ range: ValueRange) {
        if case .wide(let low)? = range.lower {
            let since = Int64(truncatingIfNeeded: low >> 64)
            sinceMicroseconds = max(sinceMicroseconds ?? since, since)
        }
        if case .wide(let high)? = range.upper {
            let (until, overflow) = Int64(truncatingIfNeeded: high >> 64)
                .addingReportingOverflow(1)
            if !overflow { untilMicroseconds = min(untilMicroseconds ?? until, until) }
        }
    }
}
