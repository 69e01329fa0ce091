import Vectors

/// How a leaf's stored values become the engine's: chosen once a column, dispatched once a step.
enum LeafConversion: Sendable, Hashable {
    case copy1, copy4, copy8, copy16, copyDouble
    case narrow(bits: Int32, isSigned: Bool)
    case widen(factor: Int64)
    case widenUnsigned
    case scale(factor: Int64)
    case floorThousand
    case int32To128, int64To128, uint64To128
    case packTimestamp(Annotation.Unit, picosecondShift: Int)
    case packDate
    case float, float16
    case int96Micros
    case int96Pack(picosecondShift: Int)
    case decimal64(stride: Int)
    case decimal128(stride: Int)
    case uuid
    /// Byte arrays, of any or of a fixed length, as string views.
    case strings
    /// Decimals in byte arrays of any length.
    case variableDecimal64, variableDecimal128

    /// The layout of what comes out.
    var physical: PhysicalType {
        switch self {
        case .copy1: .bool
        case .copy4, .narrow: .int32
        case .copy8, .widen, .widenUnsigned, .scale, .floorThousand, .int96Micros, .decimal64,
            .variableDecimal64:
            .int64
        case .copyDouble, .float, .float16: .double
        case .strings: .string
        default: .int128
        }
    }
}

extension LeafConversion {
    /// Chooses how to read a leaf as `type`; throws `.typeMismatch` when there is no lossless way.
    init(_ leaf: ParquetLeaf, as type: LogicalType) throws(ParquetError) {
        guard let conversion = LeafConversion.choose(leaf, type) else {
            throw ParquetError(
                code: .typeMismatch,
                message: "column \(leaf.path.joined(separator: ".")) holds \(leaf.type) "
                    + "(\(leaf.annotation)) and cannot be read as \(type)")
        }
        self = conversion
    }

    private static func choose(_ leaf: ParquetLeaf, _ type: LogicalType) -> LeafConversion? {
        switch leaf.type {
        case .boolean: type == .boolean ? .copy1 : nil
        case .int32: fromInt32(leaf.annotation, type)
        case .int64: fromInt64(leaf.annotation, type)
        case .int96:
            switch type {
            case .timestamp(let precision):
                precision <= 6 ? .int96Micros : .int96Pack(picosecondShift: 0)
            case .timestampWithTimeZone: .int96Pack(picosecondShift: 16)
            default: nil
            }
        case .float: type == .real || type == .double ? .float : nil
        case .double: type == .double ? .copyDouble : nil
        case .byteArray:
            switch (leaf.annotation, type) {
            case (.decimal(_, let from), .decimal(let precision, let to)):
                from != to ? nil : precision <= 18 ? .variableDecimal64 : .variableDecimal128
            case (.decimal, _): nil
            case (_, .varchar), (_, .char), (_, .varbinary), (_, .json): .strings
            default: nil
            }
        case .fixedLengthByteArray:
            switch (leaf.annotation, type) {
            case (.decimal(_, let from), .decimal(let precision, let to)):
                from != to
                    ? nil
                    : precision <= 18
                        ? .decimal64(stride: leaf.typeLength) : .decimal128(stride: leaf.typeLength)
            case (.decimal, _): nil
            case (_, .uuid): leaf.typeLength == 16 ? .uuid : nil
            case (.float16, .real), (.float16, .double): leaf.typeLength == 2 ? .float16 : nil
            case (.float16, _): nil
            case (_, .varbinary), (_, .ipaddress): .strings
            case (.string, .varchar), (.string, .char), (.none, .varchar), (.none, .char): .strings
            default: nil
            }
        }
    }

