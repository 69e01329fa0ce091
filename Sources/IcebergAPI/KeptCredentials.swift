import Synchronization

/// Vended credentials that are given out again within the first half of their life, so that loading a
/// table does not make a credential each time.
final class KeptCredentials: Sendable {
    /// For whom and for what; the period changes before what was made in it expires.
    struct Key: Hashable, Sendable {
        var tenant: String
        var principal: String
        var table: [String]
        var locations: [String]
        var own: [String]
        var canWrite: Bool
        var period: Int64
    }

    private let kept = Mutex<[Key: VendedCredentials]>([:])

    /// The credentials of a key, made when there are none.
    func get(
        _ key: Key, _ make: () throws -> VendedCredentials
    ) rethrows -> VendedCredentials {
        if let known = kept.withLock({ $0[key] }) { return known }
        let made = try make()
        kept.withLock { kept in
            if kept.count >= Limits.keptCredentials {
                kept = kept.filter { $0.key.period == key.period }
                if kept.count >= Limits.keptCredentials { kept.removeAll() }
            }
            kept[key] = made
        }
        return made
    }
}
