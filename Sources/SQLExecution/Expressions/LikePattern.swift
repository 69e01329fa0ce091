import CIntrinsics
import SQLFunctions
import Vectors

/// A compiled LIKE pattern. Source: SQL standard, "like predicate"; `_` is one code point.
struct LikePattern {
    enum Piece: Equatable {
        case bytes([UInt8])
        /// So many code points, any.
        case any(Int)
        /// Any text.
        case wild
    }

    /// The shape, from cheap to dear.
    private enum Shape {
        case exact([UInt8])
        /// Literals in order, `%` between them; anchored at the ends or not.
        case chain(LikeChain)
        case general([Piece])
    }

    private let shape: Shape
    /// Bytes a match has at least.
    private let minimumCount: Int

    /// Compiles; fails on an escape that stands before an ordinary character or at the end.
    init(_ pattern: UnsafeBufferPointer<UInt8>, escape: UInt32?) throws(QueryFault) {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { pieces.append(.bytes(literal)) }
            literal.removeAll()
        }
        var index = 0
        while index < pattern.count {
            let length = max(1, min(codePointLength(pattern[index]), pattern.count - index))
            let scalar = codePoint(pattern, index, length)
            if let escape, scalar == escape {
                let next = index + length
                guard next < pattern.count else { throw LikePattern.badEscape }
                let character = pattern[next]
                let isSpecial = character == UInt8(ascii: "%") || character == UInt8(ascii: "_")
                let nextLength = max(1, min(codePointLength(character), pattern.count - next))
                guard isSpecial || codePoint(pattern, next, nextLength) == escape else {
                    throw LikePattern.badEscape
                }
                literal.append(contentsOf: pattern[next..<(next + nextLength)])
                index = next + nextLength
                continue
            }
            switch pattern[index] {
            case UInt8(ascii: "%"):
                flush()
                if pieces.last != .wild { pieces.append(.wild) }
            case UInt8(ascii: "_"):
                flush()
                if case .any(let count)? = pieces.last {
                    pieces[pieces.count - 1] = .any(count + 1)
                } else {
                    pieces.append(.any(1))
                }
            default: literal.append(contentsOf: pattern[index..<(index + length)])
            }
            index += length
        }
        flush()
        minimumCount = pieces.reduce(0) { total, piece in
            switch piece {
            case .bytes(let bytes): total + bytes.count
            case .any(let count): total + count
            case .wild: total
            }
        }
        shape = LikePattern.shape(of: pieces)
    }

    private static var badEscape: QueryFault {
        QueryFault(
            .invalidFunctionArgument,
            "Escape character must be followed by '%', '_' or the escape character itself")
    }

    private static func shape(of pieces: [Piece]) -> Shape {
        if pieces.isEmpty { return .exact([]) }
        if pieces.count == 1, case .bytes(let bytes) = pieces[0] { return .exact(bytes) }
        var literals: [[UInt8]] = []
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): literals.append(bytes)
            case .wild: break
            case .any: return .general(pieces)
            }
        }
        return .chain(
            LikeChain(
                literals, anchoredStart: pieces.first != .wild, anchoredEnd: pieces.last != .wild))
    }

    /// The pattern as literals between `%`, where it is such a one: for loops over many texts.
    var chain: LikeChain? {
        if case .chain(let chain) = shape { return chain }
        return nil
    }

    /// Whether the text matches. `start` must be readable for 64 bytes past the end where `isPadded`.
    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= minimumCount else { return false }
        guard let start = text.baseAddress else { return matchesEmpty }
        switch shape {
        case .exact(let bytes):
            return bytes.count == text.count
                && bytes.withUnsafeBufferPointer { memoryEqual($0.baseAddress!, start, text.count) }
        case .chain(let chain): return chain.matches(start, text.count)
        case .general(let pieces):
            return LikePattern.matchesGeneral(text, pieces)
        }
    }

    private var matchesEmpty: Bool {
        switch shape {
        case .exact(let bytes): bytes.isEmpty
        case .chain(let chain): chain.isEmpty
        case .general(let pieces): pieces.allSatisfy { $0 == .wild }
        }
    }

    /// Greedy matching with one point of return: the last `%`.
    private static func matchesGeneral(
        _ text: UnsafeBufferPointer<UInt8>, _ pieces: [Piece]
    ) -> Bool {
        var position = 0
        var piece = 0
        var returnPiece = -1
        var returnPosition = 0
        while true {
            if piece == pieces.count {
                if position == text.count { return true }
            } else {
                switch pieces[piece] {
                case .wild:
                    returnPiece = piece + 1
                    returnPosition = position
                    piece += 1
                    continue
                case .any(let count):
                    if let next = skip(text, position, count) {
                        position = next
                        piece += 1
                        continue
                    }
                case .bytes(let bytes):
                    if text.count - position >= bytes.count,
                        bytes.indices.allSatisfy({ text[position + $0] == bytes[$0] })
                    {
                        position += bytes.count
                        piece += 1
                        continue
                    }
                }
            }
            // Mismatch: let the last `%` take one more code point.
            guard returnPiece >= 0, let next = skip(text, returnPosition, 1) else { return false }
            returnPosition = next
            position = next
            piece = returnPiece
        }
    }

    private static func skip(
        _ text: UnsafeBufferPointer<UInt8>, _ position: Int, _ count: Int
    ) -> Int? {
        var at = position
        for _ in 0..<count {
            guard at < text.count else { return nil }
            at = min(text.count, at + codePointLength(text[at]))
        }
        return at
    }
}

