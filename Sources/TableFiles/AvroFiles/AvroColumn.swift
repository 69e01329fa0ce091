import Avro
import Parquet
import Vectors

/// One column of an Avro file, or a part of one, that is filled value by value.
///
/// Belongs to one thread. Its vector is valid until the next change.
final class AvroColumn {
    /// How a value lies in the file, and what becomes of it.
    enum Reading {
        case boolean, float, double
        case int
        /// A whole number times a factor: microseconds and picoseconds.
        case number(isInt: Bool, factor: Int64)
        /// A timestamp in the engine's long layout: with a zone, or with nanoseconds.
        case packed(AvroTimeUnit, picosecondShift: Int128)
        case text, bytes
        case fixed(size: Int)
        case symbols([String])
        /// Big-endian; nil: as long as the value says.
        case decimal(size: Int?)
        case uuid
        /// Elements, or keys and values: a map, or an array of records with the two.
        case list
        case row
    }

    let field: WriterField
    let reading: Reading
    /// For a union with null: which branch is null, and how many there are.
    let nullBranch: Int?
    let children: [AvroColumn]
    private let texts: Arena
    private let childVectors: UnsafeMutablePointer<Vector>
    private let width: Int
    private var capacity = 0
    private var values: UnsafeMutableRawPointer
    private var valid: UnsafeMutablePointer<UInt64>
    private var hasNulls = false
    private var count = 0

    init(
        _ field: WriterField, _ reading: Reading, nullBranch: Int?, children: [AvroColumn],
        texts: Arena
    ) {
        self.field = field
        self.reading = reading
        self.nullBranch = nullBranch
        self.children = children
        self.texts = texts
        width = max(field.type.physical.width, 1)
        values = allocateBuffer(byteCount: 0)
        valid = allocateBuffer(byteCount: 0).bindMemory(to: UInt64.self, capacity: 0)
        childVectors = .allocate(capacity: max(children.count, 1))
    }

    deinit {
        values.deallocate()
        UnsafeMutableRawPointer(valid).deallocate()
        childVectors.deallocate()
    }

    /// Forgets the rows.
    func reset() {
        count = 0
        hasNulls = false
        for child in children { child.reset() }
    }

    /// The column as it stands.
    var vector: Vector {
        for (index, child) in children.enumerated() {
            (childVectors + index).initialize(to: child.vector)
        }
        return Vector(
            physical: field.type.physical, values: values, valid: hasNulls ? valid : nil,
            children: children.isEmpty ? nil : childVectors,
            entryCount: UInt32(clamping: children.first?.count ?? 0))
    }

    // MARK: Values

    /// Reads the next value.
    func append(_ input: inout AvroDecoder) throws {
        if let nullBranch, try input.index(below: 2) == nullBranch {
            appendNull()
            return
        }
        try grow()
        switch reading {
        case .boolean: set(try input.boolean() ? 1 : 0, as: UInt8.self)
        case .float: set(Double(try input.float()), as: Double.self)
        case .double: set(try input.double(), as: Double.self)
        case .int: set(try input.int(), as: Int32.self)
        case .number(let isInt, let factor):
            let number = isInt ? Int64(try input.int()) : try input.long()
            let (scaled, overflow) = number.multipliedReportingOverflow(by: factor)
            if overflow { throw Self.outOfRange(field) }
            set(scaled, as: Int64.self)
        case .packed(let unit, let shift):
            set(try unit.packed(try input.long(), shift, field), as: Int128.self)
        case .text: try set(text: Array(try input.string().utf8))
        case .bytes: try set(text: try input.bytes())
        case .fixed(let size): try set(text: try input.fixed(size))
        case .symbols(let symbols):
            try set(text: Array(symbols[try input.index(below: symbols.count)].utf8))
        case .decimal(let size):
            try setDecimal(try size.map { try input.fixed($0) } ?? input.bytes())
        case .uuid:
            var word: UInt128 = 0
            for byte in try input.fixed(16) { word = word << 8 | UInt128(byte) }
            set(Int128(bitPattern: word ^ (1 << 127)), as: Int128.self)
        case .list: try appendElements(&input)
        case .row:
            for child in children { try child.append(&input) }
        }
        ValidityBits.set(valid, count)
        count += 1
    }

