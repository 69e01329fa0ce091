import Vectors

/// How values of a SQL type are stored by this writer, and annotated.
enum StoredForm: Sendable, Hashable {
    case boolean
    /// Int32 from int32 vectors.
    case int32
    /// Int32 from decimals of up to nine digits, which vectors hold in 64 bits.
    case decimal32
    case int64
    /// Picoseconds of the day as microseconds, or as nanoseconds where there are more than six digits.
    case time, timeNanos
    /// Packed timestamps as microseconds or nanoseconds.
    case packedMicros, packedNanos
    case float, double
    /// Decimals of over 18 digits, big-endian in this many bytes.
    case decimal(byteCount: Int)
    case uuid
    case bytes

    /// The form, its physical type and annotation; nil for types that Parquet has no place for.
    init?(_ type: LogicalType) {
        switch type {
        case .boolean: self = .boolean
        case .tinyint, .smallint, .integer, .date: self = .int32
        case .bigint: self = .int64
        case .decimal(let precision, _):
            self =
                precision <= 9
                ? .decimal32
                : precision <= 18 ? .int64 : .decimal(byteCount: StoredForm.bytes(precision))
        case .time(let precision): self = precision <= 6 ? .time : .timeNanos
        case .timestamp(let precision): self = precision <= 6 ? .int64 : .packedNanos
        case .timestampWithTimeZone(let precision):
            self = precision <= 6 ? .packedMicros : .packedNanos
        case .real: self = .float
        case .double: self = .double
        case .uuid: self = .uuid
        case .varchar, .char, .json, .varbinary, .ipaddress: self = .bytes
        case .unknown, .timeWithTimeZone, .intervalYearToMonth, .intervalDayToSecond, .array, .map,
            .row, .opaque:
            return nil
        }
    }

    /// The least bytes that hold a decimal of the precision, as Iceberg wants it.
    private static func bytes(_ precision: Int) -> Int {
        var limit: UInt128 = 1
        for _ in 0..<precision { limit *= 10 }
        var count = 1
        while count < 16 && (UInt128(1) << UInt128(8 * count - 1)) < limit { count += 1 }
        return count
    }

    var physical: ParquetType {
        switch self {
        case .boolean: .boolean
        case .int32, .decimal32: .int32
        case .int64, .time, .timeNanos, .packedMicros, .packedNanos: .int64
        case .float: .float
        case .double: .double
        case .decimal, .uuid: .fixedLengthByteArray
        case .bytes: .byteArray
        }
    }

    var typeLength: Int {
        switch self {
        case .decimal(let count): count
        case .uuid: 16
        default: 0
        }
    }

    static func annotation(_ type: LogicalType) -> Annotation {
        switch type {
        case .tinyint: .integer(bits: 8, isSigned: true)
        case .smallint: .integer(bits: 16, isSigned: true)
        case .date: .date
        case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
        case .time(let precision): .time(precision <= 6 ? .micros : .nanos, isUTC: false)
        case .timestamp(let precision): .timestamp(precision <= 6 ? .micros : .nanos, isUTC: false)
        case .timestampWithTimeZone(let precision):
            .timestamp(precision <= 6 ? .micros : .nanos, isUTC: true)
        case .uuid: .uuid
        case .varchar, .char: .string
        case .json: .json
        case .array: .list
        case .map: .map
        default: .none
        }
    }

    /// How its words lie in a page; nil for flags and bytes.
    var width: StoredWidth? {
        switch physical {
        case .int32, .float: .four
        case .int64, .double: .eight
        case .fixedLengthByteArray: .big(typeLength)
        default: nil
        }
    }

    /// Whether DELTA_BINARY_PACKED takes it.
    var isInteger: Bool { physical == .int32 || physical == .int64 }
}

extension ParquetValue {
    /// A bound in PLAIN bytes, as statistics have it; text and binary are cut by the caller.
    func statisticsBytes(_ form: StoredForm, isUpper: Bool) -> [UInt8]? {
        switch (form, self) {
        case (.boolean, .boolean(let flag)): [flag ? 1 : 0]
        case (.int32, .int32(let number)): littleEndianBytes(UInt32(bitPattern: number))
        case (.decimal32, .int64(let number)): littleEndianBytes(UInt32(truncatingIfNeeded: number))
        case (.int64, .int64(let number)): littleEndianBytes(UInt64(bitPattern: number))
        case (.time, .int64(let number)): littleEndianBytes(UInt64(bitPattern: number / 1_000_000))
        case (.timeNanos, .int64(let number)): littleEndianBytes(UInt64(bitPattern: number / 1000))
        case (.packedMicros, .int128(let packed)):
            littleEndianBytes(UInt64(truncatingIfNeeded: packed >> 64))
        case (.packedNanos, .int128(let packed)):
            littleEndianBytes(
                UInt64(bitPattern: Int64(truncatingIfNeeded: packed >> 64) &* 1000 &+ nanos(packed))
            )
        case (.float, .double(let number)):
            littleEndianBytes(Float(signedZero(number, isUpper)).bitPattern)
        case (.double, .double(let number)):
            littleEndianBytes(signedZero(number, isUpper).bitPattern)
        case (.decimal(let count), .int128(let number)): bigEndianBytes(number, count)
        case (.uuid, .int128(let number)): bigEndianBytes(number ^ (Int128(1) << 127), 16)
        case (.bytes, .bytes(let bytes)): bytes
        default: nil
        }
    }

    private func nanos(_ packed: Int128) -> Int64 {
        // Plain timestamps keep picoseconds in the low bits, those with zone above 16 bits of zone;
        // the writer's trackers hold the plain form.
        Int64(truncatingIfNeeded: packed & 0xFFFF_FFFF_FFFF_FFFF) / 1000
    }

    /// Zero bounds are written so that both zeros lie within them.
    private func signedZero(_ number: Double, _ isUpper: Bool) -> Double {
        number == 0 ? (isUpper ? 0.0 : -0.0) : number
    }
}

func littleEndianBytes(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    (0..<(value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func bigEndianBytes(_ value: Int128, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> Int128(8 * (count - 1 - $0))) }
}
