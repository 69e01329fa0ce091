package import Authority
import Bytes
package import ObjectStorage
import Platform
import SQLite

/// What recovery removed.
package struct RecoveryReport: Sendable, Hashable {
    /// Blobs that were finished and never committed.
    package var strayBlobs = 0
    /// Blobs that were never finished.
    package var unfinishedBlobs = 0
    /// Blobs whose objects had been deleted.
    package var trashedBlobs = 0

    package init() {}
}

/// Something that is not as it should be.
package struct StorageProblem: Sendable, Hashable {
    /// What is wrong between the index and the blob files.
    package enum Kind: String, Sendable {
        /// A row names a blob that is not there.
        case missingBlob = "missing_blob"
        /// Bytes do not have their checksum, or a blob is cut off.
        case corrupted
        /// A file of an earlier boot that no row names.
        case strayBlob = "stray_blob"
        /// Counts and sizes in the index contradict each other.
        case inconsistentIndex = "inconsistent_index"
    }

    package var kind: Kind
    /// The blob, or the place in the index.
    package var subject: String
    /// The objects that suffer.
    package var objects: [ObjectLocation]
    package var message: String
}

/// What `verify` looked at and found.
package struct StorageReport: Sendable, Hashable {
    package var objectCount: Int64 = 0
    package var blobCount = 0
    package var checkedBytes: Int64 = 0
    package var problems: [StorageProblem] = []
}

extension DiskObjectStore {
    /// Removes what earlier boots left behind: emptied trash, unfinished blobs, blobs without a row.
    ///
    /// Looks only at boots that ended, once each, so it may run beside readers and writers.
    @discardableResult
    package func recover() throws(ObjectStoreError) -> RecoveryReport {
        try storing("recover the object store") {
            var report = RecoveryReport()
            for name in inheritedTrash {
                try folder.remove(name)
                report.trashedBlobs += 1
            }
            let boots = try database.read { tx in
                try tx.query(
                    "SELECT id FROM boots WHERE is_swept = 0 AND id < ? ORDER BY id", folder.boot
                ) { $0.int64(0) }
            }
            for boot in boots {
                let found = try folder.names(ofBoot: boot)
                for name in found.incoming {
                    _ = try folder.files.removeIfPresent(folder.incomingPath(name))
                    report.unfinishedBlobs += 1
                }
                for name in try strays(among: found.blobs) {
                    try folder.remove(name)
                    report.strayBlobs += 1
                }
            }
            try database.write { tx in
                for name in inheritedTrash {
                    try tx.run("DELETE FROM trash WHERE name = ?", name)
                }
                for boot in boots { try tx.run("UPDATE boots SET is_swept = 1 WHERE id = ?", boot) }
                try tx.run(
                    "DELETE FROM completed_uploads WHERE at_us < ?",
                    tx.nowMicroseconds - Limits.completedUploadMicroseconds)
            }
            return report
        }
    }

    /// Keeps every file that the index names now, while the hold lives: for backups.
    package func holdTrash() -> TrashHold { TrashHold(trash: trash) }

