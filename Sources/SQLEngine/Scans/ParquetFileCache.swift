import ObjectStorage
import Parquet
import SQLFunctions
import Synchronization

/// Open Parquet files by the version of their object, so that a query does not parse footers that an
/// earlier one parsed. Least recently used ones go first, by the bytes of their footers.
final class ParquetFileCache: Sendable {
    private struct Entry {
        let file: ParquetFile
        var lastUse: UInt64
    }
    private struct State {
        var entries: [String: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0
    }
    private let state = Mutex(State())
    /// Bytes of footers kept; parsed footers take a few times as much.
    private let limitBytes: Int

    init(limitBytes: Int = 16 << 20) { self.limitBytes = limitBytes }

    /// Opens an object as Parquet, from the cache when its version is known there.
    func open(_ location: ObjectLocation, in store: any ObjectStore) throws(QueryFault)
        -> ParquetFile
    {
        let known = state.withLock { state -> ParquetFile? in
            state.clock += 1
            state.entries["\(location)"]?.lastUse = state.clock
            return state.entries["\(location)"]?.file
        }
        let reader: any ObjectReader
        do throws(ObjectStoreError) {
            if let known, try store.describe(location).version == known.reader.description.version {
                return known
            }
            reader = try store.open(location)
        } catch {
            throw QueryFault(
                .icebergBadData, "a data file cannot be read: \(location)", hint: error.hint,
                cause: error)
        }
        return try insert(reader, as: "\(location)")
    }

    private func insert(_ reader: any ObjectReader, as key: String) throws(QueryFault)
        -> ParquetFile
    {
        let file: ParquetFile
        do throws(ParquetError) { file = try ParquetFile.open(reader) } catch {
            throw queryFault(error)
        }
        state.withLock { state in
            if let old = state.entries[key] { state.bytes -= old.file.footerBytes }
            state.clock += 1
            state.entries[key] = Entry(file: file, lastUse: state.clock)
            state.bytes += file.footerBytes
            while state.bytes > limitBytes, state.entries.count > 1,
                let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.bytes -= oldest.value.file.footerBytes
                state.entries[oldest.key] = nil
            }
        }
        return file
    }
}
