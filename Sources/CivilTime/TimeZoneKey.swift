import Diagnostics

/// A time zone as 16 bits: UTC, a fixed offset of whole minutes, or an IANA name.
///
/// The name follows from the key alone; the rules of named zones come from `TimeZones`. Keys are the
/// same in every process of one version, and are not meant for disk.
@usableFromInline
package struct TimeZoneKey: Sendable, Hashable, RawRepresentable {
    @usableFromInline package let rawValue: UInt16

    /// Keys 1 ... 2161 are offsets -18:00 ... +18:00 in minutes; named zones begin at 4096.
    static let offsetBias = 1081
    static let maximumOffsetMinutes = 1080
    static let firstNamed: UInt16 = 4096

    /// UTC, written `UTC`.
    package static let utc = TimeZoneKey(unchecked: 0)

    @inlinable
    package init(unchecked rawValue: UInt16) { self.rawValue = rawValue }

    /// The key of that number, or nil if it stands for no zone.
    @usableFromInline
    package init?(rawValue: UInt16) {
        let isNamed =
            rawValue >= Self.firstNamed
            && Int(rawValue - Self.firstNamed) < zoneNameTable.count
        guard rawValue <= Self.offsetBias + Self.maximumOffsetMinutes || isNamed else { return nil }
        self.rawValue = rawValue
    }

    /// A fixed offset east of Greenwich, -18:00 through +18:00; offset zero is UTC.
    package init?(offsetMinutes: Int) {
        guard offsetMinutes.magnitude <= Self.maximumOffsetMinutes else { return nil }
        rawValue = offsetMinutes == 0 ? 0 : UInt16(offsetMinutes + Self.offsetBias)
    }

    /// Reads `UTC`, `Z`, `+05:30`, `+0530`, `+5`, `GMT-03:00`, `UTC+1` or an IANA name, in any case.
    package init?(name: some StringProtocol) {
        let lower = name.lowercased()
        if let key = TimeZoneKey.fixed(Array(lower.utf8)[...]) {
            self = key
            return
        }
        if isEquivalentToUTC(lower) {
            self = .utc
            return
        }
        for prefix in ["utc", "gmt", "ut"] where lower.hasPrefix(prefix) {
            if let key = TimeZoneKey.fixed(Array(lower.utf8)[prefix.utf8.count...]) {
                self = key
                return
            }
        }
        guard let key = zoneKeyTable[lower] else { return nil }
        rawValue = key
    }

    /// The zone of that name.
    ///
    /// Throws `.unknownZone` with the nearest name as hint.
    package static func named(_ name: String) throws(CivilTimeError) -> TimeZoneKey {
        if let key = TimeZoneKey(name: name) { return key }
        let nearest = nearestName(to: name, among: zoneNameTable)
        throw CivilTimeError(
            code: .unknownZone, message: "time zone not found: \(name)",
            hint: nearest.map { "did you mean \($0)?" }
                ?? "use an IANA name such as Europe/Vienna, or an offset such as +02:00")
    }

    /// Every IANA name that is known.
    package static var allNames: [String] { zoneNameTable }

    /// The offset in minutes of UTC and the fixed zones; nil for named ones.
    package var fixedOffsetMinutes: Int? {
        if rawValue == 0 { return 0 }
        return rawValue < Self.firstNamed ? Int(rawValue) - Self.offsetBias : nil
    }

    /// How the zone is written: `UTC`, `+05:30`, `Europe/Vienna`.
    package var name: String {
        guard let minutes = fixedOffsetMinutes else {
            let index = Int(rawValue - Self.firstNamed)
            return index < zoneNameTable.count ? zoneNameTable[index] : "UTC"
        }
        if minutes == 0 { return "UTC" }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 8) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = CivilFormat.writeOffset(minutes: minutes, into: base)
            return String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
        }
    }

    /// `+H`, `+HH`, `+HHMM`, `+H:MM`, `+HH:MM`, with an optional `:00` for seconds.
    private static func fixed(_ text: ArraySlice<UInt8>) -> TimeZoneKey? {
        guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
            return nil
        }
        var digits: [Int] = []
        var colons = 0
        var digitsBeforeColon = 0
        for byte in text.dropFirst() {
            if byte == UInt8(ascii: ":") {
                guard !digits.isEmpty, colons < 2, text.last != byte else { return nil }
                if colons == 0 { digitsBeforeColon = digits.count }
                colons += 1
            } else {
                guard byte >= 48, byte <= 57, digits.count < 6 else { return nil }
                digits.append(Int(byte) - 48)
            }
        }
        if colons > 0, digitsBeforeColon == 1 || digits.count == 1 { digits.insert(0, at: 0) }
        if digits.count == 1 { digits.insert(0, at: 0) }
        if digits.count == 6, digits[4] == 0, digits[5] == 0 { digits.removeLast(2) }
        if digits.count == 2, colons == 0 { digits += [0, 0] }
        guard digits.count == 4 else { return nil }
        let hours = digits[0] * 10 + digits[1]
        let minutes = digits[2] * 10 + digits[3]
        guard minutes < 60 else { return nil }
        let total = hours * 60 + minutes
        return TimeZoneKey(offsetMinutes: sign == UInt8(ascii: "-") ? -total : total)
    }
}

/// The names that Trino writes as UTC.
private func isEquivalentToUTC(_ lower: String) -> Bool {
    let bare = lower.hasPrefix("etc/") ? String(lower.dropFirst(4)) : lower
    switch bare {
    case "utc", "z", "ut", "uct", "gmt", "gmt0", "gmt+0", "gmt-0", "greenwich", "universal", "zulu":
        return true
    default:
        return false
    }
}