    private static func fromInt32(_ annotation: Annotation, _ type: LogicalType) -> LeafConversion?
    {
        switch (annotation, type) {
        case (.date, .date): return .copy4
        case (.date, .timestamp(let precision)):
            return precision <= 6 ? .widen(factor: 86_400_000_000) : .packDate
        case (.date, _): return nil
        case (.time(.millis, _), .time): return .widen(factor: 1_000_000_000)
        case (.time, _): return nil
        case (.decimal(_, let from), .decimal(let precision, let to)):
            return from != to ? nil : precision <= 18 ? .widen(factor: 1) : .int32To128
        case (.decimal, _): return nil
        case (.integer(32, isSigned: false), .bigint): return .widenUnsigned
        case (.integer(32, isSigned: false), _): return nil
        case (.integer(let bits, let isSigned), .tinyint),
            (.integer(let bits, let isSigned), .smallint),
            (.integer(let bits, let isSigned), .integer):
            guard bits < 32 else { return type == .integer ? .copy4 : nil }
            if type == .tinyint && !(bits == 8 && isSigned) { return nil }
            if type == .smallint && bits == 16 && !isSigned { return nil }
            return .narrow(bits: Int32(bits), isSigned: isSigned)
        case (_, .integer): return .copy4
        case (_, .bigint): return .widen(factor: 1)
        // Hive and Spark tables keep small integers and dates without annotation.
        case (.none, .tinyint): return .narrow(bits: 8, isSigned: true)
        case (.none, .smallint): return .narrow(bits: 16, isSigned: true)
        case (.none, .date): return .copy4
        case (_, .decimal(let precision, 0)):
            return precision <= 18 ? .widen(factor: 1) : .int32To128
        default: return nil
        }
    }

    private static func fromInt64(_ annotation: Annotation, _ type: LogicalType) -> LeafConversion?
    {
        switch (annotation, type) {
        case (.time(let unit, _), .time):
            return .scale(
                factor: unit == .micros ? 1_000_000 : unit == .nanos ? 1000 : 1_000_000_000)
        case (.time, _): return nil
        case (.timestamp(let unit, _), .timestamp(let precision)):
            if precision > 6 { return .packTimestamp(unit, picosecondShift: 0) }
            switch unit {
            case .millis: return .scale(factor: 1000)
            case .micros: return .copy8
            case .nanos: return .floorThousand
            }
        case (.timestamp(let unit, _), .timestampWithTimeZone):
            return .packTimestamp(unit, picosecondShift: 16)
        case (.timestamp, .bigint): return .copy8
        case (.timestamp, _): return nil
        case (.decimal(_, let from), .decimal(let precision, let to)):
            return from != to ? nil : precision <= 18 ? .copy8 : .int64To128
        case (.decimal, _): return nil
        case (.integer(64, isSigned: false), .decimal(let precision, 0)):
            return precision >= 20 ? .uint64To128 : nil
        case (.integer(64, isSigned: false), _): return nil
        case (_, .bigint): return .copy8
        case (.none, .timestamp(let precision)):
            return precision <= 6 ? .copy8 : .packTimestamp(.micros, picosecondShift: 0)
        case (.none, .timestampWithTimeZone): return .packTimestamp(.micros, picosecondShift: 16)
        case (_, .decimal(let precision, 0)): return precision <= 18 ? .copy8 : .int64To128
        default: return nil
        }
    }
}

/// A loop over stored values that is compiled once for each kernel.
protocol KernelVisitor {
    associatedtype Outcome
    func visit<Kernel: LeafKernel>(_ kernel: Kernel) -> Outcome
}

extension LeafConversion {
    /// Runs the visitor with the conversion's kernel; nil for those of byte arrays.
    @inline(__always)
    func accept<Visitor: KernelVisitor>(_ visitor: Visitor) -> Visitor.Outcome? {
        switch self {
        case .copy1: visitor.visit(CopyKernel<UInt8>())
        case .copy4: visitor.visit(CopyKernel<UInt32>())
        case .copy8: visitor.visit(CopyKernel<UInt64>())
        case .copyDouble: visitor.visit(CopyKernel<UInt64>())
        case .copy16: visitor.visit(CopyKernel<SIMD2<UInt64>>())
        case .narrow(let bits, let isSigned):
            visitor.visit(NarrowKernel(bits: bits, isSigned: isSigned))
        case .widen(let factor): visitor.visit(WidenKernel(factor: factor))
        case .widenUnsigned: visitor.visit(WidenUnsignedKernel())
        case .scale(let factor): visitor.visit(ScaleKernel(factor: factor))
        case .floorThousand: visitor.visit(FloorThousandKernel())
        case .int32To128: visitor.visit(Int32To128Kernel())
        case .int64To128: visitor.visit(Int64To128Kernel())
        case .uint64To128: visitor.visit(UInt64To128Kernel())
        case .packTimestamp(let unit, let shift):
            visitor.visit(PackTimestampKernel(unit: unit, picosecondShift: Int128(shift)))
        case .packDate: visitor.visit(PackDateKernel())
        case .float: visitor.visit(FloatKernel())
        case .float16: visitor.visit(Float16Kernel())
        case .int96Micros: visitor.visit(Int96MicrosKernel())
        case .int96Pack(let shift): visitor.visit(Int96PackKernel(picosecondShift: Int128(shift)))
        case .decimal64(let stride): visitor.visit(Decimal64Kernel(stride: stride))
        case .decimal128(let stride): visitor.visit(Decimal128Kernel(stride: stride))
        case .uuid: visitor.visit(UUIDKernel())
        case .strings, .variableDecimal64, .variableDecimal128: nil
        }
    }
}

