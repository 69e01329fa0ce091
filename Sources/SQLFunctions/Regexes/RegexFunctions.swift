import Regex
import Vectors

/// Functions over regular expressions.
enum RegexFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "regexp_like", [.text, .text], .boolean, "Whether the pattern occurs in the string.",
            example: "regexp_like('1a 2b', '\\d+b')", canFail: true,
            kernel: { call in
                var patterns = Matchers(call)
                let texts = call.input(0, as: Text.self)
                call.rows { row in
                    try patterns.on(row) { matcher throws(RegexError) in
                        try matcher.firstMatch(in: texts[row])
                    }
                }
            }),
        extract([], example: "regexp_extract('1a 2b', '\\d+')"),
        extract([.bigint], example: "regexp_extract('1a 2b', '(\\d+)([a-z]+)', 2)"),
        extractAll([], example: "regexp_extract_all('1a 2b', '\\d+')"),
        extractAll([.bigint], example: "regexp_extract_all('1a 2b', '(\\d+)([a-z]+)', 2)"),
        ScalarFunction(
            "regexp_replace", [.text, .text], .text, "The string without the pattern's matches.",
            example: "regexp_replace('1a 2b', '\\d')", canFail: true,
            kernel: { call in replace(call) { _ in "" } }),
        ScalarFunction(
            "regexp_replace", [.text, .text, .text], .text,
            "The string with the pattern's matches replaced; $1 stands for a group.",
            example: "regexp_replace('1a 2b', '(\\d)', '<$1>')", canFail: true,
            kernel: { call in
                let templates = call.input(2, as: Text.self)
                replace(call) { templates[$0].string }
            }),
        replaceByLambda,
        ScalarFunction(
            "regexp_split", [.text, .text], .array(.text), "The pieces between the matches.",
            example: "regexp_split('1a 2b', '\\s+')", canFail: true,
            kernel: { call in
                var patterns = Matchers(call)
                let texts = call.input(0, as: Text.self)
                call.lists { row, builder in
                    let text = texts[row]
                    var from = 0
                    try patterns.on(row) { matcher throws(RegexError) in
                        try matcher.forEachMatch(in: text) { matcher throws(RegexError) in
                            guard let range = matcher.range(of: 0) else { return false }
                            builder.children[0].push(bytes: text.slice(from, range.lowerBound))
                            from = range.upperBound
                            return true
                        }
                    }
                    builder.children[0].push(bytes: text.slice(from, text.count))
                    return true
                }
            }),
        ScalarFunction(
            "regexp_count", [.text, .text], .bigint, "How often the pattern occurs.",
            example: "regexp_count('1a 2b', '\\d')", canFail: true,
            kernel: { call in
                var patterns = Matchers(call)
                let texts = call.input(0, as: Text.self)
                call.rows { row in
                    try patterns.on(row) { matcher throws(RegexError) in
                        Int64(try matcher.count(in: texts[row]))
                    }
                }
            }),
        position([], example: "regexp_position('9102, say good bye', '\\bs')"),
        position([.bigint], example: "regexp_position('ab ab', 'b', 3)"),
        position([.bigint, .bigint], example: "regexp_position('ab ab', 'b', 1, 2)"),
    ]

    private static func extract(_ rest: [LogicalType], example: String) -> ScalarFunction {
        ScalarFunction(
            "regexp_extract", [.text, .text] + rest, .text,
            "The first match, or one of its groups; NULL without a match.", example: example,
            canFail: true,
            kernel: { call in
                var patterns = Matchers(call)
                let texts = call.input(0, as: Text.self)
                let groups = rest.isEmpty ? nil : call.input(2, as: Int64.self)
                call.rows { row -> Text? in
                    let text = texts[row]
                    let group = try patterns.group(row, groups?[row] ?? 0)
                    return try patterns.on(row) { matcher throws(RegexError) in
                        guard try matcher.firstMatch(in: text), let range = matcher.range(of: group)
                        else { return nil }
                        return text.slice(range.lowerBound, range.upperBound)
                    }
                }
            })
    }

    private static func extractAll(_ rest: [LogicalType], example: String) -> ScalarFunction {
        ScalarFunction(
            "regexp_extract_all", [.text, .text] + rest, .array(.text),
            "All matches, or one group of each.", example: example, canFail: true,
            kernel: { call in
                var patterns = Matchers(call)
                let texts = call.input(0, as: Text.self)
                let groups = rest.isEmpty ? nil : call.input(2, as: Int64.self)
                call.lists { row, builder in
                    let text = texts[row]
                    let group = try patterns.group(row, groups?[row] ?? 0)
                    try patterns.on(row) { matcher throws(RegexError) in
                        try matcher.forEachMatch(in: text) { matcher throws(RegexError) in
                            if let range = matcher.range(of: group) {
                                builder.children[0].push(
                                    bytes: text.slice(range.lowerBound, range.upperBound))
                            } else {
                                builder.children[0].pushNull()
                            }
                            return true
                        }
                    }
                    return true
                }
            })
    }

    private static func position(_ rest: [LogicalType], example: String) -> ScalarFunction {
        ScalarFunction(
            "regexp_position", [.text, .text] + rest, .integer,
            "Where the pattern occurs from a position on, for the n-th time; -1 when it does not.",
            example: example, canFail: true,
            kernel: { call in
                var patterns = Matchers(call)
                let texts = call.input(0, as: Text.self)
                let starts = rest.isEmpty ? nil : call.input(2, as: Int64.self)
                let occurrences = rest.count < 2 ? nil : call.input(3, as: Int64.self)
                call.rows { row -> Int32 in
                    let text = texts[row]
                    let start = starts?[row] ?? 1
                    let wanted = occurrences?[row] ?? 1
                    guard start >= 1 else {
                        throw invalid("start position cannot be smaller than 1")
                    }
                    guard wanted >= 1 else { throw invalid("occurrence cannot be smaller than 1") }
                    guard start <= Int64(text.count) + 1 else { return -1 }
                    let first = CodePoints.offset(text, Int(start - 1))
                    var seen: Int64 = 0
                    var found: Int?
                    try patterns.on(row) { matcher throws(RegexError) in
                        try matcher.forEachMatch(in: text) { matcher throws(RegexError) in
                            guard let range = matcher.range(of: 0) else { return false }
                            if range.lowerBound >= first { seen += 1 }
                            if seen == wanted { found = range.lowerBound }
                            return found == nil
                        }
                    }
                    return found.map { Int32(CodePoints.count(text.slice(0, $0))) + 1 } ?? -1
                }
            })
    }

    /// `regexp_replace(string, pattern, groups -> text)`.
    private static let replaceByLambda = ScalarFunction(
        name: "regexp_replace",
        signature: .rule(
            parameters: "varchar, varchar, function(array(varchar), varchar)", result: "varchar"
        ) { arguments in
            guard arguments.count == 3, case .lambda(1, _) = arguments[2] else { return nil }
            return (
                [
                    .value(.text), .value(.text),
                    .lambda(parameters: [.array(.text)], result: .text),
                ], .text
            )
        },
        summary: "The string with each match replaced by what a function makes of its groups.",
        example: "regexp_replace('new york', '(\\w)(\\w*)', x -> upper(x[1]) || x[2])",
        canFail: true,
        kernel: { call in
            var patterns = Matchers(call)
            let texts = call.input(0, as: Text.self)
            let groups = ColumnBuilder(.array(.text), Output(call))
            var outer: [UInt32] = []
            var ranges: [Range<Int>] = []
            var counts: [Int: Int] = [:]
            call.forEachRow { row in
                let before = ranges.count
                do {
                    try patterns.on(row) { matcher throws(RegexError) in
                        try matcher.forEachMatch(in: texts[row]) { matcher throws(RegexError) in
                            guard let range = matcher.range(of: 0), let place = groups.reserve()
                            else { return false }
                            let start = groups.children[0].count
                            for group in 1..<max(matcher.pattern.groupCount + 1, 1) {
                                if let part = matcher.range(of: group) {
                                    groups.children[0].push(
                                        bytes: texts[row].slice(part.lowerBound, part.upperBound))
                                } else {
                                    groups.children[0].pushNull()
                                }
                            }
                            groups.put(groups.entry(from: start), place)
                            ranges.append(range)
                            outer.append(UInt32(row))
                            return true
                        }
                    }
                } catch { call.fail(error) }
                counts[row] = ranges.count - before
            }
            guard let lambda = call.lambdas.first else { return }
            let replacements = outer.withUnsafeBufferPointer { rows in
                rows.baseAddress.map {
                    lambda.evaluate(
                        parameters: [groups.vector], rowCount: rows.count, outerRows: $0)
                }
            }
            var next = 0
            call.rows { row -> [UInt8]? in
                let text = texts[row]
                var result: [UInt8] = []
                var from = 0
                for _ in 0..<(counts[row] ?? 0) {
                    let range = ranges[next]
                    result.append(contentsOf: text.slice(from, max(from, range.lowerBound)))
                    guard let replacements, replacements.isValid(next) else {
                        next += 1
                        from = range.upperBound
                        continue
                    }
                    replacements.string(next).withBytes { result.append(contentsOf: $0) }
                    from = range.upperBound
                    next += 1
                }
                result.append(contentsOf: text.slice(from, text.count))
                return result
            }
        })
}

