/// Delete files by where they apply. Source: Iceberg specification, "Scan Planning".
///
/// - A position delete file applies to data files of its partition that are not newer: their data
///   sequence number is at most its own.
/// - An equality delete file applies to data files that are older: strictly below its own; within its
///   partition, or everywhere when its spec is unpartitioned.
/// - A deletion vector applies to the file it names, and replaces position deletes for it.
struct DeleteFileIndex {
    private struct Scope: Hashable {
        var specID: Int32
        var partition: [Literal?]
    }

    struct Entry {
        var sequenceNumber: Int64
        var file: DataFile
    }

    private var globalEqualities: [Entry] = []
    private var equalities: [Scope: [Entry]] = [:]
    private var positions: [Scope: [Entry]] = [:]
    /// Position deletes that name their one data file.
    private var byPath: [String: [Entry]] = [:]
    private var vectors: [String: Entry] = [:]

    mutating func add(_ entry: ManifestEntry, isGlobal: Bool) {
        let item = Entry(sequenceNumber: entry.dataSequenceNumber ?? 0, file: entry.file)
        let scope = Scope(specID: entry.file.specID, partition: entry.file.partition)
        switch entry.file.content {
        case .data: return
        case .equalityDeletes:
            if isGlobal {
                globalEqualities.append(item)
            } else {
                equalities[scope, default: []].append(item)
            }
        case .positionDeletes:
            if entry.file.format == "PUFFIN", let path = entry.file.referencedDataFile {
                if vectors[path].map({ $0.sequenceNumber < item.sequenceNumber }) ?? true {
                    vectors[path] = item
                }
            } else if let path = entry.file.onlyReferencedPath {
                byPath[path, default: []].append(item)
            } else {
                positions[scope, default: []].append(item)
            }
        }
    }

    /// Sorts by sequence number so that lookups can cut.
    mutating func seal() {
        globalEqualities.sort { $0.sequenceNumber < $1.sequenceNumber }
        for key in equalities.keys {
            equalities[key]?.sort { $0.sequenceNumber < $1.sequenceNumber }
        }
        for key in positions.keys { positions[key]?.sort { $0.sequenceNumber < $1.sequenceNumber } }
    }

    func deletes(
        for file: DataFile, sequenceNumber: Int64
    ) -> (positions: [DataFile], equalities: [Entry]) {
        if vectors.isEmpty, byPath.isEmpty, positions.isEmpty, equalities.isEmpty,
            globalEqualities.isEmpty
        {
            return ([], [])
        }
        let scope = Scope(specID: file.specID, partition: file.partition)
        var found: [DataFile] = []
        if let vector = vectors[file.path], vector.sequenceNumber >= sequenceNumber {
            found = [vector.file]
        } else {
            for entry in (byPath[file.path] ?? []) + (positions[scope] ?? [])
            where entry.sequenceNumber >= sequenceNumber && entry.file.mayReference(file.path) {
                found.append(entry.file)
            }
        }
        let equal = (globalEqualities + (equalities[scope] ?? []))
            .filter { $0.sequenceNumber > sequenceNumber && $0.file.mayEqual(file) }
        return (found, equal)
    }
}

extension DataFile {
    /// The reserved column of position deletes that holds the data file's path.
    package static let deletePathFieldID: Int32 = 2_147_483_546
    /// The reserved column of position deletes that holds the row's position.
    package static let deletePositionFieldID: Int32 = 2_147_483_545

    /// The one data file of a position delete file, if it says so, or if its bounds are whole and equal.
    var onlyReferencedPath: String? {
        if let referencedDataFile { return referencedDataFile }
        guard let lower = lowerBounds[Self.deletePathFieldID],
            let upper = upperBounds[Self.deletePathFieldID], lower == upper
        else { return nil }
        return String(validating: lower, as: UTF8.self)
    }

    /// False where the bounds of the path column exclude the file.
    func mayReference(_ path: String) -> Bool {
        let bytes = Array(path.utf8)
        if let lower = lowerBounds[Self.deletePathFieldID],
            bytes.lexicographicallyPrecedes(lower)
        {
            return false
        }
        if let upper = upperBounds[Self.deletePathFieldID],
            upper.lexicographicallyPrecedes(bytes),
            !bytes.starts(with: upper)
        {
            return false
        }
        return true
    }

    /// False where an equality column is all null here and never null there, or the reverse.
    func mayEqual(_ data: DataFile) -> Bool {
        for id in equalityIDs {
            guard let deleteNulls = nullCounts[id], let deleteValues = valueCounts[id],
                let dataNulls = data.nullCounts[id], let dataValues = data.valueCounts[id]
            else { continue }
            let deletesOnlyNull = deleteNulls == deleteValues
            let dataOnlyNull = dataNulls == dataValues
            if deletesOnlyNull, dataNulls == 0, dataValues > 0 { return false }
            if dataOnlyNull, deleteNulls == 0, deleteValues > 0 { return false }
        }
        return true
    }
}
