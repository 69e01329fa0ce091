/// Texts of IP addresses. A value is 16 bytes; IPv4 is mapped into IPv6, as Trino keeps it.
///
/// Source: RFC 4291, section 2.2 and 2.5.5.2; RFC 5952, section 4, for the text that is written.
package enum IPAddressText {
    /// The 16 bytes of an address; nil when the text is none.
    package static func bytes(of text: some Sequence<UInt8>) -> [UInt8]? {
        let text = Array(text)
        if !text.contains(0x3A) {
            return fourBytes(text[...]).map { mapped + $0 }
        }
        // At most one `::`, which stands for the zeros that are missing.
        var halves: [[UInt8]] = [[]]
        var groups = text.split(separator: 0x3A, omittingEmptySubsequences: false)
        if groups.first?.isEmpty == true {
            guard groups.count > 2, groups[1].isEmpty else { return nil }
            groups.removeFirst()
        }
        if groups.last?.isEmpty == true {
            guard groups.count > 1, groups[groups.count - 2].isEmpty else { return nil }
            groups.removeLast()
        }
        for (index, group) in groups.enumerated() {
            if group.isEmpty {
                guard halves.count == 1 else { return nil }
                halves.append([])
            } else if index == groups.count - 1, group.contains(0x2E) {
                guard let four = fourBytes(group) else { return nil }
                halves[halves.count - 1] += four
            } else {
                guard group.count <= 4, let value = UInt16(hexadecimal: group) else { return nil }
                halves[halves.count - 1] += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
            }
        }
        if halves.count == 1 { return halves[0].count == 16 ? halves[0] : nil }
        let missing = 16 - halves[0].count - halves[1].count
        guard missing >= 2 else { return nil }
        return halves[0] + [UInt8](repeating: 0, count: missing) + halves[1]
    }

    /// `::ffff:0:0`, in front of an IPv4 address.
    package static let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// The text of 16 bytes.
    package static func text(of bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return "" }
        if bytes[..<12].elementsEqual(mapped) {
            return bytes[12...].map { String($0) }.joined(separator: ".")
        }
        let groups = stride(from: 0, to: 16, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
        // The longest run of zeros is left out, the first one among equals.
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > max(best.count, 1) { best = index..<end }
            index = max(end, index + 1)
        }
        let texts = groups.map { String($0, radix: 16) }
        guard !best.isEmpty else { return texts.joined(separator: ":") }
        return texts[..<best.lowerBound].joined(separator: ":") + "::"
            + texts[best.upperBound...].joined(separator: ":")
    }

    private static func fourBytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30,
                part.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(value)
        }
        return bytes
    }
}

extension UInt16 {
    fileprivate init?(hexadecimal digits: ArraySlice<UInt8>) {
        guard digits.first != 0x2B, digits.first != 0x2D else { return nil }
        self.init(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
