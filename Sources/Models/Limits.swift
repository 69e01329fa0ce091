/// What a model may have.
enum Limits {
    static let features = 256
    static let trees = 1_000
    /// Rows a tree sees.
    static let samples = 4_096
    /// Trees times samples: what a loaded forest takes is about forty bytes each.
    static let forestNodes = 1 << 20
    static let clusters = 1_000
    static let iterations = 10_000
    static let restarts = 100
    /// Models that stay decoded in memory.
    static let loadedModels = 64
    static let nameBytes = 255
}
