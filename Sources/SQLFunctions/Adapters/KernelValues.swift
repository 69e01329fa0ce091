import Vectors

/// The bytes of a string argument, valid UTF-8 for text; lent for one row.
typealias Text = UnsafeBufferPointer<UInt8>

/// A Swift type that kernels take for a physical type.
protocol KernelInput: SendableMetatype {
    associatedtype Stored: BitwiseCopyable
    static func load(_ at: UnsafePointer<Stored>) -> Self
}

extension Int32: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<Int32>) -> Int32 { at.pointee }
}
extension Int64: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<Int64>) -> Int64 { at.pointee }
}
extension Int128: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<Int128>) -> Int128 { at.pointee }
}
extension Double: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<Double>) -> Double { at.pointee }
}
extension Bool: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<UInt8>) -> Bool { at.pointee != 0 }
}
extension UnsafeBufferPointer: KernelInput where Element == UInt8 {
    // Inline bytes are read where they lie: the vector does not move while the kernel runs.
    @inline(__always) static func load(_ at: UnsafePointer<StringView>) -> Text {
        StringView.bytes(at: at)
    }
}
extension StringView: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<StringView>) -> StringView { at.pointee }
}
extension ListEntry: KernelInput {
    @inline(__always) static func load(_ at: UnsafePointer<ListEntry>) -> ListEntry { at.pointee }
}

/// One argument of a call, read by row whatever the vector's form.
struct Input<Value: KernelInput> {
    private let values: UnsafeMutablePointer<Value.Stored>
    private let codes: UnsafeMutablePointer<UInt32>?
    /// All ones for a flat vector, zero for a constant.
    private let mask: Int

    init(_ vector: Vector) {
        values = vector.pointer(as: Value.Stored.self)
        codes = vector.form == .dictionary ? vector.codes : nil
        mask = vector.form == .constant ? 0 : -1
    }

    @inline(__always) subscript(row: Int) -> Value {
        if let codes { return Value.load(values + Int(codes[row])) }
        return Value.load(values + (row & mask))
    }
}

/// A Swift type that kernels give for a physical type.
protocol KernelOutput: SendableMetatype {
    static func store(_ value: Self, _ row: Int, _ output: Output)
}

/// Where the results of one call go.
struct Output {
    let values: UnsafeMutableRawPointer
    let valid: UnsafeMutablePointer<UInt64>?
    let width: Int
    let heap: Arena
    let context: EvaluationContext

    init(_ call: KernelCall) {
        values = call.result.pointee.values
        valid = call.result.pointee.valid
        width = call.result.pointee.physical.width
        heap = call.heap
        context = call.context
    }

    @inline(__always) func put<Stored: BitwiseCopyable>(_ value: Stored, _ row: Int) {
        values.assumingMemoryBound(to: Stored.self)[row] = value
    }

    /// Makes the row NULL, with a defined value beneath.
    func setNull(_ row: Int) {
        if let valid { ValidityBits.clear(valid, row) }
        (values + row * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    }

    /// Makes room for `capacity` bytes, lets `body` fill them and stores what it wrote. Without memory
    /// the row is NULL and the call has failed.
    @inline(__always) func putBytes(
        _ row: Int, capacity: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
        if capacity <= 16 {
            var words: (UInt64, UInt64) = (0, 0)
            let view = withUnsafeMutablePointer(to: &words) { words in
                let bytes = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt8.self)
                let count = body(bytes)
                return count <= 12 ? StringView(bytes, count: count) : nil
            }
            if let view { return put(view, row) }
        }
        guard capacity <= FunctionLimits.stringBytes else {
            context.fail(
                QueryFault(
                    .invalidFunctionArgument,
                    "result of \(capacity) bytes exceeds the limit of \(FunctionLimits.stringBytes)"
                ))
            return setNull(row)
        }
        guard let bytes = allocate(capacity) else { return setNull(row) }
        let start = bytes.assumingMemoryBound(to: UInt8.self)
        put(StringView(start, count: body(start)), row)
    }

    /// Memory of the call's heap; nil, and a failed call, when the budget is spent.
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        do throws(MemoryLimitFault) { return try heap.allocate(byteCount) } catch {
            context.fail(
                QueryFault(.exceededMemoryLimit, error.message, hint: error.hint, cause: error))
            return nil
        }
    }

    /// Copies bytes to the heap and stores them.
    func putCopy(_ bytes: Text, _ row: Int) {
        putBytes(row, capacity: bytes.count) { target in
            if let base = bytes.baseAddress { target.update(from: base, count: bytes.count) }
            return bytes.count
        }
    }
}

/// What one call of a function may make.
enum FunctionLimits {
    /// Bytes of one string.
    static let stringBytes = 256 << 20
    /// Elements of one array that a function makes from nothing. As in Trino.
    static let sequenceElements = 10_000
    /// Elements of all arrays of one vector.
    static let vectorElements = 1 << 28
    /// Characters that `lpad` and `rpad` make.
    static let padCharacters = 1 << 24
}

extension Int32: KernelOutput {
    @inline(__always) static func store(_ value: Int32, _ row: Int, _ output: Output) {
        output.put(value, row)
    }
}
extension Int64: KernelOutput {
    @inline(__always) static func store(_ value: Int64, _ row: Int, _ output: Output) {
        output.put(value, row)
    }
}
extension Int128: KernelOutput {
    @inline(__always) static func store(_ value: Int128, _ row: Int, _ output: Output) {
        output.put(value, row)
    }
}
extension Double: KernelOutput {
    @inline(__always) static func store(_ value: Double, _ row: Int, _ output: Output) {
        output.put(value, row)
    }
}
extension Bool: KernelOutput {
    @inline(__always) static func store(_ value: Bool, _ row: Int, _ output: Output) {
        output.put(unsafeBitCast(value, to: UInt8.self), row)
    }
}
extension StringView: KernelOutput {
    @inline(__always) static func store(_ value: StringView, _ row: Int, _ output: Output) {
        output.put(value, row)
    }
}
/// A piece of an argument or of the heap; only short pieces are copied.
extension UnsafeBufferPointer: KernelOutput where Element == UInt8 {
    @inline(__always) static func store(_ value: Text, _ row: Int, _ output: Output) {
        guard let base = value.baseAddress else { return output.put(StringView.empty, row) }
        output.put(StringView(base, count: value.count), row)
    }
}
extension Array: KernelOutput where Element == UInt8 {
    static func store(_ value: [UInt8], _ row: Int, _ output: Output) {
        value.withUnsafeBufferPointer { output.putCopy($0, row) }
    }
}
extension String: KernelOutput {
    static func store(_ value: String, _ row: Int, _ output: Output) {
        var copy = value
        copy.withUTF8 { output.putCopy($0, row) }
    }
}
/// Nil is NULL.
extension Optional: KernelOutput where Wrapped: KernelOutput {
    @inline(__always) static func store(_ value: Wrapped?, _ row: Int, _ output: Output) {
        guard let value else { return output.setNull(row) }
        Wrapped.store(value, row, output)
    }
}
