import CivilTime
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Reads literals: the text after a type name, decimals, intervals.
enum LiteralBinding {
    /// `1.50` is decimal(3,2): leading zeros do not count.
    static func decimal(_ text: String, _ span: SourceSpan) throws(QueryFault) -> BoundExpression {
        var value: Int128 = 0
        var digits = 0
        var scale = 0
        var sawPoint = false
        var isNegative = false
        var sawDigit = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"), UInt8(ascii: "_"): continue
            case UInt8(ascii: "."): sawPoint = true
            case 48...57:
                sawDigit = true
                if sawPoint { scale += 1 }
                if digits > 0 || byte != 48 { digits += 1 }
                guard digits <= DecimalRules.maxPrecision, scale <= DecimalRules.maxPrecision else {
                    throw .analysis(.invalidLiteral, "DECIMAL literal is too long: \(text)", span)
                }
                value = value * 10 + Int128(byte - 48)
            default: throw .analysis(.invalidLiteral, "Invalid decimal literal: \(text)", span)
            }
        }
        guard sawDigit else {
            throw .analysis(.invalidLiteral, "Invalid decimal literal: \(text)", span)
        }
        let precision = max(digits, scale, 1)
        if isNegative { value = -value }
        let type = LogicalType.decimal(precision: precision, scale: scale)
        return .literal(precision <= 18 ? .integer(Int64(value)) : .wide(value), type)
    }

    /// `DATE '…'` and its like. What is not read here becomes a cast of the text, which executes once.
    static func typed(
        _ name: TypeName, _ text: String, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let bytes = BoundExpression.literal(
            .bytes(Array(text.utf8)), .varchar(length: text.unicodeScalars.count))
        var isBare = false
        switch name.kind {
        case .named(let word, let arguments):
            isBare = arguments.isEmpty
            if isBare && (word == "decimal" || word == "numeric" || word == "dec") {
                return try decimal(trimmed(text), span)
            }
            if isBare && word == "char" {
                let length = max(1, text.unicodeScalars.count)
                return .literal(.bytes(Array(text.utf8)), .char(length: length))
            }
        case .dateTime(_, let precision, _): isBare = precision == nil
        default: break
        }
        let type = try LogicalType(name)
        func invalid() -> QueryFault {
            .analysis(.invalidLiteral, "'\(text)' is not a valid \(type.familyName) literal", span)
        }
        switch type {
        case .varchar(let limit):
            guard limit.map({ text.unicodeScalars.count <= $0 }) ?? true else { throw invalid() }
            return bytes
        case .date:
            guard let days = DateText.days(text) else { throw invalid() }
            return .literal(.integer(Int64(days)), .date)
        case .timestamp, .timestampWithTimeZone:
            guard let parsed = CivilParse.timestamp(text) else { throw invalid() }
            let precision = isBare ? parsed.precision : type.fractionDigits
            if parsed.zone != nil {
                return .cast(bytes, to: .timestampWithTimeZone(precision: precision), isSafe: false)
            }
            if case .timestampWithTimeZone = type {
                return .cast(bytes, to: .timestampWithTimeZone(precision: precision), isSafe: false)
            }
            guard parsed.precision <= precision else {
                return .cast(bytes, to: .timestamp(precision: precision), isSafe: false)
            }
            return .literal(
                precision <= 6
                    ? .integer(parsed.microseconds)
                    : .wide(Int128(parsed.microseconds) << 64 | Int128(parsed.picoseconds)),
                .timestamp(precision: precision))
        case .time, .timeWithTimeZone:
            guard let parsed = CivilParse.time(text) else { throw invalid() }
            let precision = isBare ? parsed.precision : type.fractionDigits
            if parsed.offsetMinutes != nil {
                return .cast(bytes, to: .timeWithTimeZone(precision: precision), isSafe: false)
            }
            if case .timeWithTimeZone = type { throw invalid() }
            guard parsed.precision <= precision else {
                return .cast(bytes, to: .time(precision: precision), isSafe: false)
            }
            return .literal(
                .integer(parsed.microsecondOfDay * 1_000_000 + Int64(parsed.picoseconds)),
                .time(precision: precision))
        case .tinyint, .smallint, .integer, .bigint:
            guard let value = Int64(text), type.holds(value) else { throw invalid() }
            return .literal(.integer(value), type)
        case .boolean:
            switch text.lowercased() {
            case "true", "t", "1": return .true_
            case "false", "f", "0": return .false_
            default: throw invalid()
            }
        case .double:
            guard let value = Double(trimmed(text)) else {
                return .cast(bytes, to: type, isSafe: false)
            }
            return .literal(.double(bits: value.bitPattern), .double)
        case .real:
            guard let value = Float(trimmed(text)) else {
                return .cast(bytes, to: type, isSafe: false)
            }
            return .literal(.double(bits: Double(value).bitPattern), .real)
        case .json:
            // The text of a JSON literal is parsed; a cast would make a JSON string of it.
            let parse = try FunctionRegistry.standard.resolveScalar(
                "json_parse", [.value(.text)], span: span)
            return .call(parse, [.cast(bytes, to: .text, isSafe: false)])
        default:
            guard LogicalType.text.casts(to: type) else { throw invalid() }
            return .cast(bytes, to: type, isSafe: false)
        }
    }

    static func interval(
        _ literal: IntervalLiteral, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard let from = IntervalField(rawValue: literal.from.rawValue) else {
            throw .analysis(.invalidLiteral, "Invalid INTERVAL field", span)
        }
        let to = literal.to.flatMap { IntervalField(rawValue: $0.rawValue) }
        let value: CivilInterval
        do {
            value = try CivilInterval(literal.text, from: from, to: to)
        } catch {
            throw .analysis(
                .invalidLiteral, "'\(literal.text)' is not a valid INTERVAL literal", span,
                hint: error.hint)
        }
        func signed(_ amount: Int64) throws(QueryFault) -> Int64 {
            guard literal.isNegative else { return amount }
            let (result, overflow) = (0 as Int64).subtractingReportingOverflow(amount)
            if overflow {
                throw .analysis(
                    .invalidLiteral, "'\(literal.text)' is not a valid INTERVAL literal", span)
            }
            return result
        }
        switch value {
        case .months(let months):
            guard let small = Int32(exactly: months) else {
                throw .analysis(
                    .invalidLiteral, "'\(literal.text)' is not a valid INTERVAL literal", span)
            }
            return .literal(.integer(try signed(Int64(small))), .intervalYearToMonth)
        case .milliseconds(let milliseconds):
            return .literal(.integer(try signed(milliseconds)), .intervalDayToSecond)
        }
    }

    private static func trimmed(_ text: String) -> String {
        var view = text.unicodeScalars[...]
        while view.first?.properties.isWhitespace == true { view = view.dropFirst() }
        while view.last?.properties.isWhitespace == true { view = view.dropLast() }
        return String(view)
    }
}

