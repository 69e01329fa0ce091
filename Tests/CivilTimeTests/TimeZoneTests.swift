import CivilTime
import Foundation
import Testing

@Suite struct TimeZoneTests {
    private let zones = TimeZones { name in
        FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)").map(Array.init)
    }

    private func rules(_ name: String) throws -> TimeZoneRules {
        try zones.rules(for: TimeZoneKey.named(name))
    }

    @Test(arguments: [
        ("Z", "UTC"), ("etc/utc", "UTC"), ("+00:00", "UTC"), ("+5", "+05:00"), ("-03", "-03:00"),
        ("+0530", "+05:30"), ("-18:00", "-18:00"), ("UTC+2", "+02:00"),
        ("AMERICA/new_york", "America/New_York"),
        ("+05:30:00", "+05:30"), ("+5:30", "+05:30"),
    ])
    func namesBecomeKeys(text: String, name: String) throws {
        let key = try #require(TimeZoneKey(name: text))
        #expect(key.name == name)
        #expect(TimeZoneKey(rawValue: key.rawValue) == key)
    }

    @Test(arguments: [
        "", "+", "+19:00", "+1:60", "Nowhere/City", "+05:30:30", "+:", "::", "+12345678",
    ])
    func badNamesAreNil(text: String) { #expect(TimeZoneKey(name: text) == nil) }

    @Test func anUnknownZoneNamesTheNearest() {
        let error = #expect(throws: CivilTimeError.self) { try TimeZoneKey.named("Europe/Viena") }
        #expect(error?.code == .unknownZone)
        #expect(error?.hint == "did you mean Europe/Vienna?")
    }

    @Test func keysBeyondTheTableAreRefused() {
        #expect(TimeZoneKey(rawValue: 3000) == nil)
        #expect(TimeZoneKey(rawValue: 65535) == nil)
    }

    @Test(arguments: [
        ("Europe/Vienna", "2024-03-31 02:30:00", "2024-03-31 01:30:00"),  // Gap: moves to 03:30.
        ("Europe/Vienna", "2024-10-27 02:30:00", "2024-10-27 00:30:00"),  // Overlap: summer time.
        ("Europe/Vienna", "2024-10-27 03:00:00", "2024-10-27 02:00:00"),
        ("America/New_York", "2024-03-10 02:30:00", "2024-03-10 07:30:00"),
        ("America/New_York", "2024-11-03 01:30:00", "2024-11-03 05:30:00"),
        ("Australia/Lord_Howe", "2024-04-07 01:45:00", "2024-04-06 14:45:00"),
        ("Europe/Vienna", "2500-07-01 00:00:00", "2500-06-30 22:00:00"),
        ("Europe/Vienna", "9999-12-31 00:00:00", "9999-12-30 23:00:00"),
        ("Asia/Kolkata", "2024-07-01 05:30:00", "2024-07-01 00:00:00"),
        ("+02:00", "2024-07-01 02:00:00", "2024-07-01 00:00:00"),
    ])
    func localTimesFollowJavaTime(zone: String, local: String, utc: String) throws {
        let local = try #require(CivilParse.timestamp(local)).microseconds
        let found = try rules(zone).utcMicroseconds(ofLocal: local)
        #expect(CivilFormat.timestamp(found, precision: 0) == utc)
    }

    @Test(arguments: [
        "Europe/Vienna", "America/Sao_Paulo", "Asia/Tehran", "Africa/Casablanca",
        "Australia/Sydney", "Asia/Tokyo", "America/St_Johns", "Europe/Dublin",
    ])
    func offsetsAgreeWithFoundation(name: String) throws {
        let rules = try rules(name)
        let reference = try #require(TimeZone(identifier: name))
        var cursor = TimeZoneCursor(rules)
        for second in stride(from: Int64(-1_000_000_000), to: 2_145_000_000, by: 86_400 * 3 + 1237)
        {
            let expected = reference.secondsFromGMT(
                for: Date(timeIntervalSince1970: Double(second)))
            #expect(rules.offset(atUTCSecond: second) == expected, "\(name) \(second)")
            #expect(cursor.shift(atUTC: second * 1_000_000) == Int64(expected) * 1_000_000)
        }
    }

    @Test func theFarFutureRepeatsTheCalendarCycle() throws {
        let rules = try rules("Europe/Vienna")
        var cursor = TimeZoneCursor(rules)
        let cycle: Int64 = 146_097 * 86_400
        for day in 0..<800 {
            let second = Int64(1_900_000_000) + Int64(day) * 86_400 * 7
            let expected = rules.offset(atUTCSecond: second)
            for times in [Int64(1), 2, 15] {
                #expect(rules.offset(atUTCSecond: second + times * cycle) == expected)
                #expect(
                    cursor.shift(atUTC: (second + times * cycle) * 1_000_000) == Int64(expected)
                        * 1_000_000)
            }
        }
        _ = rules.localMicroseconds(ofUTC: .max)
        _ = rules.utcMicroseconds(ofLocal: .min)
        _ = rules.utcSecond(ofLocalSecond: .min)
    }

    @Test func everyNameIsKnownToTheSystem() throws {
        for name in TimeZoneKey.allNames {
            guard let key = TimeZoneKey(name: name) else {
                Issue.record("no key: \(name)"); continue
            }
            if key.fixedOffsetMinutes == nil { _ = try zones.rules(for: key) }
        }
    }

    @Test func damagedFilesAreFaultsAndNeverTrap() throws {
        let good = try #require(
            FileManager.default.contents(atPath: "/usr/share/zoneinfo/Europe/Vienna")
        ).map { $0 }
        for length in 0..<good.count {
            _ = try? TimeZoneRules(tzif: Array(good[..<length]), name: "x")
        }
        var seed: UInt64 = 42
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(seed >> 33) % bytes.count] = UInt8(truncatingIfNeeded: seed >> 24)
            }
            _ = try? TimeZoneRules(tzif: bytes, name: "x")
        }
        let error = #expect(throws: CivilTimeError.self) {
            try TimeZoneRules(tzif: [1, 2, 3], name: "x")
        }
        #expect(error?.code == .invalidZoneFile)
    }

    @Test func aMissingFileSaysWhatToInstall() throws {
        let empty = TimeZones { _ in nil }
        let error = #expect(throws: CivilTimeError.self) {
            try empty.rules(for: TimeZoneKey.named("Asia/Tokyo"))
        }
        #expect(error?.code == .missingZoneFile)
        #expect(try empty.rules(for: .utc).offset(atUTCSecond: 0) == 0)
    }
}
