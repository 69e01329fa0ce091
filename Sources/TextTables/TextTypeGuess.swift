import CivilTime
import Vectors

/// What a text could be; the order is from narrow to wide.
enum TextTypeGuess: Sendable, Hashable {
    case boolean
    case bigint
    /// Digits before and after the point.
    case decimal(whole: Int, scale: Int)
    case double
    case date
    case timestamp
    case text

    init(of text: String) {
        var copy = text
        self = copy.withUTF8 { TextTypeGuess(of: $0) }
    }

    init(of bytes: UnsafeBufferPointer<UInt8>) {
        guard let first = bytes.first, bytes.count <= 64 else {
            self = .text
            return
        }
        if first == 0x2D || first == 0x2B || first == 0x2E || (first >= 0x30 && first <= 0x39) {
            self = TextTypeGuess.number(bytes) ?? TextTypeGuess.time(bytes) ?? .text
        } else {
            self = TextValue.boolean(bytes) == nil ? .text : .boolean
        }
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> TextTypeGuess? {
        var (whole, scale) = (0, 0)
        var seenPoint = false
        var at = bytes[0] == 0x2D || bytes[0] == 0x2B ? 1 : 0
        let firstDigit = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte >= 0x30, byte <= 0x39 {
                if seenPoint { scale += 1 } else { whole += 1 }
            } else if byte == 0x2E, !seenPoint {
                seenPoint = true
            } else if byte | 0x20 == 0x65, whole + scale > 0 {
                return TextValue.double(bytes) == nil ? nil : .double
            } else {
                return nil
            }
            at += 1
        }
        guard whole + scale > 0 else { return nil }
        // Codes such as 00123 lose their zeros as numbers, so they stay text.
        if whole > 1, bytes[firstDigit] == 0x30 { return .text }
        // A plus sign is how telephone numbers begin.
        if bytes[0] == 0x2B { return .text }
        if !seenPoint {
            return TextValue.bigint(bytes) == nil
                ? (whole <= 38 ? .decimal(whole: whole, scale: 0) : .text) : .bigint
        }
        return whole + scale <= 38 ? .decimal(whole: whole, scale: scale) : .double
    }

    private static func time(_ bytes: UnsafeBufferPointer<UInt8>) -> TextTypeGuess? {
        guard bytes.count >= 8, bytes.count <= 40 else { return nil }
        if bytes.count <= 10 { return CivilParse.date(bytes) == nil ? nil : .date }
        guard let parsed = CivilParse.timestamp(bytes), parsed.zone == nil else { return nil }
        return .timestamp
    }

    var isExactNumber: Bool {
        switch self {
        case .bigint, .decimal: true
        default: false
        }
    }

    /// The narrowest guess that holds both.
    func joined(_ other: TextTypeGuess) -> TextTypeGuess {
        if self == other { return self }
        switch (self, other) {
        case (.decimal(let wholeA, let scaleA), .decimal(let wholeB, let scaleB)):
            let (whole, scale) = (max(wholeA, wholeB), max(scaleA, scaleB))
            return whole + scale <= 38 ? .decimal(whole: whole, scale: scale) : .double
        case (.bigint, .decimal(let whole, let scale)), (.decimal(let whole, let scale), .bigint):
            return max(whole, 19) + scale <= 38
                ? .decimal(whole: max(whole, 19), scale: scale) : .double
        case (.bigint, .double), (.double, .bigint), (.decimal, .double), (.double, .decimal):
            return .double
        case (.date, .timestamp), (.timestamp, .date): return .timestamp
        default: return .text
        }
    }

    /// The SQL type of a column; `nil` guess (no value seen) is varchar.
    static func type(of guess: TextTypeGuess?) -> LogicalType {
        switch guess {
        case .boolean: .boolean
        case .bigint: .bigint
        case .decimal(let whole, let scale):
            // Room for larger values of the same scale that a later file may bring.
            .decimal(precision: min(38, max(18, whole + scale)), scale: scale)
        case .double: .double
        case .date: .date
        case .timestamp: .timestamp(precision: 6)
        case .text, nil: .text
        }
    }
}