extension LogicalType {
    /// The type's name without arguments, in capitals, for messages.
    var familyName: String {
        let text = description
        return String(text.prefix { $0 != "(" }).uppercased()
    }

    /// Digits of the second's fraction of times and timestamps.
    var fractionDigits: Int {
        switch self {
        case .time(let precision), .timeWithTimeZone(let precision), .timestamp(let precision),
            .timestampWithTimeZone(let precision):
            precision
        default: 0
        }
    }

    /// Whether an integer type holds a value.
    func holds(_ value: Int64) -> Bool {
        switch self {
        case .tinyint: Int8(exactly: value) != nil
        case .smallint: Int16(exactly: value) != nil
        case .integer: Int32(exactly: value) != nil
        default: true
        }
    }
}

extension ExpressionBinder {
    /// `DATE '…'` and its like. Text that only a cast reads is cast at once, where there is somebody to do
    /// it: what cannot be cast is a mistake of the literal.
    func typedLiteral(
        _ name: TypeName, _ text: String, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let bound = try LiteralBinding.typed(name, text, span)
        guard case .cast(_, let type, _) = bound, let evaluator = binder.context.evaluator else {
            return bound
        }
        do throws(QueryFault) { return .literal(try evaluator.evaluate(bound), type) } catch {
            guard error.code == .invalidCastArgument else { throw error }
            throw QueryFault(
                .invalidLiteral,
                "line \(span.line):\(span.column): '\(text)' is not a valid \(type.familyName) literal",
                hint: error.hint, span: span, cause: error)
        }
    }
}
