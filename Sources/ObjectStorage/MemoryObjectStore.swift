import Bytes
import Synchronization

/// Objects in memory, for tests and caches. Delay and failure are put in from outside.
package final class MemoryObjectStore: ObjectStore {
    /// What a call is about to do, for `Interference`.
    package enum Operation: Sendable, Hashable {
        case describe, open, write, delete, list
        case read([Range<Int64>])
    }

    /// What tests put between the caller and the store.
    package struct Interference: Sendable {
        /// Called before each operation, on its thread: may wait, may throw.
        package var before: @Sendable (Operation, ObjectLocation) throws(ObjectStoreError) -> Void
        /// Runs the work of a read with completion: at once, later, on another thread.
        package var schedule: @Sendable (@escaping @Sendable () -> Void) -> Void

        package init(
            before:
                @escaping @Sendable (Operation, ObjectLocation) throws(ObjectStoreError) -> Void = {
                    (_, _) throws(ObjectStoreError) in
                },
            schedule: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() }
        ) {
            self.before = before
            self.schedule = schedule
        }
    }

    private struct Entry {
        let description: ObjectDescription
        let bytes: [UInt8]
    }

    private struct State {
        /// By the UTF-8 of the key, sorted.
        var buckets: [String: [(key: String, entry: Entry)]] = [:]
        var writes: Int64 = 0
        var roundTrips = 0
    }

    private let state: Mutex<State>
    private let interference: Interference
    private let nowMicroseconds: @Sendable () -> Int64

    package init(
        buckets: [String], interference: Interference = Interference(),
        nowMicroseconds: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        var initial = State()
        for bucket in buckets { initial.buckets[bucket] = [] }
        state = Mutex(initial)
        self.interference = interference
        self.nowMicroseconds = nowMicroseconds
    }

    /// How often the store was asked; a batch of ranges is one round trip.
    package var roundTrips: Int { state.withLock { $0.roundTrips } }

    package func describe(_ location: ObjectLocation) throws(ObjectStoreError) -> ObjectDescription
    {
        try enter(.describe, location)
        return try entry(location).description
    }

    package func open(_ location: ObjectLocation) throws(ObjectStoreError) -> any ObjectReader {
        try enter(.open, location)
        let entry = try entry(location)
        return MemoryObjectReader(
            description: entry.description, content: entry.bytes, schedule: interference.schedule
        ) { [self] (ranges) throws(ObjectStoreError) in
            try enter(.read(ranges), location)
        }
    }

    @discardableResult
    package func write(
        _ bytes: UnsafeRawBufferPointer, to location: ObjectLocation,
        precondition: WritePrecondition
    ) throws(ObjectStoreError) -> ObjectDescription {
        try enter(.write, location)
        return try store(Array(bytes), at: location, precondition: precondition)
    }

    package func beginWrite(to location: ObjectLocation) throws(ObjectStoreError)
        -> any ObjectWriter
    {
        try checkKey(location.key)
        guard state.withLock({ $0.buckets[location.bucket] != nil }) else {
            throw noSuchBucket(location)
        }
        return MemoryObjectWriter { [self] (bytes, precondition) throws(ObjectStoreError) in
            try enter(.write, location)
            return try store(bytes, at: location, precondition: precondition)
        }
    }

    package func delete(_ location: ObjectLocation) throws(ObjectStoreError) {
        try enter(.delete, location)
        let isKnown = state.withLock { state -> Bool in
            guard var rows = state.buckets[location.bucket] else { return false }
            let index = position(of: location.key, in: rows)
            if index < rows.count, KeyOrder.areEqual(rows[index].key, location.key) {
                rows.remove(at: index)
                state.buckets[location.bucket] = rows
            }
            return true
        }
        if !isKnown { throw noSuchBucket(location) }
    }

    package func list(
        bucket: String, prefix: String, after: String?, limit: Int
    ) throws(ObjectStoreError) -> [ObjectDescription] {
        let place = ObjectLocation(bucket: bucket, key: prefix)
        try enter(.list, place)
        let found = state.withLock { state -> [ObjectDescription]? in
            guard let rows = state.buckets[bucket] else { return nil }
            var index = position(of: prefix, in: rows)
            if let after, !KeyOrder.isBefore(after, prefix) {
                index = position(of: after, in: rows)
                if index < rows.count, KeyOrder.areEqual(rows[index].key, after) { index += 1 }
            }
            return rows[index...].prefix { KeyOrder.hasPrefix($0.key, prefix) }.prefix(
                max(0, limit)
            )
            .map(\.entry.description)
        }
        guard let found else { throw noSuchBucket(place) }
        return found
    }

    private func enter(
        _ operation: Operation, _ location: ObjectLocation
    ) throws(ObjectStoreError) {
        state.withLock { $0.roundTrips += 1 }
        try interference.before(operation, location)
    }

    private func entry(_ location: ObjectLocation) throws(ObjectStoreError) -> Entry {
        let found = state.withLock { state -> Entry?? in
            guard let rows = state.buckets[location.bucket] else { return nil }
            return .some(find(location.key, in: rows))
        }
        guard let found else { throw noSuchBucket(location) }
        guard let entry = found else {
            throw ObjectStoreError(code: .noSuchKey, message: "no such object: \(location)")
        }
        return entry
    }

    private func store(
        _ bytes: [UInt8], at location: ObjectLocation, precondition: WritePrecondition
    ) throws(ObjectStoreError) -> ObjectDescription {
        try checkKey(location.key)
        let now = nowMicroseconds()
        // Two checksums over the content: enough for a store that holds only what tests put in.
        let etag =
            hexWord(crc64NVME(bytes)) + hexWord(UInt64(crc32c(bytes)) << 32 | UInt64(bytes.count))
        let outcome = state.withLock { state -> Result<ObjectDescription, ObjectStoreError> in
            guard var rows = state.buckets[location.bucket] else {
                return .failure(noSuchBucket(location))
            }
            do throws(ObjectStoreError) {
                try precondition.check(
                    presentETag: find(location.key, in: rows)?.description.etag, at: location)
            } catch {
                return .failure(error)
            }
            state.writes += 1
            let description = ObjectDescription(
                location: location, sizeBytes: Int64(bytes.count), etag: etag,
                version: String(state.writes), modifiedMicroseconds: now)
            let row = (key: location.key, entry: Entry(description: description, bytes: bytes))
            let index = position(of: location.key, in: rows)
            if index < rows.count, KeyOrder.areEqual(rows[index].key, location.key) {
                rows[index] = row
            } else {
                rows.insert(row, at: index)
            }
            state.buckets[location.bucket] = rows
            return .success(description)
        }
        return try outcome.get()
    }

    private func find(_ key: String, in rows: [(key: String, entry: Entry)]) -> Entry? {
        let index = position(of: key, in: rows)
        guard index < rows.count, KeyOrder.areEqual(rows[index].key, key) else { return nil }
        return rows[index].entry
    }

    /// The index of the first key that is not before `key`.
    private func position(of key: String, in rows: [(key: String, entry: Entry)]) -> Int {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if KeyOrder.isBefore(rows[middle].key, key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func noSuchBucket(_ location: ObjectLocation) -> ObjectStoreError {
        ObjectStoreError(code: .noSuchBucket, message: "no such bucket: \(location.bucket)")
    }

    private func hexWord(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Throws unless a key has 1 to 1,024 bytes.
package func checkKey(_ key: String) throws(ObjectStoreError) {
    guard !key.isEmpty, key.utf8.count <= 1024 else {
        throw ObjectStoreError(
            code: .invalidKey, message: "a key has 1 to 1,024 bytes, this one \(key.utf8.count)")
    }
}

extension WritePrecondition {
    /// Throws unless the condition holds of what is there: the present entity tag, nil for nothing.
    /// A tag that is asked of an absent object is `.noSuchKey`, as S3 has it.
    package func check(
        presentETag: String?, at location: ObjectLocation
    ) throws(ObjectStoreError) {
        switch (self, presentETag) {
        case (.none, _), (.absent, nil): return
        case (.absent, .some):
            throw ObjectStoreError(
                code: .preconditionFailed, message: "the object exists: \(location)")
        case (.etag, nil):
            throw ObjectStoreError(code: .noSuchKey, message: "no such object: \(location)")
        case (.etag(let wanted), .some(let present)):
            guard wanted == present || wanted == "*" else {
                throw ObjectStoreError(
                    code: .preconditionFailed,
                    message: "the object has another entity tag: \(location) has \(present)")
            }
        }
    }
}

private final class MemoryObjectReader: ObjectReader {
    let description: ObjectDescription
    private let content: [UInt8]
    private let schedule: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let enter: @Sendable ([Range<Int64>]) throws(ObjectStoreError) -> Void

    init(
        description: ObjectDescription, content: [UInt8],
        schedule: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        enter: @escaping @Sendable ([Range<Int64>]) throws(ObjectStoreError) -> Void
    ) {
        self.description = description
        self.content = content
        self.schedule = schedule
        self.enter = enter
    }

    func read(
        _ ranges: [RangeRead],
        completion: @escaping @Sendable (Result<Void, ObjectStoreError>) -> Void
    ) {
        schedule { [self] in
            do throws(ObjectStoreError) {
                try readNow(ranges)
                completion(.success(()))
            } catch {
                completion(.failure(error))
            }
        }
    }

    func readNow(_ ranges: [RangeRead]) throws(ObjectStoreError) {
        for range in ranges { try range.check(against: description) }
        try enter(ranges.map { $0.offset..<($0.offset + Int64($0.destination.count)) })
        content.withUnsafeBytes { source in
            for range in ranges {
                let start = Int(range.offset)
                range.destination.copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: source[start..<(start + range.destination.count)]))
            }
        }
    }
}

extension RangeRead {
    /// Throws `.invalidRange` unless the range lies within the object.
    package func check(against description: ObjectDescription) throws(ObjectStoreError) {
        let (end, overflow) = offset.addingReportingOverflow(Int64(destination.count))
        guard offset >= 0, !overflow, end <= description.sizeBytes else {
            throw ObjectStoreError(
                code: .invalidRange,
                message: "range from \(offset), \(destination.count) bytes, lies outside of "
                    + "\(description.location), which has \(description.sizeBytes) bytes")
        }
    }
}

private final class MemoryObjectWriter: ObjectWriter {
    typealias Finish = ([UInt8], WritePrecondition) throws(ObjectStoreError) -> ObjectDescription
    private var bytes: [UInt8] = []
    private var finish: Finish?

    init(finish: @escaping Finish) { self.finish = finish }

    func append(_ more: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        guard finish != nil else { throw spentWriter() }
        bytes.append(contentsOf: more)
    }

    func commit(precondition: WritePrecondition) throws(ObjectStoreError) -> ObjectDescription {
        guard let finish else { throw spentWriter() }
        self.finish = nil
        return try finish(bytes, precondition)
    }

    func abandon() {
        finish = nil
        bytes = []
    }
}

/// The fault of a writer that was used after its end.
package func spentWriter() -> ObjectStoreError {
    ObjectStoreError(code: .unavailable, message: "the writer was committed or abandoned before")
}
