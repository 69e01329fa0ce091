import Vectors

/// A bigint column whose rows have a value of their own in the file, or else one that follows from where
/// the row lies. Source: Iceberg specification, version 3, "Row Lineage".
final class Inheritance {
    /// The values that the file keeps; nil: none.
    let stored: FlatCursor?
    private let start: Int64
    private let isCounted: Bool
    private let buffer: ScanBuffer

    init(
        _ file: ParquetFile, _ field: ParquetField?, _ start: Int64, isCounted: Bool,
        _ options: ScanOptions, _ memory: ScanMemory
    ) throws(ParquetError) {
        if let leaf = field?.leaf {
            stored = FlatCursor(
                file, leaf, try LeafConversion(leaf, as: .bigint), options: options, memory: memory)
        } else {
            stored = nil
        }
        self.start = start
        self.isCounted = isCounted
        buffer = ScanBuffer(memory)
    }

    /// The selected rows of a step that begins at the file's row `firstRow`; never NULL.
    func materialise(
        _ firstRow: Int, _ selection: UnsafePointer<UInt32>?, _ selected: Int, into slot: OutputSlot
    ) throws(ParquetError) -> Vector {
        try buffer.ensure((selected + 8) * 8)
        let to = buffer.pointer(as: Int64.self)
        for index in 0..<selected {
            let row = selection.map { Int($0[index]) } ?? index
            to[index] = isCounted ? start &+ Int64(firstRow &+ row) : start
        }
        if let kept = try stored?.materialise(selection, selected, into: slot) {
            for index in 0..<selected where kept.isValid(index) {
                to[index] = kept.value(index, as: Int64.self)
            }
        }
        return Vector(physical: .int64, values: buffer.start)
    }
}
