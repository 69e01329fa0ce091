import ObjectStorage
import Synchronization
import TestSupport
import Testing

/// Work that was put off, and what came of it.
private final class Later: Sendable {
    let work = Mutex<[@Sendable () -> Void]>([])
    let outcomes = Mutex<[Bool]>([])

    func runAll() {
        let taken = work.withLock { work in
            let taken = work
            work = []
            return taken
        }
        for one in taken { one() }
    }
}

@Suite struct MemoryObjectStoreTests {
    @Test func conforms() {
        let store = MemoryObjectStore(buckets: ["b"])
        #expect(ObjectStoreConformance.failures(of: store, bucket: "b") == [])
    }

    @Test func aReadCompletesWhenItsTurnComes() throws {
        let later = Later()
        let store = MemoryObjectStore(
            buckets: ["b"],
            interference: .init(schedule: { work in later.work.withLock { $0.append(work) } }))
        let place = ObjectLocation(bucket: "b", key: "k")
        try store.write([1, 2, 3], to: place)
        let reader = try store.open(place)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 3, alignment: 1)
        defer { memory.deallocate() }
        let before = store.roundTrips
        reader.read([
            RangeRead(offset: 0, destination: .init(rebasing: memory[0..<1])),
            RangeRead(offset: 1, destination: .init(rebasing: memory[1..<3])),
        ]) { outcome in
            later.outcomes.withLock { $0.append((try? outcome.get()) != nil) }
        }
        #expect(later.outcomes.withLock { $0 } == [])
        later.runAll()
        #expect(later.outcomes.withLock { $0 } == [true])
        #expect(Array(memory) == [1, 2, 3])
        #expect(store.roundTrips == before + 1)
    }

    @Test func failuresCanBeInjected() throws {
        let store = MemoryObjectStore(
            buckets: ["b"],
            interference: .init(before: { (operation, location) throws(ObjectStoreError) in
                if case .read = operation {
                    throw ObjectStoreError(code: .unavailable, message: "injected at \(location)")
                }
            }))
        let place = ObjectLocation(bucket: "b", key: "k")
        try store.write([1], to: place)
        let fault = #expect(throws: ObjectStoreError.self) { try store.open(place).allBytes() }
        #expect(fault?.code == .unavailable)
    }

    @Test(
        "the successor of a prefix is the least text behind all that start with it",
        arguments: [
            ("a", "b"), ("a/", "a0"), ("a\u{10FFFF}", "b"), ("\u{D7FF}", "\u{E000}"),
            ("~", "\u{7F}"),
        ])
    func successors(prefix: String, next: String) {
        #expect(KeyOrder.successor(ofPrefix: prefix) == next)
    }

    @Test func theLastPrefixHasNoSuccessor() {
        #expect(KeyOrder.successor(ofPrefix: "\u{10FFFF}") == nil)
        #expect(KeyOrder.successor(ofPrefix: "") == nil)
    }

    @Test(
        "common prefixes end with the first delimiter",
        arguments: [
            ("a/b/c", "", "/", "a/"), ("a/b/c", "a/", "/", "a/b/"), ("a/b", "a/", "/", nil),
            ("axxb", "", "xx", "axx"), ("abc", "", "", nil),
        ] as [(String, String, String, String?)])
    func commonPrefixes(key: String, prefix: String, delimiter: String, expected: String?) {
        #expect(KeyOrder.commonPrefix(of: key, prefix: prefix, delimiter: delimiter) == expected)
    }
}
