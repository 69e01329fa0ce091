import Bytes
import Vectors

/// A column's values, a batch at a time: find them, bring them into their stored form, widen the
/// bounds, number them by the dictionary or append them as they are.
extension LeafWriter {
    /// Appends rows of a column without nesting: `selection` names them, or they are `rows` themselves.
    func append(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ rows: Range<Int>
    ) throws(ParquetError) {
        var first = rows.lowerBound
        while first < rows.upperBound {
            var count = min(rows.upperBound - first, pageRoom, LeafWriter.batchRows)
            if form == .bytes { count = fitting(vector, selection, first, count) }
            let present = find(vector, selection, first, count)
            guard present == count || leaf.maxDefinition > 0 else {
                throw ParquetError(
                    code: .valueOutOfRange,
                    message: "column \(leaf.path.joined(separator: ".")) is required and got NULL")
            }
            pageValues += count
            try appendFound(vector, present)
            try endRows(count)
            first += count
        }
    }

    // MARK: Levels

    /// Places a value of a nested column; `appendPlaced` takes it.
    func place(_ index: Int, repetition: Int) {
        placed.append(UInt32(truncatingIfNeeded: index))
        definitions.append(UInt8(truncatingIfNeeded: leaf.maxDefinition))
        if leaf.maxRepetition > 0 { repetitions.append(UInt8(truncatingIfNeeded: repetition)) }
        pageValues += 1
    }

    /// A place without a value: NULL here or above, or an empty list above.
    func placeMissing(definition: Int, repetition: Int) {
        definitions.append(UInt8(truncatingIfNeeded: definition))
        if leaf.maxRepetition > 0 { repetitions.append(UInt8(truncatingIfNeeded: repetition)) }
        pageValues += 1
        bounds.nullCount += 1
    }

    /// Takes the values that were placed out of the leaf's vector.
    func appendPlaced(_ vector: Vector) throws(ParquetError) {
        var done = 0
        while done < placed.count {
            let count = min(placed.count - done, LeafWriter.batchRows)
            let rows = placed.start + done
            indexes.removeAll()
            let to = indexes.reserve(count)
            for index in 0..<count {
                to[index] = UInt32(truncatingIfNeeded: vector.valueIndex(Int(rows[index])))
            }
            indexes.advance(count)
            try appendFound(vector, count)
            done += count
        }
        placed.removeAll()
    }

    /// Puts where the batch's values lie into `indexes` and its definition levels behind the page's;
    /// how many there are.
    private func find(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ first: Int, _ count: Int
    ) -> Int {
        indexes.removeAll()
        let to = indexes.reserve(count)
        var found = 0
        if let valid = vector.valid {
            let levels = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
            defer { levels.deallocate() }
            let isConstant = vector.form == .constant
            for index in 0..<count {
                let row = selection.map { Int($0[first &+ index]) } ?? (first &+ index)
                let bit = isConstant ? 0 : row
                let level = UInt8(truncatingIfNeeded: valid[bit &>> 6] &>> UInt64(bit & 63) & 1)
                levels[index] = level
                to[found] = UInt32(truncatingIfNeeded: row)
                found &+= Int(level)
            }
            appendFlatLevels(levels, count, found)
            bounds.nullCount += count - found
        } else {
            if let selection {
                to.update(from: selection + first, count: count)
            } else {
                for index in 0..<count { to[index] = UInt32(truncatingIfNeeded: first &+ index) }
            }
            found = count
            appendFlatLevels(nil, count, count)
        }
        switch vector.form {
        case .flat: break
        case .constant: to.update(repeating: 0, count: found)
        case .dictionary:
            guard let codes = vector.codes else { break }
            for index in 0..<found { to[index] = codes[Int(to[index])] }
        }
        indexes.advance(found)
        return found
    }

    /// Definition levels of a column without nesting: 0 and 1. None are kept while all are 1.
    private func appendFlatLevels(_ levels: UnsafePointer<UInt8>?, _ count: Int, _ present: Int) {
        if leaf.maxDefinition == 0 { return }
        if definitions.count == 0 && present == count { return }
        if definitions.count == 0 { definitions.append(1, count: pageValues) }
        if let levels {
            definitions.append(levels, count: count)
        } else {
            definitions.append(1, count: count)
        }
    }

    /// How many of the rows fill about a page with their bytes, one at least.
    private func fitting(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ first: Int, _ count: Int
    ) -> Int {
        let views = UnsafePointer(vector.pointer(as: StringView.self))
        var bytes = 0
        for index in 0..<count {
            let row = selection.map { Int($0[first &+ index]) } ?? (first &+ index)
            if vector.isValid(row) { bytes &+= views[vector.valueIndex(row)].count }
            if bytes > options.pageBytes { return max(index, 1) }
        }
        return count
    }

