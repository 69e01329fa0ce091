import CivilTime
import Vectors

extension ScalarFunction {
    static let formattings: [ScalarFunction] = [
        ScalarFunction(
            "format",
            .values("varchar, any, …", "varchar") { types in
                guard types.count >= 2, types[0].isText || types[0] == .unknown,
                    types.dropFirst().allSatisfy({ $0.children.isEmpty })
                else { return nil }
                return ([.text] + types.dropFirst(), .text)
            }, "Text made from values by Java's format: %s, %d, %,.2f, %05d, %x, %e.",
            example: "format('%s has %,d rows', 'orders', 1500000)", nullsPropagate: false,
            canFail: true,
            kernel: { call in
                let formats = call.input(0, as: Text.self)
                var texts = ValueText(call)
                call.rows { row -> String? in
                    guard call.arguments[0].isValid(row) else { return nil }
                    return try JavaFormat.format(
                        formats[row].string, call, row: row, texts: &texts)
                }
            }),
        ScalarFunction(
            "format_number", [.bigint], .text, "The number with a unit: 123K, 1.5M.",
            example: "format_number(123456)",
            kernel: unary { (value: Int64) in shortNumber(Double(value)) }),
        ScalarFunction(
            "format_number", [.double], .text, "The number with a unit: 123K, 1.5M.",
            example: "format_number(1234.5)",
            kernel: unary { (value: Double) in shortNumber(value) }),
    ]
}

/// Source: java.util.Formatter; all of its conversions.
private enum JavaFormat {
    struct Specifier {
        var index: Int?
        var flags: Set<Character> = []
        var width = 0
        var precision: Int?
        var conversion: Character = "s"
        /// Of dates and times, the letter after `t`.
        var field: Character = "F"
        /// Whether the text is in capitals: `S`, `X`, `T` and their like.
        var isUpper = false
    }

