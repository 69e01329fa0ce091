import CivilTime
import SQLFunctions
import Vectors

extension Caster {
    /// To varchar, char, varbinary, json and ipaddress.
    func toText(
        _ input: Vector, _ row: Int, _ index: Int, _ output: ColumnBuffer, _ target: Int,
        _ frame: Frame
    ) {
        switch self.target {
        case .varchar(let length): toVarchar(input, index, length, output, target, frame)
        case .char(let length):
            var bytes = textBytes(input, index, frame)
            if isRejected { return reject(frame, output, target) }
            bytes = truncated(bytes, length)
            // char(n) is kept without the trailing blanks, which comparisons ignore anyway.
            while bytes.last == 0x20 { bytes.removeLast() }
            output.store(frame.keep(bytes), target)
        case .varbinary:
            switch source {
            case .varchar, .char, .json, .ipaddress, .varbinary, .opaque:
                output.store(input.pointer(as: StringView.self)[index], target)
            case .uuid:
                let value = UInt128(bitPattern: wideValue(input, index)) ^ 1 << 127
                var bytes: [UInt8] = []
                for position in 0..<16 {
                    bytes.append(UInt8(truncatingIfNeeded: value >> UInt128(120 - position * 8)))
                }
                output.store(frame.keep(bytes), target)
            default: reject(frame, output, target)
            }
        case .json:
            var text: [UInt8] = []
            guard appendJSON(source, input, row, to: &text) else {
                return reject(frame, output, target)
            }
            output.store(frame.keep(text), target)
        case .ipaddress: toAddress(input, index, output, target, frame)
        default: reject(frame, output, target)
        }
    }

    private func toAddress(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        let bytes = input.pointer(as: StringView.self)[index].withBytes { [UInt8]($0) }
        switch source {
        case .varchar, .char:
            guard let address = IPAddressText.bytes(of: bytes) else {
                return fail(frame, output, target, String(decoding: bytes, as: UTF8.self))
            }
            output.store(frame.keep(address), target)
        case .varbinary where bytes.count == 4:
            output.store(frame.keep(IPAddressText.mapped + bytes), target)
        case .varbinary where bytes.count == 16: output.store(frame.keep(bytes), target)
        case .varbinary:
            frame.context.fail(
                QueryFault(.invalidCastArgument, "Invalid IP address binary length: \(bytes.count)")
            )
            output.setNull(target)
        default: reject(frame, output, target)
        }
    }

    private func toVarchar(
        _ input: Vector, _ index: Int, _ length: Int?, _ output: ColumnBuffer, _ target: Int,
        _ frame: Frame
    ) {
        switch source {
        case .varchar:
            let view = input.pointer(as: StringView.self)[index]
            guard let length, view.count > length else { return output.store(view, target) }
            let kept = view.withBytes { prefixBytes($0, codePoints: length) }
            output.store(kept == view.count ? view : shortened(view, kept), target)
        case .json:
            let view = input.pointer(as: StringView.self)[index]
            guard let text = view.withBytes(scalarOfJSON) else {
                return fail(frame, output, target, view.string)
            }
            guard let text else { return output.setNull(target) }
            output.store(frame.keep(truncated(text, length)), target)
        default:
            let bytes = textBytes(input, index, frame)
            if isRejected { return reject(frame, output, target) }
            if let length, bytes.count > length {
                if case .char = source {
                    return output.store(frame.keep(truncated(bytes, length)), target)
                }
                return fail(frame, output, target, String(decoding: bytes, as: UTF8.self))
            }
            output.store(frame.keep(bytes), target)
        }
    }

    /// Whether the source has no text form.
    private var isRejected: Bool {
        switch source {
        case .array, .map, .row, .varbinary, .opaque: true
        default: false
        }
    }

    /// A prefix of the view that shares its bytes.
    private func shortened(_ view: StringView, _ count: Int) -> StringView {
        if view.isInline || count <= 12 {
            return view.withBytes { bytes in StringView(bytes.baseAddress!, count: count) }
        }
        return StringView(view.pointer, count: count)
    }

    private func truncated(_ bytes: [UInt8], _ length: Int?) -> [UInt8] {
        guard let length, bytes.count > length else { return bytes }
        return Array(
            bytes[..<bytes.withUnsafeBufferPointer { prefixBytes($0, codePoints: length) }])
    }

