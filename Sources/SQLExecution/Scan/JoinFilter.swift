import Synchronization
package import Vectors

/// What a join's finished build side says of the keys that can match; read by scans of the probe side.
///
/// Integer keys: bounds, and an exact bitmap or a blocked Bloom filter. Other keys: a Bloom filter of
/// hashes. Immutable once published; a scan that begins earlier sees nothing and drops nothing.
package final class JoinFilter: Sendable {
    /// Contents, set once.
    struct Contents: @unchecked Sendable {
        // Safe because it is not changed after it was published.
        var isEmpty = false
        var minimum: Int64 = .min
        var maximum: Int64 = .max
        /// Bit `key - minimum`; nil: no bitmap.
        var bitmap: UnsafeMutablePointer<UInt64>?
        var bitmapBits = 0
        /// One word a bucket, three bits a key.
        var bloom: UnsafeMutablePointer<UInt64>?
        var bloomMask = 0
        var hasBounds = false
        var isText = false
    }

    private let published = Mutex<Contents?>(nil)

    init() {}

    deinit {
        if let contents = published.withLock({ $0 }) {
            contents.bitmap?.deallocate()
            contents.bloom?.deallocate()
        }
    }

    func publish(_ contents: Contents) { published.withLock { $0 = contents } }

    /// Whether the build side has been published.
    package var isReady: Bool { published.withLock { $0 != nil } }

    /// Whether no key can match.
    package var isEmpty: Bool { published.withLock { $0?.isEmpty ?? false } }

    /// Bounds of the keys, as stored values of integers, dates and 64-bit decimals; nil: unknown.
    package var bounds: ClosedRange<Int64>? {
        published.withLock { contents in
            guard let contents, contents.hasBounds, contents.minimum <= contents.maximum else {
                return nil
            }
            return contents.minimum...contents.maximum
        }
    }

    /// Whether testing rows pays: there is a bitmap or Bloom filter.
    package var isSelective: Bool {
        published.withLock { $0.map { $0.isEmpty || $0.bitmap != nil || $0.bloom != nil } ?? false }
    }

    /// Narrows a selection (nil: rows `0..<count`) to rows whose key may match. The vector is flat or,
    /// for strings, a dictionary; NULLs never match.
    package func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let contents = published.withLock({ $0 }) else {
            for index in 0..<count { output[index] = selection?[index] ?? UInt32(index) }
            return count
        }
        if contents.isEmpty { return 0 }
        var rows = ActiveRows(count: count, selection: selection, active: count)
        if selection != nil { rows.count = .max }
        let found: Int
        switch vector.physical {
        case .int32 where vector.form == .flat:
            found = selectIntegers(vector.pointer(as: Int32.self), contents, rows, output)
        case .int64 where vector.form == .flat:
            found = selectIntegers(vector.pointer(as: Int64.self), contents, rows, output)
        case .string where contents.isText && contents.bloom != nil:
            let values = vector.pointer(as: StringView.self)
            var kept = 0
            for index in 0..<count {
                let row = rows.row(index)
                output[kept] = UInt32(truncatingIfNeeded: row)
                kept &+= bit(
                    JoinFilter.mayContain(contents, mix(hashView(values[vector.valueIndex(row)]))))
            }
            found = kept
        default:
            for index in 0..<count { output[index] = selection?[index] ?? UInt32(index) }
            found = count
        }
        guard vector.valid != nil else { return found }
        var kept = 0
        for index in 0..<found {
            let row = output[index]
            output[kept] = row
            kept &+= bit(vector.isValid(Int(row)))
        }
        return kept
    }

    private func selectIntegers<Value: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafePointer<Value>, _ contents: Contents, _ rows: ActiveRows,
        _ output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let minimum = contents.minimum
        if let bitmap = contents.bitmap {
            let limit = UInt64(contents.bitmapBits)
            return selectAny(values, rows, output) { value in
                let bit = UInt64(bitPattern: Int64(truncatingIfNeeded: value) &- minimum)
                let inside = bit < limit
                let word = bitmap[Int(truncatingIfNeeded: inside ? bit &>> 6 : 0)]
                return inside && word &>> (bit & 63) & 1 != 0
            }
        }
        let maximum = contents.maximum
        if contents.bloom != nil {
            return selectAny(values, rows, output) { value in
                let key = Int64(truncatingIfNeeded: value)
                return key >= minimum && key <= maximum
                    && JoinFilter.mayContain(contents, mix(UInt64(bitPattern: key)))
            }
        }
        return selectAny(values, rows, output) { value in
            let key = Int64(truncatingIfNeeded: value)
            return key >= minimum && key <= maximum
        }
    }

    @inline(__always) private func selectAny<Value: BitwiseCopyable>(
        _ values: UnsafePointer<Value>, _ rows: ActiveRows, _ output: UnsafeMutablePointer<UInt32>,
        _ test: (Value) -> Bool
    ) -> Int {
        var found = 0
        for index in 0..<rows.active {
            let row = rows.row(index)
            output[found] = UInt32(truncatingIfNeeded: row)
            found &+= bit(test(values[row]))
        }
        return found
    }

    /// The three bits of a hash within its word.
    @inline(__always) static func bloomBits(_ hash: UInt64) -> UInt64 {
        1 &<< (hash & 63) | 1 &<< (hash &>> 6 & 63) | 1 &<< (hash &>> 12 & 63)
    }

    @inline(__always) static func mayContain(_ contents: Contents, _ hash: UInt64) -> Bool {
        let bits = bloomBits(hash)
        let word = contents.bloom.unsafelyUnwrapped[
            Int(truncatingIfNeeded: hash &>> 20) & contents.bloomMask]
        return word & bits == bits
    }
}

/// The worst row that top-N still keeps, by its first key: scans may drop rows beyond it.
package final class TopNBound: Sendable {
    /// The scan column that the bound is on, and its direction.
    package let column: Int
    package let isAscending: Bool
    private let value = Mutex<Int64?>(nil)

    init(column: Int, isAscending: Bool) {
        self.column = column
        self.isAscending = isAscending
    }

    /// Stored value of an integer, date, timestamp or narrow decimal; nil: no bound yet. Values equal to
    /// it must stay.
    package var current: Int64? { value.withLock { $0 } }

    func tighten(_ candidate: Int64) {
        value.withLock { bound in
            guard let present = bound else {
                bound = candidate
                return
            }
            bound = isAscending ? min(present, candidate) : max(present, candidate)
        }
    }
}
