import Vectors

extension ScalarFunction {
    static let splitting: [ScalarFunction] = [
        ScalarFunction(
            "split", [.text, .text], .array(.text), "The pieces between delimiters.",
            example: "split('a,b', ',')", canFail: true,
            kernel: { call in split(call) { _ in .max } }),
        ScalarFunction(
            "split", [.text, .text, .bigint], .array(.text),
            "At most so many pieces; the last holds the rest.", example: "split('a,b,c', ',', 2)",
            canFail: true,
            kernel: { call in
                let limits = call.input(2, as: Int64.self)
                split(call) { row in
                    guard limits[row] > 0 else { throw invalid("Limit must be positive") }
                    return limits[row]
                }
            }),
        ScalarFunction(
            "split_to_map", [.text, .text, .text], .map(key: .text, value: .text),
            "A map of entries and their values, by two delimiters.",
            example: "split_to_map('a=1,b=2', ',', '=')", canFail: true,
            kernel: { call in
                let inputs = (0..<3).map { call.input($0, as: Text.self) }
                call.lists { row, builder in
                    let (entryMark, valueMark) = (inputs[1][row], inputs[2][row])
                    guard !entryMark.isEmpty else { throw invalid("entryDelimiter is empty") }
                    guard !valueMark.isEmpty else { throw invalid("keyValueDelimiter is empty") }
                    guard entryMark.string != valueMark.string else {
                        throw invalid("entryDelimiter and keyValueDelimiter must not be the same")
                    }
                    var seen: Set<String> = []
                    for entry in pieces(inputs[0][row], entryMark, .max) where !entry.isEmpty {
                        guard let mark = entry.find(valueMark) else {
                            throw invalid(
                                "Key-value delimiter must appear exactly once in each entry. Bad "
                                    + "input: '\(entry.string)'")
                        }
                        let key = entry.slice(0, mark)
                        guard seen.insert(key.string).inserted else {
                            throw invalid("Duplicate keys (\(key.string)) are not allowed")
                        }
                        builder.children[0].push(bytes: key)
                        builder.children[1].push(
                            bytes: entry.slice(mark + valueMark.count, entry.count))
                    }
                    return true
                }
            }),
    ]
}

private func split(_ call: KernelCall, _ limit: (Int) throws -> Int64) {
    let texts = call.input(0, as: Text.self)
    let delimiters = call.input(1, as: Text.self)
    call.lists { row, builder in
        guard !delimiters[row].isEmpty else {
            throw invalid("The delimiter may not be the empty string")
        }
        for piece in pieces(texts[row], delimiters[row], try limit(row)) {
            builder.children[0].push(bytes: piece)
        }
        return true
    }
}

func pieces(_ text: Text, _ delimiter: Text, _ limit: Int64) -> [Text] {
    var result: [Text] = []
    var from = 0
    while Int64(result.count) + 1 < limit, let mark = text.find(delimiter, from: from) {
        result.append(text.slice(from, mark))
        from = mark + delimiter.count
    }
    result.append(text.slice(from, text.count))
    return result
}
