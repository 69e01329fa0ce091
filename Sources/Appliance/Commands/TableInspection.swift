import Authority
import Diagnostics
import DiskObjectStorage
import Iceberg
import JSON
import ObjectStorage
import Parquet
import Platform
import TableCatalog

/// Looks whether the files that tables and views stand on are there and can be read: metadata, manifest
/// lists, manifests and data files of every snapshot, on every branch.
///
/// Everything is read from the store, past what a running server remembers. A table that is committed to
/// meanwhile is looked at once more, since the files of its old state may be gone.
final class TableInspection {
    private let appliance: Appliance
    private let context = Appliance.systemContext
    /// With a memory of its own, so that nothing comes from the server's.
    private let source: ManifestSource
    private let store: any ObjectStore
    /// What is whole, since snapshots and branches share most of their files.
    private var whole: Set<String> = []
    /// Places that were reported: branches share their damage as well.
    private var reported: Set<String> = []
    private static let attempts = 3

    init(_ appliance: Appliance) {
        self.appliance = appliance
        store = appliance.objects.bound(to: context)
        source = ManifestSource(store: store)
    }

    func run() -> [DoctorCommand.Finding] {
        var findings: [DoctorCommand.Finding] = []
        do {
            for warehouse in try appliance.catalog.listWarehouses(context) {
                for reference in try appliance.catalog.references(
                    context, warehouse: warehouse.name)
                {
                    try inspect(reference.at, &findings)
                }
            }
        } catch {
            findings.append(
                finding("catalog.sqlite", Self.text(error), "restore a backup into a new directory")
            )
        }
        return findings
    }

    private func inspect(
        _ at: CatalogReference, _ findings: inout [DoctorCommand.Finding]
    ) throws {
        var open: [[String]] = [[]]
        while let parent = open.popLast() {
            open += try appliance.catalog.listNamespaces(context, at, parent: parent).elements
            guard !parent.isEmpty else { continue }
            for entry in try appliance.catalog.pointedEntries(context, at, parent)
            where !whole.contains(entry.metadataLocation) {
                for found in settled(entry) where reported.insert(found.place).inserted {
                    findings.append(found)
                }
            }
        }
    }

    /// The problems of one table or view in a state that it kept while it was looked at.
    private func settled(_ entry: PointedEntry) -> [DoctorCommand.Finding] {
        var entry = entry
        var found: [DoctorCommand.Finding] = []
        for _ in 0..<Self.attempts {
            found = problems(entry)
            if found.isEmpty {
                whole.insert(entry.metadataLocation)
                return []
            }
            let now = try? appliance.catalog.pointedEntry(
                context, entry.at, entry.identifier, isView: entry.isView)
            guard let now else { return [] }
            if now == entry { return found }
            entry = now
        }
        return found
    }

    private func problems(_ entry: PointedEntry) -> [DoctorCommand.Finding] {
        let name = "\(entry.at).\(entry.identifier)"
        let location = entry.metadataLocation
        let metadata: TableMetadata
        do {
            let bytes = try document(entry)
            if entry.isView {
                _ = try ViewMetadata(try JSONValue(parsing: bytes).cursor)
                return []
            }
            metadata = try TableMetadata(parsing: bytes, path: location)
        } catch {
            return [finding(location, "\(name): \(Self.text(error))", metadataRemedy(entry))]
        }
        var damaged: [(snapshot: Snapshot, place: String, problem: String)] = []
        var wholeSnapshots: [Snapshot] = []
        for snapshot in metadata.snapshots {
            let before = damaged.count
            for (place, problem) in problems(snapshot, in: metadata) {
                damaged.append((snapshot, place, problem))
            }
            if damaged.count == before { wholeSnapshots.append(snapshot) }
        }
        let good = wholeSnapshots.max { $0.sequenceNumber < $1.sequenceNumber }
        return damaged.map { damage in
            finding(
                damage.place, "\(name), snapshot \(damage.snapshot.snapshotID): \(damage.problem)",
                remedy(damage.snapshot, metadata, entry, good))
        }
    }

    /// The metadata file; one that is still on its way to the store is taken from the journal.
    private func document(_ entry: PointedEntry) throws -> [UInt8] {
        do { return try source.read(entry.metadataLocation) } catch {
            let cause = error.cause as? ObjectStoreError
            guard let journaled = entry.journaled, cause?.code == .noSuchKey else { throw error }
            return journaled
        }
    }