    /// Walks everything: the index, every inline content, every blob with every page. Slow and gentle:
    /// reads one blob at a time. `onlyFast` compares names and sizes and reads no contents.
    package func verify(
        _ context: RequestContext, onlyFast: Bool = false
    ) throws(ObjectStoreError) -> StorageReport {
        try require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .system, path: ["storage"]))
        return try storing("verify the object store") {
            var report = StorageReport()
            let damage = try database.integrityProblems()
            report.problems += damage.map {
                StorageProblem(
                    kind: .inconsistentIndex, subject: "objects.sqlite", objects: [], message: $0)
            }
            try verifyIndex(&report)
            if !onlyFast { try verifyInline(context, &report) }
            try verifyBlobs(context, &report, onlyFast: onlyFast)
            try verifyStrays(&report)
            return report
        }
    }

    /// Takes the trash rows of names that were unlinked; called when there is little to do.
    package func trimTrash() throws(ObjectStoreError) {
        let names = trash.takeUnlinked()
        if names.isEmpty { return }
        try storing("trim the trash") {
            try database.writeGrouped { tx in
                for name in names { try tx.run("DELETE FROM trash WHERE name = ?", name) }
            }
        }
    }

    // MARK: Steps

    private func strays(among names: [String]) throws -> [String] {
        try database.read { tx in
            try names.filter { name in
                try !tx.exists("SELECT 1 FROM blobs WHERE name = ?", name)
                    && !tx.exists("SELECT 1 FROM trash WHERE name = ?", name)
            }
        }
    }

    private func verifyIndex(_ report: inout StorageReport) throws {
        try database.read { tx in
            report.objectCount = try tx.number("SELECT count(*) FROM objects") ?? 0
            let wrongCounts = try tx.query(
                """
                SELECT c.id, c.refs, (SELECT count(*) FROM objects o WHERE o.content = c.id)
                    + (SELECT count(*) FROM versions v WHERE v.content = c.id) AS used
                FROM contents c WHERE c.refs <> used
                """
            ) { row in
                (row.int64(0), "content has \(row.int64(1)) references, \(row.int64(2)) are there")
            }
            let wrongSizes = try tx.query(
                """
                SELECT c.id, c.size, coalesce(length(c.inline),
                    (SELECT sum(b.size) FROM blobs b WHERE b.content = c.id), 0) AS stored
                FROM contents c WHERE c.size <> stored
                """
            ) { row in
                (
                    row.int64(0),
                    "content should have \(row.int64(1)) bytes, \(row.int64(2)) are there"
                )
            }
            for (content, message) in wrongCounts + wrongSizes {
                report.problems.append(
                    StorageProblem(
                        kind: .inconsistentIndex, subject: "content \(content)",
                        objects: try users(tx, of: content), message: message))
            }
        }
    }

    private func verifyInline(_ context: RequestContext, _ report: inout StorageReport) throws {
        var last: Int64? = 0
        while let after = last, !context.cancellation.isCancelled {
            let page = try checkInline(after: after, limit: Limits.upkeepBatch)
            report.problems += page.problems
            report.checkedBytes += page.checkedBytes
            last = page.last
        }
    }

    private func verifyBlobs(
        _ context: RequestContext, _ report: inout StorageReport, onlyFast: Bool
    ) throws {
        var last: Int64? = 0
        while let after = last, !context.cancellation.isCancelled {
            let page = try checkBlobs(after: after, limit: 64, onlyFast: onlyFast)
            report.problems += page.problems
            report.blobCount += page.count
            report.checkedBytes += page.checkedBytes
            last = page.last
        }
    }

    /// Compares the next inline contents with their checksums.
    func checkInline(after: Int64, limit: Int) throws(ObjectStoreError) -> ScrubPage {
        try storing("check inline contents") {
            try database.read { tx in
                var page = ScrubPage()
                let rows = try tx.query(
                    """
                    SELECT id, inline, crc32c FROM contents WHERE id > ? AND inline IS NOT NULL
                    ORDER BY id LIMIT ?
                    """, after, limit
                ) { row in
                    (
                        id: row.int64(0), bytes: Int64(row.withBytes(1) { $0.count }),
                        isSound: row.withBytes(1) { Int64(crc32c($0)) } == row.int64(2)
                    )
                }
                for row in rows where !row.isSound {
                    page.problems.append(
                        StorageProblem(
                            kind: .corrupted, subject: "content \(row.id)",
                            objects: try users(tx, of: row.id),
                            message: "the inline bytes do not have their checksum"))
                }
                page.last = rows.last?.id
                page.count = rows.count
                page.checkedBytes = rows.reduce(0) { $0 + $1.bytes }
                return page
            }
        }
    }

    /// Reads the next blobs, or with `onlyFast` only their tails.
    func checkBlobs(
        after: Int64, limit: Int, onlyFast: Bool = false
    ) throws(ObjectStoreError) -> ScrubPage {
        try storing("check blobs") {
            let hold = holdTrash()
            defer { withExtendedLifetime(hold) {} }
            let batch = try database.read { tx in
                try tx.query(
                    "SELECT id, name, size, content FROM blobs WHERE id > ? ORDER BY id LIMIT ?",
                    after, limit
                ) { row in (row.int64(0), row.string(1), row.int64(2), row.int64OrNil(3)) }
            }
            var page = ScrubPage()
            page.last = batch.last?.0
            page.count = batch.count
            for (_, name, size, content) in batch {
                guard let fault = check(name, size, onlyFast: onlyFast) else {
                    if !onlyFast { page.checkedBytes += size }
                    continue
                }
                let isMissing = try !folder.files.exists(folder.path(name))
                let objects = try database.read { tx in
                    try content.map { try users(tx, of: $0) } ?? []
                }
                page.problems.append(
                    StorageProblem(
                        kind: isMissing ? .missingBlob : .corrupted, subject: "blob \(name)",
                        objects: objects, message: fault.message))
            }
            return page
        }
    }

    private func check(_ name: String, _ size: Int64, onlyFast: Bool) -> ObjectStoreError? {
        do throws(ObjectStoreError) {
            let reader = try BlobReader(folder: folder, name: name, sizeBytes: size)
            if !onlyFast { try reader.verify() }
            return nil
        } catch {
            return error
        }
    }

    private func verifyStrays(_ report: inout StorageReport) throws {
        let boots = try database.read { tx in
            try tx.query("SELECT id FROM boots WHERE id < ?", folder.boot) { $0.int64(0) }
        }
        for boot in boots {
            for name in try strays(among: try folder.names(ofBoot: boot).blobs) {
                report.problems.append(
                    StorageProblem(
                        kind: .strayBlob, subject: "blob \(name)", objects: [],
                        message: "a file of an earlier start that no object needs"))
            }
        }
    }

    private func users(_ tx: ReadTransaction, of content: Int64) throws -> [ObjectLocation] {
        try tx.query(
            """
            SELECT bucket, key FROM objects WHERE content = ?1
            UNION SELECT bucket, key FROM versions WHERE content = ?1 LIMIT 100
            """, content
        ) { row in
            ObjectLocation(bucket: row.string(0), key: row.string(1))
        }
    }
}
