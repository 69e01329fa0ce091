/// Makes the bank: people, merchants, sixty days of bookings, and the fraud that is planted in them.
///
/// Transactions are planned by cells: one region in one ISO week. A cell has its number of bookings and
/// its number of frauds, so that weekly rates per region are exact to one booking; patterns fill the
/// cell's frauds, habits its honest bookings. Same seed, as-of day and size: same bytes, everywhere.
package struct BankGenerator: Sendable {
    static let customerCount = 5_000
    static let accountCount = 7_500
    static let merchantCount = 800
    static let dayCount = 60
    /// Of a day without a leap second.
    package static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Another seed makes another bank.
    package let seed: UInt64
    /// The day of the walkthrough, in days since 1970; data ends on the day before.
    package let asOfDay: Int
    /// Bookings in all.
    package let transactionCount: Int

    /// A generator; it makes nothing yet.
    package init(seed: UInt64, asOfDay: Int, transactionCount: Int) {
        self.seed = seed
        self.asOfDay = asOfDay
        self.transactionCount = transactionCount
    }

    /// Makes the whole bank in memory.
    package func generate() -> Bank {
        var bank = Bank()
        makeCustomers(&bank)
        makeAccounts(&bank)
        makeMerchants(&bank)
        makeTransactions(&bank)
        return bank
    }

    // MARK: People and places

    private func makeCustomers(_ bank: inout Bank) {
        var dice = BankDice(seed: seed, stream: 1)
        let first = [
            "Anna", "Ben", "Clara", "David", "Eva", "Felix", "Greta", "Hugo", "Ida", "Jonas",
            "Klara",
            "Leon", "Mia", "Noah", "Olga", "Paul", "Rosa", "Samuel", "Tara", "Viktor",
        ]
        let last = [
            "Adler", "Bauer", "Costa", "Dvorak", "Eder", "Fischer", "Gruber", "Horvat", "Ilic",
            "Jansen", "Kovac", "Lang", "Moser", "Novak", "Orban", "Pichler", "Rossi", "Steiner",
            "Toth",
            "Weber",
        ]
        for id in 1...BankGenerator.customerCount {
            let region = pickRegion(&dice)
            let given = dice.pick(first)
            let family = dice.pick(last)
            bank.customers.append(
                BankCustomer(
                    id: id, name: "\(given) \(family)",
                    email: "\(given.lowercased()).\(family.lowercased())\(id)@example.com",
                    segment: dice.pick([
                        "retail", "retail", "retail", "student", "premium", "business",
                    ]),
                    region: region, city: dice.below(BankGeography.regions[region].cities.count),
                    since: asOfDay - dice.within(100...5000),
                    usualCents: dice.logNormal(median: 3_200, sigmaMilli: 600),
                    usualHour: dice.within(9...20)))
        }
    }

    private func makeAccounts(_ bank: inout Bank) {
        var dice = BankDice(seed: seed, stream: 2)
        for id in 1...BankGenerator.accountCount {
            // Everybody has one account; the rest are second accounts of some.
            let customer =
                id <= BankGenerator.customerCount ? id - 1 : dice.below(BankGenerator.customerCount)
            bank.accounts.append(
                BankAccount(
                    id: id, customer: customer,
                    kind: id <= BankGenerator.customerCount
                        ? "current" : dice.pick(["savings", "joint"]),
                    openedDay: bank.customers[customer].since + dice.below(90)))
            bank.cards.append(
                BankCard(
                    id: id, account: id - 1, pan: BankGenerator.cardNumber(sequence: id, &dice),
                    kind: dice.pick(["debit", "debit", "credit"])))
        }
    }

    /// A number in the range 4000 00…, which networks keep for tests, with its Luhn check digit.
    private static func cardNumber(sequence: Int, _ dice: inout BankDice) -> String {
        var digits = Array("400000").compactMap(\.wholeNumberValue)
        var rest = sequence * 10_000 + dice.below(10_000)
        var tail: [Int] = []
        for _ in 0..<9 {
            tail.append(rest % 10)
            rest /= 10
        }
        digits += tail.reversed()
        var sum = 0
        for (place, digit) in digits.reversed().enumerated() {
            let weighted = place % 2 == 0 ? digit * 2 : digit
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        digits.append((10 - sum % 10) % 10)
        return digits.map(String.init).joined()
    }

    private func makeMerchants(_ bank: inout Bank) {
        var dice = BankDice(seed: seed, stream: 3)
        for id in 1...BankGenerator.merchantCount {
            let region = pickRegion(&dice)
            let category = dice.below(BankGeography.categories.count)
            let city = dice.below(BankGeography.regions[region].cities.count)
            let place = BankGeography.regions[region].cities[city].name
            bank.merchants.append(
                BankMerchant(
                    id: id, name: "\(place) \(BankGeography.categories[category].capitalized(id))",
                    category: category, region: region, city: city))
        }
    }

    private func pickRegion(_ dice: inout BankDice) -> Int {
        var ticket = dice.below(1000)
        for (index, region) in BankGeography.regions.enumerated() {
            if ticket < region.shareMilli { return index }
            ticket -= region.shareMilli
        }
        return 0
    }

    // MARK: Bookings

    /// One region in one ISO week, and what has to be in it.
    private struct Cell {
        let region: Int
        let days: ClosedRange<Int>
        let bookings: Int
        let frauds: Int
        let isSundayNight: Bool
    }

    private func makeTransactions(_ bank: inout Bank) {
        let byRegion = peopleByRegion(bank)
        var dice = BankDice(seed: seed, stream: 4)
        var bookings: [BankTransaction] = []
        bookings.reserveCapacity(transactionCount)
        let cells = cells()
        var companions = [[(account: Int, time: Int64)]](repeating: [], count: cells.count)
        for cell in cells {
            var patterns = BankPatterns(
                bank: bank, accounts: byRegion[cell.region], region: cell.region, days: cell.days,
                isSundayNight: cell.isSundayNight)
            patterns.plant(cell.frauds, into: &bookings, &dice)
            for companion in patterns.companions {
                let home = bank.customers[bank.accounts[companion.account].customer].region
                let day = Int(companion.time / BankGenerator.microsecondsPerDay)
                guard
                    let place = cells.firstIndex(where: {
                        $0.region == home && $0.days.contains(day)
                    }), companions[place].count < cells[place].bookings - cells[place].frauds
                else { continue }
                companions[place].append(companion)
            }
        }
        for (place, cell) in cells.enumerated() {
            for companion in companions[place] {
                var booking = honestBooking(bank, [companion.account], cell, &dice)
                booking.time = companion.time
                bookings.append(booking)
            }
            for _ in 0..<(cell.bookings - cell.frauds - companions[place].count) {
                bookings.append(honestBooking(bank, byRegion[cell.region], cell, &dice))
            }
        }
        // A stable order for equal times: by the order of making.
        let order = bookings.indices.sorted {
            (bookings[$0].time, $0) < (bookings[$1].time, $1)
        }
        bank.transactions = order.enumerated().map { place, index in
            var booking = bookings[index]
            booking.id = place + 1
            return booking
        }
    }

    private func peopleByRegion(_ bank: Bank) -> [[Int]] {
        var accounts = [[Int]](repeating: [], count: BankGeography.regions.count)
        for (index, account) in bank.accounts.enumerated() {
            accounts[bank.customers[account.customer].region].append(index)
        }
        return accounts
    }

    /// The weeks (Monday to Sunday) that the days touch, with bookings shared out by days and regions.
    private func cells() -> [Cell] {
        let firstDay = asOfDay - BankGenerator.dayCount
        let lastDay = asOfDay - 1
        // 1970-01-01 was a Thursday: day 4 is a Monday.
        let thisMonday = asOfDay - ((asOfDay - 4) % 7 + 7) % 7
        var plans: [(region: Int, days: ClosedRange<Int>)] = []
        var monday = thisMonday - 70
        while monday <= lastDay {
            let days = max(monday, firstDay)...max(firstDay, min(monday + 6, lastDay))
            if monday + 6 >= firstDay {
                for region in BankGeography.regions.indices { plans.append((region, days)) }
            }
            monday += 7
        }
        // What regions have by number comes first; the others share what is left.
        let fixed = plans.map { plan in
            BankGeography.regions[plan.region].weeklyBookings.map {
                ($0 * plan.days.count + 3) / 7
            }
        }
        let weights = zip(plans, fixed).map { plan, number in
            number == nil ? plan.days.count * BankGeography.regions[plan.region].shareMilli : 0
        }
        let shared = transactionCount - fixed.reduce(0) { $0 + ($1 ?? 0) }
        let shares = weights.reduce(0, +)
        var remaining = shared
        var cells: [Cell] = []
        for (index, plan) in plans.enumerated() {
            let region = BankGeography.regions[plan.region]
            let isLast = index == plans.count - 1
            let bookings =
                fixed[index] ?? (isLast ? remaining : shared * weights[index] / shares)
            if fixed[index] == nil { remaining -= bookings }
            let weeksBack = (thisMonday - plan.days.lowerBound) / 7
            let isFull = plan.days.count == 7
            let rate =
                isFull && weeksBack == 1
                ? region.lastWeekRate
                : isFull && weeksBack == 2 ? region.weekBeforeRate : region.usualRate
            cells.append(
                Cell(
                    region: plan.region, days: plan.days, bookings: bookings,
                    frauds: Self.frauds(among: bookings, rate: rate),
                    isSundayNight: region.isSundayNight && isFull && weeksBack == 2))
        }
        return cells
    }

    /// A rate in hundredths of a percent of the bookings, rounded; one below 5 % stays so, also when a few of
    /// the bookings are deleted at the source.
    private static func frauds(among bookings: Int, rate: Int) -> Int {
        let rounded = (bookings * rate + 5_000) / 10_000
        return rate < 500 ? min(rounded, max(0, bookings - 4) / 20) : rounded
    }

    private func honestBooking(
        _ bank: Bank, _ accounts: [Int], _ cell: Cell, _ dice: inout BankDice
    ) -> BankTransaction {
        let account = dice.pick(accounts)
        let customer = bank.customers[bank.accounts[account].customer]
        // Mostly at home, sometimes elsewhere in the region.
        let cities = BankGeography.regions[cell.region].cities
        let city = dice.chance(perMille: 850) ? customer.city : dice.below(cities.count)
        var day = dice.within(cell.days)
        // Weekends are quieter: a third of their bookings move to another day of the cell.
        if (day - 4) % 7 >= 5, dice.chance(perMille: 330) { day = dice.within(cell.days) }
        let isSalary = CivilDay.isSalaryDay(day) && dice.chance(perMille: 90)
        let hour = min(max(customer.usualHour + dice.normalMilli() * 3 / 1000, 0), 23)
        return BankTransaction(
            account: account, card: account,
            time: Int64(day) * BankGenerator.microsecondsPerDay
                + Int64(hour * 3_600_000 + dice.below(3_600_000)) * 1000,
            cents: isSalary
                ? -dice.logNormal(median: 240_000, sigmaMilli: 250)
                : dice.logNormal(median: customer.usualCents, sigmaMilli: 550),
            region: cell.region, city: city, merchant: dice.below(bank.merchants.count),
            channel: isSalary
                ? "transfer" : dice.pick(["pos", "pos", "pos", "online", "online", "atm"]),
            device: "dev-\(account + 1)", memo: isSalary ? "salary" : BankMemo.honest(&dice),
            pattern: nil)
    }
}

/// The few calendar questions of the generator.
enum CivilDay {
    /// Whether the day number is the 1st or the 15th of its month.
    static func isSalaryDay(_ day: Int) -> Bool {
        // Howard Hinnant's civil-from-days, for the day of the month only.
        let shifted = day + 719_468
        let dayOfEra = ((shifted % 146_097) + 146_097) % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        return dayOfMonth == 1 || dayOfMonth == 15
    }
}

extension String {
    /// `groceries` and 17 become `Groceries 17`.
    fileprivate func capitalized(_ number: Int) -> String {
        prefix(1).uppercased() + dropFirst() + " \(number)"
    }
}
