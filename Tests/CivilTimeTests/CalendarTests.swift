import CivilTime
import Testing

@Suite struct CalendarTests {
    @Test func knownDaysConvertBothWays() {
        let table: [(Int32, Int, Int, Int)] = [
            (0, 1970, 1, 1), (-1, 1969, 12, 31), (11016, 2000, 2, 29), (19782, 2024, 2, 29),
            (-719_528, 0, 1, 1), (-719_162, 1, 1, 1), (2_932_896, 9999, 12, 31),
            (-719_529, -1, 12, 31),
        ]
        for (days, year, month, day) in table {
            #expect(CivilDate(days: days) == CivilDate(year: year, month: month, day: day))
            #expect(CivilDate(year: year, month: month, day: day).days == days)
        }
    }

    @Test func everyDayOfManyYearsFollowsTheOneBefore() {
        var previous = CivilDate(days: -200_001)
        for days in Int32(-200_000)...200_000 {
            let date = CivilDate(days: days)
            #expect(date.days == days)
            let isNext =
                (date.year == previous.year && date.month == previous.month
                    && date.day == previous.day + 1)
                || (date.day == 1
                    && previous.day == daysInMonth(year: previous.year, month: previous.month))
            if !isNext { Issue.record("gap at \(days)") }
            previous = date
        }
    }

    @Test func theEndsOfTheRangeDoNotTrap() {
        for days in [Int32.min, Int32.min + 1, Int32.max, Int32.max - 1] {
            #expect(CivilDate(days: days).days == days)
            _ = Calendar.isoWeek(days)
            _ = Calendar.dayOfYear(days)
            _ = Calendar.lastDayOfMonth(days)
            for unit in DateUnit.allCases { _ = unit.truncate(days: days) }
        }
        for time in [Int64.min, Int64.max, Int64.min + 1] {
            for unit in DateUnit.allCases {
                _ = unit.truncate(microseconds: time)
                _ = unit.add(1, toMicroseconds: time)
                _ = unit.add(.max, toMicroseconds: time)
                _ = unit.difference(fromMicroseconds: time, to: 0)
                _ = unit.difference(fromMicroseconds: Int64.max, to: time)
            }
            _ = CivilFormat.timestamp(time, precision: 12)
        }
    }

    @Test(arguments: [
        ("2024-12-30", 1, 2025, 1), ("2021-01-03", 7, 2020, 53), ("2023-01-01", 7, 2022, 52),
        ("2024-02-29", 4, 2024, 9), ("1969-12-29", 1, 1970, 1),
    ])
    func weeksFollowISO(text: String, weekday: Int, year: Int, week: Int) throws {
        let days = try #require(CivilParse.date(text))
        #expect(Calendar.dayOfWeek(days) == weekday)
        #expect(Calendar.isoWeek(days).year == year)
        #expect(Calendar.isoWeek(days).week == week)
    }

    @Test(arguments: [
        ("2024-01-31", 1, "2024-02-29"), ("2024-03-31", -1, "2024-02-29"),
        ("2023-10-31", 13, "2024-11-30"), ("2024-02-29", -12, "2023-02-28"),
        ("0001-01-01", -1, "0000-12-01"),
    ])
    func monthsAreClamped(text: String, months: Int, expected: String) throws {
        let days = try #require(CivilParse.date(text))
        let moved = try #require(Calendar.addMonths(Int64(months), to: days))
        #expect(CivilFormat.date(moved) == expected)
    }

    @Test(arguments: [
        (DateUnit.month, "2024-01-31 00:00:00", "2024-02-29 00:00:00", 0),
        (.month, "2024-01-29 12:00:00", "2024-02-29 11:59:59", 0),
        (.month, "2024-02-29 11:00:00", "2024-01-29 12:00:00", 0),
        (.year, "2020-02-29 00:00:00", "2024-02-29 00:00:00", 4),
        (.quarter, "2024-01-01 00:00:00", "2024-12-31 00:00:00", 3),
        (.day, "2024-01-02 00:00:00", "2024-01-01 00:00:01", 0),
        (.week, "2024-01-01 00:00:00", "2024-01-15 00:00:00", 2),
        (.hour, "2024-01-01 00:00:00", "2023-12-31 22:30:00", -1),
    ])
    func differencesCountWholeUnits(unit: DateUnit, from: String, to: String, count: Int) throws {
        let start = try #require(CivilParse.timestamp(from)).microseconds
        let end = try #require(CivilParse.timestamp(to)).microseconds
        #expect(unit.difference(fromMicroseconds: start, to: end) == Int64(count))
    }

    @Test(arguments: [
        (DateUnit.second, "2024-08-15 13:14:15"), (.minute, "2024-08-15 13:14:00"),
        (.hour, "2024-08-15 13:00:00"), (.day, "2024-08-15 00:00:00"),
        (.week, "2024-08-12 00:00:00"), (.month, "2024-08-01 00:00:00"),
        (.quarter, "2024-07-01 00:00:00"), (.year, "2024-01-01 00:00:00"),
    ])
    func truncationFindsTheStart(unit: DateUnit, expected: String) throws {
        let time = try #require(CivilParse.timestamp("2024-08-15 13:14:15.678")).microseconds
        #expect(
            CivilFormat.timestamp(unit.truncate(microseconds: time), precision: 0) == expected)
    }
}
