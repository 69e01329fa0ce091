import Diagnostics

/// Finds personal data in text by its form and its check digits, and puts its kind in its place.
///
/// A rule looks only where a word can begin, so that parts of longer numbers are left alone. Where
/// rules overlap the earlier, then the longer span wins. Checks: Luhn for cards (ISO/IEC 7812), mod 97
/// for account numbers (ISO 13616); phone numbers need a plus sign, a leading zero or the North
/// American form, so that dates, amounts and identifiers stay.
struct PersonalDataMasker {
    enum Kind: String, CaseIterable {
        case card, email, iban, ip, phone, ssn
    }

    private struct Span {
        var start: Int
        var end: Int
        var kind: Kind
    }

    private let kinds: [Kind]
    private var spans: [Span] = []

    init(kinds: [Kind]) { self.kinds = kinds }

    /// The kind of a name. Throws with the nearest one for an unknown name.
    static func kind(_ name: [UInt8]) throws(QueryFault) -> Kind {
        let text = String(decoding: name, as: UTF8.self).lowercased()
        if let kind = Kind(rawValue: text) { return kind }
        let names = Kind.allCases.map(\.rawValue)
        throw invalid(
            "Unknown kind of personal data: \(text)",
            hint: nearestName(to: text, among: names).map { "did you mean \($0)?" }
                ?? "the kinds are \(names.joined(separator: ", "))")
    }

    /// Stores the masked text; one without findings is stored as it is.
    mutating func mask(_ text: Text, _ row: Int, _ output: Output) {
        find(text)
        guard !spans.isEmpty else { return output.putCopy(text, row) }
        let capacity = text.count + spans.count * 8
        let found = spans
        output.putBytes(row, capacity: capacity) { target in
            var written = 0
            var at = 0
            func copy(_ bytes: some Sequence<UInt8>) {
                for byte in bytes {
                    target[written] = byte
                    written += 1
                }
            }
            for span in found {
                copy(text.slice(at, span.start))
                copy("[\(span.kind.rawValue.uppercased())]".utf8)
                at = span.end
            }
            copy(text.slice(at, text.count))
            return written
        }
    }

    private mutating func find(_ text: Text) {
        spans.removeAll(keepingCapacity: true)
        var at = 0
        while at < text.count {
            let isStart = at == 0 || !Self.isWord(text[at - 1])
            guard isStart, let span = best(text, at) else {
                at += 1
                continue
            }
            spans.append(span)
            at = span.end
        }
    }

    private func best(_ text: Text, _ at: Int) -> Span? {
        var best: Span?
        for kind in kinds {
            let end: Int? =
                switch kind {
                case .email: Self.email(text, at)
                case .iban: Self.iban(text, at)
                case .card: Self.card(text, at)
                case .ssn: Self.socialSecurity(text, at)
                case .ip: Self.address(text, at)
                case .phone: Self.phone(text, at)
                }
            if let end, end > best?.end ?? at { best = Span(start: at, end: end, kind: kind) }
        }
        return best
    }