    // MARK: Values

    /// Takes the values at `indexes`.
    private func appendFound(_ vector: Vector, _ count: Int) throws(ParquetError) {
        if count == 0 { return }
        bounds.valueCount += count
        let at = UnsafePointer(indexes.start)
        switch form {
        case .boolean:
            let from = vector.pointer(as: UInt8.self)
            let to = flags.reserve(count)
            var any: UInt8 = 0
            var all: UInt8 = 1
            for index in 0..<count {
                let flag = from[Int(at[index])] & 1
                to[index] = flag
                any |= flag
                all &= flag
            }
            flags.advance(count)
            bounds.widen(.boolean(all == 1), .boolean(any == 1))
        case .int32:
            let from = vector.pointer(as: Int32.self)
            let range = fill(words4, count) {
                UInt32(bitPattern: from[Int(at[$0])])
            } order: {
                Int32(bitPattern: $0)
            }
            bounds.widen(.int32(range.low), .int32(range.high))
            store(words4, count)
        case .decimal32:
            let from = vector.pointer(as: Int64.self)
            let range = fill(words8, count) {
                UInt64(bitPattern: from[Int(at[$0])])
            } order: {
                Int64(bitPattern: $0)
            }
            guard Int32(exactly: range.low) != nil, Int32(exactly: range.high) != nil else {
                throw outOfRange()
            }
            bounds.widen(.int64(range.low), .int64(range.high))
            let to = words4.reserve(count)
            for index in 0..<count { to[index] = UInt32(truncatingIfNeeded: words8.start[index]) }
            store(words4, count)
        case .int64, .time, .timeNanos, .packedMicros, .packedNanos:
            try appendLong(vector, count)
        case .float, .double:
            appendFloating(vector, count)
        case .decimal:
            let from = vector.pointer(as: Int128.self)
            let range = fill(words16, count) {
                UInt128(bitPattern: from[Int(at[$0])])
            } order: {
                Int128(bitPattern: $0)
            }
            bounds.widen(.int128(range.low), .int128(range.high))
            store(words16, count)
        case .uuid:
            let from = vector.pointer(as: Int128.self)
            let top = UInt128(1) << 127
            let range = fill(words16, count) {
                UInt128(bitPattern: from[Int(at[$0])]) ^ top
            } order: {
                Int128(bitPattern: $0 ^ top)
            }
            bounds.widen(.int128(range.low), .int128(range.high))
            store(words16, count)
        case .bytes:
            appendBytes(vector, count)
        }
    }

    /// Fills a scratch buffer and says between which values its words lie.
    @inline(__always)
    private func fill<Word: BitwiseCopyable, Value: FixedWidthInteger>(
        _ words: GrowingBuffer<Word>, _ count: Int, _ word: (Int) -> Word, order: (Word) -> Value
    ) -> (low: Value, high: Value) {
        let to = words.reserve(count)
        var low = Value.max
        var high = Value.min
        for index in 0..<count {
            let next = word(index)
            to[index] = next
            let value = order(next)
            low = min(low, value)
            high = max(high, value)
        }
        return (low, high)
    }

    private func appendLong(_ vector: Vector, _ count: Int) throws(ParquetError) {
        let at = UnsafePointer(indexes.start)
        let range: (low: Int64, high: Int64)
        let order = { (word: UInt64) in Int64(bitPattern: word) }
        switch form {
        case .time, .timeNanos:
            let unit: Int64 = form == .time ? 1_000_000 : 1000
            let from = vector.pointer(as: Int64.self)
            range = fill(
                words8, count, { UInt64(bitPattern: from[Int(at[$0])] / unit) }, order: order)
            bounds.widen(.int64(range.low &* unit), .int64(range.high &* unit))
        case .packedMicros:
            let from = vector.pointer(as: Int128.self)
            range = fill(
                words8, count, { UInt64(truncatingIfNeeded: from[Int(at[$0])] >> 64) },
                order: order)
            bounds.widen(.int128(Int128(range.low) << 64), .int128(Int128(range.high) << 64))
        case .packedNanos:
            let from = vector.pointer(as: Int128.self)
            var shift: Int128 = 0
            if case .timestampWithTimeZone = type { shift = 16 }
            var isLost = false
            range = fill(
                words8, count,
                { index in
                    let packed = from[Int(at[index])]
                    let micros = Int64(truncatingIfNeeded: packed >> 64)
                    let picos = Int64(
                        truncatingIfNeeded: (packed & 0xFFFF_FFFF_FFFF_FFFF) >> shift)
                    let (scaled, overflow) = micros.multipliedReportingOverflow(by: 1000)
                    let (nanos, carry) = scaled.addingReportingOverflow(picos / 1000)
                    isLost = isLost || overflow || carry
                    return UInt64(bitPattern: nanos)
                }, order: order)
            if isLost { throw outOfRange() }
            bounds.widen(.int128(packed(range.low)), .int128(packed(range.high)))
        default:
            let from = vector.pointer(as: Int64.self)
            range = fill(words8, count, { UInt64(bitPattern: from[Int(at[$0])]) }, order: order)
            bounds.widen(.int64(range.low), .int64(range.high))
        }
        store(words8, count)
    }

