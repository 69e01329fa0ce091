import CivilTime
package import Vectors

/// The type that most values of a column of texts have, and how they write days.
package struct LooseType: Sendable, Hashable {
    package let type: LogicalType
    let order: DayOrder

    init(type: LogicalType, order: DayOrder) {
        self.type = type
        self.order = order
    }

    /// A type that all values have, as the engine writes them.
    package init(exact type: LogicalType) { self.init(type: type, order: .iso) }

    /// Puts a text into a column, whose type may be another than this one; false when it is none.
    package func store(
        _ bytes: UnsafeBufferPointer<UInt8>, into column: ColumnBuffer, row: Int, heap: Arena
    ) throws(MemoryLimitFault) -> Bool {
        let isTime =
            switch column.type {
            case .date, .timestamp: true
            default: false
            }
        guard isTime, order != .iso, let iso = order.iso(bytes) else {
            return try TextValue.store(bytes, into: column, row: row, heap: heap)
        }
        return try iso.withUnsafeBufferPointer { bytes throws(MemoryLimitFault) in
            try TextValue.store(bytes, into: column, row: row, heap: heap)
        }
    }
}

/// Counts what the values of a column are.
package struct LooseTally: Sendable {
    private var values = 0
    private var booleans = 0
    private var bigints = 0
    private var decimals = 0
    private var doubles = 0
    private var whole = 1
    private var scale = 0
    /// Moments with an offset from UTC.
    private var instants = 0
    private var dates = [Int](repeating: 0, count: DayOrder.allCases.count)
    private var timestamps = [Int](repeating: 0, count: DayOrder.allCases.count)

    package init() {}

    /// Counts one value; empty ones are not given.
    package mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        values += 1
        switch TextTypeGuess(of: bytes) {
        case .boolean: booleans += 1
        case .bigint: bigints += 1
        case .decimal(let whole, let scale):
            decimals += 1
            self.whole = max(self.whole, whole)
            self.scale = max(self.scale, scale)
        case .double: doubles += 1
        case .date: dates[0] += 1
        case .timestamp: timestamps[0] += 1
        case .text:
            guard let first = bytes.first, first >= 0x30, first <= 0x39 else { return }
            if TextValue.instant(bytes) != nil { instants += 1 }
            for (index, order) in DayOrder.allCases.enumerated().dropFirst() {
                guard let iso = order.iso(bytes) else { continue }
                if iso.count > 10 { timestamps[index] += 1 } else { dates[index] += 1 }
            }
        }
    }

    /// The narrowest type that nine tenths of the values have; text when there is none.
    package var type: LooseType {
        func isMost(_ count: Int) -> Bool { count > 0 && count * 10 >= values * 9 }
        if isMost(booleans) { return LooseType(type: .boolean, order: .iso) }
        if isMost(bigints) { return LooseType(type: .bigint, order: .iso) }
        if isMost(bigints + decimals), whole + scale <= 38 {
            let guess = TextTypeGuess.decimal(whole: whole, scale: scale)
            return LooseType(type: TextTypeGuess.type(of: guess), order: .iso)
        }
        if isMost(bigints + decimals + doubles) { return LooseType(type: .double, order: .iso) }
        if isMost(instants) {
            return LooseType(type: .timestampWithTimeZone(precision: 6), order: .iso)
        }
        for (counts, type) in [
            (dates, LogicalType.date),
            (zip(dates, timestamps).map { $0 + $1 }, LogicalType.timestamp(precision: 6)),
        ] {
            // Days before months where both can be: the first of the highest.
            guard let best = counts.indices.max(by: { counts[$0] < counts[$1] }),
                let first = counts.indices.first(where: { counts[$0] == counts[best] }),
                isMost(counts[first])
            else { continue }
            return LooseType(type: type, order: DayOrder.allCases[first])
        }
        return LooseType(type: .text, order: .iso)
    }
}

/// How a day is written; a time of day may follow.
enum DayOrder: CaseIterable, Sendable {
    /// 2026-11-21
    case iso
    /// 2026/11/21
    case yearSlashes
    /// 21.11.2026
    case dayDots
    /// 21/11/2026
    case daySlashes
    /// 11/21/2026
    case monthSlashes
    /// 21-11-2026
    case dayDashes
    /// 11-21-2026
    case monthDashes

    private var separator: UInt8 {
        switch self {
        case .iso, .dayDashes, .monthDashes: 0x2D
        case .dayDots: 0x2E
        case .yearSlashes, .daySlashes, .monthSlashes: 0x2F
        }
    }

    /// The text with its day as 2026-11-21; nil when it is not written so or is no day.
    func iso(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard bytes.count >= 8, bytes.count <= 40 else { return nil }
        var parts: [ArraySlice<UInt8>] = []
        let text = Array(bytes)
        var start = 0
        for index in 0..<3 {
            var end = start
            while end < text.count, end - start < 4, text[end] >= 0x30, text[end] <= 0x39 {
                end += 1
            }
            guard end > start else { return nil }
            parts.append(text[start..<end])
            start = end
            if index < 2 {
                guard start < text.count, text[start] == separator else { return nil }
                start += 1
            }
        }
        let (year, month, day): (ArraySlice<UInt8>, ArraySlice<UInt8>, ArraySlice<UInt8>) =
            switch self {
            case .iso, .yearSlashes: (parts[0], parts[1], parts[2])
            case .dayDots, .daySlashes, .dayDashes: (parts[2], parts[1], parts[0])
            case .monthSlashes, .monthDashes: (parts[2], parts[0], parts[1])
            }
        guard year.count == 4, month.count <= 2, day.count <= 2 else { return nil }
        let zero: [UInt8] = [0x30]
        var result = Array(year) + [0x2D] + (month.count == 1 ? zero : []) + month
        result += [0x2D] + (day.count == 1 ? zero : []) + day
        let isDay = result.withUnsafeBufferPointer { CivilParse.date($0) } != nil
        guard isDay else { return nil }
        if start == text.count { return result }
        result += text[start...]
        let moment = result.withUnsafeBufferPointer { CivilParse.timestamp($0) }
        guard let moment, moment.zone == nil else { return nil }
        return result
    }
}
