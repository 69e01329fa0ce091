import ObjectStorage
import Vectors

/// A top-level column with structure: its leaves, and how their levels become list and row vectors.
final class NestedColumn {
    private let root: NestedNode
    let leaves: [NestedLeaf]
    private(set) var isOpen = false
    /// The row, within the row group, that the leaves stand before.
    private var row = 0

    init(
        _ file: ParquetFile, _ field: ParquetField, _ wanted: WantedField, options: ScanOptions,
        memory: ScanMemory
    ) throws(ParquetError) {
        var builder = NestedBuilder(file: file, options: options, memory: memory)
        root = try builder.node(field, wanted)
        leaves = builder.leaves
    }

    func close() { isOpen = false }

    func open(_ group: RowGroupMetadata) throws(ParquetError) -> [RangeRead] {
        isOpen = true
        row = 0
        var reads: [RangeRead] = []
        for leaf in leaves {
            if let read = try leaf.open(group) { reads.append(read) }
        }
        return reads
    }

    /// Decodes the rows of a step that are selected (nil: all) and assembles them.
    func materialise(
        _ start: Int, _ rows: Int, _ selection: UnsafePointer<UInt32>?, _ selected: Int
    ) throws(ParquetError) -> Vector {
        for leaf in leaves {
            leaf.beginStep()
            try leaf.skip(start - row)
            try leaf.read(rows, selection, selected)
        }
        row = start + rows
        let (vector, slots) = try root.assemble()
        guard slots == selected else {
            throw .corrupted("the leaves of column \(root.name) disagree")
        }
        return vector
    }
}

/// Binds the wanted tree to the file's, and makes one leaf reader for each leaf that is needed.
private struct NestedBuilder {
    let file: ParquetFile
    let options: ScanOptions
    let memory: ScanMemory
    var leaves: [NestedLeaf] = []

    mutating func node(_ field: ParquetField, _ wanted: WantedField) throws(ParquetError)
        -> NestedNode
    {
        if let reason = field.unsupported, field.leaf != nil { throw .unsupported(reason) }
        if let leaf = field.leaf {
            let reader = NestedLeaf(
                file, leaf, try LeafConversion(leaf, as: wanted.type), options: options,
                memory: memory)
            leaves.append(reader)
            return NestedNode(.leaf, field, witness: reader, children: [], memory)
        }
        switch (field.type, wanted.type) {
        case (.array, .array), (.map, .map):
            let first = leaves.count
            var children: [NestedNode] = []
            for (index, child) in field.children.enumerated() {
                let want =
                    index < wanted.children.count
                    ? wanted.children[index]
                    : WantedField(name: child.name, type: wanted.type.children[index])
                children.append(try node(child, want))
            }
            guard first < leaves.count else { throw mismatch(field, wanted) }
            return NestedNode(.list, field, witness: leaves[first], children: children, memory)
        case (.row, .row(let types)):
            let first = leaves.count
            var children: [NestedNode] = []
            for (index, type) in types.enumerated() {
                let want =
                    index < wanted.children.count
                    ? wanted.children[index] : WantedField(name: type.name ?? "", type: type.type)
                if let child = file.schema.match(want, in: field.children) {
                    children.append(try node(child, want))
                } else {
                    children.append(NestedNode(missing: want, memory))
                }
            }
            if first == leaves.count {
                // No field of the struct is wanted: some leaf must still tell which rows are NULL.
                let leaf = file.schema.leaves[field.leaves.lowerBound]
                let conversion = try LeafConversion(
                    leaf, as: LogicalType.mapping(of: leaf) ?? .unknown)
                leaves.append(NestedLeaf(file, leaf, conversion, options: options, memory: memory))
            }
            return NestedNode(.row, field, witness: leaves[first], children: children, memory)
        default: throw mismatch(field, wanted)
        }
    }

    private func mismatch(_ field: ParquetField, _ wanted: WantedField) -> ParquetError {
        ParquetError(
            code: .typeMismatch,
            message: "column \(field.name) holds \(field.type) and cannot be read as \(wanted.type)"
        )
    }
}

/// A node of the tree: turns levels into a vector.
///
/// A node's slots are the places where its parent has one: entries whose definition level reaches the
/// parent's element and whose repetition level is not deeper than the node's own. The first leaf below
/// a node is its witness; all leaves agree on the levels above them, or the file is damaged.
final class NestedNode {
    enum Kind { case leaf, list, row, missing }

