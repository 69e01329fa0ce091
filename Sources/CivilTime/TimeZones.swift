import Synchronization

/// The rules of every zone, read on first use and kept.
///
/// The loader is asked for the bytes of one TZif file by IANA name (`Europe/Vienna`) and answers nil
/// where there is none; the appliance passes one that reads `TZDIR` or `/usr/share/zoneinfo`.
package final class TimeZones: Sendable {
    private let load: @Sendable (String) -> [UInt8]?
    private let cache = Mutex<[TimeZoneKey: TimeZoneRules]>([:])

    package init(load: @escaping @Sendable (String) -> [UInt8]?) { self.load = load }

    /// The rules of a zone. One lock a call: ask once a vector and key, not once a row.
    ///
    /// Throws `.missingZoneFile` and `.invalidZoneFile` for named zones only.
    package func rules(for key: TimeZoneKey) throws(CivilTimeError) -> TimeZoneRules {
        if let found = cache.withLock({ $0[key] }) { return found }
        let rules: TimeZoneRules
        if let minutes = key.fixedOffsetMinutes {
            rules = TimeZoneRules(offsetSeconds: minutes * 60)
        } else {
            let name = key.name
            guard let bytes = load(name) else {
                throw CivilTimeError(
                    code: .missingZoneFile,
                    message: "no rules are installed for time zone: \(name)",
                    hint: "install tzdata, or set TZDIR to a directory of compiled zone files")
            }
            rules = try TimeZoneRules(tzif: bytes, name: name)
        }
        return cache.withLock { cache in
            // Two threads may have read the file; all shall see one object.
            if let found = cache[key] { return found }
            cache[key] = rules
            return rules
        }
    }
}
