package import ObjectStorage

/// What every `ObjectStore` must do. A test runs it against its store and expects no failures.
package final class ObjectStoreConformance {
    private let store: any ObjectStore
    private let bucket: String
    private var failures: [String] = []

    /// Runs every check in an empty bucket that exists; returns what did not hold.
    package static func failures(of store: any ObjectStore, bucket: String) -> [String] {
        let suite = ObjectStoreConformance(store: store, bucket: bucket)
        suite.run("contents of all sizes") { suite in try suite.contents() }
        suite.run("ranges") { suite in try suite.ranges() }
        suite.run("readers keep their content") { suite in try suite.stableReaders() }
        suite.run("preconditions") { suite in try suite.preconditions() }
        suite.run("writers") { suite in try suite.writers() }
        suite.run("listing") { suite in try suite.listing() }
        suite.run("faults") { suite in try suite.faults() }
        return suite.failures
    }

    private init(store: any ObjectStore, bucket: String) {
        self.store = store
        self.bucket = bucket
    }

    private func run(_ name: String, _ body: (ObjectStoreConformance) throws -> Void) {
        do { try body(self) } catch { failures.append("\(name): \(error)") }
    }

    private func expect(_ holds: Bool, _ what: String) {
        if !holds { failures.append(what) }
    }

    private func expect(
        _ code: ObjectStoreError.Code, _ what: String, _ body: () throws(ObjectStoreError) -> Void
    ) {
        do throws(ObjectStoreError) {
            try body()
            failures.append("\(what): no fault, wanted \(code)")
        } catch {
            if error.code != code { failures.append("\(what): \(error.code), wanted \(code)") }
        }
    }

    private func at(_ key: String) -> ObjectLocation { ObjectLocation(bucket: bucket, key: key) }

    private func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) &+ seed }
    }

    private func contents() throws {
        for size in [0, 1, 4096, 65_535, 65_536, 65_537, 200_000, 1_048_577] {
            let content = pattern(size)
            let made = try store.write(content, to: at("c/\(size)"))
            let read = try store.open(at("c/\(size)"))
            expect(try read.allBytes() == content, "content of \(size) bytes comes back")
            expect(read.description == made, "description of \(size) bytes is that of the write")
            expect(try store.describe(at("c/\(size)")) == made, "describe of \(size) bytes")
            expect(made.sizeBytes == Int64(size), "size of \(size) bytes")
        }
    }

    private func ranges() throws {
        let content = pattern(300_000)
        try store.write(content, to: at("r"))
        let reader = try store.open(at("r"))
        for range in [
            0..<1, 65_535..<65_537, 65_536..<131_072, 1..<299_999, 299_999..<300_000, 7..<7,
        ] {
            let bytes = try reader.bytes(Int64(range.lowerBound)..<Int64(range.upperBound))
            expect(bytes == Array(content[range]), "range \(range)")
        }
        expect(.invalidRange, "a range past the end") { () throws(ObjectStoreError) in
            _ = try reader.bytes(299_999..<300_001)
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 20, alignment: 1)
        defer { memory.deallocate() }
        let batch = [
            RangeRead(offset: 0, destination: .init(rebasing: memory[0..<10])),
            RangeRead(offset: 200_000, destination: .init(rebasing: memory[10..<20])),
        ]
        try reader.readNow(batch)
        expect(
            Array(memory) == Array(content[0..<10] + content[200_000..<200_010]),
            "a batch of ranges")
        expect(.invalidRange, "a negative offset") { () throws(ObjectStoreError) in
            try reader.readNow([RangeRead(offset: -1, destination: memory)])
        }
        expect(.invalidRange, "an offset that overflows") { () throws(ObjectStoreError) in
            try reader.readNow([RangeRead(offset: .max - 3, destination: memory)])
        }
    }

    private func stableReaders() throws {
        for size in [10, 200_000] {
            let old = pattern(size)
            let first = try store.write(old, to: at("s"))
            let reader = try store.open(at("s"))
            let second = try store.write(pattern(size, seed: 9), to: at("s"))
            expect(first.version != second.version, "a write makes a new version")
            expect(first.etag != second.etag, "another content has another tag")
            expect(try reader.allBytes() == old, "an open reader keeps its content when replaced")
            let again = try store.open(at("s"))
            try store.delete(at("s"))
            expect(try again.allBytes() == pattern(size, seed: 9), "also when deleted")
        }
    }

    private func preconditions() throws {
        let place = at("p")
        expect(.noSuchKey, "a tag of an absent object") { () throws(ObjectStoreError) in
            try store.write([1], to: place, precondition: .etag("x"))
        }
        let made = try store.write([1], to: place, precondition: .absent)
        expect(.preconditionFailed, "absent, but there") { () throws(ObjectStoreError) in
            try store.write([2], to: place, precondition: .absent)
        }
        expect(.preconditionFailed, "another tag") { () throws(ObjectStoreError) in
            try store.write([2], to: place, precondition: .etag("x"))
        }
        expect(try store.open(place).allBytes() == [1], "a refused write changes nothing")
        try store.write([3], to: place, precondition: .etag(made.etag))
        expect(try store.open(place).allBytes() == [3], "the right tag writes")
    }

    private func writers() throws {
        let content = pattern(500_000)
        let writer = try store.beginWrite(to: at("w"))
        for start in stride(from: 0, to: content.count, by: 70_001) {
            let end = min(start + 70_001, content.count)
            let piece = Array(content[start..<end])
            var failure: (any Error)?
            piece.withUnsafeBytes { raw in
                do { try writer.append(raw) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        expect(.noSuchKey, "nothing is visible before the commit") { () throws(ObjectStoreError) in
            _ = try store.describe(at("w"))
        }
        let made = try writer.commit(precondition: .absent)
        expect(made.sizeBytes == 500_000, "the size of what was appended")
        expect(try store.open(at("w")).allBytes() == content, "pieces come back whole")
        expect(.unavailable, "a spent writer") { () throws(ObjectStoreError) in
            _ = try writer.commit(precondition: .none)
        }
        let abandoned = try store.beginWrite(to: at("abandoned"))
        abandoned.abandon()
        expect(.noSuchKey, "an abandoned writer leaves nothing") { () throws(ObjectStoreError) in
            _ = try store.describe(at("abandoned"))
        }
    }

    private func listing() throws {
        // Two spellings of é are two keys, and the order is that of bytes.
        let keys = [
            "l/a", "l/a/", "l/a/b", "l/b", "l/e\u{301}", "l/z", "l/\u{E9}", "l/\u{FFFD}",
            "l/\u{1F600}",
        ]
        for key in keys.reversed() { try store.write([], to: at(key)) }
        try store.write([], to: at("m"))
        let all = try store.list(bucket: bucket, prefix: "l/", after: nil, limit: 100)
        expect(same(all, keys), "keys in the order of bytes, got \(all.map(\.location.key))")
        let page = try store.list(bucket: bucket, prefix: "l/", after: "l/a/", limit: 2)
        expect(same(page, ["l/a/b", "l/b"]), "a page begins behind the marker")
        let before = try store.list(bucket: bucket, prefix: "l/a", after: "a", limit: 9)
        expect(
            same(before, ["l/a", "l/a/", "l/a/b"]), "a marker before the prefix does not matter")
        expect(
            try store.list(bucket: bucket, prefix: "l/", after: "m", limit: 9).isEmpty,
            "a marker behind the prefix leaves nothing")
        try store.delete(at("l/b"))
        try store.delete(at("l/b"))
        expect(
            try store.list(bucket: bucket, prefix: "l/b", after: nil, limit: 9).isEmpty,
            "deleted is gone")
    }

    private func same(_ found: [ObjectDescription], _ keys: [String]) -> Bool {
        found.count == keys.count
            && zip(found, keys).allSatisfy { KeyOrder.areEqual($0.location.key, $1) }
    }

    private func faults() throws {
        let nowhere = ObjectLocation(bucket: bucket + "-none", key: "k")
        expect(.noSuchBucket, "describe in no bucket") { () throws(ObjectStoreError) in
            _ = try store.describe(nowhere)
        }
        expect(.noSuchBucket, "open in no bucket") { () throws(ObjectStoreError) in
            _ = try store.open(nowhere)
        }
        expect(.noSuchBucket, "write in no bucket") { () throws(ObjectStoreError) in
            try store.write([], to: nowhere)
        }
        expect(.noSuchBucket, "list no bucket") { () throws(ObjectStoreError) in
            _ = try store.list(bucket: nowhere.bucket, prefix: "", after: nil, limit: 1)
        }
        expect(.noSuchKey, "open no key") { () throws(ObjectStoreError) in
            _ = try store.open(at("none"))
        }
        expect(.invalidKey, "an empty key") { () throws(ObjectStoreError) in
            try store.write([], to: at(""))
        }
        expect(.invalidKey, "a long key") { () throws(ObjectStoreError) in
            try store.write([], to: at(String(repeating: "k", count: 1025)))
        }
    }
}
