import Platform
import Synchronization

/// Unlinks files that no row knows any more, once no reader can need them.
///
/// A reader takes a ticket before it looks at the index and pins the names that it found before it gives
/// the ticket back. A name in the trash may go when nobody has it pinned and every ticket that is out was
/// taken after the name left the index.
final class Trash: Sendable {
    private struct State {
        var nextTicket: UInt64 = 1
        var tickets: Set<UInt64> = []
        var pins: [String: Int] = [:]
        var waiting: [(name: String, stamp: UInt64)] = []
        /// Unlinked, and still a row of the trash table.
        var unlinked: [String] = []
    }

    private let folder: BlobFolder
    private let state = Mutex(State())

    init(folder: BlobFolder) { self.folder = folder }

    /// Begins a look at the index; nothing that is in it now will be unlinked before `giveBack`.
    func takeTicket() -> UInt64 {
        state.withLock { state in
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.tickets.insert(ticket)
            return ticket
        }
    }

    func giveBack(_ ticket: UInt64) {
        state.withLock { _ = $0.tickets.remove(ticket) }
        sweep()
    }

    func pin(_ names: [String]) {
        state.withLock { state in for name in names { state.pins[name, default: 0] += 1 } }
    }

    func unpin(_ names: [String]) {
        state.withLock { state in
            for name in names {
                let count = (state.pins[name] ?? 1) - 1
                state.pins[name] = count > 0 ? count : nil
            }
        }
        sweep()
    }

    /// Takes names whose rows are gone, durably.
    func discard(_ names: [String]) {
        if names.isEmpty { return }
        state.withLock { state in
            for name in names { state.waiting.append((name, state.nextTicket)) }
        }
        sweep()
    }

    /// Names that were unlinked since the last call; their rows can go with the next transaction.
    func takeUnlinked() -> [String] {
        state.withLock { state in
            let names = state.unlinked
            state.unlinked = []
            return names
        }
    }

    /// How many files wait for their readers.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func sweep() {
        let free = state.withLock { state -> [String] in
            if state.waiting.isEmpty { return [] }
            let oldest = state.tickets.min() ?? .max
            var free: [String] = []
            state.waiting.removeAll { entry in
                guard entry.stamp <= oldest, state.pins[entry.name] == nil else { return false }
                free.append(entry.name)
                return true
            }
            return free
        }
        for name in free {
            // A file that resists stays in the trash table; the next start tries again.
            guard (try? folder.remove(name)) != nil else { continue }
            state.withLock { $0.unlinked.append(name) }
        }
    }
}

/// Keeps every file that is in the index now, while it lives: for backups.
package final class TrashHold: Sendable {
    private let trash: Trash
    private let ticket: UInt64

    init(trash: Trash) {
        self.trash = trash
        ticket = trash.takeTicket()
    }

    deinit { trash.giveBack(ticket) }
}
