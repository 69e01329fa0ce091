/// What reading a CSV file for its types told besides them.
package struct CSVInference: Sendable {
    /// By column: the most digits before the point of its numbers; 0 without numbers.
    package internal(set) var wholeDigits: [Int] = []
    /// Texts that the header has more than once, with the names that the columns got.
    package internal(set) var repeated: [(text: String, names: [String])] = []
    /// Where stretches of the file's records begin, the first at its start: a reader of each may go its own way.
    package internal(set) var places: [CSVPlace] = []

    static func repeated(
        _ header: [String], _ names: [String]
    ) -> [(text: String, names: [String])] {
        var places: [String: [String]] = [:]
        for (text, name) in zip(header, names) { places[text, default: []].append(name) }
        var told: Set<String> = []
        return header.compactMap { text in
            guard let all = places[text], all.count > 1, told.insert(text).inserted else {
                return nil
            }
            return (text, all)
        }
    }

    /// The digits before the point, or the end, of a number without an exponent.
    static func wholeDigits(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var count = 0
        for byte in bytes {
            if byte == 0x2E { break }
            if byte >= 0x30, byte <= 0x39 { count += 1 }
        }
        return count
    }
}
