import Vectors

/// Finds groups without hashing where all keys have few values: dictionary codes and narrow integers are
/// mapped to small ids, and the ids of all keys index an array of groups.
///
/// Ids are stable over dictionaries: an entry is interned by its text once a dictionary. It only caches
/// what the group table found, so leaving it at any time is right.
final class SmallDomain {
    private final class Key {
        let field: RowLayout.Field
        /// Texts known, to their ids; 0 is NULL.
        var texts: [[UInt8]: UInt32] = [:]
        var remap: [UInt32] = []
        var dictionaryID: UInt32 = 0
        /// Integers: the id of a value is `value - base + 1`.
        var base: Int64?
        var capacity = 16
        let isText: Bool

        init(_ field: RowLayout.Field) {
            self.field = field
            isText = field.physical == .string && !field.isNested
        }

        /// Ids in use, NULL among them.
        var idCount: Int { isText ? texts.count + 1 : capacity }
    }

    private static let integerRange: Int64 = 1022
    private let keys: [Key]
    private var cache: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    private var cacheCount = 0
    private let ids = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private var misses = 0
    private(set) var isOff = false

    init?(_ layout: RowLayout) {
        guard !layout.keys.isEmpty, layout.keys.count <= 4 else { return nil }
        for field in layout.keys {
            if field.isNested { return nil }
            switch field.type {
            case .varchar, .boolean, .tinyint, .smallint, .integer, .bigint, .date: break
            default: return nil
            }
        }
        keys = layout.keys.map { Key($0) }
    }

    deinit {
        cache?.deallocate()
        ids.deallocate()
    }

    /// Forgets all groups: their rows are gone.
    func reset() {
        cache?.initialize(repeating: nil, count: cacheCount)
    }

    /// Finds the groups of the active rows; false when the keys of this chunk do not fit, and nothing
    /// was done. `lookUp` finds the group of one row the usual way.
    func find(
        _ columns: UnsafePointer<Vector>, _ indices: [Int], _ rows: ActiveRows,
        _ groups: UnsafeMutablePointer<UnsafeMutableRawPointer>,
        lookUp: (_ row: Int) -> UnsafeMutableRawPointer
    ) -> Bool {
        if isOff { return false }
        for (position, key) in keys.enumerated() {
            guard prepare(key, columns[indices[position]], rows) else {
                misses += 1
                if misses > 16 { isOff = true }
                return false
            }
        }
        guard makeRoom() else {
            isOff = true
            return false
        }
        var scale: UInt32 = 1
        for (position, key) in keys.enumerated() {
            addIDs(key, columns[indices[position]], rows, scale, isFirst: position == 0)
            scale *= UInt32(key.capacity)
        }
        let cache = cache.unsafelyUnwrapped
        for index in 0..<rows.active {
            if let group = cache[Int(ids[index])] {
                groups[index] = group
            } else {
                let group = lookUp(rows.row(index))
                cache[Int(ids[index])] = group
                groups[index] = group
            }
        }
        return true
    }

    /// Makes sure that every value of the vector has an id.
    private func prepare(_ key: Key, _ vector: Vector, _ rows: ActiveRows) -> Bool {
        if key.isText {
            if vector.form == .constant {
                return isNullConstant(vector) || intern(key, vector.string(0)) != nil
            }
            guard vector.form == .dictionary, vector.dictionaryID != 0,
                Int(vector.entryCount) <= Limits.smallDomainEntries
            else { return false }
            if key.dictionaryID == vector.dictionaryID { return true }
            key.dictionaryID = 0
            let entries = vector.pointer(as: StringView.self)
            key.remap = []
            key.remap.reserveCapacity(Int(vector.entryCount))
            for entry in 0..<Int(vector.entryCount) {
                guard let id = intern(key, entries[entry]) else { return false }
                key.remap.append(id)
            }
            key.dictionaryID = vector.dictionaryID
            return true
        }
        guard vector.form != .dictionary else { return false }
        if vector.physical == .bool {
            key.base = 0
            key.capacity = 4
            return true
        }
        var low = Int64.max
        var high = Int64.min
        func widen(_ value: Int64) {
            low = min(low, value)
            high = max(high, value)
        }
        if vector.form == .constant {
            if isNullConstant(vector) { return key.base != nil || setBase(key, 0) }
            widen(integer(vector, 0))
        } else if vector.physical == .int32 {
            let values = vector.pointer(as: Int32.self)
            var least = Int32.max
            var most = Int32.min
            rows.forEach { row in
                least = min(least, values[row])
                most = max(most, values[row])
            }
            (low, high) = (Int64(least), Int64(most))
        } else {
            let values = vector.pointer(as: Int64.self)
            rows.forEach { widen(values[$0]) }
        }
        if rows.active == 0 { return true }
        let base = key.base ?? low
        if key.base == nil {
            guard high.subtractingReportingOverflow(low).overflow == false,
                high - low <= Self.integerRange / 2
            else { return false }
            // Some room below and above for later chunks.
            let slack = (Self.integerRange - (high - low)) / 2
            _ = setBase(key, low.subtractingReportingOverflow(slack).partialValue)
            return (key.base ?? 0) <= low
        }
        return low >= base && high &- base <= Self.integerRange && high >= base
    }

