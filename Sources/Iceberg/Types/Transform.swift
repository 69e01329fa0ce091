import Bytes
import CivilTime

/// What a partition or sort field does with its source value.
/// Source: Iceberg specification, "Partition Transforms", appendix B.
package enum Transform: Sendable, Hashable {
    case identity, year, month, day, hour, void
    case bucket(Int32)
    case truncate(Int32)
    /// A transform of a later version: tables that use it can be read, not written.
    case unknown(String)

    /// Reads a name such as `bucket[16]`.
    package init(name: String) {
        switch name {
        case "identity": self = .identity
        case "year": self = .year
        case "month": self = .month
        case "day": self = .day
        case "hour": self = .hour
        case "void": self = .void
        default:
            if let width = Self.argument(of: "bucket", in: name) {
                self = .bucket(width)
            } else if let width = Self.argument(of: "truncate", in: name) {
                self = .truncate(width)
            } else {
                self = .unknown(name)
            }
        }
    }

    private static func argument(of base: String, in name: String) -> Int32? {
        guard name.hasPrefix(base + "["), name.hasSuffix("]"),
            let width = Int32(name.dropFirst(base.count + 1).dropLast()), width > 0
        else { return nil }
        return width
    }

    /// Why nothing new may be partitioned or sorted by it; nil: it may.
    var fault: IcebergError? {
        guard case .unknown(let name) = self else { return nil }
        let hint =
            if name.hasPrefix("bucket[") {
                "bucket takes the number of buckets, at least 1: bucket[16]"
            } else if name.hasPrefix("truncate[") {
                "truncate takes a width of at least 1: truncate[10]"
            } else {
                "there are identity, bucket[N], truncate[W], year, month, day, hour and void"
            }
        return IcebergError(
            code: .invalidUpdate, message: "there is no transform \(name)", hint: hint)
    }

    /// The name in metadata.
    package var name: String {
        switch self {
        case .identity: "identity"
        case .year: "year"
        case .month: "month"
        case .day: "day"
        case .hour: "hour"
        case .void: "void"
        case .bucket(let count): "bucket[\(count)]"
        case .truncate(let width): "truncate[\(width)]"
        case .unknown(let name): name
        }
    }

    /// The type of results for a source type; nil where the transform does not take it.
    package func resultType(for source: PrimitiveType) -> PrimitiveType? {
        switch self {
        case .identity, .void:
            switch source {
            case .variant, .geometry, .geography, .unknown: return nil
            default: return source
            }
        case .unknown: return .string
        case .bucket:
            switch source {
            case .int, .long, .decimal, .date, .time, .timestamp, .timestamptz, .timestampNanos,
                .timestamptzNanos, .string, .uuid, .fixed, .binary:
                return .int
            default: return nil
            }
        case .truncate:
            switch source {
            case .int, .long, .decimal, .string, .binary: return source
            default: return nil
            }
        case .year, .month, .day:
            switch source {
            case .date, .timestamp, .timestamptz, .timestampNanos, .timestamptzNanos:
                return self == .day ? .date : .int
            default: return nil
            }
        case .hour:
            switch source {
            case .timestamp, .timestamptz, .timestampNanos, .timestamptzNanos: return .int
            default: return nil
            }
        }
    }

    /// Whether order is kept: if a < b then t(a) <= t(b).
    package var keepsOrder: Bool {
        switch self {
        case .identity, .year, .month, .day, .hour, .truncate: true
        case .void, .bucket, .unknown: false
        }
    }

    /// The transformed value; null stays null, and so does what the transform does not take.
    package func apply(_ value: Literal?) -> Literal? {
        guard let value else { return nil }
        switch self {
        case .identity: return value
        case .void, .unknown: return nil
        case .bucket(let count):
            guard let hash = Self.bucketHash(value) else { return nil }
            return .int((hash & Int32.max) % count)
        case .truncate(let width): return Self.truncated(value, width)
        case .year: return Self.civilDate(value).map { .int(Int32(clamping: $0.year - 1970)) }
        case .month:
            return Self.civilDate(value).map {
                .int(Int32(clamping: ($0.year - 1970) * 12 + $0.month - 1))
            }
        case .day: return Self.days(value).map { .date($0) }
        case .hour:
            guard let (count, unit) = Self.instant(value) else { return nil }
            return .int(Int32(clamping: floorDivide(count, unit * 3600)))
        }
    }

    /// Murmur3 of the value in the form of appendix B: equal values of promoted types hash alike.
    static func bucketHash(_ value: Literal) -> Int32? {
        var buffer = ByteBuffer()
        switch value {
        case .int(let number), .date(let number): buffer.appendInt64LE(Int64(number))
        case .long(let number), .time(let number), .timestamp(let number),
            .timestamptz(let number):
            buffer.appendInt64LE(number)
        // Nanoseconds hash like the microsecond they lie in, so that a promotion keeps the buckets.
        case .timestampNanos(let number), .timestamptzNanos(let number):
            buffer.appendInt64LE(floorDivide(number, 1000))
        case .decimal, .string, .uuid, .fixed, .binary: buffer.append(value.singleValueBytes)
        case .boolean, .float, .double: return nil
        }
        return Int32(bitPattern: murmur3(buffer.bytes))
    }

    private static func truncated(_ value: Literal, _ width: Int32) -> Literal? {
        switch value {
        case .int(let number): return .int(number &- floorModulo(number, width))
        case .long(let number): return .long(number &- floorModulo(number, Int64(width)))
        case .decimal(let unscaled, let scale):
            return .decimal(
                unscaled: unscaled &- floorModulo(unscaled, Int128(width)), scale: scale)
        case .string(let text):
            return .string(String(String.UnicodeScalarView(text.unicodeScalars.prefix(Int(width)))))
        case .binary(let bytes): return .binary(Array(bytes.prefix(Int(width))))
        default: return nil
        }
    }

    private static func civilDate(_ value: Literal) -> CivilDate? {
        days(value).map { CivilDate(days: $0) }
    }

    private static func days(_ value: Literal) -> Int32? {
        if case .date(let days) = value { return days }
        guard let (count, unit) = instant(value) else { return nil }
        return Int32(clamping: floorDivide(count, unit * 86_400))
    }

    /// The number of a timestamp and how many of its units make a second.
    private static func instant(_ value: Literal) -> (Int64, Int64)? {
        switch value {
        case .timestamp(let count), .timestamptz(let count): (count, 1_000_000)
        case .timestampNanos(let count), .timestamptzNanos(let count): (count, 1_000_000_000)
        default: nil
        }
    }
}

func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
    return rest < 0 ? quotient - 1 : quotient
}

private func floorModulo<Value: FixedWidthInteger & SignedInteger>(
    _ value: Value, _ by: Value
) -> Value {
    let rest = value % by
    return rest < 0 ? rest + by : rest
}