/// Literals in order with `%` between them: plain memory, so that testing a text counts no references.
final class LikeChain {
    private let bytes: UnsafeMutablePointer<UInt8>
    /// Where each literal begins among the bytes; one more than there are literals.
    private let starts: UnsafeMutablePointer<Int>
    private let count: Int
    private let anchoredStart: Bool
    private let anchoredEnd: Bool

    init(_ literals: [[UInt8]], anchoredStart: Bool, anchoredEnd: Bool) {
        let all = literals.flatMap(\.self)
        bytes = .allocate(capacity: max(all.count, 1))
        bytes.initialize(from: all, count: all.count)
        starts = .allocate(capacity: literals.count + 1)
        starts[0] = 0
        for (index, literal) in literals.enumerated() {
            starts[index + 1] = starts[index] + literal.count
        }
        count = literals.count
        self.anchoredStart = anchoredStart
        self.anchoredEnd = anchoredEnd
    }

    deinit {
        bytes.deallocate()
        starts.deallocate()
    }

    /// Whether only the empty text has all literals.
    var isEmpty: Bool { count == 0 }

    func matches(_ start: UnsafePointer<UInt8>, _ textCount: Int) -> Bool {
        var low = 0
        var high = textCount
        var first = 0
        var last = count
        if anchoredStart, first < last {
            let length = starts[1]
            guard length <= high, memoryEqual(bytes, start, length) else { return false }
            low = length
            first = 1
        }
        if anchoredEnd, first < last {
            let length = starts[last] - starts[last - 1]
            let at = high - length
            guard at >= low, memoryEqual(bytes + starts[last - 1], start + at, length) else {
                return false
            }
            high = at
            last -= 1
        }
        while first < last {
            let length = starts[first + 1] - starts[first]
            let found = findBytes(
                bytes + starts[first], length, in: start + low, count: high - low)
            guard found >= 0 else { return false }
            low += found + length
            first += 1
        }
        return true
    }
}

/// Bytes of the code point that begins with this byte; 1 for what cannot begin one.
@inline(__always) func codePointLength(_ byte: UInt8) -> Int {
    byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
}

private func codePoint(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int, _ length: Int) -> UInt32 {
    var value = UInt32(bytes[at])
    if length == 1 { return value }
    value &= 0xFF >> UInt32(length + 1)
    for offset in 1..<length { value = value << 6 | UInt32(bytes[at + offset] & 0x3F) }
    return value
}