    // MARK: Snapshots

    private func problems(
        _ snapshot: Snapshot, in metadata: TableMetadata
    ) -> [(place: String, problem: String)] {
        let manifests: [ManifestFile]
        do throws(IcebergError) { manifests = try source.manifests(of: snapshot) } catch {
            return [(snapshot.manifestList ?? metadata.location, Self.text(error))]
        }
        var found: [(String, String)] = []
        for manifest in manifests where !whole.contains(manifest.path) {
            let entries: [ManifestEntry]
            do throws(IcebergError) {
                entries = try source.entries(of: manifest, in: metadata)
            } catch {
                found.append((manifest.path, Self.text(error)))
                continue
            }
            let before = found.count
            for entry in entries where entry.isLive && !whole.contains(entry.file.path) {
                if let problem = problem(entry.file) {
                    found.append((entry.file.path, problem))
                } else {
                    whole.insert(entry.file.path)
                }
            }
            if found.count == before { whole.insert(manifest.path) }
        }
        return found
    }

    /// What is wrong with a data or delete file; nil when it is there and its footer can be read.
    private func problem(_ file: DataFile) -> String? {
        guard let location = ObjectLocation(uri: file.path) else {
            return "the location is not in an object store: \(file.path)"
        }
        do {
            let reader = try store.open(location)
            let size = reader.description.sizeBytes
            if !file.isDeletionVector, size != file.sizeBytes {
                return
                    "the file has \(size) bytes, its manifest says \(file.sizeBytes): \(file.path)"
            }
            if file.format.lowercased() == "parquet" { _ = try ParquetFile.open(reader) }
            return nil
        } catch {
            let text = Self.text(error)
            return text.contains(file.path) ? text : "\(text): \(file.path)"
        }
    }

    // MARK: Words

    private func finding(
        _ place: String, _ problem: String, _ remedy: String
    ) -> DoctorCommand.Finding {
        DoctorCommand.Finding(area: "catalog", place: place, problem: problem, remedy: remedy)
    }

    /// An error and its causes, each thing once.
    private static func text(_ error: any Error) -> String {
        var words: [String] = []
        var next: (any Error)? = error
        while let error = next {
            var message = (error as? any Fault)?.message ?? "\(error)"
            // The place is named by what went wrong, not again by why.
            let parts = message.split(separator: ": s3://", maxSplits: 1)
            if parts.count == 2, words.contains(where: { $0.contains("s3://" + parts[1]) }) {
                message = String(parts[0])
            }
            if !words.contains(where: { $0.contains(message) }) { words.append(message) }
            next = (error as? any Fault)?.cause
        }
        return words.joined(separator: ", because ")
    }

    private func metadataRemedy(_ entry: PointedEntry) -> String {
        let restore = "restore the file from a backup"
        if entry.isView { return restore + ", or drop the view and create it again" }
        guard let earlier = lastWhole(before: entry.metadataLocation) else { return restore }
        return restore
            + ", or register the table anew (POST …/register, overwrite) with the last whole one: \(earlier)"
    }

    /// The newest metadata file beside a damaged one that can be read.
    private func lastWhole(before path: String) -> String? {
        guard let location = ObjectLocation(uri: path),
            let slash = location.key.lastIndex(of: "/")
        else { return nil }
        let folder = String(location.key[...slash])
        let files = try? store.list(
            bucket: location.bucket, prefix: folder, after: nil, limit: 10_000)
        let candidates = (files ?? []).map(\.location).filter { found in
            found.key.hasSuffix(".metadata.json") && found.key < location.key
        }
        return candidates.reversed().map(\.description).first { candidate in
            (try? source.read(candidate)).flatMap {
                try? TableMetadata(parsing: $0, path: candidate)
            } != nil
        }
    }

    private func remedy(
        _ snapshot: Snapshot, _ metadata: TableMetadata, _ entry: PointedEntry, _ good: Snapshot?
    ) -> String {
        let restore = "restore the file from a backup"
        guard snapshot.snapshotID == metadata.currentSnapshotID else {
            return restore + ", or let the snapshot expire: only time travel reads it"
        }
        guard let good else { return restore + ", or load the table anew from its source" }
        let schema = entry.identifier.namespace.joined(separator: ".")
        return restore
            + ", or roll the table back: CALL \(entry.at.warehouse).system.rollback_to_snapshot("
            + "'\(schema)', '\(entry.identifier.name)', \(good.snapshotID))"
    }
}
