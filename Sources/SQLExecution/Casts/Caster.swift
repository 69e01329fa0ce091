import CivilTime
import SQLFunctions
import Vectors

/// Converts single values from one type to another by Trino's rules.
/// Source: Trino documentation, "Conversion functions"; `reference/trino-dialect.md`, section 4.
final class Caster {
    let source: LogicalType
    let target: LogicalType
    let zones: ZoneAccess
    private let children: [Caster]

    init(from source: LogicalType, to target: LogicalType, context: EvaluationContext) {
        self.source = source
        self.target = target
        zones = ZoneAccess(context.session)
        let pairs = zip(source.children, target.children)
        children = pairs.map { Caster(from: $0, to: $1, context: context) }
    }

    /// Writes the converted value of a row that is not NULL; a failure goes to the frame's context.
    func convert(_ input: Vector, _ row: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame)
    {
        let index = input.valueIndex(row)
        if source == self.target || (!children.isEmpty && source.physical == self.target.physical) {
            return convertNested(input, row, index, output, target, frame)
        }
        if source == .json, self.target != .varbinary {
            if case .varchar = self.target {
                return toText(input, row, index, output, target, frame)
            }
            return fromJSON(input, index, output, target, frame)
        }
        switch self.target {
        case .unknown: output.setNull(target)
        case .boolean: toBoolean(input, index, output, target, frame)
        case .tinyint, .smallint, .integer, .bigint: toInteger(input, index, output, target, frame)
        case .real, .double: toFloating(input, index, output, target, frame)
        case .decimal(let precision, let scale):
            toDecimal(input, index, precision, scale, output, target, frame)
        case .varchar, .char, .varbinary, .json, .ipaddress:
            toText(input, row, index, output, target, frame)
        case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone,
            .intervalYearToMonth, .intervalDayToSecond:
            toTime(input, index, output, target, frame)
        case .uuid: toUUID(input, index, output, target, frame)
        case .opaque(let type): toOpaque(type, input, index, output, target, frame)
        case .array, .map, .row: reject(frame, output, target)
        }
    }

    /// Arrays, maps and rows convert element by element.
    private func convertNested(
        _ input: Vector, _ row: Int, _ index: Int, _ output: ColumnBuffer, _ target: Int,
        _ frame: Frame
    ) {
        guard let inner = input.children, !children.isEmpty else {
            do throws(MemoryLimitFault) {
                try output.copyValue(from: input, row: row, to: target)
            } catch { frame.context.fail(QueryFault(error)) }
            return
        }
        if output.hasNulls { ValidityBits.set(output.validBits, target) }
        guard source.physical == .list else {
            for (position, caster) in children.enumerated() {
                caster.convertElement(
                    inner[position], index, output.childBuffers[position], target, frame)
            }
            return
        }
        let entry = input.pointer(as: ListEntry.self)[index]
        let start = output.childBuffers[0].count
        for (position, caster) in children.enumerated() {
            let buffer = output.childBuffers[position]
            buffer.ensure(start + Int(entry.count))
            buffer.count = start + Int(entry.count)
            for offset in 0..<Int(entry.count) {
                caster.convertElement(
                    inner[position], Int(entry.offset) + offset, buffer, start + offset, frame)
            }
        }
        if case .map(let key, _) = self.target, source.children.first != key,
            repeatsKey(key, output.childBuffers[0].vector, start, Int(entry.count))
        {
            // As Trino has it: two keys that become one would lose an entry.
            frame.context.fail(QueryFault(.invalidCastArgument, "duplicate keys"))
            return output.setNull(target)
        }
        output.store(ListEntry(offset: UInt32(start), count: entry.count), target)
    }

    /// Whether two of the keys that were converted are the same.
    private func repeatsKey(
        _ type: LogicalType, _ keys: Vector, _ start: Int, _ count: Int
    ) -> Bool {
        guard count > 1 else { return false }
        var seen: Set<[UInt8]> = []
        for offset in 0..<count {
            var bytes: [UInt8] = []
            ValueCodec.encode(type, keys, start + offset, forKeys: .grouping, to: &bytes)
            if !seen.insert(bytes).inserted { return true }
        }
        return false
    }