private func replace(_ call: KernelCall, _ template: (Int) -> String) {
    var patterns = Matchers(call)
    let texts = call.input(0, as: Text.self)
    call.rows { row -> [UInt8] in
        let text = template(row)
        return try patterns.on(row) { matcher throws(RegexError) in
            let replacement = try RegexReplacement(text, for: matcher.pattern)
            var result: [UInt8] = []
            try matcher.replace(in: texts[row], with: replacement, into: &result)
            return result
        }
    }
}

/// The patterns of all queries: compiling costs more than matching most columns.
private let patternCache = RegexCache()

/// Matchers of the patterns in the second argument, remembering the last.
private struct Matchers {
    private let texts: Input<StringView>
    private let isStopped: () -> Bool
    private var last: (text: StringView, matcher: RegexMatcher)?

    init(_ call: KernelCall) {
        texts = call.input(1)
        isStopped = call.context.isStopped
    }

    mutating func matcher(_ row: Int) throws -> RegexMatcher {
        let text = texts[row]
        if let last, last.text == text { return last.matcher }
        do throws(RegexError) {
            let matcher = RegexMatcher(
                try patternCache.pattern(text.string), isCancelled: isStopped)
            last = (text, matcher)
            return matcher
        } catch { throw fault(error) }
    }

    /// Runs `body` with the row's matcher; its errors become faults of the query.
    mutating func on<Result>(
        _ row: Int, _ body: (RegexMatcher) throws(RegexError) -> Result
    ) throws -> Result {
        let matcher = try matcher(row)
        do throws(RegexError) { return try body(matcher) } catch { throw fault(error) }
    }

    /// A group that the row's pattern has.
    mutating func group(_ row: Int, _ group: Int64) throws -> Int {
        let count = try matcher(row).pattern.groupCount
        guard group >= 0 else { throw invalid("Group cannot be negative") }
        guard group <= Int64(count) else {
            throw invalid("Pattern has \(count) groups. Cannot access group \(group)")
        }
        return Int(group)
    }

    private func fault(_ error: RegexError) -> QueryFault {
        QueryFault(
            error.code == .cancelled ? .userCanceled : .invalidFunctionArgument, error.message,
            hint: error.hint, cause: error)
    }
}
