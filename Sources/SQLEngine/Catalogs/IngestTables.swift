package import Authority
import SQLFunctions
import SQLPlanning
import Vectors

/// A file that went into a table, or was to.
package struct RegistryRow: Sendable {
    package var sourceFile: String
    package var etag: String
    package var sizeBytes: Int64
    package var table: String
    package var rowCount: Int64?
    /// `loaded`, `removed`, `failed`.
    package var status: String
    package var message: String
    package var atMicroseconds: Int64

    /// One row of the registry.
    package init(
        sourceFile: String, etag: String, sizeBytes: Int64, table: String, rowCount: Int64?,
        status: String, message: String, atMicroseconds: Int64
    ) {
        self.sourceFile = sourceFile
        self.etag = etag
        self.sizeBytes = sizeBytes
        self.table = table
        self.rowCount = rowCount
        self.status = status
        self.message = message
        self.atMicroseconds = atMicroseconds
    }
}

/// The registry of files, as far as SQL lists it. `Appliance` supplies it.
package protocol IngestDoor: Sendable {
    /// The files of the tables that the caller may read.
    func registry(_ context: RequestContext) throws -> [RegistryRow]
}

extension QueryEngine {
    /// Lets `system.ingest.registry` reach the registry of files.
    package func attach(ingest: any IngestDoor) { doors.ingest = ingest }
}

/// `system.ingest.registry`: what became of each file.
enum IngestTables {
    static let names = ["registry"]

    static func registry(
        _ name: TableName, _ doors: EngineDoors, _ context: RequestContext
    ) -> ListingTable {
        let columns =
            textColumns("source_file", "etag")
            + [TableColumn(name: "size_bytes", type: .bigint)] + textColumns("table_name")
            + [TableColumn(name: "row_count", type: .bigint)] + textColumns("status", "message")
            + [TableColumn(name: "loaded_at", type: .timestampWithTimeZone(precision: 3))]
        return ListingTable(name, columns) { (wanted) throws(QueryFault) in
            guard let door = doors.ingest else { return [] }
            let rows: [RegistryRow]
            do { rows = try door.registry(context) } catch {
                throw EngineCatalogs.fault(error, about: "\(name)")
            }
            return rows.compactMap { row in
                guard wanted.allows("table_name", row.table),
                    wanted.allows("source_file", row.sourceFile)
                else { return nil }
                return [
                    .text(row.sourceFile), .text(row.etag), .integer(row.sizeBytes),
                    .text(row.table), row.rowCount.map { .integer($0) } ?? .null,
                    .text(row.status), .text(row.message), .wide(Int128(row.atMicroseconds) << 64),
                ]
            }
        }
    }
}
