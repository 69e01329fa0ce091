import CivilTime
import Foundation
import Testing

@testable import Jobs

private let zones = TimeZones { name in
    FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)").map { Array($0) }
}

private func utc(_ text: String) throws -> Int64 {
    try #require(CivilParse.rfc3339(text)) / 1_000_000
}

private func text(_ second: Int64?) -> String? {
    second.map { CivilFormat.rfc3339(utc: $0 * 1_000_000, precision: 0) }
}

@Suite struct CronScheduleTests {
    @Test(arguments: [
        ("0 6 * * *", "2026-01-01T05:59:30Z", "2026-01-01T06:00:00Z"),
        ("0 6 * * *", "2026-01-01T06:00:00Z", "2026-01-02T06:00:00Z"),
        ("*/15 * * * *", "2026-01-01T06:01:00Z", "2026-01-01T06:15:00Z"),
        ("*/15 9-17 * * mon-fri", "2026-01-02T17:50:00Z", "2026-01-05T09:00:00Z"),
        ("5,10-12/2 0 * * *", "2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"),
        ("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        // Both days restricted: either will do.
        ("0 0 13 * fri", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"),
        ("0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
        ("@monthly", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("0 12 * jan,mar *", "2026-01-31T13:00:00Z", "2026-03-01T12:00:00Z"),
    ])
    func nextTime(_ line: String, _ after: String, _ expected: String) throws {
        let schedule = try CronSchedule(line)
        let next = schedule.next(after: try utc(after), rules: try zones.rules(for: .utc))
        #expect(text(next) == expected)
    }

    // Vienna: forward on 2026-03-29 at 01:00Z (02:00 to 03:00), back on 2026-10-25 at 01:00Z.
    @Test(arguments: [
        // A fixed time in the skipped hour runs right after the change, and the next day as usual.
        ("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
        // A fixed time in the repeated hour runs once, the first time.
        ("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        // Wildcards go by the new time at once: the skipped hour is skipped, the repeated one repeated.
        ("30 * * * *", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ("30 * * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        ("*/30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z"),
        ("*/30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
    ])
    func daylightSavingFollowsDebiansCron(_ line: String, _ after: String, _ expected: String)
        throws
    {
        let zone = try TimeZoneKey.named("Europe/Vienna")
        let schedule = try CronSchedule(line, zone: zone)
        let next = schedule.next(after: try utc(after), rules: try zones.rules(for: zone))
        #expect(text(next) == expected)
    }

    @Test func aDayThatNeverComesHasNoNextTime() throws {
        let schedule = try CronSchedule("0 0 30 2 *")
        #expect(schedule.next(after: 0, rules: try zones.rules(for: .utc)) == nil)
        let minutes = try CronSchedule("* * 30 2 *")
        #expect(minutes.next(after: 0, rules: try zones.rules(for: .utc)) == nil)
    }

    @Test(arguments: [
        "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
        "a * * * *",
        "5-1 * * * *", "*/0 * * * *", "1,,2 * * * *", "-1 * * * *", "1/2 * * * *", "@dayly",
        "+1 * * * *",
    ])
    func wrongSchedulesAreRefused(_ line: String) {
        do throws(JobError) {
            _ = try CronSchedule(line)
            Issue.record("no fault: \(line)")
        } catch { #expect(error.code == .invalidSchedule) }
    }
}

@Suite struct GlobPatternTests {
    @Test(arguments: [
        ("*.csv", "a.csv", true), ("*.csv", "x/a.csv", false), ("**/*.csv", "x/y/a.csv", true),
        ("**.csv", "x/y/a.csv", true), ("a?c", "abc", true), ("a?c", "a/c", false),
        ("x/**/z", "x/a/b/z", true), ("*.{csv,jsonl}", "a.jsonl", true),
        ("*.{csv,jsonl}", "a.txt", false),
        ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbY", false), ("", "", true), ("*", "", true),
        ("**/b*/c", "x/b1/d/b2/c", true), ("ä*", "äö", true),
    ])
    func matching(_ pattern: String, _ key: String, _ expected: Bool) throws {
        #expect(try #require(GlobPattern(pattern)).matches(key) == expected)
    }

    @Test func unbalancedBracesAreNoPattern() {
        #expect(GlobPattern("{a") == nil)
        #expect(GlobPattern("a}") == nil)
        #expect(GlobPattern("{a,{b}}") == nil)
    }
}

@Suite struct StatementsTests {
    @Test func semicolonsInQuotesAndCommentsDoNotSplit() {
        let script = """
            -- first; comment
            select ';' as "a;b", 'it''s;' /* ; */ from t;
            ;
            insert into t values (1) ; -- end;
            """
        #expect(
            Statements.split(script) == [
                "-- first; comment\nselect ';' as \"a;b\", 'it''s;' /* ; */ from t",
                "insert into t values (1)",
            ])
    }

    @Test func summariesLeaveCommentsOut() {
        #expect(Statements.summary("-- x\n  select   1\n from t") == "select 1 from t")
    }
}
