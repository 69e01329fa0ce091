package import Authority
import SQLPlanning
package import SQLFunctions
import Platform
import Synchronization
import Vectors

/// A small result in memory, for work that the appliance does in SQL itself.
package struct CollectedRows: Sendable {
    /// A value. Only texts, whole numbers, doubles and flags are collected: cast others in the query.
    package enum Value: Sendable, Hashable {
        case null
        case text(String)
        case integer(Int64)
        case double(Double)
        case boolean(Bool)

        /// The whole number, if it is one.
        package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
        /// The text, if it is one.
        package var text: String? { if case .text(let value) = self { value } else { nil } }
    }

    /// The result's columns.
    package var columns: [QueryColumn] = []
    /// The rows, in no order unless the query has one.
    package var rows: [[Value]] = []
    /// The rows that a statement changed; nil for queries.
    package var updateCount: Int64?
    /// The tables that the statement read; nil where it read something else too, such as a table of another
    /// database.
    package var reads: [TableRead]? = []
}

/// Collects rows instead of encoding them.
final class RowCollector: ResultEncoder {
    let pageBytes = 1 << 30
    private let collected = Mutex<[[CollectedRows.Value]]>([])

    var rows: [[CollectedRows.Value]] { collected.withLock { $0 } }

    func encode(_ chunk: Chunk, _ columns: [QueryColumn], into bytes: inout [UInt8]) {
        var rows: [[CollectedRows.Value]] = []
        for index in 0..<chunk.activeCount {
            let row = chunk.row(index)
            rows.append(
                columns.indices.map { Self.value(chunk.columns[$0], row, columns[$0].type) })
        }
        collected.withLock { $0 += rows }
    }

    private static func value(
        _ vector: Vector, _ row: Int, _ type: LogicalType
    ) -> CollectedRows.Value {
        guard vector.isValid(row) else { return .null }
        switch type {
        case .varchar, .char: return .text(vector.string(row).string)
        case .bigint: return .integer(vector.value(row, as: Int64.self))
        case .integer, .smallint, .tinyint, .date:
            return .integer(Int64(vector.value(row, as: Int32.self)))
        case .double: return .double(vector.value(row, as: Double.self))
        case .boolean: return .boolean(vector.value(row, as: UInt8.self) != 0)
        default: return .null
        }
    }
}

extension QueryEngine {
    /// Runs a statement on the caller's thread, outside of the queue, and collects its rows. For statements
    /// that run others, which must not wait for a place in the queue while they hold one themselves.
    func collect(
        _ sql: String, session: QuerySession, context: RequestContext
    ) throws(QueryFault) -> CollectedRows {
        let collector = RowCollector()
        let query = nested(sql, session: session, context: context, encoder: collector)
        QueryRunner(self, query).run()
        return try Self.collected(query, collector)
    }

    /// Runs a statement in the queue, as everybody's, and collects its rows.
    package func run(
        _ sql: String, session: QuerySession, context: RequestContext
    ) throws(QueryFault) -> CollectedRows {
        let collector = RowCollector()
        let query = try submit(sql, session: session, context: context, encoder: collector)
        while !query.waitForEnd(patience: .seconds(5)) {}
        return try Self.collected(query, collector)
    }

    private static func collected(
        _ query: Query, _ collector: RowCollector
    ) throws(QueryFault) -> CollectedRows {
        let snapshot = query.snapshot
        if let fault = snapshot.fault { throw fault }
        return CollectedRows(
            columns: snapshot.columns ?? [], rows: collector.rows,
            updateCount: snapshot.updateType == nil ? nil : snapshot.updateCount,
            reads: query.monitor.withLock { $0.reads })
    }
}