    /// Nanoseconds in the engine's form, without the bits of a zone.
    private func packed(_ nanos: Int64) -> Int128 {
        let (quotient, rest) = nanos.quotientAndRemainder(dividingBy: 1000)
        let micros = rest < 0 ? quotient - 1 : quotient
        return Int128(micros) << 64 | Int128(rest < 0 ? rest + 1000 : rest) * 1000
    }

    private func appendFloating(_ vector: Vector, _ count: Int) {
        let from = vector.pointer(as: Double.self)
        let at = UnsafePointer(indexes.start)
        var low = Double.infinity
        var high = -Double.infinity
        var nans = 0
        for index in 0..<count {
            let value = from[Int(at[index])]
            low = value < low ? value : low
            high = value > high ? value : high
            if value != value { nans &+= 1 }
        }
        bounds.nanCount += nans
        if nans < count { bounds.widen(.double(low), .double(high)) }
        if form == .float {
            let to = words4.reserve(count)
            for index in 0..<count { to[index] = Float(from[Int(at[index])]).bitPattern }
            store(words4, count)
        } else {
            let to = words8.reserve(count)
            for index in 0..<count { to[index] = from[Int(at[index])].bitPattern }
            store(words8, count)
        }
    }

    private func appendBytes(_ vector: Vector, _ count: Int) {
        let views = UnsafePointer(vector.pointer(as: StringView.self))
        let at = UnsafePointer(indexes.start)
        if let dictionary = dictionary as? BytesDictionary {
            let to = codes.reserve(count)
            if vector.form == .dictionary, vector.dictionaryID != 0 {
                dictionary.encode(dictionary: vector, at, count, into: to)
            } else {
                dictionary.encode(views, at, count, into: to)
            }
            codes.advance(count)
            return
        }
        plain.appendPlain(views, at, count)
        var low = Int(at[0])
        var high = low
        for index in 1..<count {
            let next = Int(at[index])
            if StringView.compare(views[next], views[low]) < 0 {
                low = next
            } else if StringView.compare(views[next], views[high]) > 0 {
                high = next
            }
        }
        bounds.widen(views[low], views[high])
        if wantsHashes {
            for index in 0..<count {
                addHash(
                    xxHash64(
                        UnsafeRawBufferPointer(StringView.bytes(at: views + Int(at[index])))))
            }
        }
    }

    /// Puts the scratch buffer's words into the page.
    @_specialize(where Word == UInt32)
    @_specialize(where Word == UInt64)
    @_specialize(where Word == UInt128)
    private func store<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ words: GrowingBuffer<Word>, _ count: Int
    ) {
        if let dictionary = dictionary as? WordDictionary<Word> {
            dictionary.encode(words.start, count, into: codes.reserve(count))
            codes.advance(count)
            return
        }
        guard let width = form.width else { return }
        let to = UnsafeMutableRawPointer(plain.reserve(count * width.byteCount + 16))
        if case .big(let byteCount) = width {
            for index in 0..<count {
                // The lowest bytes, turned, come first; what is behind them is overwritten.
                let turned = UInt128(truncatingIfNeeded: words.start[index]).bigEndian
                (to + index &* byteCount).storeBytes(
                    of: turned >> UInt128(8 * (16 - byteCount)), as: UInt128.self)
            }
        } else {
            to.copyMemory(from: words.start, byteCount: count * width.byteCount)
        }
        plain.advance(count * width.byteCount)
        if wantsHashes {
            for index in 0..<count {
                addHash(width.hash(UInt128(truncatingIfNeeded: words.start[index])))
            }
        }
    }

    private func outOfRange() -> ParquetError {
        ParquetError(
            code: .valueOutOfRange,
            message:
                "a value of column \(leaf.path.joined(separator: ".")) does not fit \(type) in a file"
        )
    }
}
