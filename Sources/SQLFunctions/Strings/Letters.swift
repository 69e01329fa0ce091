import Vectors

extension ScalarFunction {
    static let length = ScalarFunction(
        "length", [.text], .bigint, "Characters of the string.", example: "length('héllo')",
        kernel: unary { (text: Text) in Int64(CodePoints.count(text)) })

    static let lengthBytes = ScalarFunction(
        "length", [.varbinary], .bigint, "Bytes of the binary value.",
        example: "length(to_utf8('héllo'))", kernel: unary { (bytes: Text) in Int64(bytes.count) })

    static let lower = ScalarFunction(
        "lower", .keepingLength(), "The string in lower case.", example: "lower('ÄBC')",
        kernel: { changeCase($0, first: UInt8(ascii: "A"), \.properties.lowercaseMapping) })

    static let upper = ScalarFunction(
        "upper", .keepingLength(), "The string in upper case.", example: "upper('äbc')",
        kernel: { changeCase($0, first: UInt8(ascii: "a"), \.properties.uppercaseMapping) })

    static let reverse = ScalarFunction(
        "reverse", .keepingLength(), "The characters in opposite order.",
        example: "reverse('iceberg')",
        kernel: { call in
            let output = Output(call)
            let texts = call.input(0, as: Text.self)
            call.forEachRow { row in
                let text = texts[row]
                output.putBytes(row, capacity: text.count) { target in
                    var at = 0
                    var end = text.count
                    while end > 0 {
                        let start = CodePoints.previous(text, end)
                        for index in start..<end {
                            target[at] = text[index]
                            at &+= 1
                        }
                        end = start
                    }
                    return at
                }
            }
        })

    static let reverseBytes = ScalarFunction(
        "reverse", [.varbinary], .varbinary, "The bytes in opposite order.",
        example: "reverse(x'0102')", kernel: unary { (bytes: Text) in [UInt8](bytes.reversed()) })

    static let chr = ScalarFunction(
        "chr", [.bigint], .varchar(length: 1), "The character of a code point.",
        example: "chr(65)", canFail: true,
        kernel: unary { (number: Int64) -> String in
            guard let code = UInt32(exactly: number), let scalar = Unicode.Scalar(code) else {
                throw invalid("Not a valid Unicode code point: \(number)")
            }
            return String(Character(scalar))
        })

    static let codepoint = ScalarFunction(
        "codepoint", [.varchar(length: 1)], .integer, "The code point of the only character.",
        example: "codepoint('A')", canFail: true,
        kernel: unary { (text: Text) -> Int32 in
            let scalars = CodePoints.scalars(text)
            guard scalars.count == 1 else {
                throw invalid("Input string must be a single character string")
            }
            return Int32(scalars[0].value)
        })

    static let translate = ScalarFunction(
        "translate", [.text, .text, .text], .text,
        "Replaces each character of `from` by its counterpart in `to`, or drops it.",
        example: "translate('abcd', 'ab', 'xy')",
        kernel: ternary { (text: Text, from: Text, to: Text) -> String in
            let targets = CodePoints.scalars(to)
            var mapping: [Unicode.Scalar: Unicode.Scalar?] = [:]
            for (index, scalar) in CodePoints.scalars(from).enumerated()
            where mapping[scalar] == nil {
                mapping.updateValue(index < targets.count ? targets[index] : nil, forKey: scalar)
            }
            var result = String.UnicodeScalarView()
            for scalar in CodePoints.scalars(text) {
                switch mapping[scalar] {
                case .some(.some(let other)): result.append(other)
                case .some(.none): break
                case .none: result.append(scalar)
                }
            }
            return String(result)
        })
}

/// The one letter that stands for a letter whose full counterpart is several: of `İ` the `i`, of Greek
/// letters with an iota below those with an iota beside. Source: Unicode, UnicodeData.txt.
private func simpleCounterpart(_ scalar: Unicode.Scalar, isUpper: Bool) -> Unicode.Scalar {
    if !isUpper { return scalar == "\u{130}" ? "i" : scalar }
    switch scalar.value {
    case 0x1F80...0x1F87, 0x1F90...0x1F97, 0x1FA0...0x1FA7:
        return Unicode.Scalar(scalar.value + 8) ?? scalar
    case 0x1FB3, 0x1FC3, 0x1FF3: return Unicode.Scalar(scalar.value + 9) ?? scalar
    default: return scalar
    }
}

/// Maps letters one by one: a letter whose counterpart is several (ß) stays, as in Java.
private func changeCase(
    _ call: KernelCall, first: UInt8, _ mapping: (Unicode.Scalar) -> String
) {
    let output = Output(call)
    let texts = call.input(0, as: Text.self)
    call.forEachRow { row in
        let text = texts[row]
        guard CodePoints.isASCII(text) else {
            var result = String.UnicodeScalarView()
            for scalar in CodePoints.scalars(text) {
                let mapped = mapping(scalar).unicodeScalars
                result.append(
                    mapped.count == 1
                        ? mapped.first ?? scalar : simpleCounterpart(scalar, isUpper: first > 90))
            }
            return String.store(String(result), row, output)
        }
        output.putBytes(row, capacity: text.count) { target in
            for index in 0..<text.count {
                let byte = text[index]
                // Letters of the other case differ in one bit.
                let isLetter = byte &- first < 26
                target[index] = byte ^ (unsafeBitCast(isLetter, to: UInt8.self) &<< 5)
            }
            return text.count
        }
    }
}
