import ObjectStorage
import Platform

/// A file of the local disk as an object, for SQL over files.
final class LocalFileReader: ObjectReader {
    let description: ObjectDescription
    private let file: any File

    init(path: String) throws {
        let files = LocalFileSystem()
        guard let status = try files.status(path) else {
            throw ApplianceError(.notFound, "no such file: \(path)", hint: "check the path")
        }
        file = try files.open(path, .read)
        description = ObjectDescription(
            location: ObjectLocation(bucket: "", key: path), sizeBytes: status.sizeBytes,
            etag: "", version: "\(status.inode)-\(status.modified.microseconds)",
            modifiedMicroseconds: status.modified.microseconds)
    }

    func read(
        _ ranges: [RangeRead],
        completion: @escaping @Sendable (Result<Void, ObjectStoreError>) -> Void
    ) {
        do throws(ObjectStoreError) {
            try readNow(ranges)
            completion(.success(()))
        } catch { completion(.failure(error)) }
    }

    func readNow(_ ranges: [RangeRead]) throws(ObjectStoreError) {
        for range in ranges {
            guard range.offset >= 0,
                range.offset + Int64(range.destination.count) <= description.sizeBytes
            else {
                throw ObjectStoreError(
                    code: .invalidRange,
                    message: "a range lies outside of \(description.location.key)")
            }
            let count: Int
            do { count = try file.read(into: range.destination, at: range.offset) } catch {
                throw ObjectStoreError(
                    code: .unavailable, message: "cannot read \(description.location.key)",
                    cause: error)
            }
            guard count == range.destination.count else {
                throw ObjectStoreError(
                    code: .corrupted,
                    message: "\(description.location.key) became shorter while it was read")
            }
        }
    }
}