    /// The text of a value that is not nested.
    private func textBytes(_ input: Vector, _ index: Int, _ frame: Frame) -> [UInt8] {
        scalarText(source, input, index, zones)
    }
}

/// Bytes that the first `codePoints` code points take.
func prefixBytes(_ bytes: UnsafeBufferPointer<UInt8>, codePoints: Int) -> Int {
    var at = 0
    var left = codePoints
    while left > 0, at < bytes.count {
        at = min(bytes.count, at + codePointLength(bytes[at]))
        left -= 1
    }
    return at
}

/// The text of a value of a type that is not nested, as a cast to varchar gives it.
func scalarText(
    _ type: LogicalType, _ input: Vector, _ index: Int, _ zones: ZoneAccess
) -> [UInt8] {
    switch type {
    case .unknown, .array, .map, .row, .opaque: return []
    case .boolean:
        return Array(input.pointer(as: UInt8.self)[index] != 0 ? "true".utf8 : "false".utf8)
    case .tinyint, .smallint, .integer:
        return Array(String(input.pointer(as: Int32.self)[index]).utf8)
    case .bigint: return Array(String(input.pointer(as: Int64.self)[index]).utf8)
    case .real: return Array(realText(input.pointer(as: Double.self)[index]).utf8)
    case .double: return Array(doubleText(input.pointer(as: Double.self)[index]).utf8)
    case .decimal(_, let scale):
        var bytes: [UInt8] = []
        appendDecimal(wideValue(input, index), scale: scale, to: &bytes)
        return bytes
    case .ipaddress:
        let view = input.pointer(as: StringView.self)[index]
        return Array(IPAddressText.text(of: view.withBytes { [UInt8]($0) }).utf8)
    case .varchar, .varbinary, .json:
        return input.pointer(as: StringView.self)[index].withBytes { [UInt8]($0) }
    case .char(let length):
        var bytes = input.pointer(as: StringView.self)[index].withBytes { [UInt8]($0) }
        let points = bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        if points < length { bytes += [UInt8](repeating: 0x20, count: length - points) }
        return bytes
    case .date: return Array(CivilFormat.date(input.pointer(as: Int32.self)[index]).utf8)
    case .time(let precision):
        let picoseconds = input.pointer(as: Int64.self)[index]
        return Array(timeText(picoseconds, precision).utf8)
    case .timeWithTimeZone(let precision):
        let parts = TimeWithZone(wideValue(input, index))
        let local = floorRemainder(
            parts.utcPicoseconds + Int64(parts.offsetMinutes) * 60_000_000_000_000,
            picosecondsPerDay)
        return Array((timeText(local, precision) + offsetText(parts.offsetMinutes)).utf8)
    case .timestamp(let precision):
        let stamp = Timestamp(input, index, type)
        return Array(
            CivilFormat.timestamp(
                stamp.microseconds, picoseconds: stamp.picoseconds, precision: precision
            ).utf8)
    case .timestampWithTimeZone(let precision):
        let stamp = ZonedTimestamp(wideValue(input, index))
        let local = zones.local(ofUTC: stamp.microseconds, zone: stamp.zone)
        let text = CivilFormat.timestamp(
            local, picoseconds: stamp.picoseconds, precision: precision)
        return Array((text + " " + stamp.zone.name).utf8)
    case .intervalYearToMonth:
        return Array(CivilInterval.months(Int64(input.pointer(as: Int32.self)[index])).text.utf8)
    case .intervalDayToSecond:
        return Array(CivilInterval.milliseconds(input.pointer(as: Int64.self)[index]).text.utf8)
    case .uuid: return uuidText(wideValue(input, index))
    }
}

private func timeText(_ picoseconds: Int64, _ precision: Int) -> String {
    CivilFormat.time(
        picoseconds / 1_000_000, picoseconds: Int32(picoseconds % 1_000_000), precision: precision)
}

private func offsetText(_ minutes: Int) -> String {
    let magnitude = minutes.magnitude
    let hours = magnitude / 60
    let rest = magnitude % 60
    return (minutes < 0 ? "-" : "+") + (hours < 10 ? "0" : "") + "\(hours):"
        + (rest < 10 ? "0" : "")
        + "\(rest)"
}
