import Vectors

extension ScalarFunction {
    static let concat = ScalarFunction(
        "concat",
        .values("varchar, …", "varchar") { types in
            guard types.count >= 2, types.allSatisfy({ $0.isText || $0 == .unknown }) else {
                return nil
            }
            return (types.map { $0.isVarchar ? $0 : .text }, .text)
        }, "The strings one after the other; NULL when one is NULL.",
        example: "concat('ice', 'berg')", kernel: joinAll)

    static let concatBytes = ScalarFunction(
        "concat",
        .values("varbinary, …", "varbinary") { types in
            guard types.count >= 2, types.contains(.varbinary),
                types.allSatisfy({ $0 == .varbinary || $0 == .unknown })
            else { return nil }
            return (types.map { _ in .varbinary }, .varbinary)
        }, "The binary values one after the other.", example: "concat(x'01', x'02')",
        kernel: joinAll)

    static let concatWith = ScalarFunction(
        "concat_ws",
        .values("varchar, varchar, …", "varchar") { types in
            guard types.count >= 2, types.allSatisfy({ $0.isText || $0 == .unknown }) else {
                return nil
            }
            return (types.map { $0.isVarchar ? $0 : .text }, .text)
        }, "The strings with a separator between them; NULLs are skipped.",
        example: "concat_ws('-', 'a', NULL, 'b')", nullsPropagate: false,
        kernel: { call in
            let inputs = (0..<call.argumentCount).map { call.input($0, as: Text.self) }
            call.rows { row -> [UInt8]? in
                guard call.arguments[0].isValid(row) else { return nil }
                var result: [UInt8] = []
                var isFirst = true
                for index in 1..<inputs.count where call.arguments[index].isValid(row) {
                    if !isFirst { result.append(contentsOf: inputs[0][row]) }
                    isFirst = false
                    result.append(contentsOf: inputs[index][row])
                }
                return result
            }
        })

    static let concatWithArray = ScalarFunction(
        "concat_ws", [.text, .array(.text)], .text,
        "The elements with a separator between them; NULLs are skipped.",
        example: "concat_ws('-', ARRAY['a', 'b'])",
        kernel: { call in
            guard let elements = call.arguments[1].children?[0] else { return }
            let texts = Input<Text>(elements)
            call.binary { (separator: Text, list: ListEntry) -> [UInt8] in
                var result: [UInt8] = []
                var isFirst = true
                for offset in 0..<Int(list.count) {
                    let row = Int(list.offset) + offset
                    guard elements.isValid(row) else { continue }
                    if !isFirst { result.append(contentsOf: separator) }
                    isFirst = false
                    result.append(contentsOf: texts[row])
                }
                return result
            }
        })

    static let replaceAll = ScalarFunction(
        "replace", [.text, .text, .text], .text,
        "The string with every occurrence of a substring replaced.",
        example: "replace('banana', 'an', 'AN')",
        kernel: ternary { (text: Text, search: Text, replacement: Text) in
            replaced(text, search, replacement)
        })

    static let removeAll = ScalarFunction(
        "replace", [.text, .text], .text, "The string without a substring.",
        example: "replace('banana', 'an')",
        kernel: binary { (text: Text, search: Text) in
            replaced(text, search, Text(start: nil, count: 0))
        })

    static let pads: [ScalarFunction] = [
        padding("lpad", "left", example: "lpad('7', 3, '0')", atStart: true),
        padding("rpad", "right", example: "rpad('ab', 4, '.')", atStart: false),
        bytePadding("lpad", "left", example: "lpad(x'07', 3, x'00')", atStart: true),
        bytePadding("rpad", "right", example: "rpad(x'07', 3, x'00')", atStart: false),
    ]

    private static func bytePadding(
        _ name: String, _ side: String, example: String, atStart: Bool
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.varbinary, .bigint, .varbinary], .varbinary,
            "Pads the binary value on the \(side) to a size in bytes, or cuts it there.",
            example: example, canFail: true,
            kernel: ternary { (bytes: Text, size: Int64, pad: Text) -> [UInt8] in
                guard size >= 0, size <= Int64(FunctionLimits.padCharacters) else {
                    throw invalid(
                        "Target length must be in the range [0..\(FunctionLimits.padCharacters)]")
                }
                guard !pad.isEmpty else { throw invalid("Padding bytes must not be empty") }
                let missing = Int(size) - bytes.count
                if missing <= 0 { return [UInt8](bytes.slice(0, Int(size))) }
                var filling: [UInt8] = []
                filling.reserveCapacity(missing)
                for place in 0..<missing { filling.append(pad[place % pad.count]) }
                return atStart ? filling + bytes : bytes + filling
            })
    }

    private static func padding(
        _ name: String, _ side: String, example: String, atStart: Bool
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.text, .bigint, .text], .text,
            "Pads the string on the \(side) to a size in characters, or cuts it there.",
            example: example, canFail: true,
            kernel: ternary { (text: Text, size: Int64, pad: Text) in
                try padded(text, size, pad, atStart: atStart)
            })
    }
}

private let joinAll: ScalarFunction.Kernel = { call in
    let output = Output(call)
    let inputs = (0..<call.argumentCount).map { call.input($0, as: Text.self) }
    call.forEachRow { row in
        var count = 0
        for input in inputs { count &+= input[row].count }
        output.putBytes(row, capacity: count) { target in
            var at = 0
            for input in inputs {
                let text = input[row]
                if let base = text.baseAddress {
                    (target + at).update(from: base, count: text.count)
                }
                at &+= text.count
            }
            return at
        }
    }
}

/// Replaces every occurrence; an empty search string is found before every character and at the end.
private func replaced(_ text: Text, _ search: Text, _ replacement: Text) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var at = 0
    if search.isEmpty {
        while at < text.count {
            let next = CodePoints.next(text, at)
            result.append(contentsOf: replacement)
            result.append(contentsOf: text.slice(at, next))
            at = next
        }
        result.append(contentsOf: replacement)
        return result
    }
    while let found = text.find(search, from: at) {
        result.append(contentsOf: text.slice(at, found))
        result.append(contentsOf: replacement)
        at = found + search.count
    }
    result.append(contentsOf: text.slice(at, text.count))
    return result
}

private func padded(_ text: Text, _ size: Int64, _ pad: Text, atStart: Bool) throws -> [UInt8] {
    guard size >= 0, size <= Int64(FunctionLimits.padCharacters) else {
        throw invalid("Target length must be in the range [0..\(FunctionLimits.padCharacters)]")
    }
    guard !pad.isEmpty else { throw invalid("Padding string must not be empty") }
    let own = CodePoints.count(text)
    if own >= Int(size) { return [UInt8](text.slice(0, CodePoints.offset(text, Int(size)))) }
    var filling: [UInt8] = []
    var missing = Int(size) - own
    let padCount = CodePoints.count(pad)
    while missing >= padCount {
        filling.append(contentsOf: pad)
        missing -= padCount
    }
    filling.append(contentsOf: pad.slice(0, CodePoints.offset(pad, missing)))
    return atStart ? filling + text : text + filling
}
