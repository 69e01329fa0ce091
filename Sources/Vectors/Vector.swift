/// How the rows of a vector are represented.
@usableFromInline
package enum Form: UInt8, BitwiseCopyable, Sendable {
    /// One value a row.
    case flat
    /// One value for all rows.
    case constant
    /// `codes[row]` is the entry of each row. Only for strings (and children of nested values).
    case dictionary
}

/// Where the elements of one array or map value lie in the child vectors.
@usableFromInline
package struct ListEntry: BitwiseCopyable, Sendable {
    @usableFromInline package var offset: UInt32
    @usableFromInline package var count: UInt32

    @inlinable package init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }
}

/// One column of a chunk: plain pointers to memory that somebody else owns.
@usableFromInline
package struct Vector: BitwiseCopyable, @unchecked Sendable {
    // Safe because a vector is only handed to another thread together with the memory's owner.

    /// The rows, or the dictionary's entries, or one value; `physical.width` bytes each. Rows have none.
    @usableFromInline package var values: UnsafeMutableRawPointer
    /// Dictionary form: the entry of each row.
    @usableFromInline package var codes: UnsafeMutablePointer<UInt32>?
    /// Bit `row` is set where the row is not NULL; nil: no NULL here. Bits are of rows, also in
    /// dictionary form (entries are never NULL); in constant form bit 0 counts.
    @usableFromInline package var valid: UnsafeMutablePointer<UInt64>?
    /// Lists: [element] or [key, value]; rows: the fields, with the same rows as this vector.
    @usableFromInline package var children: UnsafeMutablePointer<Vector>?
    /// Identifies the dictionary, so that work on its entries can be remembered; 0: none.
    @usableFromInline package var dictionaryID: UInt32
    /// Entries of the dictionary; for lists: rows of the children.
    @usableFromInline package var entryCount: UInt32
    @usableFromInline package var physical: PhysicalType
    @usableFromInline package var form: Form
    /// Whether bytes of long strings live until the query ends.
    @usableFromInline package var isStable: Bool

    @inlinable package init(
        physical: PhysicalType, form: Form = .flat, values: UnsafeMutableRawPointer,
        codes: UnsafeMutablePointer<UInt32>? = nil, valid: UnsafeMutablePointer<UInt64>? = nil,
        children: UnsafeMutablePointer<Vector>? = nil, dictionaryID: UInt32 = 0,
        entryCount: UInt32 = 0,
        isStable: Bool = false
    ) {
        self.values = values
        self.codes = codes
        self.valid = valid
        self.children = children
        self.dictionaryID = dictionaryID
        self.entryCount = entryCount
        self.physical = physical
        self.form = form
        self.isStable = isStable
    }

    /// The values as a concrete type, which must match `physical`.
    @inlinable package func pointer<Value: BitwiseCopyable>(
        as type: Value.Type
    ) -> UnsafeMutablePointer<Value> { values.assumingMemoryBound(to: type) }

    /// Whether the row is not NULL.
    @inlinable package func isValid(_ row: Int) -> Bool {
        guard let valid else { return true }
        let index = form == .constant ? 0 : row
        return valid[index &>> 6] &>> UInt64(index & 63) & 1 != 0
    }

    /// Where in `values` the row's value lies.
    @inlinable package func valueIndex(_ row: Int) -> Int {
        switch form {
        case .flat: row
        case .constant: 0
        case .dictionary: Int(codes.unsafelyUnwrapped[row])
        }
    }

    /// Reads one value; for cold code.
    @inlinable package func value<Value: BitwiseCopyable>(_ row: Int, as type: Value.Type) -> Value
    {
        pointer(as: type)[valueIndex(row)]
    }

    /// Reads one string view; for cold code.
    @inlinable package func string(_ row: Int) -> StringView { value(row, as: StringView.self) }
}

/// Sets of validity bits.
@usableFromInline
package enum ValidityBits {
    /// Words that hold `rowCount` bits.
    @inlinable package static func wordCount(_ rowCount: Int) -> Int { (rowCount &+ 63) &>> 6 }

    /// Sets the bit of `row`; the mask must be long enough.
    @inlinable package static func set(_ bits: UnsafeMutablePointer<UInt64>, _ row: Int) {
        bits[row &>> 6] |= 1 &<< UInt64(row & 63)
    }

    /// Clears the bit of `row`; the mask must be long enough.
    @inlinable package static func clear(_ bits: UnsafeMutablePointer<UInt64>, _ row: Int) {
        bits[row &>> 6] &= ~(1 &<< UInt64(row & 63))
    }

    /// Fills `rowCount` bits (in whole words) with ones or zeros.
    @inlinable package static func fill(
        _ bits: UnsafeMutablePointer<UInt64>, rowCount: Int, valid: Bool
    ) {
        bits.update(repeating: valid ? ~0 : 0, count: wordCount(rowCount))
    }
}
