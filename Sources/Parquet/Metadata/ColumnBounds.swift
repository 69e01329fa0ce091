import Vectors

extension ColumnBounds {
    /// Turns a file's statistics into bounds of the engine's values, and drops what cannot be trusted:
    /// orders nobody defined, NaN bounds, INT96, deprecated bounds of types whose signed order is not
    /// their order.
    init(
        _ raw: RawStatistics?, leaf: ParquetLeaf, type: LogicalType, rowCount: Int,
        order: ColumnOrder
    ) {
        self.init()
        self.rowCount = rowCount
        guard let raw else { return }
        if let nulls = raw.nullCount, nulls <= rowCount { nullCount = nulls }
        let isFloating = leaf.type == .float || leaf.type == .double || leaf.annotation == .float16
        nanCount = isFloating ? raw.nanCount : 0
        guard let conversion = try? LeafConversion(leaf, as: type), leaf.type != .int96,
            leaf.annotation != .interval
        else { return }
        var low = raw.min
        var high = raw.max
        if low == nil && high == nil {
            guard ColumnBounds.signedOrderHolds(leaf) else { return }
            low = raw.oldMin
            high = raw.oldMax
        } else if order == .unknown || (order == .int96) {
            // Without an order the pair's meaning is undefined, but signed numbers leave no choice.
            guard ColumnBounds.signedOrderHolds(leaf) else { return }
        }
        lower = low.flatMap { ColumnBounds.value($0, leaf, conversion) }
        upper = high.flatMap { ColumnBounds.value($0, leaf, conversion) }
        if case .double(let bound)? = lower, bound.isNaN { lower = nil }
        if case .double(let bound)? = upper, bound.isNaN { upper = nil }
        let isFixed = conversion.physical != .string
        isLowerExact = lower != nil && (raw.isMinExact ?? isFixed) && !isFloating
        isUpperExact = upper != nil && (raw.isMaxExact ?? isFixed) && !isFloating
    }

    /// Whether a signed comparison is the order of the leaf's type, as for the deprecated bounds.
    private static func signedOrderHolds(_ leaf: ParquetLeaf) -> Bool {
        switch leaf.type {
        case .boolean, .float, .double: true
        case .int32, .int64:
            if case .integer(_, isSigned: false) = leaf.annotation { false } else { true }
        case .int96, .byteArray, .fixedLengthByteArray: false
        }
    }

    /// One bound: PLAIN bytes, converted as a page's value would be.
    private static func value(
        _ bytes: [UInt8], _ leaf: ParquetLeaf, _ conversion: LeafConversion
    ) -> ParquetValue? {
        let width: Int
        switch leaf.type {
        case .boolean: width = 1
        case .int32, .float: width = 4
        case .int64, .double: width = 8
        case .int96: return nil
        case .fixedLengthByteArray: width = leaf.typeLength
        case .byteArray: width = bytes.count
        }
        if conversion == .strings { return .bytes(bytes) }
        guard bytes.count == width, width <= 64, width > 0 else { return nil }
        // 64 bytes of room for the widest kernel, zeroed behind the value.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 192, alignment: 16)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        memory.copyBytes(from: bytes)
        guard let stored = memory.baseAddress else { return nil }
        let output = stored + 128
        var kernel = conversion
        if conversion == .variableDecimal64 { kernel = .decimal64(stride: width) }
        if conversion == .variableDecimal128 { kernel = .decimal128(stride: width) }
        let visitor = GatherStored(
            base: UnsafeRawPointer(stored), indices: nil, count: 1, output: output)
        guard let fault = kernel.accept(visitor), fault == 0 else { return nil }
        switch conversion.physical {
        case .bool: return .boolean(output.load(as: UInt8.self) & 1 == 1)
        case .int32: return .int32(output.load(as: Int32.self))
        case .int64: return .int64(output.load(as: Int64.self))
        case .int128: return .int128(output.load(as: Int128.self))
        case .double: return .double(output.load(as: Double.self))
        case .string, .list, .row: return nil
        }
    }
}
