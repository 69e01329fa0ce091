/// What is known of an object without reading it.
package struct ObjectDescription: Sendable, Hashable {
    package var location: ObjectLocation
    package var sizeBytes: Int64
    /// Entity tag without quotes; changes when the content does.
    package var etag: String
    /// Names this exact content for as long as the object exists; caches key on it.
    package var version: String
    /// Microseconds since 1970-01-01 UTC.
    package var modifiedMicroseconds: Int64

    package init(
        location: ObjectLocation, sizeBytes: Int64, etag: String, version: String,
        modifiedMicroseconds: Int64
    ) {
        self.location = location
        self.sizeBytes = sizeBytes
        self.etag = etag
        self.version = version
        self.modifiedMicroseconds = modifiedMicroseconds
    }
}

/// One range to read into memory that the caller owns and keeps alive until completion.
package struct RangeRead: @unchecked Sendable {
    // Safe because the store writes `destination` only before it completes, and the caller touches
    // it only after.
    package var offset: Int64
    package var destination: UnsafeMutableRawBufferPointer

    package init(offset: Int64, destination: UnsafeMutableRawBufferPointer) {
        self.offset = offset
        self.destination = destination
    }
}

/// What must hold of the present object for a write to happen.
package enum WritePrecondition: Sendable, Hashable {
    case none
    /// The key must be free (`If-None-Match: *`).
    case absent
    /// The object must have this entity tag (`If-Match`).
    case etag(String)
}

/// A place for objects. Every implementation passes `ObjectStoreConformance`.
package protocol ObjectStore: Sendable {
    /// Describes an object; throws `.noSuchKey` or `.noSuchBucket`.
    func describe(_ location: ObjectLocation) throws(ObjectStoreError) -> ObjectDescription

    /// Opens an object for reading; the handle reads the content as it was when opened, also after
    /// the key was replaced or deleted.
    func open(_ location: ObjectLocation) throws(ObjectStoreError) -> any ObjectReader

    /// Writes an object whole; durable when it returns.
    @discardableResult
    func write(
        _ bytes: UnsafeRawBufferPointer, to location: ObjectLocation,
        precondition: WritePrecondition
    ) throws(ObjectStoreError) -> ObjectDescription

    /// Begins an object that is written piece by piece; nothing is visible before `commit`.
    func beginWrite(to location: ObjectLocation) throws(ObjectStoreError) -> any ObjectWriter

    /// Deletes an object; one that is absent is fine.
    func delete(_ location: ObjectLocation) throws(ObjectStoreError)

    /// Lists keys with the prefix in ascending UTF-8 order, after `after`, at most `limit`.
    func list(
        bucket: String, prefix: String, after: String?, limit: Int
    ) throws(ObjectStoreError) -> [ObjectDescription]
}

/// An open object.
package protocol ObjectReader: AnyObject, Sendable {
    var description: ObjectDescription { get }

    /// Fills every range, then calls `completion` once, from any thread, perhaps before returning.
    ///
    /// A range past the end is `.invalidRange`; damaged bytes are `.corrupted`.
    func read(
        _ ranges: [RangeRead],
        completion: @escaping @Sendable (Result<Void, ObjectStoreError>) -> Void)

    /// Fills every range before it returns.
    func readNow(_ ranges: [RangeRead]) throws(ObjectStoreError)
}

/// An object that is being written.
package protocol ObjectWriter: AnyObject {
    /// Appends bytes; they are copied or written before it returns.
    func append(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError)

    /// Makes the object visible, durably. The writer is spent afterwards.
    func commit(precondition: WritePrecondition) throws(ObjectStoreError) -> ObjectDescription

    /// Gives the bytes up; also happens when the writer is dropped uncommitted.
    func abandon()
}

extension ObjectReader {
    /// Reads one range into a new array.
    package func bytes(_ range: Range<Int64>) throws(ObjectStoreError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= description.sizeBytes else {
            throw ObjectStoreError(
                code: .invalidRange,
                message: "range \(range) lies outside of \(description.location), "
                    + "which has \(description.sizeBytes) bytes")
        }
        let count = Int(range.upperBound - range.lowerBound)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
        defer { memory.deallocate() }
        let destination = UnsafeMutableRawBufferPointer(rebasing: memory[0..<count])
        try readNow([RangeRead(offset: range.lowerBound, destination: destination)])
        return Array(destination)
    }

    /// Reads the whole object.
    package func allBytes() throws(ObjectStoreError) -> [UInt8] {
        try bytes(0..<description.sizeBytes)
    }
}

extension ObjectStore {
    /// Writes an array of bytes whole.
    @discardableResult
    package func write(
        _ bytes: [UInt8], to location: ObjectLocation, precondition: WritePrecondition = .none
    ) throws(ObjectStoreError) -> ObjectDescription {
        // Rethrows by hand: `withUnsafeBytes` does not carry typed throws.
        let outcome = bytes.withUnsafeBytes { raw -> Result<ObjectDescription, ObjectStoreError> in
            do throws(ObjectStoreError) {
                return .success(try write(raw, to: location, precondition: precondition))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
