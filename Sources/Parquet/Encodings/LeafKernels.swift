/// Turns one stored value of fixed width into one of the engine's.
///
/// Small structs, so that each loop over a page is compiled for its conversion. `fault` becomes nonzero
/// when a value does not fit; the loop's owner throws then.
protocol LeafKernel {
    associatedtype Target: BitwiseCopyable
    /// Bytes from one stored value to the next.
    var stride: Int { get }
    func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Target
}

/// The bytes as they are.
struct CopyKernel<Value: BitwiseCopyable>: LeafKernel {
    @inline(__always) var stride: Int { MemoryLayout<Value>.stride }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Value {
        at.loadUnaligned(as: Value.self)
    }
}

/// Keeps the low bits of an Int32: annotated 8 and 16 bit integers.
struct NarrowKernel: LeafKernel {
    let bits: Int32
    let isSigned: Bool
    @inline(__always) var stride: Int { 4 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int32 {
        let raised = at.loadUnaligned(as: Int32.self) &<< (32 &- bits)
        return isSigned
            ? raised &>> (32 &- bits)
            : Int32(bitPattern: UInt32(bitPattern: raised) &>> UInt32(32 &- bits))
    }
}

/// An Int32 widened and multiplied; the product always fits, as factors are at most 86,400,000,000.
struct WidenKernel: LeafKernel {
    let factor: Int64
    @inline(__always) var stride: Int { 4 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int64 {
        let (product, overflow) = Int64(at.loadUnaligned(as: Int32.self))
            .multipliedReportingOverflow(by: factor)
        fault |= unsafeBitCast(overflow, to: UInt8.self)
        return product
    }
}

struct WidenUnsignedKernel: LeafKernel {
    @inline(__always) var stride: Int { 4 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int64 {
        Int64(at.loadUnaligned(as: UInt32.self))
    }
}

struct ScaleKernel: LeafKernel {
    let factor: Int64
    @inline(__always) var stride: Int { 8 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int64 {
        let (product, overflow) = at.loadUnaligned(as: Int64.self)
            .multipliedReportingOverflow(by: factor)
        fault |= unsafeBitCast(overflow, to: UInt8.self)
        return product
    }
}

/// Nanoseconds to microseconds, towards the past.
struct FloorThousandKernel: LeafKernel {
    @inline(__always) var stride: Int { 8 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int64 {
        floorDivide(at.loadUnaligned(as: Int64.self), 1000).quotient
    }
}

struct Int32To128Kernel: LeafKernel {
    @inline(__always) var stride: Int { 4 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        Int128(at.loadUnaligned(as: Int32.self))
    }
}

struct Int64To128Kernel: LeafKernel {
    @inline(__always) var stride: Int { 8 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        Int128(at.loadUnaligned(as: Int64.self))
    }
}

struct UInt64To128Kernel: LeafKernel {
    @inline(__always) var stride: Int { 8 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        Int128(at.loadUnaligned(as: UInt64.self))
    }
}

/// Packs a timestamp of any unit: microseconds << 64 | picoseconds << shift.
struct PackTimestampKernel: LeafKernel {
    let unit: Annotation.Unit
    let picosecondShift: Int128
    @inline(__always) var stride: Int { 8 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        let value = at.loadUnaligned(as: Int64.self)
        switch unit {
        case .millis:
            let (micros, overflow) = value.multipliedReportingOverflow(by: 1000)
            fault |= unsafeBitCast(overflow, to: UInt8.self)
            return Int128(micros) &<< 64
        case .micros: return Int128(value) &<< 64
        case .nanos:
            let (micros, nanos) = floorDivide(value, 1000)
            return Int128(micros) &<< 64 | Int128(nanos &* 1000) &<< picosecondShift
        }
    }
}

/// Days to a packed timestamp.
struct PackDateKernel: LeafKernel {
    @inline(__always) var stride: Int { 4 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        let (micros, overflow) = Int64(at.loadUnaligned(as: Int32.self))
            .multipliedReportingOverflow(by: 86_400_000_000)
        fault |= unsafeBitCast(overflow, to: UInt8.self)
        return Int128(micros) &<< 64
    }
}

struct FloatKernel: LeafKernel {
    @inline(__always) var stride: Int { 4 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Double {
        Double(at.loadUnaligned(as: Float.self))
    }
}

/// IEEE half precision, by bits: the type is not on every platform.
struct Float16Kernel: LeafKernel {
    @inline(__always) var stride: Int { 2 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Double {
        halfToDouble(UInt16(littleEndian: at.loadUnaligned(as: UInt16.self)))
    }
}

/// Widens an IEEE half.
func halfToDouble(_ bits: UInt16) -> Double {
    let sign = UInt64(bits >> 15) << 63
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = UInt64(bits & 0x3FF)
    if exponent == 0 {
        let magnitude = Double(fraction) * 0x1p-24
        return sign == 0 ? magnitude : -magnitude
    }
    let wide = exponent == 31 ? UInt64(2047) : UInt64(exponent - 15 + 1023)
    return Double(bitPattern: sign | wide << 52 | fraction << 42)
}

/// Nanoseconds of the day and a Julian day: what Impala, Hive and older Spark wrote.
struct Int96MicrosKernel: LeafKernel {
    @inline(__always) var stride: Int { 12 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int64 {
        let (micros, _) = int96(at, &fault)
        return micros
    }
}

struct Int96PackKernel: LeafKernel {
    let picosecondShift: Int128
    @inline(__always) var stride: Int { 12 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        let (micros, nanos) = int96(at, &fault)
        return Int128(micros) &<< 64 | Int128(nanos &* 1000) &<< picosecondShift
    }
}

@inline(__always)
private func int96(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> (micros: Int64, nanos: Int64) {
    let nanosOfDay = at.loadUnaligned(as: Int64.self)
    let julianDay = Int64((at + 8).loadUnaligned(as: Int32.self))
    // 2,440,588 is the Julian day of 1970-01-01. 2^31 days of microseconds do not fit 64 bits.
    let (day, overflow) = (julianDay &- 2_440_588).multipliedReportingOverflow(by: 86_400_000_000)
    let (micros, nanos) = floorDivide(nanosOfDay, 1000)
    let (sum, carry) = day.addingReportingOverflow(micros)
    fault |= unsafeBitCast(overflow || carry, to: UInt8.self)
    return (sum, nanos)
}

/// Big-endian two's complement of a fixed width.
struct Decimal64Kernel: LeafKernel {
    let stride: Int
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int64 {
        let wide = bigEndianInteger(at, stride, &fault)
        let narrow = Int64(truncatingIfNeeded: wide)
        fault |= unsafeBitCast(Int128(narrow) != wide, to: UInt8.self)
        return narrow
    }
}

struct Decimal128Kernel: LeafKernel {
    let stride: Int
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        bigEndianInteger(at, stride, &fault)
    }
}

/// A big-endian two's complement integer of `count` bytes; more than 16 must be sign extension.
@inline(__always)
func bigEndianInteger(_ at: UnsafeRawPointer, _ count: Int, _ fault: inout UInt8) -> Int128 {
    if count == 0 { return 0 }
    var value = Int128(Int8(bitPattern: at.load(as: UInt8.self)))
    var index = 1
    while index < count {
        let previous = value
        value = value &<< 8 | Int128((at + index).load(as: UInt8.self))
        if index >= 16 {
            fault |= unsafeBitCast(value &>> 8 != previous, to: UInt8.self)
        }
        index &+= 1
    }
    return value
}

/// Sixteen bytes, big-endian, top bit flipped so that signed order is byte order.
struct UUIDKernel: LeafKernel {
    @inline(__always) var stride: Int { 16 }
    @inline(__always) func load(_ at: UnsafeRawPointer, _ fault: inout UInt8) -> Int128 {
        let high = UInt64(bigEndian: at.loadUnaligned(as: UInt64.self)) ^ 1 &<< 63
        let low = UInt64(bigEndian: (at + 8).loadUnaligned(as: UInt64.self))
        return Int128(truncatingIfNeeded: UInt128(high) &<< 64 | UInt128(low))
    }
}

/// Division that rounds down, with a remainder that is never negative.
@inline(__always)
func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let quotient = value / divisor
    let remainder = value &- quotient &* divisor
    let isNegative = remainder &>> 63
    return (quotient &+ isNegative, remainder &+ isNegative & divisor)
}