/// Converts values at consecutive places, or at the places that `indices` name.
struct GatherStored: KernelVisitor {
    let base: UnsafeRawPointer
    let indices: UnsafePointer<UInt32>?
    let count: Int
    let output: UnsafeMutableRawPointer

    /// Returns nonzero when some value did not fit.
    func visit<Kernel: LeafKernel>(_ kernel: Kernel) -> UInt8 {
        let to = output.assumingMemoryBound(to: Kernel.Target.self)
        let stride = kernel.stride
        let from = base
        var fault: UInt8 = 0
        if let indices {
            for row in 0..<count {
                to[row] = kernel.load(from + Int(indices[row]) &* stride, &fault)
            }
        } else {
            var at = from
            for row in 0..<count {
                to[row] = kernel.load(at, &fault)
                at += stride
            }
        }
        return fault
    }
}

/// Copies entries of a dictionary by code.
@inline(__always)
func gatherEntries<Value: BitwiseCopyable>(
    _ entries: UnsafeMutableRawPointer, _ codes: UnsafePointer<UInt32>, _ count: Int,
    _ output: UnsafeMutableRawPointer, as type: Value.Type
) {
    let from = entries.assumingMemoryBound(to: Value.self)
    let to = output.assumingMemoryBound(to: Value.self)
    for row in 0..<count { to[row] = from[Int(codes[row])] }
}

/// Copies entries of a dictionary by code, at the rows that `indices` name.
@inline(__always)
func gatherEntries<Value: BitwiseCopyable>(
    _ entries: UnsafeMutableRawPointer, _ codes: UnsafePointer<UInt32>,
    indices: UnsafePointer<UInt32>, _ count: Int, _ output: UnsafeMutableRawPointer,
    as type: Value.Type
) {
    let from = entries.assumingMemoryBound(to: Value.self)
    let to = output.assumingMemoryBound(to: Value.self)
    for row in 0..<count { to[row] = from[Int(codes[Int(indices[row])])] }
}

/// The forms above for any width of 1, 4, 8 or 16 bytes.
func gatherEntries(
    width: Int, _ entries: UnsafeMutableRawPointer, _ codes: UnsafePointer<UInt32>,
    indices: UnsafePointer<UInt32>?, _ count: Int, _ output: UnsafeMutableRawPointer
) {
    if let indices {
        switch width {
        case 1: gatherEntries(entries, codes, indices: indices, count, output, as: UInt8.self)
        case 4: gatherEntries(entries, codes, indices: indices, count, output, as: UInt32.self)
        case 8: gatherEntries(entries, codes, indices: indices, count, output, as: UInt64.self)
        default:
            gatherEntries(entries, codes, indices: indices, count, output, as: SIMD2<UInt64>.self)
        }
    } else {
        switch width {
        case 1: gatherEntries(entries, codes, count, output, as: UInt8.self)
        case 4: gatherEntries(entries, codes, count, output, as: UInt32.self)
        case 8: gatherEntries(entries, codes, count, output, as: UInt64.self)
        default: gatherEntries(entries, codes, count, output, as: SIMD2<UInt64>.self)
        }
    }
}
