import Diagnostics
import ObjectStorage
package import SQLite

/// What became of a file that was to go into a table.
package struct RegistryEntry: Sendable, Hashable {
    /// How the last try ended.
    package enum Status: String, Sendable {
        case loaded, removed, failed
    }

    /// `s3://bucket/key`.
    package var sourceFile: String
    package var etag: String
    package var sizeBytes: Int64
    package var target: IngestTarget
    /// Rows of the file in the table; nil: unknown, as several files came with one commit.
    package var rowCount: Int64?
    package var status: Status
    /// Why it failed; empty otherwise.
    package var message: String
    package var atMicroseconds: Int64
}

/// The last that is known of every file and table, in `ingest.sqlite`.
///
/// It tells people what was done; what is loaded again does not depend on it but on the columns that the
/// rows themselves have, since those are committed with them.
package final class IngestRegistry: Sendable {
    package let database: Database

    /// Files that one question gives at the most.
    private static let listLimit = 1_000_000

    /// Opens or creates the file.
    package init(
        path: String, nowMicroseconds: @escaping @Sendable () -> Int64
    ) throws {
        database = try Database(
            path: path, migrations: registryMigrations, nowMicroseconds: nowMicroseconds)
    }

    /// Every file by table and name.
    package func entries() throws -> [RegistryEntry] {
        try database.read { tx in
            try tx.query(
                """
                SELECT warehouse, namespace, name, source_file, etag, size_bytes, row_count, status,
                    message, at_us
                FROM files ORDER BY warehouse, namespace, name, source_file LIMIT ?
                """, Self.listLimit
            ) { row in
                RegistryEntry(
                    sourceFile: row.string(3), etag: row.string(4), sizeBytes: row.int64(5),
                    target: IngestTarget(
                        warehouse: row.string(0),
                        namespace: row.string(1).split(separator: "/").map(String.init),
                        table: row.string(2)),
                    rowCount: row.isNull(6) ? nil : row.int64(6),
                    status: RegistryEntry.Status(rawValue: row.string(7)) ?? .failed,
                    message: row.string(8), atMicroseconds: row.int64(9))
            }
        }
    }

    func record(
        _ file: String, etag: String, sizeBytes: Int64, _ target: IngestTarget, rows: Int64?,
        _ status: RegistryEntry.Status, message: String = ""
    ) throws {
        try database.write { tx in
            try tx.run(
                """
                INSERT OR REPLACE INTO files (warehouse, namespace, name, source_file, etag,
                    size_bytes, row_count, status, message, at_us)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, target.warehouse, target.namespace.joined(separator: "/"), target.table, file,
                etag, sizeBytes, rows, status.rawValue, message, tx.nowMicroseconds)
        }
    }

    func hasLoaded(_ file: String, etag: String, _ target: IngestTarget) throws -> Bool {
        try database.read { tx in
            try tx.number(
                """
                SELECT count(*) FROM files WHERE warehouse = ? AND namespace = ? AND name = ?
                    AND source_file = ? AND etag = ? AND status = 'loaded'
                """, target.warehouse, target.namespace.joined(separator: "/"), target.table, file,
                etag)
        } ?? 0 > 0
    }
}

extension IngestWork {
    /// Does what brings files into the table with one commit, and notes what became of them.
    func recorded(
        _ files: [any ObjectReader], _ body: () throws -> IngestReport
    ) throws -> IngestReport {
        let report: IngestReport
        do { report = try body() } catch {
            for file in files { note(file, .failed, rows: nil, Self.words(error)) }
            throw error
        }
        for file in files {
            // What was done before is known from then.
            if report.wasDone, isNoted(file) { continue }
            note(file, .loaded, rows: files.count == 1 ? Int64(report.rowsInserted) : nil)
        }
        return report
    }

    func note(
        _ file: any ObjectReader, _ status: RegistryEntry.Status, rows: Int64?,
        _ message: String = ""
    ) {
        note(
            file.description.location, etag: file.description.etag,
            sizeBytes: file.description.sizeBytes, status, rows: rows, message)
    }

    /// The rows are committed, or the failure is about to be told: the registry must not undo either.
    func note(
        _ location: ObjectLocation, etag: String, sizeBytes: Int64,
        _ status: RegistryEntry.Status, rows: Int64?, _ message: String = ""
    ) {
        do {
            try ingestor.registry?.record(
                "\(location)", etag: etag, sizeBytes: sizeBytes, request.target, rows: rows,
                status, message: message)
        } catch { log("the registry of files could not be written: \(error)") }
    }

    func isNoted(_ file: any ObjectReader) -> Bool {
        (try? ingestor.registry?.hasLoaded(
            "\(file.description.location)", etag: file.description.etag, request.target)) ?? false
    }

    static func words(_ error: any Error) -> String {
        guard let fault = error as? any Fault else { return "\(error)" }
        return fault.message
    }
}

let registryMigrations: [Migration] = [
    Migration(
        1, "files",
        sql: """
            CREATE TABLE files (
                warehouse TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                source_file TEXT NOT NULL, etag TEXT NOT NULL, size_bytes INTEGER NOT NULL,
                row_count INTEGER, status TEXT NOT NULL, message TEXT NOT NULL,
                at_us INTEGER NOT NULL,
                PRIMARY KEY (warehouse, namespace, name, source_file)
            ) STRICT, WITHOUT ROWID;
            """)
]
