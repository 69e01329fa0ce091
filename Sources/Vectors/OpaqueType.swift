/// Types whose values are bytes that only functions understand: digests and shapes.
///
/// All lie in memory as strings: digests as the bytes that CAST to varbinary gives, shapes as EWKB.
package indirect enum OpaqueType: Sendable, Hashable {
    case hyperLogLog, p4HyperLogLog, setDigest, tdigest
    /// Of `bigint`, `double` or `real`.
    case qdigest(LogicalType)
    case geometry, sphericalGeography

    /// Whether values are digests of many others, which CAST turns into varbinary and back.
    package var isDigest: Bool {
        switch self {
        case .hyperLogLog, .p4HyperLogLog, .setDigest, .tdigest, .qdigest: true
        case .geometry, .sphericalGeography: false
        }
    }
}

extension OpaqueType: CustomStringConvertible {
    /// The name as Trino prints it.
    package var description: String {
        switch self {
        case .hyperLogLog: "HyperLogLog"
        case .p4HyperLogLog: "P4HyperLogLog"
        case .setDigest: "SetDigest"
        case .tdigest: "tdigest"
        case .qdigest(let value): "qdigest(\(value))"
        case .geometry: "Geometry"
        case .sphericalGeography: "SphericalGeography"
        }
    }
}
