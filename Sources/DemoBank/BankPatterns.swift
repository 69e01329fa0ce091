/// Plants the five kinds of fraud into one region's week.
struct BankPatterns {
    let bank: Bank
    /// Accounts of the region's customers.
    let accounts: [Int]
    let region: Int
    let days: ClosedRange<Int>
    /// Everything happens in the last hour of the cell's Sunday (UTC).
    let isSundayNight: Bool
    private var turn = 0
    /// Honest bookings that the planted ones need at the owner's home: account and time.
    private(set) var companions: [(account: Int, time: Int64)] = []

    init(bank: Bank, accounts: [Int], region: Int, days: ClosedRange<Int>, isSundayNight: Bool) {
        self.bank = bank
        self.accounts = accounts
        self.region = region
        self.days = days
        self.isSundayNight = isSundayNight
    }

    /// Appends exactly `count` fraudulent bookings.
    mutating func plant(
        _ count: Int, into bookings: inout [BankTransaction], _ dice: inout BankDice
    ) {
        var left = count
        turn = dice.below(5)
        while left > 0 {
            let before = bookings.count
            switch turn % 5 {
            case 0: cardTesting(left, &bookings, &dice)
            case 1: impossibleTravel(&bookings, &dice)
            case 2: accountTakeover(left, &bookings, &dice)
            case 3: muleRing(left, &bookings, &dice)
            default: colludingMerchant(left, &bookings, &dice)
            }
            left -= bookings.count - before
            turn += 1
        }
    }

    /// Many tiny authorisations within minutes, then a large one.
    private func cardTesting(
        _ room: Int, _ bookings: inout [BankTransaction], _ dice: inout BankDice
    ) {
        let account = dice.pick(accounts)
        let tests = min(room - 1, dice.within(8...16))
        let start = moment(hours: 1...22, &dice)
        let merchant = dice.below(bank.merchants.count)
        for step in 0..<max(tests, 0) {
            bookings.append(
                booking(
                    account, start + Int64(step * dice.within(15...50)) * 1_000_000,
                    cents: dice.within(50...299), merchant: merchant, channel: "online",
                    device: "bot-\(account % 97)", "card_testing", &dice))
        }
        bookings.append(
            booking(
                account, start + 1_200_000_000, cents: dice.within(60_000...240_000),
                merchant: dice.below(bank.merchants.count), channel: "online",
                device: "bot-\(account % 97)", "card_testing", &dice))
    }

    /// A card present in this region minutes after it paid in another: the owner's honest booking is
    /// elsewhere, only the second one is fraud.
    private mutating func impossibleTravel(
        _ bookings: inout [BankTransaction], _ dice: inout BankDice
    ) {
        var account = dice.below(bank.accounts.count)
        while bank.customers[bank.accounts[account].customer].region == region {
            account = dice.below(bank.accounts.count)
        }
        let time = moment(hours: 8...21, &dice)
        companions.append((account, time - Int64(dice.within(6...20)) * 60_000_000))
        bookings.append(
            booking(
                account, time, cents: dice.within(20_000...90_000),
                merchant: dice.below(bank.merchants.count), channel: "pos",
                device: "dev-\(account + 1)", "impossible_travel", &dice))
    }

    /// A new device, at night, eight times the habitual amount.
    private func accountTakeover(
        _ room: Int, _ bookings: inout [BankTransaction], _ dice: inout BankDice
    ) {
        let account = dice.pick(accounts)
        let usual = bank.customers[bank.accounts[account].customer].usualCents
        let start = moment(hours: 1...4, &dice)
        for step in 0..<min(room, dice.within(2...4)) {
            bookings.append(
                booking(
                    account, start + paced(420 * step),
                    cents: usual * dice.within(70...95) / 10,
                    merchant: dice.below(bank.merchants.count), channel: "online",
                    device: "new-\(dice.within(100_000...999_999))", "account_takeover", &dice))
        }
    }

    /// Many pay into one account; within two hours the money leaves it again.
    private func muleRing(
        _ room: Int, _ bookings: inout [BankTransaction], _ dice: inout BankDice
    ) {
        let mule = dice.pick(accounts)
        let start = moment(hours: 6...20, &dice)
        let fan = min(room / 2, dice.within(4...7))
        let transfer = merchants(ofCategory: "transfer").first ?? 0
        for step in 0..<max(fan, 1) where step < room {
            bookings.append(
                booking(
                    dice.pick(accounts), start + paced(240 * step),
                    cents: dice.within(40_000...98_000), merchant: transfer, channel: "transfer",
                    device: "mule-\(mule % 53)", "mule_ring", &dice))
        }
        for step in 0..<fan {
            bookings.append(
                booking(
                    mule, start + paced(3_600 + 300 * step),
                    cents: dice.within(45_000...95_000), merchant: transfer, channel: "transfer",
                    device: "mule-\(mule % 53)", "mule_ring", &dice))
        }
    }

    /// Round amounts at one merchant, each followed by a refund to somebody else.
    private func colludingMerchant(
        _ room: Int, _ bookings: inout [BankTransaction], _ dice: inout BankDice
    ) {
        let jewellers = merchants(ofCategory: "jewellery")
        let merchant = jewellers.isEmpty ? 0 : jewellers[region % jewellers.count]
        let start = moment(hours: 10...18, &dice)
        for step in 0..<min(room, dice.within(3...6)) {
            let amount = dice.pick([50_000, 100_000, 150_000, 200_000])
            bookings.append(
                booking(
                    dice.pick(accounts), start + paced(900 * step),
                    cents: step % 2 == 0 ? amount : -amount, merchant: merchant, channel: "pos",
                    device: "term-\(merchant)", "colluding_merchant", &dice))
        }
    }

    private func merchants(ofCategory name: String) -> [Int] {
        bank.merchants.indices.filter {
            BankGeography.categories[bank.merchants[$0].category] == name
        }
    }

    /// So many seconds, in microseconds; half of them where everything has to happen within an hour.
    private func paced(_ seconds: Int) -> Int64 {
        Int64(seconds) * (isSundayNight ? 500_000 : 1_000_000)
    }

    /// A time in the cell that leaves two hours for what follows on the same day.
    private func moment(hours: ClosedRange<Int>, _ dice: inout BankDice) -> Int64 {
        if isSundayNight {
            return Int64(days.upperBound) * BankGenerator.microsecondsPerDay
                + Int64(23 * 3_600_000 + dice.below(600_000)) * 1000
        }
        let day = dice.within(days)
        let hour = min(dice.within(hours), 21)
        return Int64(day) * BankGenerator.microsecondsPerDay
            + Int64(hour * 3_600_000 + dice.below(3_000_000)) * 1000
    }

    private func booking(
        _ account: Int, _ time: Int64, cents: Int, merchant: Int, channel: String, device: String,
        _ pattern: String, _ dice: inout BankDice
    ) -> BankTransaction {
        return BankTransaction(
            account: account, card: account, time: min(time, lastMoment), cents: cents,
            region: region,
            city: dice.below(BankGeography.regions[region].cities.count), merchant: merchant,
            channel: channel, device: device, memo: BankMemo.fraudulent(&dice), pattern: pattern)
    }

    /// The last millisecond of the cell: later ones would count into the next week.
    private var lastMoment: Int64 {
        Int64(days.upperBound + 1) * BankGenerator.microsecondsPerDay - 1000
    }
}