    static func format(
        _ format: String, _ call: KernelCall, row: Int, texts: inout ValueText
    ) throws -> String {
        var result = ""
        var rest = Substring(format)
        var next = 1
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            let specifier = try specifier(&rest, format)
            switch specifier.conversion {
            case "%": result += pad("%", specifier)
            case "n": result += "\n"
            default:
                let index = specifier.index ?? next
                if specifier.index == nil { next += 1 }
                guard index >= 1, index < call.argumentCount else {
                    throw invalid(
                        "Invalid format string: \(format) (Format specifier "
                            + "'%\(specifier.conversion)' lacks a value)")
                }
                result += pad(
                    try text(specifier, call, index, row, &texts, format), specifier)
            }
            guard result.utf8.count <= FunctionLimits.padCharacters else {
                throw invalid("The formatted text is too long")
            }
        }
        return result
    }

    private static func specifier(_ rest: inout Substring, _ format: String) throws -> Specifier {
        func fault() -> QueryFault { invalid("Invalid format string: \(format)") }
        var result = Specifier()
        func number() throws -> Int? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty else { return nil }
            guard let value = Int(digits), value <= 1_000_000 else { throw fault() }
            rest = rest.dropFirst(digits.count)
            return value
        }
        let start = rest
        if let index = try number(), rest.first == "$" {
            rest = rest.dropFirst()
            result.index = index
        } else {
            rest = start
        }
        while let flag = rest.first, "-#+ 0,(".contains(flag) {
            result.flags.insert(flag)
            rest = rest.dropFirst()
        }
        result.width = try number() ?? 0
        if rest.first == "." {
            rest = rest.dropFirst()
            guard let precision = try number(), precision <= 1_000 else { throw fault() }
            result.precision = precision
        }
        guard let conversion = rest.popFirst(), "sSdxXofeEgGaAhHcCbBtT%n".contains(conversion)
        else { throw fault() }
        result.conversion = conversion
        if "SXEGAHCBT".contains(conversion) {
            result.isUpper = true
            result.conversion = Character(conversion.lowercased())
        }
        if result.conversion == "t" {
            guard let field = rest.popFirst(), JavaTime.fields.contains(field),
                result.precision == nil
            else { throw fault() }
            result.field = field
        }
        return result
    }

    private static func pad(_ text: String, _ specifier: Specifier) -> String {
        let missing = specifier.width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        if specifier.flags.contains("-") { return text + String(repeating: " ", count: missing) }
        if specifier.flags.contains("0"), "dxofeg".contains(specifier.conversion) {
            let sign = text.first.map { "+-( ".contains($0) } ?? false
            return (sign ? String(text.prefix(1)) : "") + String(repeating: "0", count: missing)
                + (sign ? text.dropFirst() : text[...])
        }
        return String(repeating: " ", count: missing) + text
    }

    private static func text(
        _ specifier: Specifier, _ call: KernelCall, _ index: Int, _ row: Int,
        _ texts: inout ValueText, _ format: String
    ) throws -> String {
        let type = call.argumentTypes[index]
        let vector = call.arguments[index]
        var text: String
        if vector.isValid(row) {
            text = try shown(specifier, call, index, row, &texts, format)
        } else {
            text = specifier.conversion == "b" ? "false" : "null"
        }
        let isNumber = (type.isDecimal || type == .double || type == .real) && vector.isValid(row)
        if let precision = specifier.precision, !isNumber || "sbh".contains(specifier.conversion) {
            text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision)))
        }
        return specifier.isUpper ? text.uppercased() : text
    }

    private static func shown(
        _ specifier: Specifier, _ call: KernelCall, _ index: Int, _ row: Int,
        _ texts: inout ValueText, _ format: String
    ) throws -> String {
        let type = call.argumentTypes[index]
        let vector = call.arguments[index]
        func mismatch() -> QueryFault {
            invalid("Invalid format string: \(format) (\(specifier.conversion) != \(type))")
        }
        switch specifier.conversion {
        case "d", "x", "o":
            guard type.isInteger else { throw mismatch() }
            // All integers are Java's long here.
            let value = Int64(texts.text(type, vector, row) ?? "") ?? 0
            if specifier.conversion == "d" {
                return signed(grouped(String(value.magnitude), specifier), value < 0, specifier)
            }
            return String(
                UInt64(bitPattern: value), radix: specifier.conversion == "o" ? 8 : 16)
        case "f", "e", "g":
            let number: DecimalDigits
            let isNegative: Bool
            if type.isDecimal {
                let value = ValueOrder.wide(vector, vector.valueIndex(row))
                number = DecimalDigits(value.magnitude, scale: type.scale)
                isNegative = value < 0
            } else {
                guard type == .double || type == .real else { throw mismatch() }
                let value = vector.value(row, as: Double.self)
                guard value.isFinite else { return javaText(value) }
                number = DecimalDigits(value)
                isNegative = value < 0 || value == 0 && value.sign == .minus
            }
            let shown = magnitude(number, specifier, isDecimal: type.isDecimal)
            return signed(grouped(shown, specifier), isNegative, specifier)
        case "a":
            guard type == .double || type == .real else { throw mismatch() }
            let value = vector.value(row, as: Double.self)
            guard value.isFinite else { return javaText(value) }
            return signed(
                javaHexadecimal(value.magnitude, digits: specifier.precision),
                value.sign == .minus, specifier)
        case "h":
            guard let hash = JavaHash.of(type, vector, row, &texts) else { throw mismatch() }
            return String(UInt32(bitPattern: hash), radix: 16)
        case "b": return type == .boolean ? texts.text(type, vector, row) ?? "" : "true"
        case "c":
            // Characters come as strings, which Java does not take for characters.
            throw mismatch()
        case "t":
            guard let time = JavaTime(call, index, row), let text = time.text(specifier.field)
            else { throw mismatch() }
            return text
        default: return texts.text(type, vector, row) ?? ""
        }
    }

    /// A number without its sign as `%f`, `%e` or `%g` writes it.
    private static func magnitude(
        _ number: DecimalDigits, _ specifier: Specifier, isDecimal: Bool
    ) -> String {
        let digits = specifier.precision ?? 6
        switch specifier.conversion {
        case "f": return fixed(number.digits, exponent: number.exponent, digits: digits)
        case "e": return scientific(number, digits: digits)
        default:
            // As many significant digits as asked for; far from one by powers of ten.
            let wanted = max(digits, 1)
            if number.digits == "0" {
                return fixed("0", exponent: 0, digits: wanted - 1)
            }
            let rounded = scientific(number, digits: wanted - 1)
            let mark = rounded.firstIndex(of: "e") ?? rounded.endIndex
            let power = Int(rounded[mark...].dropFirst()) ?? 0
            guard power >= -4, power < wanted else { return rounded }
            return fixed(number.digits, exponent: number.exponent, digits: wanted - 1 - power)
        }
    }

    private static func signed(_ text: String, _ isNegative: Bool, _ specifier: Specifier) -> String
    {
        if isNegative { return specifier.flags.contains("(") ? "(\(text))" : "-" + text }
        if specifier.flags.contains("+") { return "+" + text }
        return specifier.flags.contains(" ") ? " " + text : text
    }

    private static func grouped(_ text: String, _ specifier: Specifier) -> String {
        guard specifier.flags.contains(",") else { return text }
        let whole = text.prefix { $0 != "." }
        var result = ""
        for (offset, digit) in whole.enumerated() {
            if offset > 0, (whole.count - offset) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result + text.dropFirst(whole.count)
    }

    private static func scientific(_ number: DecimalDigits, digits: Int) -> String {
        if number.digits == "0" {
            return (digits > 0 ? "0." + String(repeating: "0", count: digits) : "0") + "e+00"
        }
        var point = number.digits.utf8.count + number.exponent - 1
        var text = fixed(
            number.digits, exponent: 1 - number.digits.utf8.count, digits: digits)
        // Rounding may have made a tenth digit: 9.99 becomes 10.0.
        if text.hasPrefix("10") {
            text = fixed("1", exponent: 0, digits: digits)
            point += 1
        }
        return text + "e" + (point < 0 ? "-" : "+") + zeroPadded(abs(point), 2)
    }
}

