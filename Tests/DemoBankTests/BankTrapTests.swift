import Testing

@testable import DemoBank

/// What is planted in the bank is there, whatever its size, its seed and its day.
struct BankTrapTests {
    /// A bank to be made.
    struct Plan: Sendable, CustomTestStringConvertible {
        var rows: Int
        var seed: UInt64
        /// Days since 1970.
        var asOfDay: Int
        var testDescription: String { "\(rows) rows, seed \(seed), as of day \(asOfDay)" }
    }

    static let plans = [
        Plan(rows: 20_000, seed: 42, asOfDay: 20_778), Plan(rows: 20_000, seed: 3, asOfDay: 20_779),
        // A Thursday that is a leap day, and a Monday.
        Plan(rows: 30_000, seed: 7, asOfDay: 19_782), Plan(rows: 40_000, seed: 1, asOfDay: 20_773),
        Plan(rows: 100_000, seed: 42, asOfDay: 20_778),
    ]

    /// Bookings and frauds of a stretch, by the name of the region.
    struct Counts {
        var all: [String: Int] = [:]
        var frauds: [String: Int] = [:]

        init(_ bank: Bank, _ times: Range<Int64>) {
            for booking in bank.transactions where times.contains(booking.time) {
                let name = BankGeography.regions[booking.region].name
                all[name, default: 0] += 1
                if booking.pattern != nil { frauds[name, default: 0] += 1 }
            }
        }

        func rate(_ name: String) -> Double {
            Double(frauds[name, default: 0]) / Double(max(1, all[name, default: 0]))
        }

        /// Above 5 %, on so many bookings at the least.
        func above(onRows least: Int) -> Set<String> {
            Set(all.filter { $0.value >= least && rate($0.key) > 0.05 }.keys)
        }
    }

    @Test(arguments: plans)
    func theTrapsAreSet(_ plan: Plan) {
        let bank = BankGenerator(
            seed: plan.seed, asOfDay: plan.asOfDay, transactionCount: plan.rows
        ).generate()
        #expect(bank.transactions.count == plan.rows)
        let day = BankGenerator.microsecondsPerDay
        let monday = Int64(plan.asOfDay - (plan.asOfDay - 4) % 7) * day
        let hour = day / 24
        func week(_ back: Int64, ahead hours: Int64 = 0) -> Counts {
            let end = monday - (back - 1) * 7 * day - hours * hour
            return Counts(bank, end - 7 * day..<end)
        }
        let (last, before) = (week(1), week(2))
        #expect(last.above(onRows: 50) == ["Coastal", "Danube"])
        #expect(before.above(onRows: 50) == ["Baltic"])
        // A handful of bookings, and more than one in twenty of them a fraud.
        #expect((8...30).contains(last.all["Islands", default: 0]))
        #expect(last.above(onRows: 1) == ["Coastal", "Danube", "Islands"])
        // Just not above.
        #expect((0.047..<0.05).contains(last.rate("Midlands")))
        // Above over all days and not last week.
        let whole = Counts(bank, 0..<Int64.max)
        #expect(whole.rate("Capital") > 0.05 && last.rate("Capital") < 0.05)
        // Sunday night is Monday where clocks are ahead.
        #expect(last.rate("Highlands") < 0.05 && before.rate("Highlands") < 0.05)
        #expect(
            week(1, ahead: 1).above(onRows: 50).isSuperset(of: ["Coastal", "Danube", "Highlands"]))
        let night = monday - 7 * day - hour..<monday - 7 * day
        let late = Counts(bank, night).frauds["Highlands", default: 0]
        #expect(late > 0 && late == before.frauds["Highlands"])
        #expect(
            (0.025...0.04).contains(Double(whole.frauds.values.reduce(0, +)) / Double(plan.rows)))
    }

    @Test func theSameSeedGivesTheSameBytes() {
        func digest(_ seed: UInt64) -> String {
            BankSource.digest(
                BankGenerator(seed: seed, asOfDay: 20_778, transactionCount: 20_000).generate())
        }
        #expect(digest(42) == digest(42) && digest(42) != digest(43))
    }
}