    private func appendNull() {
        // Nothing to read: room for the row is all that is needed.
        growRoom()
        (values + count * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
        if case .row = reading {
            for child in children { child.appendNull() }
        }
        if field.type.physical == .list {
            let entry = ListEntry(offset: UInt32(clamping: children.first?.count ?? 0), count: 0)
            set(entry, as: ListEntry.self)
        }
        ValidityBits.clear(valid, count)
        hasNulls = true
        count += 1
    }

    private func appendElements(_ input: inout AvroDecoder) throws {
        let first = children[0].count
        var failure: (any Error)?
        let children = children
        do throws(AvroError) {
            try input.elements { input throws(AvroError) in
                do {
                    for child in children { try child.append(&input) }
                } catch let error as AvroError { throw error } catch {
                    failure = error
                    throw AvroError(code: .corrupted, message: "an element cannot be read")
                }
            }
        } catch { throw failure ?? error }
        guard let offset = UInt32(exactly: first),
            let found = UInt32(exactly: children[0].count - first)
        else { throw Self.outOfRange(field) }
        set(ListEntry(offset: offset, count: found), as: ListEntry.self)
    }

    private func setDecimal(_ bytes: [UInt8]) throws {
        guard let unscaled = decimalUnscaled(bytes) else { throw Self.outOfRange(field) }
        if field.type.physical == .int64 {
            guard let narrow = Int64(exactly: unscaled) else { throw Self.outOfRange(field) }
            set(narrow, as: Int64.self)
        } else {
            set(unscaled, as: Int128.self)
        }
    }

    private func set(text bytes: [UInt8]) throws {
        guard UInt32(exactly: bytes.count) != nil else { throw Self.outOfRange(field) }
        let view = try bytes.withUnsafeBufferPointer { buffer -> StringView in
            guard let start = buffer.baseAddress else { return .empty }
            return try texts.copy(StringView(start, count: buffer.count))
        }
        set(view, as: StringView.self)
    }

    private func set<Value: BitwiseCopyable>(_ value: Value, as type: Value.Type) {
        values.assumingMemoryBound(to: type)[count] = value
    }

    static func outOfRange(_ field: WriterField) -> TableFileError {
        TableFileError(
            code: .corrupted, message: "a value of \(field.name) does not fit \(field.type)")
    }

    // MARK: Memory

    private func grow() throws {
        guard count < Int(UInt32.max) else { throw Self.outOfRange(field) }
        growRoom()
    }

    private func growRoom() {
        if count < capacity { return }
        let wider = max(1024, capacity * 2)
        let fresh = allocateBuffer(byteCount: wider * width)
        fresh.copyMemory(from: values, byteCount: count * width)
        values.deallocate()
        values = fresh
        let words = ValidityBits.wordCount(wider)
        let bits = allocateBuffer(byteCount: words * 8).bindMemory(
            to: UInt64.self, capacity: words)
        bits.update(repeating: 0, count: words)
        bits.update(from: valid, count: ValidityBits.wordCount(capacity))
        UnsafeMutableRawPointer(valid).deallocate()
        valid = bits
        capacity = wider
    }
}

/// The units of Avro's timestamps.
enum AvroTimeUnit {
    case millis, micros, nanos

    /// Since 1970 in this unit as the engine's long layout.
    func packed(
        _ value: Int64, _ picosecondShift: Int128, _ field: WriterField
    ) throws(TableFileError) -> Int128 {
        switch self {
        case .millis:
            let (micros, overflow) = value.multipliedReportingOverflow(by: 1000)
            if overflow { throw AvroColumn.outOfRange(field) }
            return Int128(micros) << 64
        case .micros: return Int128(value) << 64
        case .nanos:
            let (quotient, rest) = value.quotientAndRemainder(dividingBy: 1000)
            let micros = rest < 0 ? quotient - 1 : quotient
            let picoseconds = Int128(rest < 0 ? rest + 1000 : rest) * 1000
            return Int128(micros) << 64 | picoseconds << picosecondShift
        }
    }
}