    let name: String
    private let kind: Kind
    private let parentLevel: UInt8
    private let definedLevel: UInt8
    private let elementLevel: UInt8
    private let repetitionLevel: UInt8
    private let witness: NestedLeaf?
    private let children: [NestedNode]
    private let values: ScanBuffer
    private let valid: ScanBuffer
    private let childVectors: UnsafeMutablePointer<Vector>
    private let constant: ConstantVector?

    init(
        _ kind: Kind, _ field: ParquetField, witness: NestedLeaf, children: [NestedNode],
        _ memory: ScanMemory
    ) {
        self.kind = kind
        name = field.name
        parentLevel = UInt8(truncatingIfNeeded: field.parentLevel)
        definedLevel = UInt8(truncatingIfNeeded: field.definedLevel)
        elementLevel = UInt8(truncatingIfNeeded: field.elementLevel)
        repetitionLevel = UInt8(truncatingIfNeeded: field.repetitionLevel)
        self.witness = witness
        self.children = children
        values = ScanBuffer(memory)
        valid = ScanBuffer(memory)
        constant = nil
        childVectors = .allocate(capacity: max(children.count, 1))
    }

    /// A field that the file lacks.
    init(missing wanted: WantedField, _ memory: ScanMemory) {
        kind = .missing
        name = wanted.name
        parentLevel = 0
        definedLevel = 0
        elementLevel = 0
        repetitionLevel = 0
        witness = nil
        children = []
        values = ScanBuffer(memory)
        valid = ScanBuffer(memory)
        constant = ConstantVector(wanted.missingValue, wanted.type)
        childVectors = .allocate(capacity: 1)
    }

    deinit { childVectors.deallocate() }

    /// Assembles the step's rows; `slots` is how many values this node has, -1 for any number.
    func assemble() throws(ParquetError) -> (vector: Vector, slots: Int) {
        switch kind {
        case .missing:
            guard let constant else { throw .corrupted("a missing field has no value: \(name)") }
            return (constant.vector, -1)
        case .leaf: return try leaf()
        case .list: return try list()
        case .row: return try row()
        }
    }

    private func leaf() throws(ParquetError) -> (Vector, Int) {
        guard let witness else { throw .corrupted("a leaf has no values: \(name)") }
        let count = witness.stepEntries
        let width = witness.physical.width
        let defs = witness.stepDefinitions.pointer(as: UInt8.self)
        try valid.ensure((ValidityBits.wordCount(count) + 1) * 8)
        let bits = valid.pointer(as: UInt64.self)
        bits.update(repeating: 0, count: ValidityBits.wordCount(count) + 1)
        if witness.stepValueCount == count {
            return (Vector(physical: witness.physical, values: witness.stepValues.start), count)
        }
        try values.ensure((count + 8) * max(width, 1))
        var slots = 0
        var value = 0
        let most = UInt8(truncatingIfNeeded: witness.leaf.maxDefinition)
        let from = witness.stepValues.start
        let to = values.start
        for entry in 0..<count where defs[entry] >= parentLevel {
            if defs[entry] == most {
                (to + slots &* width).copyMemory(from: from + value &* width, byteCount: width)
                bits[slots &>> 6] |= 1 &<< UInt64(slots & 63)
                value &+= 1
            } else {
                (to + slots &* width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
            }
            slots &+= 1
        }
        var vector = Vector(physical: witness.physical, values: to)
        if value < slots { vector.valid = bits }
        return (vector, slots)
    }

    private func list() throws(ParquetError) -> (Vector, Int) {
        guard let witness else { throw .corrupted("a list has no elements: \(name)") }
        let count = witness.stepEntries
        let defs = witness.stepDefinitions.pointer(as: UInt8.self)
        let reps = witness.stepRepetitions.pointer(as: UInt8.self)
        try valid.ensure((ValidityBits.wordCount(count) + 1) * 8)
        try values.ensure((count + 8) * 8)
        let bits = valid.pointer(as: UInt64.self)
        bits.update(repeating: 0, count: ValidityBits.wordCount(count) + 1)
        let entries = values.pointer(as: ListEntry.self)
        var slots = 0
        var present = 0
        var elements: UInt32 = 0
        for entry in 0..<count {
            if reps[entry] <= repetitionLevel {
                guard defs[entry] >= parentLevel else { continue }
                let has: UInt32 = defs[entry] >= elementLevel ? 1 : 0
                entries[slots] = ListEntry(offset: elements, count: has)
                elements &+= has
                if defs[entry] >= definedLevel {
                    bits[slots &>> 6] |= 1 &<< UInt64(slots & 63)
                    present &+= 1
                }
                slots &+= 1
            } else if reps[entry] == repetitionLevel &+ 1 {
                guard slots > 0, defs[entry] >= elementLevel else {
                    throw .corrupted("the levels of column \(name) make no sense")
                }
                entries[slots &- 1].count &+= 1
                elements &+= 1
            }
        }
        try assembleChildren(slots: Int(elements))
        var vector = Vector(physical: .list, values: values.start, children: childVectors)
        vector.entryCount = elements
        if present < slots { vector.valid = bits }
        return (vector, slots)
    }

    private func row() throws(ParquetError) -> (Vector, Int) {
        guard let witness else { throw .corrupted("a struct has no fields: \(name)") }
        let count = witness.stepEntries
        let defs = witness.stepDefinitions.pointer(as: UInt8.self)
        let reps = witness.stepRepetitions.pointer(as: UInt8.self)
        try valid.ensure((ValidityBits.wordCount(count) + 1) * 8)
        let bits = valid.pointer(as: UInt64.self)
        bits.update(repeating: 0, count: ValidityBits.wordCount(count) + 1)
        var slots = 0
        var present = 0
        for entry in 0..<count where reps[entry] <= repetitionLevel && defs[entry] >= parentLevel {
            if defs[entry] >= definedLevel {
                bits[slots &>> 6] |= 1 &<< UInt64(slots & 63)
                present &+= 1
            }
            slots &+= 1
        }
        try assembleChildren(slots: slots)
        var vector = Vector(
            physical: .row, values: UnsafeMutableRawPointer(bits), children: childVectors)
        if present < slots { vector.valid = bits }
        return (vector, slots)
    }

    private func assembleChildren(slots: Int) throws(ParquetError) {
        for (index, child) in children.enumerated() {
            let (vector, found) = try child.assemble()
            guard found == slots || found < 0 else {
                throw .corrupted("the leaves of column \(name) disagree")
            }
            childVectors[index] = vector
        }
    }
}

/// One value in memory of its own, as a constant vector.
final class ConstantVector {
    let vector: Vector
    private let memory: UnsafeMutableRawPointer
    private let children: UnsafeMutablePointer<Vector>
    private let childConstants: [ConstantVector]