    // MARK: Letters

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
    }
    /// Letters beyond ASCII count as parts of words.
    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLetter(byte) || byte == 0x5F || byte >= 0x80
    }
    private static func endsWord(_ text: Text, _ end: Int) -> Bool {
        end >= text.count || !isWord(text[end])
    }

    // MARK: Rules: the end of what begins at `at`, or nil

    private static func email(_ text: Text, _ at: Int) -> Int? {
        var end = at
        while end < text.count, isWord(text[end]) || "._%+-'".utf8.contains(text[end]) {
            end += 1
        }
        guard end > at, isWord(text[at]), end < text.count, text[end] == UInt8(ascii: "@") else {
            return nil
        }
        end += 1
        let domain = end
        var lastDot: Int?
        while end < text.count, isWord(text[end]) || text[end] == 0x2D || text[end] == 0x2E {
            if text[end] == 0x2E {
                // A dot that ends the sentence is not of the domain.
                guard end + 1 < text.count, isWord(text[end + 1]) else { break }
                lastDot = end
            }
            end += 1
        }
        while end > domain, text[end - 1] == 0x2D { end -= 1 }
        guard let lastDot, lastDot > domain, end - lastDot > 2 else { return nil }
        return end
    }

    private static func iban(_ text: Text, _ at: Int) -> Int? {
        guard at + 15 <= text.count, isLetter(text[at]), isLetter(text[at + 1]),
            isDigit(text[at + 2]), isDigit(text[at + 3]),
            text[at] & 0x20 == 0, text[at + 1] & 0x20 == 0
        else { return nil }
        var symbols: [UInt8] = []
        var found: Int?
        var end = at
        while end < text.count, symbols.count < 34 {
            let byte = text[end]
            if byte == 0x20, symbols.count % 4 == 0, end + 1 < text.count,
                isDigit(text[end + 1]) || isLetter(text[end + 1])
            {
                end += 1
                continue
            }
            guard isDigit(byte) || isLetter(byte) && byte & 0x20 == 0 else { break }
            symbols.append(byte)
            end += 1
            if symbols.count >= 15, endsWord(text, end), hasValidCheck(symbols) { found = end }
        }
        return found
    }

    private static func hasValidCheck(_ symbols: [UInt8]) -> Bool {
        var rest = 0
        for byte in symbols[4...] + symbols[..<4] {
            if isDigit(byte) {
                rest = (rest * 10 + Int(byte - 0x30)) % 97
            } else {
                rest = (rest * 100 + Int(byte - 0x41) + 10) % 97
            }
        }
        return rest == 1
    }

    /// Digits from `at` with single separators between them; the digits, and where each ends.
    private static func digits(
        _ text: Text, _ at: Int, separators: String, limit: Int
    ) -> (digits: [UInt8], ends: [Int]) {
        var digits: [UInt8] = []
        var ends: [Int] = []
        var place = at
        while place < text.count, digits.count <= limit {
            if isDigit(text[place]) {
                digits.append(text[place] - 0x30)
                place += 1
                ends.append(place)
            } else if !digits.isEmpty, separators.utf8.contains(text[place]),
                place + 1 < text.count, isDigit(text[place + 1])
            {
                place += 1
            } else {
                break
            }
        }
        return (digits, ends)
    }

    private static func card(_ text: Text, _ at: Int) -> Int? {
        guard isDigit(text[at]), text[at] >= 0x32, text[at] <= 0x36 else { return nil }
        let (digits, ends) = digits(text, at, separators: " -", limit: 19)
        guard digits.count >= 13 else { return nil }
        for count in stride(from: min(19, digits.count), through: 13, by: -1) {
            let end = ends[count - 1]
            guard endsWord(text, end), isCardGrouping(text, at, end) else { continue }
            var sum = 0
            for (index, digit) in digits[..<count].reversed().enumerated() {
                let value = index % 2 == 0 ? Int(digit) : Int(digit) * 2
                sum += value > 9 ? value - 9 : value
            }
            if sum % 10 == 0 { return end }
        }
        return nil
    }

    /// Cards are written in one piece, in fours (with a last group of three or four), or as 4-6-4
    /// and 4-6-5.
    private static func isCardGrouping(_ text: Text, _ start: Int, _ end: Int) -> Bool {
        let groups = text[start..<end].split { !isDigit($0) }.map(\.count)
        if groups.count == 1 || groups == [4, 6, 4] || groups == [4, 6, 5] { return true }
        return groups.dropLast().allSatisfy { $0 == 4 } && groups.last ?? 0 >= 3
            && groups.last ?? 0 <= 4
    }

    /// `ddd-dd-dddd`, but for numbers that are never given out.
    private static func socialSecurity(_ text: Text, _ at: Int) -> Int? {
        guard at + 11 <= text.count, endsWord(text, at + 11) else { return nil }
        for index in 0..<11 {
            let byte = text[at + index]
            guard index == 3 || index == 6 ? byte == 0x2D : isDigit(byte) else { return nil }
        }
        let area = text[at..<(at + 3)].map { Int($0) - 0x30 }.reduce(0) { $0 * 10 + $1 }
        return area == 0 || area == 666 || area >= 900 ? nil : at + 11
    }

    /// Four numbers up to 255 with dots between them.
    private static func address(_ text: Text, _ at: Int) -> Int? {
        // Not the end of a longer list of numbers, such as a version.
        if at >= 2, text[at - 1] == 0x2E, isDigit(text[at - 2]) { return nil }
        var place = at
        for part in 0..<4 {
            if part > 0 {
                guard place < text.count, text[place] == 0x2E else { return nil }
                place += 1
            }
            var value = 0
            let start = place
            while place < text.count, isDigit(text[place]), place - start < 3 {
                value = value * 10 + Int(text[place] - 0x30)
                place += 1
            }
            guard place > start, value <= 255 else { return nil }
        }
        let goesOn =
            place + 1 < text.count && text[place] == 0x2E && isDigit(text[place + 1])
        return goesOn || !endsWord(text, place) ? nil : place
    }

    private static func phone(_ text: Text, _ at: Int) -> Int? {
        var start = at
        let isInternational = text[at] == UInt8(ascii: "+")
        if isInternational { start += 1 }
        // Not the end of a longer number in groups.
        if !isInternational, at >= 2, isDigit(text[at - 2]), " -.".utf8.contains(text[at - 1]) {
            return nil
        }
        var place = start
        var groups: [Int] = []
        var count = 0
        var depth = 0
        var first: UInt8?
        var end = at
        scan: while place < text.count {
            let byte = text[place]
            switch byte {
            case 0x30...0x39:
                if first == nil { first = byte }
                if groups.isEmpty || place == start || !isDigit(text[place - 1]) {
                    groups.append(0)
                }
                groups[groups.count - 1] += 1
                count += 1
                place += 1
                if depth == 0 { end = place }
            case UInt8(ascii: "(") where depth == 0 && groups.count <= 1:
                depth = 1
                place += 1
            case UInt8(ascii: ")") where depth == 1:
                depth = 0
                place += 1
            case 0x20, 0x2D, 0x2E, 0x2F:
                // One separator between digits or brackets.
                guard place > start, place + 1 < text.count,
                    isDigit(text[place + 1]) || text[place + 1] == UInt8(ascii: "(")
                else { break scan }
                place += 1
            default: break scan
            }
            if count > 15 { return nil }
        }
        guard count >= 7, depth == 0, endsWord(text, end) else { return nil }
        if isInternational { return count >= 8 ? end : nil }
        let northAmerican = groups == [3, 3, 4] || groups == [1, 3, 3, 4] && first == 0x31
        let national =
            first == 0x30 && count >= 9 && groups.count > 1 && groups[0] > 1
            && groups != [3, 2, 4]
        return northAmerican || national ? end : nil
    }
}
