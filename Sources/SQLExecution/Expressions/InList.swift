import SQLFunctions
import SQLPlanning
import Vectors

extension Compiler {
    /// Lists of constants become a set; others are compared one after the other.
    func inList(
        _ operand: BoundExpression, _ candidates: [BoundExpression], in scope: Scope
    ) -> Int {
        let type = operand.type
        var literals: [LiteralValue] = []
        for candidate in candidates {
            guard case .literal(let value, _) = candidate else { break }
            literals.append(value)
        }
        let input = compile(operand, in: scope)
        if literals.count == candidates.count, let set = ValueSet(literals, type) {
            return remembered(input, type, .boolean, isSafe: true, scope: scope) {
                SetMembershipStep(input: $0, set: set, type: type, output: $1)
            }
        }
        let registers = candidates.map { compile($0, in: scope) }
        return add(scope) {
            InListStep(input: input, candidates: registers, type: type, output: $0)
        }
    }
}

/// Constants of an IN list, made for quick membership. Immutable.
final class ValueSet {
    /// Whether the list has a NULL, which makes "not found" unknown.
    let hasNull: Bool
    private var integers: Set<Int64> = []
    private var wides: Set<Int128> = []
    private var doubles: Set<Double> = []
    private var strings: StringSet?
    private let type: LogicalType
    /// Few integers are compared one by one.
    private let few: [Int64]

    /// nil for types whose equality is not that of their words.
    init?(_ literals: [LiteralValue], _ type: LogicalType) {
        guard type.children.isEmpty else { return nil }
        self.type = type
        var hasNull = false
        var texts: [[UInt8]] = []
        for literal in literals {
            switch literal {
            case .null: hasNull = true
            case .boolean(let flag): integers.insert(flag ? 1 : 0)
            case .integer(let value):
                if type.physical == .int128 {
                    wides.insert(Int128(value))
                } else {
                    integers.insert(value)
                }
            case .wide(let value): wides.insert(ValueSet.key(value, type))
            case .double(let bits): doubles.insert(Double(bitPattern: bits))
            case .bytes(let bytes):
                if case .char = type {
                    texts.append([UInt8](bytes[..<bytes.withUnsafeBufferPointer(trimmedCount)]))
                } else {
                    texts.append(bytes)
                }
            case .list, .map, .row: return nil
            }
        }
        self.hasNull = hasNull
        few = integers.count <= 8 ? integers.sorted() : []
        if type.physical == .string { strings = StringSet(texts) }
    }

    private static func key(_ value: Int128, _ type: LogicalType) -> Int128 {
        switch type {
        case .timestampWithTimeZone: instant(ofTimestamp: value)
        case .timeWithTimeZone: instant(ofTime: value)
        default: value
        }
    }

    /// Whether the value at the index is in the set.
    @inline(__always) func contains(_ vector: Vector, _ index: Int) -> Bool {
        switch vector.physical {
        case .bool: contains(Int64(vector.pointer(as: UInt8.self)[index]))
        case .int32: contains(Int64(vector.pointer(as: Int32.self)[index]))
        case .int64:
            type.physical == .int128
                ? wides.contains(Int128(vector.pointer(as: Int64.self)[index]))
                : contains(vector.pointer(as: Int64.self)[index])
        case .int128: wides.contains(ValueSet.key(vector.pointer(as: Int128.self)[index], type))
        case .double: doubles.contains(vector.pointer(as: Double.self)[index])
        case .string: containsString(vector.pointer(as: StringView.self) + index)
        case .list, .row: false
        }
    }

    @inline(__always) private func contains(_ value: Int64) -> Bool {
        if few.isEmpty { return integers.contains(value) }
        for candidate in few where candidate == value { return true }
        return false
    }

    private func containsString(_ at: UnsafePointer<StringView>) -> Bool {
        guard let strings else { return false }
        if case .char = type {
            let bytes = StringView.bytes(at: at)
            return strings.contains(
                UnsafeBufferPointer(rebasing: bytes[..<trimmedCount(bytes)]))
        }
        return strings.contains(StringView.bytes(at: at))
    }
}