    private func convertElement(
        _ input: Vector, _ row: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        if input.isValid(row) {
            if output.hasNulls { ValidityBits.set(output.validBits, target) }
            convert(input, row, output, target, frame)
        } else {
            output.setNull(target)
        }
    }

    /// Records that the value cannot be converted.
    func fail(_ frame: Frame, _ output: ColumnBuffer, _ target: Int, _ value: String) {
        frame.context.fail(
            QueryFault(.invalidCastArgument, "Cannot cast '\(value)' to \(self.target)"))
        output.setNull(target)
    }

    func outOfRange(_ frame: Frame, _ output: ColumnBuffer, _ target: Int, _ value: String) {
        frame.context.fail(
            QueryFault(.invalidCastArgument, "Out of range for \(self.target): \(value)"))
        output.setNull(target)
    }

    func reject(_ frame: Frame, _ output: ColumnBuffer, _ target: Int) {
        frame.context.fail(
            QueryFault(.typeMismatch, "Cannot cast \(source) to \(self.target)"))
        output.setNull(target)
    }

    /// The whole number in an integer type's vector.
    func integer(_ input: Vector, _ index: Int) -> Int64 {
        switch input.physical {
        case .bool: Int64(input.pointer(as: UInt8.self)[index])
        case .int32: Int64(input.pointer(as: Int32.self)[index])
        default: input.pointer(as: Int64.self)[index]
        }
    }

    private func toBoolean(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        switch source {
        case .tinyint, .smallint, .integer, .bigint:
            output.store(byte(integer(input, index) != 0), target)
        case .real, .double: output.store(byte(input.pointer(as: Double.self)[index] != 0), target)
        case .decimal: output.store(byte(wideValue(input, index) != 0), target)
        case .varchar, .char:
            let text = input.pointer(as: StringView.self)[index].string
            switch text.lowercased() {
            case "t", "true", "1": output.store(UInt8(1), target)
            case "f", "false", "0": output.store(UInt8(0), target)
            default: fail(frame, output, target, text)
            }
        default: reject(frame, output, target)
        }
    }

    private func toInteger(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        var value: Int64 = 0
        switch source {
        case .boolean, .tinyint, .smallint, .integer, .bigint: value = integer(input, index)
        case .real, .double:
            let number = input.pointer(as: Double.self)[index]
            let rounded = number.rounded(.toNearestOrAwayFromZero)
            guard let exact = Int64(exactly: rounded) else {
                return outOfRange(frame, output, target, doubleText(number))
            }
            value = exact
        case .decimal(_, let scale):
            let rounded = divideHalfUp(wideValue(input, index), by: powerOfTen(scale))
            guard let exact = Int64(exactly: rounded) else {
                return outOfRange(frame, output, target, "\(rounded)")
            }
            value = exact
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            guard let parsed = view.withBytes(parseInteger) else {
                return fail(frame, output, target, view.string)
            }
            value = parsed
        default: return reject(frame, output, target)
        }
        guard integerRange(self.target).contains(value) else {
            return source.physical == .string
                ? fail(frame, output, target, "\(value)")
                : outOfRange(frame, output, target, "\(value)")
        }
        if output.physical == .int32 {
            output.store(Int32(value), target)
        } else {
            output.store(value, target)
        }
    }

    private func toFloating(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        var value: Double
        switch source {
        case .boolean, .tinyint, .smallint, .integer, .bigint: value = Double(integer(input, index))
        case .real, .double: value = input.pointer(as: Double.self)[index]
        case .decimal(_, let scale): value = decimalToDouble(wideValue(input, index), scale: scale)
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            guard let parsed = view.withBytes(parseDouble) else {
                return fail(frame, output, target, view.string)
            }
            value = parsed
        default: return reject(frame, output, target)
        }
        if case .real = self.target { value = Double(Float(value)) }
        output.store(value, target)
    }

