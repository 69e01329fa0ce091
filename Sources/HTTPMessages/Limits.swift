/// Bounds of what a peer may send in heads and framing; bodies are bounded by who reads them.
package struct HTTPLimits: Sendable {
    /// Bytes of the request line.
    package var requestLineBytes = 16 * 1024
    /// Bytes of one field line.
    package var fieldLineBytes = 16 * 1024
    /// Bytes of the whole head, and of the trailers.
    package var headBytes = 64 * 1024
    /// How many fields a head or the trailers have.
    package var fieldCount = 128
    /// Bytes of a chunk's first line: the size and its extensions.
    package var chunkLineBytes = 256
    /// Chunk framing may not exceed the data by more than this, or tiny chunks would cost us dear.
    package var chunkOverheadBytes: Int64 = 64 * 1024

    /// The defaults.
    package init() {}
}
