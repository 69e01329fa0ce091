import Iceberg
import Synchronization

/// Parsed metadata by location: it never changes there.
final class MetadataCache: Sendable {
    struct Entry: Sendable {
        var metadata: TableMetadata
        /// The document as written, for answers that pass it on.
        var text: [UInt8]
        var lastUse: UInt64 = 0
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var bytes = 0
        var uses: UInt64 = 0
    }

    private let state = Mutex(State())

    subscript(_ location: String) -> Entry? {
        state.withLock { state in
            guard var entry = state.entries[location] else { return nil }
            state.uses += 1
            entry.lastUse = state.uses
            state.entries[location] = entry
            return entry
        }
    }

    func insert(_ location: String, _ metadata: TableMetadata, text: [UInt8]) {
        state.withLock { state in
            state.uses += 1
            let entry = Entry(metadata: metadata, text: text, lastUse: state.uses)
            if let old = state.entries.updateValue(entry, forKey: location) {
                state.bytes -= old.text.count
            }
            state.bytes += text.count
            guard state.entries.count > Limits.cachedTables || state.bytes > Limits.cachedBytes
            else { return }
            // The older half goes at once, so that a full cache is not sorted at each insert.
            let oldest = state.entries.sorted { $0.value.lastUse < $1.value.lastUse }
            for (location, entry) in oldest.prefix(oldest.count / 2) {
                state.entries[location] = nil
                state.bytes -= entry.text.count
            }
        }
    }
}
