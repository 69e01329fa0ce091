import Synchronization

/// What the compatibility forms put in the place of a code point: NFKD where it differs from NFD.
///
/// The table is text, for a compiler is slow with large literals: `2460+8=31` says that U+2460 and the 8
/// after it become U+0031 and the 8 after it; `FB01=66.69` that U+FB01 becomes two code points.
/// Source: Unicode 14.0, UnicodeData.txt, field Decomposition_Mapping with a tag in angle brackets,
/// applied to the end.
enum CompatibilityMappings {
    static let table: [UInt32: [Unicode.Scalar]] = {
        var table: [UInt32: [Unicode.Scalar]] = [:]
        for text in [lower, upper] {
            for entry in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                let halves = entry.split(separator: "=")
                let range = halves[0].split(separator: "+")
                guard halves.count == 2, let first = UInt32(range[0], radix: 16) else { continue }
                let count = range.count > 1 ? UInt32(range[1], radix: 16) ?? 0 : 0
                let mapped = halves[1].split(separator: ".").compactMap { UInt32($0, radix: 16) }
                for offset in 0...count {
                    table[first + offset] = mapped.compactMap {
                        Unicode.Scalar(count > 0 ? $0 + offset : $0)
                    }
                }
            }
        }
        return table
    }()
}
