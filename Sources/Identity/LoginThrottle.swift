import Synchronization

/// Slows guessing down: after some failures of a name at an address, of a name anywhere, or of an
/// address with any names, the next try has to wait, each time twice as long, up to five minutes.
///
/// In memory only: a restart forgets, which costs a guesser more than it gives.
final class LoginThrottle: Sendable {
    private struct Entry {
        var failures = 0
        var blockedUntil: Int64 = 0
        var last: Int64 = 0
    }

    private static let quietMicroseconds: Int64 = 900_000_000
    private static let longestBlockSeconds: Int64 = 300

    private let entries = Mutex<[String: Entry]>([:])

    /// How many seconds to wait before another try; nil: none.
    func waitSeconds(name: String, address: String, now: Int64) -> Int? {
        entries.withLock { entries in
            let until = Self.keys(name, address).compactMap { entries[$0.key]?.blockedUntil }.max()
            guard let until, until > now else { return nil }
            return Int((until - now + 999_999) / 1_000_000)
        }
    }

    func recordFailure(name: String, address: String, now: Int64) {
        entries.withLock { entries in
            if entries.count > Limits.throttleEntries {
                entries = entries.filter { now - $0.value.last < Self.quietMicroseconds }
                // Still full: an attack with made-up names. The addresses are what counts then.
                if entries.count > Limits.throttleEntries {
                    entries = entries.filter { $0.key.hasPrefix("address:") }
                }
            }
            for (key, allowed) in Self.keys(name, address) {
                var entry = entries[key] ?? Entry()
                if now - entry.last > Self.quietMicroseconds { entry = Entry() }
                entry.failures += 1
                entry.last = now
                if entry.failures >= allowed {
                    let doublings = min(entry.failures - allowed, 9)
                    let seconds = min(Int64(1) << Int64(doublings), Self.longestBlockSeconds)
                    entry.blockedUntil = now + seconds * 1_000_000
                }
                entries[key] = entry
            }
        }
    }

    func recordSuccess(name: String, address: String) {
        entries.withLock { entries in
            entries["pair:\(address)\u{0}\(name)"] = nil
            entries["name:\(name)"] = nil
        }
    }

    private static func keys(_ name: String, _ address: String) -> [(key: String, allowed: Int)] {
        [("pair:\(address)\u{0}\(name)", 5), ("name:\(name)", 30), ("address:\(address)", 100)]
    }
}
