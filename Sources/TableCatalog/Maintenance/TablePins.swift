package import Authority
package import Iceberg
import Platform

/// Who works with table files at the moment, so that maintenance deletes nothing under their hands.
///
/// Three kinds of users:
/// - A *section* is short: a pointer is looked up and made a pin, a commit reads manifests and swings a
///   pointer, branches are merged. Maintenance swings its own pointer first and then waits for the
///   sections that had begun before (`settle`); later ones see the new state.
/// - A *pin* holds a table's state for as long as a statement reads it: every file that the pinned
///   metadata leads to stays. A pin without metadata holds everything of its table.
/// - A *writer* has written files that no metadata names yet: files that are as new as the oldest writer
///   stay.
package final class TablePins: Sendable {
    private struct Pinned {
        var location: String
        var metadataLocation: String?
        var snapshotID: Int64?
    }

    private struct State {
        var nextID: UInt64 = 1
        var sections: Set<UInt64> = []
        var pins: [UInt64: Pinned] = [:]
        var writers: [UInt64: Int64] = [:]

        mutating func takeID() -> UInt64 {
            nextID += 1
            return nextID - 1
        }
    }

    private let state = Monitor(State())

    package init() {}

    /// Does something short with states that it looks up itself.
    package func section<Result>(_ body: () throws -> Result) rethrows -> Result {
        let id = beginSection()
        defer { endSection(id) }
        return try body()
    }

    /// Begins what `section` does around a closure. Give the number back, always.
    func beginSection() -> UInt64 {
        state.withLock { state in
            let id = state.takeID()
            state.sections.insert(id)
            return id
        }
    }

    func endSection(_ id: UInt64) { state.notify { _ = $0.sections.remove(id) } }

    /// Holds the files that a metadata file leads to; all of the table's without one. Call it in the
    /// section that found the state.
    package func pin(
        location: String, metadataLocation: String?, snapshotID: Int64? = nil
    ) -> TablePin {
        let id = state.withLock { state in
            let id = state.takeID()
            state.pins[id] = Pinned(
                location: location, metadataLocation: metadataLocation, snapshotID: snapshotID)
            return id
        }
        return TablePin(self, id)
    }

    /// Holds the files that are written from now on, of whichever table.
    package func beginWriting(atMicroseconds now: Int64) -> TablePin {
        let id = state.withLock { state in
            let id = state.takeID()
            state.writers[id] = now
            return id
        }
        return TablePin(self, id)
    }

    fileprivate func release(_ id: UInt64) {
        state.notify { state in
            state.pins[id] = nil
            state.writers[id] = nil
        }
    }

    // MARK: Maintenance

    /// Waits for the sections that have begun; false when one of them is still inside at the deadline.
    func settle(until deadline: MonotonicInstant) -> Bool {
        let mark = state.withLock { $0.nextID }
        let isDone = state.wait(until: deadline) { state in
            state.sections.contains { $0 < mark } ? nil : true
        }
        return isDone ?? false
    }

    /// The metadata files that are read at the moment, but for one pin's: the caller's own.
    func metadataLocations(except own: TablePin? = nil) -> Set<String> {
        state.withLock { state in
            Set(state.pins.filter { $0.key != own?.id }.values.compactMap(\.metadataLocation))
        }
    }

    /// The snapshots of a table that statements began at: a writer compares with its own when it commits.
    func snapshotIDs(location: String) -> Set<Int64> {
        state.withLock { state in
            Set(state.pins.values.filter { $0.location == location }.compactMap(\.snapshotID))
        }
    }

    /// Whether somebody holds everything of a table.
    func isHeld(location: String) -> Bool {
        state.withLock { state in
            state.pins.values.contains { $0.location == location && $0.metadataLocation == nil }
        }
    }

    /// When the oldest writer began; nil: nobody writes.
    var oldestWriterMicroseconds: Int64? { state.withLock { $0.writers.values.min() } }
}

/// A hold on table files; ends when it is dropped.
package final class TablePin: Sendable {
    private let pins: TablePins
    fileprivate let id: UInt64

    fileprivate init(_ pins: TablePins, _ id: UInt64) {
        self.pins = pins
        self.id = id
    }

    deinit { pins.release(id) }
}

extension Catalog {
    /// A table's present state, with a pin that keeps its files while somebody reads them.
    package func pinnedTable(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> (table: LoadedTable, pin: TablePin) {
        try pins.section {
            let table = try loadTable(context, at, identifier)
            return (
                table,
                pins.pin(
                    location: table.metadata.location, metadataLocation: table.metadataLocation,
                    snapshotID: table.metadata.currentSnapshotID)
            )
        }
    }

    /// Keeps what is written from now on, and everything of a table that is read for it, until the pins
    /// are dropped: for loaders, which look at the table's files more than once.
    package func pinsForLoading(into table: TableMetadata?) -> [TablePin] {
        let writing = pins.beginWriting(atMicroseconds: clock.now().microseconds)
        guard let table else { return [writing] }
        return [writing, pins.pin(location: table.location, metadataLocation: nil)]
    }
}