    private func toDecimal(
        _ input: Vector, _ index: Int, _ precision: Int, _ scale: Int, _ output: ColumnBuffer,
        _ target: Int, _ frame: Frame
    ) {
        var value: Int128?
        switch source {
        case .boolean, .tinyint, .smallint, .integer, .bigint:
            value = rescale(Int128(integer(input, index)), from: 0, to: scale)
        case .decimal(_, let from): value = rescale(wideValue(input, index), from: from, to: scale)
        case .real, .double:
            // The shortest decimal text is what a person means by the number.
            let number = input.pointer(as: Double.self)[index]
            let text = source == .real ? Float(number).description : number.description
            var copy = text
            value = copy.withUTF8 { parseDecimal($0, precision: precision, scale: scale) }
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            value = view.withBytes { bytes in
                var low = 0
                var high = bytes.count
                while low < high, bytes[low] <= 0x20 { low += 1 }
                while high > low, bytes[high - 1] <= 0x20 { high -= 1 }
                return parseDecimal(
                    UnsafeBufferPointer(rebasing: bytes[low..<high]), precision: precision,
                    scale: scale)
            }
            if value == nil { return fail(frame, output, target, view.string) }
        default: return reject(frame, output, target)
        }
        guard let value, value.magnitude < powerOfTen(precision).magnitude else {
            var text: [UInt8] = []
            switch source {
            case .decimal(_, let from):
                appendDecimal(wideValue(input, index), scale: from, to: &text)
            case .real, .double:
                text = Array(doubleText(input.pointer(as: Double.self)[index]).utf8)
            default: text = Array("\(integer(input, index))".utf8)
            }
            let shown = String(decoding: text, as: UTF8.self)
            frame.context.fail(
                QueryFault(
                    .invalidCastArgument, "Cannot cast \(source) '\(shown)' to \(self.target)"))
            return output.setNull(target)
        }
        if output.physical == .int64 {
            output.store(Int64(truncatingIfNeeded: value), target)
        } else {
            output.store(value, target)
        }
    }

    private func toUUID(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        let view = input.pointer(as: StringView.self)[index]
        switch source {
        case .varchar, .char:
            guard let value = view.withBytes(parseUUID) else {
                return fail(frame, output, target, view.string)
            }
            output.store(value, target)
        case .varbinary:
            guard view.count == 16 else {
                return fail(frame, output, target, "\(view.count) bytes")
            }
            let bits = view.withBytes { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
            output.store(Int128(bitPattern: bits ^ 1 << 127), target)
        default: reject(frame, output, target)
        }
    }
}

/// Changes the scale, rounding half up; nil on overflow.
func rescale(_ value: Int128, from: Int, to: Int) -> Int128? {
    if to >= from {
        let (scaled, overflow) = value.multipliedReportingOverflow(by: powerOfTen(to - from))
        return overflow ? nil : scaled
    }
    return divideHalfUp(value, by: powerOfTen(from - to))
}

/// The double that is nearest to the decimal.
func decimalToDouble(_ value: Int128, scale: Int) -> Double {
    if value.magnitude < 1 << 53, scale <= 22 {
        return Double(Int64(value)) / Double(powerOfTen(scale))
    }
    var text: [UInt8] = []
    appendDecimal(value, scale: scale, to: &text)
    return Double(String(decoding: text, as: UTF8.self)) ?? 0
}

/// Reads `8-4-4-4-12` hex digits into the packed form (top bit flipped, so that order is kept).
func parseUUID(_ bytes: UnsafeBufferPointer<UInt8>) -> Int128? {
    guard bytes.count == 36 else { return nil }
    var value: UInt128 = 0
    for (index, character) in bytes.enumerated() {
        if index == 8 || index == 13 || index == 18 || index == 23 {
            guard character == UInt8(ascii: "-") else { return nil }
            continue
        }
        let digit: UInt8
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
        default: return nil
        }
        value = value << 4 | UInt128(digit)
    }
    return Int128(bitPattern: value ^ 1 << 127)
}

/// The text of a packed uuid.
func uuidText(_ packed: Int128) -> [UInt8] {
    let value = UInt128(bitPattern: packed) ^ 1 << 127
    var text: [UInt8] = []
    for position in 0..<32 {
        if position == 8 || position == 12 || position == 16 || position == 20 {
            text.append(UInt8(ascii: "-"))
        }
        let digit = UInt8(truncatingIfNeeded: value >> UInt128(124 - position * 4)) & 15
        text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
    return text
}
