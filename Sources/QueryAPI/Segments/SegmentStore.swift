import HTTPMessages
import Platform
import Synchronization

/// Keeps segments until their client has fetched and acknowledged them.
///
/// The id is a secret of 256 bits, so that fetching needs no credential, as the protocol has it. The
/// memory is bounded: what has no room travels in the answer instead. Safe for any thread.
final class SegmentStore: Sendable {
    /// Bytes of all segments that wait.
    static let limitBytes = 64 << 20
    /// How long a segment waits for its client.
    static let lifetime = Duration.seconds(300)

    private struct Kept {
        let bytes: [UInt8]
        let query: String
        var until: MonotonicInstant
    }

    private struct State {
        var segments: [String: Kept] = [:]
        var heldBytes = 0

        mutating func remove(_ ids: [String]) {
            for id in ids {
                guard let gone = segments.removeValue(forKey: id) else { continue }
                heldBytes -= gone.bytes.count
            }
        }
    }
    private let state = Mutex(State())
    private let entropy: any Entropy

    init(entropy: any Entropy) { self.entropy = entropy }

    /// Keeps bytes of a query and answers their id; nil: there is no room.
    func keep(_ bytes: [UInt8], of query: String, at now: MonotonicInstant) -> String? {
        let id = entropy.hex(bytes: 32)
        return state.withLock { state in
            state.remove(state.segments.filter { $0.value.until < now }.map(\.key))
            guard state.heldBytes + bytes.count <= SegmentStore.limitBytes else { return nil }
            state.heldBytes += bytes.count
            state.segments[id] = Kept(
                bytes: bytes, query: query, until: now + SegmentStore.lifetime)
            return id
        }
    }

    /// The bytes; nil: acknowledged, expired or never there.
    func bytes(_ id: String) -> [UInt8]? { state.withLock { $0.segments[id]?.bytes } }

    func acknowledge(_ id: String) { state.withLock { $0.remove([id]) } }

    /// Forgets what a query that was cancelled or abandoned left behind.
    func forget(query: String) {
        state.withLock { state in
            state.remove(state.segments.filter { $0.value.query == query }.map(\.key))
        }
    }

    var heldBytes: Int { state.withLock { $0.heldBytes } }
}

extension StatementDoor {
    var segmentRoutes: [Route] {
        [
            Route(.get, "/v1/spooled/download/{id}") { _, path in
                guard let bytes = self.segments.bytes(path.required("id")) else {
                    return self.plain(404, "Segment not found")
                }
                var response = Response(
                    status: 200, contentType: "application/octet-stream", bytes: bytes)
                response.fields["Cache-Control"] = "no-store"
                return response
            },
            // Clients acknowledge by GET; a second time is no error, since the answer may be lost.
            Route(.get, "/v1/spooled/ack/{id}") { _, path in
                self.segments.acknowledge(path.required("id"))
                return Response(status: 200)
            },
        ]
    }
}