/// A fixed set of byte strings with open addressing.
final class StringSet {
    private let views: UnsafeMutablePointer<StringView>
    private let slots: UnsafeMutablePointer<Int32>
    private let mask: Int
    private let memory: UnsafeMutableRawPointer

    init(_ texts: [[UInt8]]) {
        var size = 16
        while size < texts.count * 2 { size *= 2 }
        mask = size - 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: -1, count: size)
        views = .allocate(capacity: max(texts.count, 1))
        memory = allocateBuffer(byteCount: texts.reduce(64) { $0 + $1.count })
        var at = memory
        var used: Int32 = 0
        for text in texts {
            let duplicate = text.withUnsafeBufferPointer { contains($0) }
            if duplicate { continue }
            text.withUnsafeBytes { raw in
                if let base = raw.baseAddress { at.copyMemory(from: base, byteCount: raw.count) }
            }
            views[Int(used)] = StringView(
                UnsafePointer(at.assumingMemoryBound(to: UInt8.self)), count: text.count)
            at += text.count
            var slot =
                text.withUnsafeBufferPointer { Int(truncatingIfNeeded: hashBytes($0)) } & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = used
            used += 1
        }
    }

    deinit {
        views.deallocate()
        slots.deallocate()
        memory.deallocate()
    }

    func contains(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var slot = Int(truncatingIfNeeded: hashBytes(text)) & mask
        while slots[slot] >= 0 {
            let isEqual = views[Int(slots[slot])].withBytes { candidate in
                candidate.count == text.count
                    && (text.count == 0
                        || memoryEqual(candidate.baseAddress!, text.baseAddress!, text.count))
            }
            if isEqual { return true }
            slot = (slot + 1) & mask
        }
        return false
    }
}

/// IN over a set of constants.
final class SetMembershipStep: BufferedStep {
    private let input: Int
    private let set: ValueSet
    private let type: LogicalType
    private let operand = FlatOperand()

    init(input: Int, set: ValueSet, type: LogicalType, output: Int) {
        self.input = input
        self.set = set
        self.type = type
        super.init(output: output, type: .boolean)
    }

    override func run(_ frame: Frame) {
        let a = frame.registers[input]
        if isNullConstant(a) { return emitConstant(frame, isNull: true) }
        let values = buffer.pointer(as: UInt8.self)
        buffer.hasNulls = false
        func test(_ row: Int) {
            guard a.isValid(row) else { return buffer.setNull(row) }
            let found = set.contains(a, a.valueIndex(row))
            if !found && set.hasNull { return buffer.setNull(row) }
            if buffer.hasNulls { ValidityBits.set(buffer.validBits, row) }
            values[row] = byte(found)
        }
        let isConstant = a.form == .constant
        if isConstant { test(0) } else { frame.rows.forEach(test) }
        frame.registers[output] = Vector(
            physical: .bool, form: isConstant ? .constant : .flat, values: buffer.values,
            valid: buffer.hasNulls ? buffer.validBits : nil)
    }
}

/// IN over computed candidates, or of nested values.
final class InListStep: BufferedStep {
    private let input: Int
    private let candidates: [Int]
    private let type: LogicalType

    init(input: Int, candidates: [Int], type: LogicalType, output: Int) {
        self.input = input
        self.candidates = candidates
        self.type = type
        super.init(output: output, type: .boolean)
    }

    override func run(_ frame: Frame) {
        let a = frame.registers[input]
        let values = buffer.pointer(as: UInt8.self)
        buffer.hasNulls = false
        frame.rows.forEach { row in
            var isUnknown = false
            for candidate in candidates {
                switch equalValues(type, a, row, frame.registers[candidate], row) {
                case true?:
                    values[row] = 1
                    return
                case nil: isUnknown = true
                case false?: break
                }
            }
            if isUnknown { buffer.setNull(row) } else { values[row] = 0 }
        }
        emit(frame, valid: buffer.hasNulls ? buffer.validBits : nil)
    }
}
