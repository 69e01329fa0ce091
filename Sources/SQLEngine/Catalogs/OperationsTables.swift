import SQLExecution
import SQLFunctions
import SQLPlanning
import Vectors

/// How the process does, as far as SQL lists it. `Appliance` supplies it.
package protocol OperationsDoor: Sendable {
    /// Samples by measure and time; `measures` nil means all.
    func samples(
        _ measures: [String]?, since: Int64?, until: Int64?
    ) throws -> [(measure: String, atMicroseconds: Int64, value: Double)]
    /// The alerts as they are.
    func alerts() throws -> [AlertRow]
    /// When alerts began and ceased to fire, newest first.
    func alertHistory() throws -> [AlertRow]
}

/// An alert, or a change of one.
package struct AlertRow: Sendable {
    package var rule: String
    package var state: String
    package var atMicroseconds: Int64
    package var value: Double
    package var threshold: Double
    package var summary: String

    /// One row.
    package init(
        rule: String, state: String, atMicroseconds: Int64, value: Double, threshold: Double,
        summary: String
    ) {
        self.rule = rule
        self.state = state
        self.atMicroseconds = atMicroseconds
        self.value = value
        self.threshold = threshold
        self.summary = summary
    }
}

extension QueryEngine {
    /// Lets `system.operations` reach the samples and alerts.
    package func attach(operations: any OperationsDoor) { doors.operations = operations }
}

/// `system.operations`: samples of the last seven days, alerts and their history. What `/metrics` tells everybody is
/// open to all who may run SQL.
enum OperationsTables {
    static let names = ["alert_history", "alerts", "samples"]

    static func table(_ name: TableName, _ doors: EngineDoors) -> (any ExecutableTable)? {
        switch name.table {
        case "samples": SampleTable(name, doors)
        case "alerts":
            alerts(name, time: "since", doors) { try $0.alerts() }
        case "alert_history":
            alerts(name, time: "at", doors) { try $0.alertHistory() }
        default: nil
        }
    }

    private static func alerts(
        _ name: TableName, time: String, _ doors: EngineDoors,
        _ read: @escaping @Sendable (any OperationsDoor) throws -> [AlertRow]
    ) -> ListingTable {
        let columns =
            textColumns("rule", "state")
            + [
                TableColumn(name: time, type: .timestampWithTimeZone(precision: 3)),
                TableColumn(name: "value", type: .double),
                TableColumn(name: "threshold", type: .double),
            ] + textColumns("summary")
        return ListingTable(name, columns) { (_) throws(QueryFault) in
            guard let door = doors.operations else { return [] }
            let rows: [AlertRow]
            do { rows = try read(door) } catch {
                throw EngineCatalogs.fault(error, about: "\(name)")
            }
            return rows.map {
                [
                    .text($0.rule), .text($0.state), .wide(Int128($0.atMicroseconds) << 64),
                    .double(bits: $0.value.bitPattern), .double(bits: $0.threshold.bitPattern),
                    .text($0.summary),
                ]
            }
        }
    }
}

/// `system.operations.samples`: conditions on measure and time go down to the samples' index.
private final class SampleTable: ExecutableTable {
    let name: TableName
    let columns: [TableColumn]
    let statistics: TableStatistics? = nil
    private let doors: EngineDoors

    init(_ name: TableName, _ doors: EngineDoors) {
        self.name = name
        self.doors = doors
        columns = [
            TableColumn(name: "measure", type: .text),
            TableColumn(name: "at", type: .timestampWithTimeZone(precision: 3)),
            TableColumn(name: "value", type: .double),
        ]
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let wanted = ScanConditions(request, of: columns, time: "at", texts: ["measure"])
        let rows: [[LiteralValue]]
        do {
            rows =
                try doors.operations?.samples(
                    wanted.texts["measure"], since: wanted.sinceMicroseconds,
                    until: wanted.untilMicroseconds
                ).map {
                    [
                        .text($0.measure), .wide(Int128($0.atMicroseconds) << 64),
                        .double(bits: $0.value.bitPattern),
                    ]
                } ?? []
        } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
        return try MemoryTable(name: name, columns: columns, rows: rows).openScan(request)
    }
}
