import JSON
import SQLFunctions
import Vectors

extension Caster {
    /// From json to any type: scalars by their text or number, arrays, objects to maps and rows.
    func fromJSON(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        let bytes = input.pointer(as: StringView.self)[index].withBytes { [UInt8]($0) }
        do throws(JSONError) {
            let value = try JSONValue(parsing: bytes)
            write(value, self.target, output, target, frame)
        } catch {
            fail(frame, output, target, String(decoding: bytes.prefix(100), as: UTF8.self))
        }
    }

    private func write(
        _ value: JSONValue, _ type: LogicalType, _ output: ColumnBuffer, _ row: Int, _ frame: Frame
    ) {
        if type == .json {
            if output.hasNulls { ValidityBits.set(output.validBits, row) }
            return output.store(frame.keep(value.encoded()), row)
        }
        if value.isNull { return output.setNull(row) }
        if output.hasNulls { ValidityBits.set(output.validBits, row) }
        switch (type, value) {
        case (.array(let element), .array(let elements)):
            let child = output.childBuffers[0]
            let start = child.count
            child.ensure(start + elements.count)
            child.count = start + elements.count
            for (offset, item) in elements.enumerated() {
                write(item, element, child, start + offset, frame)
            }
            output.store(ListEntry(offset: UInt32(start), count: UInt32(elements.count)), row)
        case (.map(let key, let mapped), .object(let object)):
            let start = output.childBuffers[0].count
            for child in output.childBuffers {
                child.ensure(start + object.count)
                child.count = start + object.count
            }
            for (offset, member) in object.members.enumerated() {
                write(.string(member.name), key, output.childBuffers[0], start + offset, frame)
                write(member.value, mapped, output.childBuffers[1], start + offset, frame)
            }
            output.store(ListEntry(offset: UInt32(start), count: UInt32(object.count)), row)
        case (.row(let fields), .array(let elements)):
            guard elements.count == fields.count else {
                return mismatch(value, type, output, row, frame)
            }
            for (position, field) in fields.enumerated() {
                write(elements[position], field.type, output.childBuffers[position], row, frame)
            }
        case (.row(let fields), .object(let object)):
            for (position, field) in fields.enumerated() {
                let name = field.name?.lowercased()
                let member = object.members.last { $0.name.lowercased() == name }
                write(member?.value ?? .null, field.type, output.childBuffers[position], row, frame)
            }
        case (_, .array), (_, .object), (.array, _), (.map, _), (.row, _):
            mismatch(value, type, output, row, frame)
        default: writeScalar(value, type, output, row, frame)
        }
    }

    private func mismatch(
        _ value: JSONValue, _ type: LogicalType, _ output: ColumnBuffer, _ row: Int, _ frame: Frame
    ) {
        frame.context.fail(
            QueryFault(.invalidCastArgument, "Cannot cast JSON \(value.kind) to \(type)"))
        output.setNull(row)
    }

    /// Takes a boolean, number or string through the conversion that its kind has.
    private func writeScalar(
        _ value: JSONValue, _ type: LogicalType, _ output: ColumnBuffer, _ row: Int, _ frame: Frame
    ) {
        let source: LogicalType
        let buffer: ColumnBuffer
        switch value {
        case .bool(let flag):
            source = .boolean
            buffer = ColumnBuffer(source, capacity: 1)
            buffer.store(byte(flag), 0)
        case .number(let number):
            // Whole numbers, and targets that keep every digit, go by text; fractions round.
            let isWhole = number.text.utf8.allSatisfy { $0 == 0x2D || ($0 >= 0x30 && $0 <= 0x39) }
            var keepsDigits = type.physical == .string
            if case .decimal = type { keepsDigits = true }
            source = isWhole || keepsDigits ? .text : .double
            buffer = ColumnBuffer(source, capacity: 1)
            if source == .text {
                buffer.store(frame.keep(number.text), 0)
            } else {
                buffer.store(number.double ?? .nan, 0)
            }
        case .string(let text):
            source = .text
            buffer = ColumnBuffer(source, capacity: 1)
            buffer.store(frame.keep(text), 0)
        case .null, .array, .object: return output.setNull(row)
        }
        // A number's text becomes a boolean by way of the number.
        if case .number(let number) = value, type == .boolean {
            return output.store(byte((number.double ?? 0) != 0), row)
        }
        let caster = Caster(from: source, to: type, context: frame.context)
        caster.convert(buffer.vector, 0, output, row, frame)
    }
}
