package import CivilTime

extension Appliance {
    /// The rules of a time zone, as this machine has them; nil where it has none.
    package func zoneRules(_ key: TimeZoneKey) -> TimeZoneRules? { try? zones.rules(for: key) }
}
