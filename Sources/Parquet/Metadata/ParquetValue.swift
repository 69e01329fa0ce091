/// One value in the engine's representation of its SQL type (see the story of `Vectors`).
///
/// A decimal is its unscaled number, a timestamp microseconds (or the packed 128 bits), a real a
/// double, a uuid the 128 bits with the top bit flipped, text and binary their bytes.
package enum ParquetValue: Sendable, Hashable {
    case boolean(Bool)
    case int32(Int32)
    case int64(Int64)
    case int128(Int128)
    case double(Double)
    case bytes([UInt8])
}

extension ParquetValue {
    /// The order of the value's own kind; nil for values of different kinds and for NaN.
    package static func compare(_ left: ParquetValue, _ right: ParquetValue) -> Int? {
        switch (left, right) {
        case (.boolean(let a), .boolean(let b)): (a ? 1 : 0) - (b ? 1 : 0)
        case (.int32(let a), .int32(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.int64(let a), .int64(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.int128(let a), .int128(let b)): a < b ? -1 : a > b ? 1 : 0
        case (.double(let a), .double(let b)): a < b ? -1 : a > b ? 1 : a == b ? 0 : nil
        case (.bytes(let a), .bytes(let b)):
            a.lexicographicallyPrecedes(b) ? -1 : b.lexicographicallyPrecedes(a) ? 1 : 0
        default: nil
        }
    }
}

/// What is known of the values of one column in a row group or page, for pruning.
///
/// Bounds always hold: every value that is neither NULL nor NaN lies within them. They need not be
/// values that occur, unless marked exact. An absent bound says nothing.
package struct ColumnBounds: Sendable, Hashable {
    package var lower: ParquetValue?
    package var upper: ParquetValue?
    package var isLowerExact = false
    package var isUpperExact = false
    /// Rows, including NULLs (for nested leaves: values).
    package var rowCount = 0
    /// NULLs; nil: unknown.
    package var nullCount: Int?
    /// NaNs; nil: unknown, and there may be some in a real or double column.
    package var nanCount: Int?

    package init() {}

    /// Whether every row is NULL.
    package var isAllNull: Bool { nullCount == rowCount }
    /// Whether no row can be NULL.
    package var hasNoNull: Bool { nullCount == 0 }
}