    /// A NULL or a value of the type; a value of another kind than the type's layout becomes NULL.
    init(_ value: ParquetValue?, _ type: LogicalType) {
        var byteCount = 64
        if case .bytes(let bytes)? = value { byteCount += bytes.count }
        memory = allocateBuffer(byteCount: byteCount)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount + 64)
        childConstants = type.children.map { ConstantVector(nil, $0) }
        children = .allocate(capacity: max(childConstants.count, 1))
        for (index, child) in childConstants.enumerated() {
            (children + index).initialize(to: child.vector)
        }
        let physical = type.physical
        var vector = Vector(physical: physical, form: .constant, values: memory, children: children)
        var isPresent = true
        switch (physical, value) {
        case (.bool, .boolean(let flag)?): memory.storeBytes(of: flag ? 1 : 0, as: UInt8.self)
        case (.int32, .int32(let number)?): memory.storeBytes(of: number, as: Int32.self)
        case (.int64, .int64(let number)?): memory.storeBytes(of: number, as: Int64.self)
        case (.int128, .int128(let number)?): memory.storeBytes(of: number, as: Int128.self)
        case (.int64, .int32(let number)?): memory.storeBytes(of: Int64(number), as: Int64.self)
        case (.int128, .int64(let number)?): memory.storeBytes(of: Int128(number), as: Int128.self)
        case (.double, .double(let number)?): memory.storeBytes(of: number, as: Double.self)
        case (.string, .bytes(let bytes)?):
            let heap = (memory + 64).assumingMemoryBound(to: UInt8.self)
            for (index, byte) in bytes.enumerated() { heap[index] = byte }
            memory.storeBytes(of: StringView(heap, count: bytes.count), as: StringView.self)
        default: isPresent = false
        }
        if !isPresent {
            // A word of zeros: bit 0 says that the value is NULL.
            let bits = (memory + 32).assumingMemoryBound(to: UInt64.self)
            bits.pointee = 0
            vector.valid = bits
        }
        vector.isStable = false
        self.vector = vector
    }

    deinit {
        children.deallocate()
        memory.deallocate()
    }
}