    private func setBase(_ key: Key, _ base: Int64) -> Bool {
        key.base = base
        key.capacity = 1024
        return true
    }

    private func integer(_ vector: Vector, _ row: Int) -> Int64 {
        vector.physical == .int32
            ? Int64(vector.pointer(as: Int32.self)[row]) : vector.pointer(as: Int64.self)[row]
    }

    private func intern(_ key: Key, _ view: StringView) -> UInt32? {
        let bytes = view.withBytes { [UInt8]($0) }
        if let id = key.texts[bytes] { return id }
        guard key.texts.count < Limits.smallDomainEntries else { return nil }
        let id = UInt32(key.texts.count + 1)
        key.texts[bytes] = id
        return id
    }

    /// Makes the array large enough for all ids; false when the combinations are too many.
    private func makeRoom() -> Bool {
        var total = 1
        var changed = cache == nil
        for key in keys {
            if key.idCount > key.capacity {
                while key.idCount > key.capacity { key.capacity *= 2 }
                changed = true
            }
            total *= key.capacity
            if total > Limits.smallDomainCombinations * 4 { return false }
        }
        guard changed || total != cacheCount else { return true }
        cache?.deallocate()
        let grown = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: total)
        grown.initialize(repeating: nil, count: total)
        cache = grown
        cacheCount = total
        return true
    }

    private func addIDs(
        _ key: Key, _ vector: Vector, _ rows: ActiveRows, _ scale: UInt32, isFirst: Bool
    ) {
        let ids = ids
        if isFirst { ids.initialize(repeating: 0, count: rows.active) }
        if vector.form == .constant {
            let id: UInt32
            if isNullConstant(vector) {
                id = 0
            } else if key.isText {
                id = intern(key, vector.string(0)) ?? 0
            } else if vector.physical == .bool {
                id = UInt32(vector.pointer(as: UInt8.self)[0]) + 1
            } else {
                id = UInt32(truncatingIfNeeded: integer(vector, 0) &- (key.base ?? 0) &+ 1)
            }
            for index in 0..<rows.active { ids[index] &+= id &* scale }
            return
        }
        if key.isText {
            let codes = vector.codes.unsafelyUnwrapped
            key.remap.withUnsafeBufferPointer { remap in
                add(vector, rows, scale) { remap.baseAddress.unsafelyUnwrapped[Int(codes[$0])] }
            }
        } else if vector.physical == .bool {
            let values = vector.pointer(as: UInt8.self)
            add(vector, rows, scale) { UInt32(values[$0]) &+ 1 }
        } else if vector.physical == .int32 {
            let values = vector.pointer(as: Int32.self)
            let base = key.base ?? 0
            add(vector, rows, scale) { UInt32(truncatingIfNeeded: Int64(values[$0]) &- base &+ 1) }
        } else {
            let values = vector.pointer(as: Int64.self)
            let base = key.base ?? 0
            add(vector, rows, scale) { UInt32(truncatingIfNeeded: values[$0] &- base &+ 1) }
        }
    }

    @inline(__always) private func add(
        _ vector: Vector, _ rows: ActiveRows, _ scale: UInt32, _ id: (Int) -> UInt32
    ) {
        let ids = ids
        if let valid = vector.valid {
            for index in 0..<rows.active {
                let row = rows.row(index)
                if valid[row &>> 6] &>> UInt64(row & 63) & 1 != 0 {
                    ids[index] &+= id(row) &* scale
                }
            }
        } else if let selection = rows.selection {
            for index in 0..<rows.active { ids[index] &+= id(Int(selection[index])) &* scale }
        } else {
            for row in 0..<rows.active { ids[row] &+= id(row) &* scale }
        }
    }
}
