import Vectors

extension ScalarFunction {
    /// How alike strings are, and checks of what they hold.
    static let likeness: [ScalarFunction] = [
        ScalarFunction(
            "levenshtein_distance", [.text, .text], .bigint,
            "How many characters to change, add or drop to make one string of the other.",
            example: "levenshtein_distance('kitten', 'sitting')", canFail: true,
            kernel: binary { (left: Text, right: Text) -> Int64 in
                let (x, y) = (CodePoints.scalars(left), CodePoints.scalars(right))
                guard x.count * y.count <= 100_000_000 else {
                    throw invalid(
                        "The combined inputs for Levenshtein distance are too large: \(x.count) and "
                            + "\(y.count) characters")
                }
                if x.isEmpty || y.isEmpty { return Int64(x.count + y.count) }
                var distances = Array(0...y.count)
                for i in 1...x.count {
                    var corner = distances[0]
                    distances[0] = i
                    for j in 1...y.count {
                        let above = distances[j]
                        let changed = corner + (x[i - 1] == y[j - 1] ? 0 : 1)
                        distances[j] = min(min(above, distances[j - 1]) + 1, changed)
                        corner = above
                    }
                }
                return Int64(distances[y.count])
            }),
        ScalarFunction(
            "hamming_distance", [.text, .text], .bigint,
            "At how many places strings of one length differ.",
            example: "hamming_distance('abc', 'abd')", canFail: true,
            kernel: binary { (left: Text, right: Text) -> Int64 in
                let (x, y) = (CodePoints.scalars(left), CodePoints.scalars(right))
                guard x.count == y.count else {
                    throw invalid(
                        "The input strings to hamming_distance function must have the same length")
                }
                return Int64(zip(x, y).count { $0 != $1 })
            }),
        ScalarFunction(
            "luhn_check", [.text], .boolean, "Whether the digits pass Luhn's check.",
            example: "luhn_check('79927398713')", canFail: true,
            kernel: unary { (text: Text) -> Bool in
                if text.isEmpty { return false }
                var sum = 0
                for (index, byte) in text.reversed().enumerated() {
                    guard byte >= 48, byte <= 57 else {
                        throw invalid("Input must contain only digits: \(text.string.prefix(80))")
                    }
                    let digit = Int(byte) - 48
                    sum += index % 2 == 0 ? digit : digit * 2 / 10 + digit * 2 % 10
                }
                return sum % 10 == 0
            }),
        ScalarFunction(
            "soundex", [.text], .varchar(length: 4), "The sound of a name, as a letter and digits.",
            example: "soundex('Robert')", kernel: unary { (text: Text) in soundex(text) }),
    ]
}

/// Source: American Soundex, as Apache Commons Codec computes it.
private func soundex(_ text: Text) -> String {
    // Codes of A to Z; 0 parts equal codes, H and W (a dot) do not.
    let codes = Array("01230120022455012623010202".utf8)
    var result: [UInt8] = []
    var last: UInt8 = 0
    for byte in text {
        let letter = byte & 0xDF
        guard letter >= 65, letter <= 90, byte < 0x80 else { continue }
        let code = codes[Int(letter) - 65]
        if result.isEmpty {
            result.append(letter)
            last = code
            continue
        }
        // H and W are as if they were not there.
        if letter == UInt8(ascii: "H") || letter == UInt8(ascii: "W") { continue }
        if code != UInt8(ascii: "0"), code != last { result.append(code) }
        last = code
        if result.count == 4 { break }
    }
    guard !result.isEmpty else { return "" }
    while result.count < 4 { result.append(UInt8(ascii: "0")) }
    return String(decoding: result, as: UTF8.self)
}