/// Where `needle` first stands in the text; -1 when it does not.
///
/// Compares the first and last byte at 32 places at once where 32 bytes can be read within the text,
/// and place by place in its tail.
func findBytes(
    _ needle: UnsafePointer<UInt8>, _ needleCount: Int, in text: UnsafePointer<UInt8>, count: Int
) -> Int {
    if needleCount == 0 { return 0 }
    let places = count - needleCount + 1
    guard places > 0 else { return -1 }
    let first = needle[0]
    let last = needle[needleCount - 1]
    let distance = needleCount - 1
    var at = 0
    while at + 32 + distance <= count {
        var mask = ci_pair_mask32(text + at, distance, first, last)
        while mask != 0 {
            let place = at + mask.trailingZeroBitCount
            if memoryEqual(needle, text + place, needleCount) { return place }
            mask &= mask &- 1
        }
        at += 32
    }
    if places > at, count >= 32 + distance {
        // The last 32 places once more: those before `at` are known to fail.
        let start = count - distance - 32
        var mask = ci_pair_mask32(text + start, distance, first, last)
        mask &= ~UInt32(0) << UInt32(at - start)
        while mask != 0 {
            let place = start + mask.trailingZeroBitCount
            if memoryEqual(needle, text + place, needleCount) { return place }
            mask &= mask &- 1
        }
        return -1
    }
    while at < places {
        if text[at] == first, text[at + distance] == last,
            memoryEqual(needle, text + at, needleCount)
        {
            return at
        }
        at += 1
    }
    return -1
}

/// LIKE. Patterns that are constant are compiled once, others once a change.
final class LikeStep: BufferedStep {
    private let input: Int
    private let pattern: Int
    private let escape: Int?
    private let isChar: Bool
    private var compiled: LikePattern?
    private var compiledText: [UInt8] = []
    private var compiledEscape: UInt32?

    init(input: Int, pattern: Int, escape: Int?, valueType: LogicalType, output: Int) {
        self.input = input
        self.pattern = pattern
        self.escape = escape
        if case .char = valueType { isChar = true } else { isChar = false }
        super.init(output: output, type: .boolean)
    }

    override func run(_ frame: Frame) {
        let text = frame.registers[input]
        let patterns = frame.registers[pattern]
        let escapes = escape.map { frame.registers[$0] }
        if isNullConstant(text) || isNullConstant(patterns) || escapes.map(isNullConstant) ?? false
        {
            return emitConstant(frame, isNull: true)
        }
        let values = buffer.pointer(as: UInt8.self)
        let strings = text.pointer(as: StringView.self)
        buffer.hasNulls = false
        let isFixed = patterns.form == .constant && (escapes.map { $0.form == .constant } ?? true)
        if isFixed, !prepare(patterns, escapes, 0, frame) {
            return emitConstant(frame, isNull: true)
        }
        let isConstant = isFixed && text.form == .constant
        func match(_ row: Int) {
            guard text.isValid(row), patterns.isValid(row), escapes?.isValid(row) ?? true else {
                return buffer.setNull(row)
            }
            if !isFixed, !prepare(patterns, escapes, row, frame) { return }
            let bytes = StringView.bytes(at: strings + text.valueIndex(row))
            values[row] = byte(compiled.unsafelyUnwrapped.matches(bytes))
        }
        if isConstant {
            match(0)
        } else if isFixed, text.valid == nil, let chain = compiled?.chain {
            frame.rows.forEach { row in
                let bytes = StringView.bytes(at: strings + text.valueIndex(row))
                values[row] = byte(chain.matches(bytes.baseAddress.unsafelyUnwrapped, bytes.count))
            }
        } else {
            frame.rows.forEach(match)
        }
        frame.registers[output] = Vector(
            physical: .bool, form: isConstant ? .constant : .flat, values: buffer.values,
            valid: buffer.hasNulls ? buffer.validBits : nil)
    }

    private func prepare(_ patterns: Vector, _ escapes: Vector?, _ row: Int, _ frame: Frame) -> Bool
    {
        let text = patterns.string(row).withBytes { [UInt8]($0) }
        var character: UInt32?
        if let escapes {
            let scalars = escapes.string(row).string.unicodeScalars
            guard scalars.count == 1, let scalar = scalars.first else {
                frame.context.fail(
                    QueryFault(.invalidFunctionArgument, "Escape string must be a single character")
                )
                return false
            }
            character = scalar.value
        }
        if compiled != nil, text == compiledText, character == compiledEscape { return true }
        do throws(QueryFault) {
            compiled = try text.withUnsafeBufferPointerTyped { bytes throws(QueryFault) in
                try LikePattern(bytes, escape: character)
            }
            compiledText = text
            compiledEscape = character
            return true
        } catch {
            frame.context.fail(error)
            return false
        }
    }
}

extension Array {
    /// Lends the elements to a closure with a typed error.
    func withUnsafeBufferPointerTyped<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = withUnsafeBufferPointer { buffer -> Swift.Result<Result, Failure> in
            do throws(Failure) { return .success(try body(buffer)) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
