import Synchronization

/// Hands out identities of dictionaries, unique in the process for as long as anybody remembers.
package enum DictionaryIdentity {
    // The lower half belongs to scans, which count their dictionary pages themselves.
    private static let last = Atomic<UInt32>(1 << 31)

    /// A new identity, never 0 (which means: not worth remembering).
    package static func next() -> UInt32 {
        let next = last.wrappingAdd(1, ordering: .relaxed).newValue
        return next | 1 << 31
    }
}
