import Platform

/// What a walkthrough said, kept in its data directory for the console's page.
package enum WalkthroughTranscript {
    private static let name = "walkthrough.json"
    private static let sizeLimit = 8 << 20

    /// Keeps the words, for the directory's owner alone: they hold what masks hide from others.
    package static func write(_ bytes: [UInt8], to directory: String) throws {
        try LocalFileSystem().replaceDurably("\(directory)/\(name)", with: bytes, mode: 0o600)
    }

    /// Whether there was a walkthrough.
    static func isThere(_ directory: String) -> Bool {
        (try? LocalFileSystem().exists("\(directory)/\(name)")) == true
    }

    /// The words; nil where there was no walkthrough.
    static func read(_ directory: String) -> [UInt8]? {
        try? LocalFileSystem().readAll("\(directory)/\(name)", limit: sizeLimit)
    }
}
