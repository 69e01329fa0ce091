import SQLFunctions
import SQLPlanning
import Vectors

/// What a join does, resolved to positions.
struct JoinShape: Sendable {
    enum Kind: Sendable {
        case inner, left, right, full, semi, anti
        /// NOT IN.
        case nullAwareAnti
        case mark(isNullAware: Bool)
        /// Rows of the build side that have a match, or have none: semi and anti joins whose given side
        /// is the smaller one.
        case buildSemi, buildAnti
    }

    var kind: Kind
    var leftTypes: [LogicalType]
    var rightTypes: [LogicalType]
    /// Positions of the keys on either side, and which keys match NULL with NULL.
    var leftKeys: [Int]
    var rightKeys: [Int]
    var matchesNulls: [Bool]
    var keyTypes: [LogicalType]
    /// Which columns of either side the output has, in order.
    var leftOutput: [Int]
    var rightOutput: [Int]
    /// What else must hold of a pair, over left columns then right columns.
    var residual: [BoundExpression]
    var pairLayout: Layout

    /// Whether rows of the build side are given when the probe side is done.
    var keepsRight: Bool {
        switch kind {
        case .right, .full, .buildSemi, .buildAnti: true
        default: false
        }
    }

    /// Whether the rows given at the end are those with a match.
    var keepsMatched: Bool { if case .buildSemi = kind { true } else { false } }

    /// Whether the output has the build side's columns.
    var givesRight: Bool { givesPairs || keepsRight }

    /// Whether pairs are given as they are found.
    var givesPairs: Bool {
        switch kind {
        case .inner, .left, .right, .full: true
        default: false
        }
    }

    /// The roles of the keys on one side. For IN, NULLs within nested values meet: unknown are only
    /// keys that are NULL as a whole.
    func roles(_ side: KeyRole) -> [KeyRole] {
        matchesNulls.map { $0 ? .grouping : isNullAware ? side.meetingNulls : side }
    }

    var isNullAware: Bool {
        switch kind {
        case .nullAwareAnti, .mark(isNullAware: true): true
        default: false
        }
    }
}

/// How the build side's rows lie, and where each of its columns is found in them.
struct JoinLayout: Sendable {
    let row: RowLayout
    let shape: RowShape
    /// Of each column of the right side, the field that has it.
    let fields: [RowLayout.Field]
    /// Columns of the right side that are stored as payload.
    let payloadColumns: [Int]
    /// Where a row's chain and its match flag are.
    let nextOffset: Int
    let matchedOffset: Int
    /// Keys of which a NULL matches nothing: their NULL bits in the header.
    let strictNullMask: UInt64
    let strictNullFields: [RowLayout.Field]
    private let hasStrictFields: Bool

    init(_ shape: JoinShape) {
        // Key columns whose packed form loses nothing are not stored a second time.
        var columns: [Int] = []
        var wanted: Set<Int> = shape.givesRight ? Set(shape.rightOutput) : []
        for predicate in shape.residual {
            visitColumns(predicate) { id, _ in
                guard let index = shape.pairLayout.index(of: id) else { return }
                if index >= shape.leftTypes.count { wanted.insert(index - shape.leftTypes.count) }
            }
        }
        for column in shape.rightTypes.indices where wanted.contains(column) {
            let isKey =
                shape.rightKeys.contains(column) && isKeptByPacking(shape.rightTypes[column])
            if !isKey { columns.append(column) }
        }
        payloadColumns = columns
        row = RowLayout(
            keys: shape.keyTypes, payload: columns.map { shape.rightTypes[$0] }, extraBytes: 16)
        nextOffset = row.extraOffset
        matchedOffset = row.extraOffset + 8
        var fields: [RowLayout.Field] = []
        for column in shape.rightTypes.indices {
            if let position = columns.firstIndex(of: column) {
                fields.append(row.payload[position])
            } else if let position = shape.rightKeys.firstIndex(of: column) {
                fields.append(row.keys[position])
            } else {
                // Never read: nobody wants the column.
                fields.append(
                    RowLayout.Field(
                        type: shape.rightTypes[column], physical: .bool, offset: 0, nullOffset: 0,
                        nullBit: 0, isView: false, isNested: false))
            }
        }
        self.fields = fields
        self.shape = RowShape(width: row.width, views: row.viewOffsets)
        var mask: UInt64 = 0
        var strict: [RowLayout.Field] = []
        for (index, field) in row.keys.enumerated() where !shape.matchesNulls[index] {
            if field.nullOffset == 0 { mask |= field.nullBit } else { strict.append(field) }
        }
        strictNullMask = mask
        strictNullFields = strict
        hasStrictFields = !strict.isEmpty
    }

    /// Whether a key of the packed row is NULL and so matches nothing.
    @inline(__always) func hasStrictNull(_ packed: UnsafeMutableRawPointer) -> Bool {
        if packed.load(as: UInt64.self) & strictNullMask != 0 { return true }
        return hasStrictFields && hasStrictNullBeyond(packed)
    }

    /// The same for keys beyond the sixteenth.
    private func hasStrictNullBeyond(_ packed: UnsafeMutableRawPointer) -> Bool {
        for field in strictNullFields where isNull(field, packed) { return true }
        return false
    }
}

/// Whether packing a key of the type keeps every bit of it.
private func isKeptByPacking(_ type: LogicalType) -> Bool {
    switch type {
    case .real, .double, .timestampWithTimeZone, .timeWithTimeZone, .char: false
    default: type.children.isEmpty
    }
}
