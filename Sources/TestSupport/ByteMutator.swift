/// Bends inputs for fuzzing: bits and bytes, numbers in text and in binary, words of the format, brackets
/// and what they hold, pieces of other inputs. What it does depends on the generator alone.
package struct ByteMutator: Sendable {
    private let tokens: [[UInt8]]
    private let sizeLimit: Int

    private static let edgeBytes: [UInt8] = [
        0, 1, 9, 10, 13, 32, 34, 39, 44, 45, 48, 57, 58, 92, 127, 128, 192, 237, 254, 255,
    ]
    private static let edgeNumbers: [UInt64] = [
        0, 1, 2, 7, 8, 15, 16, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536, 1 << 20,
        1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63,
        .max, .max - 1,
    ]
    private static let edgeTexts = [
        "0", "-1", "1", "00", "127", "128", "255", "256", "-128", "32768", "65536", "2147483647",
        "2147483648", "-2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551616", "170141183460469231731687303715884105727",
        "99999999999999999999999999999999999999", "1e308", "1e309", "-0", "0.1", "1e-400", "1E+5",
        "0x10", "1_000",
    ].map { Array($0.utf8) }

    /// `tokens` are the words of the format; nothing grows past `sizeLimit` bytes.
    package init(tokens: [String], sizeLimit: Int) {
        self.tokens = tokens.isEmpty ? [[0x20]] : tokens.map { Array($0.utf8) }
        self.sizeLimit = sizeLimit
    }

    /// Changes the input in one to eight ways.
    package func mutate(
        _ input: inout [UInt8], others: [[UInt8]], using random: inout SeededGenerator
    ) {
        var changes = 1
        while changes < 8, random.below(2) == 0 { changes += 1 }
        for _ in 0..<changes {
            change(&input, others, &random)
            if input.count > sizeLimit { input.removeLast(input.count - sizeLimit) }
        }
    }

    private func change(
        _ input: inout [UInt8], _ others: [[UInt8]], _ random: inout SeededGenerator
    ) {
        if input.isEmpty {
            input = random.pick(tokens)
            return
        }
        let at = random.below(input.count)
        switch random.below(20) {
        case 0: input[at] ^= 1 << UInt8(random.below(8))
        case 1: input[at] = random.pick(Self.edgeBytes)
        case 2: input[at] = input[at] &+ UInt8(truncatingIfNeeded: random.below(33) - 16)
        case 3:
            let bytes = (0...random.below(8)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            input.insert(contentsOf: bytes, at: at)
        case 4: input.removeSubrange(stretch(input, at, &random))
        case 5:
            let copy = Array(input[stretch(input, at, &random)])
            input.insert(contentsOf: copy, at: random.below(input.count + 1))
        case 6:
            let copy = Array(input[stretch(input, at, &random)])
            input.replaceSubrange(at..<min(input.count, at + copy.count), with: copy)
        case 7, 8: input.insert(contentsOf: random.pick(tokens), at: edge(input, at))
        case 9, 10: input.replaceSubrange(word(input, at), with: random.pick(tokens))
        case 11: changeNumber(&input, at, &random)
        case 12: overwrite(&input, at, &random)
        case 13: splice(&input, at, others, &random)
        case 14: input.removeSubrange(at...)
        case 15: repeatPiece(&input, at, &random)
        case 16: input.removeSubrange(word(input, at))
        case 17: swapWords(&input, at, &random)
        case 18: insertVarint(&input, at, &random)
        default: exchangeGroups(&input, at, others, &random)
        }
    }

    /// A piece that begins at `at`: mostly short, now and then up to the end.
    private func stretch(
        _ input: [UInt8], _ at: Int, _ random: inout SeededGenerator
    ) -> Range<Int> {
        let left = input.count - at
        let count = random.below(8) == 0 ? left : 1 + random.below(min(left, 32))
        return at..<(at + count)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte == 0x5F
    }

    /// The word around a place, or the single byte there.
    private func word(_ input: [UInt8], _ at: Int) -> Range<Int> {
        guard Self.isWordByte(input[at]) else { return at..<(at + 1) }
        var start = at
        var end = at + 1
        while start > 0, Self.isWordByte(input[start - 1]) { start -= 1 }
        while end < input.count, Self.isWordByte(input[end]) { end += 1 }
        return start..<end
    }

    /// The nearest place before `at` where no word is cut.
    private func edge(_ input: [UInt8], _ at: Int) -> Int { word(input, at).lowerBound }

    private func changeNumber(
        _ input: inout [UInt8], _ at: Int, _ random: inout SeededGenerator
    ) {
        // The next digits from here on, if there are any near.
        guard let start = input[at...].prefix(256).firstIndex(where: { (0x30...0x39).contains($0) })
        else { return }
        var end = start
        while end < input.count, (0x30...0x39).contains(input[end]) { end += 1 }
        input.replaceSubrange(start..<end, with: random.pick(Self.edgeTexts))
    }

    private func overwrite(_ input: inout [UInt8], _ at: Int, _ random: inout SeededGenerator) {
        let width = [1, 2, 4, 8][random.below(4)]
        let number = random.pick(Self.edgeNumbers)
        let isBig = random.below(2) == 0
        for index in 0..<width where at + index < input.count {
            let shift = UInt64(8 * (isBig ? width - 1 - index : index))
            input[at + index] = UInt8(truncatingIfNeeded: number >> shift)
        }
    }

    private func splice(
        _ input: inout [UInt8], _ at: Int, _ others: [[UInt8]], _ random: inout SeededGenerator
    ) {
        guard !others.isEmpty else { return }
        let other = random.pick(others)
        guard !other.isEmpty else { return }
        let from = random.below(other.count)
        if random.below(2) == 0 {
            input = Array(input[..<at]) + other[from...]
        } else {
            input.insert(contentsOf: other[stretch(other, from, &random)], at: at)
        }
    }

    /// Nesting and length: a word or a piece, over and over.
    private func repeatPiece(
        _ input: inout [UInt8], _ at: Int, _ random: inout SeededGenerator
    ) {
        let piece =
            random.below(2) == 0 ? random.pick(tokens) : Array(input[stretch(input, at, &random)])
        guard !piece.isEmpty, input.count < sizeLimit else { return }
        let room = (sizeLimit - input.count) / piece.count
        let count = min(room, [3, 17, 130, 1100, 20_000][random.below(5)])
        var pieces: [UInt8] = []
        pieces.reserveCapacity(count * piece.count)
        for _ in 0..<count { pieces += piece }
        input.insert(contentsOf: pieces, at: at)
    }

    private func swapWords(_ input: inout [UInt8], _ at: Int, _ random: inout SeededGenerator) {
        let first = word(input, at)
        let second = word(input, random.below(input.count))
        guard first.upperBound <= second.lowerBound else { return }
        let (left, right) = (Array(input[first]), Array(input[second]))
        input.replaceSubrange(second, with: left)
        input.replaceSubrange(first, with: right)
    }

    private func insertVarint(_ input: inout [UInt8], _ at: Int, _ random: inout SeededGenerator) {
        var number = random.pick(Self.edgeNumbers)
        var bytes: [UInt8] = []
        while number >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
            number >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: number))
        if random.below(2) == 0 {
            input.replaceSubrange(at..<(at + 1), with: bytes)
        } else {
            input.insert(contentsOf: bytes, at: at)
        }
    }

    /// Puts what stands between two brackets, here or in another input, in the place of another such group.
    private func exchangeGroups(
        _ input: inout [UInt8], _ at: Int, _ others: [[UInt8]], _ random: inout SeededGenerator
    ) {
        guard let target = group(input, from: at) else { return }
        let source = others.isEmpty || random.below(2) == 0 ? input : random.pick(others)
        guard !source.isEmpty, let found = group(source, from: random.below(source.count)) else {
            return
        }
        input.replaceSubrange(target, with: Array(source[found]))
    }

    /// The next bracketed group from a place on, brackets and all.
    private func group(_ input: [UInt8], from at: Int) -> Range<Int>? {
        var start: Int?
        var depth = 0
        for index in at..<min(input.count, at + 4096) {
            switch input[index] {
            case 0x28, 0x5B, 0x7B:
                if start == nil { start = index }
                depth += 1
            case 0x29, 0x5D, 0x7D:
                guard let begin = start else { continue }
                depth -= 1
                if depth == 0 { return begin..<(index + 1) }
            default: break
            }
        }
        return nil
    }
}

extension SeededGenerator {
    /// A number from 0 to below `bound`, which is at least 1.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    /// One of the elements, of which there has to be one.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
