import Vectors

extension ScalarFunction {
    static let substr = ScalarFunction(
        "substr", aliases: ["substring"], .keepingLength([.bigint]),
        "The rest of the string from a 1-based position; a negative one counts from the end.",
        example: "substr('iceberg', 4)",
        kernel: binary { (text: Text, start: Int64) in substring(text, start, .max) })

    static let substrLength = ScalarFunction(
        "substr", aliases: ["substring"], .keepingLength([.bigint, .bigint]),
        "So many characters from a 1-based position; a negative one counts from the end.",
        example: "substr('iceberg', 1, 3)",
        kernel: ternary { (text: Text, start: Int64, length: Int64) in
            substring(text, start, length)
        })

    static let splitPart = ScalarFunction(
        "split_part", [.text, .text, .bigint], .text,
        "The field of that 1-based number between delimiters; NULL behind the last.",
        example: "split_part('a,b,c', ',', 2)", canFail: true,
        kernel: ternary { (text: Text, delimiter: Text, index: Int64) -> Text? in
            guard index > 0 else { throw invalid("Index must be greater than zero") }
            return part(text, delimiter, index)
        })

    static let strpos = ScalarFunction(
        "strpos", [.text, .text], .bigint,
        "Where the substring first occurs, counted from 1; 0 when it does not.",
        example: "strpos('iceberg', 'berg')",
        kernel: binary { (text: Text, needle: Text) -> Int64 in
            guard let at = text.find(needle) else { return 0 }
            return Int64(CodePoints.count(text.slice(0, at))) + 1
        })

    static let strposInstance = ScalarFunction(
        "strpos", [.text, .text, .bigint], .bigint,
        "Where the substring occurs for the n-th time, from the end when n is negative.",
        example: "strpos('banana', 'a', 2)", canFail: true,
        kernel: ternary { (text: Text, needle: Text, instance: Int64) -> Int64 in
            try position(text, needle, instance)
        })

    static let startsWith = ScalarFunction(
        "starts_with", [.text, .text], .boolean, "Whether the string begins with the prefix.",
        example: "starts_with('iceberg', 'ice')",
        kernel: binary { (text: Text, prefix: Text) in text.hasPrefix(prefix) })

    static let endsWith = ScalarFunction(
        "ends_with", [.text, .text], .boolean, "Whether the string ends with the suffix.",
        example: "ends_with('iceberg', 'berg')",
        kernel: binary { (text: Text, suffix: Text) in text.hasSuffix(suffix) })
}

/// `length` characters from the 1-based `start`, which counts from the end when negative.
private func substring(_ text: Text, _ start: Int64, _ length: Int64) -> Text {
    let none = text.slice(0, 0)
    guard start != 0, length > 0, !text.isEmpty else { return none }
    let from: Int
    if start > 0 {
        // Whoever wants a short prefix of ASCII needs no walk.
        guard start <= Int64(text.count) else { return none }
        from = CodePoints.offset(text, Int(start - 1))
    } else {
        let count = CodePoints.count(text)
        guard start >= -Int64(count) else { return none }
        from = CodePoints.offset(text, count + Int(start))
    }
    if length >= Int64(text.count - from) { return text.slice(from, text.count) }
    return text.slice(from, CodePoints.offset(text, Int(length), from: from))
}

private func part(_ text: Text, _ delimiter: Text, _ index: Int64) -> Text? {
    if delimiter.isEmpty {
        // Every character is a field.
        guard index <= Int64(text.count) else { return nil }
        let from = CodePoints.offset(text, Int(index - 1))
        return from < text.count ? text.slice(from, CodePoints.next(text, from)) : nil
    }
    var from = 0
    var number: Int64 = 1
    while true {
        let end = text.find(delimiter, from: from)
        if number == index { return text.slice(from, end ?? text.count) }
        guard let end else { return nil }
        from = end + delimiter.count
        number += 1
    }
}

private func position(_ text: Text, _ needle: Text, _ instance: Int64) throws -> Int64 {
    guard instance != 0 else {
        throw invalid("'instance' must be a positive or negative number.")
    }
    if needle.isEmpty { return 1 }
    var starts: [Int] = []
    var at = 0
    while let found = text.find(needle, from: at) {
        starts.append(found)
        if instance > 0, Int64(starts.count) == instance { break }
        at = CodePoints.next(text, found)
    }
    guard instance.magnitude <= UInt64(starts.count) else { return 0 }
    let index = instance > 0 ? Int(instance) - 1 : starts.count - Int(instance.magnitude)
    return Int64(CodePoints.count(text.slice(0, starts[index]))) + 1
}