/// The shortest decimal digits of a double: value = digits · 10^exponent.
private struct DecimalDigits {
    var digits = "0"
    var exponent = 0

    init(_ value: Double) {
        var text = Substring(value.magnitude.description)
        if let mark = text.firstIndex(of: "e") {
            exponent = Int(text[text.index(after: mark)...]) ?? 0
            text = text[..<mark]
        }
        if let point = text.firstIndex(of: ".") {
            exponent -= text.utf8.count - text[...point].utf8.count
            text.remove(at: point)
        }
        let significant = text.drop { $0 == "0" }
        digits = significant.isEmpty ? "0" : String(significant)
        if significant.isEmpty { exponent = 0 }
    }

    /// The digits of a decimal.
    init(_ magnitude: UInt128, scale: Int) {
        digits = String(magnitude)
        exponent = magnitude == 0 ? 0 : -scale
    }
}

/// digits · 10^exponent with so many digits behind the point, halves rounded up.
private func fixed(_ digits: String, exponent: Int, digits wanted: Int) -> String {
    var all = Array(digits.utf8).map { Int($0) - 48 }
    // How many digits stand behind the point now, and how many go.
    if exponent > 0 { all += Array(repeating: 0, count: exponent) }
    let behind = max(0, -exponent)
    let excess = behind - wanted
    if excess > 0 {
        if excess > all.count { all = [] }
        let dropped = all.suffix(excess)
        let roundsUp = (dropped.count == excess ? dropped.first ?? 0 : 0) >= 5
        all.removeLast(min(excess, all.count))
        if roundsUp {
            var index = all.count - 1
            while index >= 0, all[index] == 9 {
                all[index] = 0
                index -= 1
            }
            if index >= 0 { all[index] += 1 } else { all.insert(1, at: 0) }
        }
    } else {
        all += Array(repeating: 0, count: -excess)
    }
    while all.count <= wanted { all.insert(0, at: 0) }
    while all.count > wanted + 1, all[0] == 0 { all.removeFirst() }
    let text = String(decoding: all.map { UInt8($0 + 48) }, as: UTF8.self)
    return wanted == 0 ? text : text.dropLast(wanted) + "." + text.suffix(wanted)
}

private func shortNumber(_ value: Double) -> String {
    guard value.isFinite else { return javaText(value) }
    var scaled = value
    var unit = 0
    let units = ["", "K", "M", "B", "T", "Q"]
    while scaled.magnitude >= 1_000, unit < units.count - 1 {
        scaled /= 1_000
        unit += 1
    }
    // Three digits at the most.
    let digits = scaled.magnitude < 10 ? 2 : scaled.magnitude < 100 ? 1 : 0
    let parts = DecimalDigits(scaled)
    var text = fixed(parts.digits, exponent: parts.exponent, digits: digits)
    while text.contains("."), text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return (value < 0 ? "-" : "") + text + units[unit]
}
