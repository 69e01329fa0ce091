import Bytes
import CivilTime
import Cryptography
import SQLite

/// The bank's operational database: an SQLite file as a core-banking system would keep it.
///
/// `transactions` has an `updated_at` that moves with every change and `deletions` remembers what was
/// removed, which is what replication reads. The truth about fraud is kept apart in `fraud_labels`.
struct BankSource {
    let path: String

    private static let schema = """
        CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
            segment TEXT NOT NULL, region TEXT NOT NULL, city TEXT NOT NULL, customer_since DATE NOT NULL);
        CREATE TABLE accounts (account_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL,
            kind TEXT NOT NULL, opened DATE NOT NULL);
        CREATE TABLE cards (card_id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, card_pan TEXT NOT NULL,
            kind TEXT NOT NULL);
        CREATE TABLE merchants (merchant_id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL,
            region TEXT NOT NULL, city TEXT NOT NULL);
        CREATE TABLE transactions (transaction_id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL,
            card_id INTEGER NOT NULL, booked_at TIMESTAMP NOT NULL, amount DECIMAL(12,2) NOT NULL,
            currency TEXT NOT NULL, region TEXT NOT NULL, city TEXT NOT NULL, latitude DOUBLE NOT NULL,
            longitude DOUBLE NOT NULL, merchant_id INTEGER NOT NULL, channel TEXT NOT NULL,
            device TEXT NOT NULL, memo TEXT, updated_at TIMESTAMP NOT NULL);
        CREATE INDEX transactions_updated ON transactions (updated_at);
        CREATE TABLE deletions (transaction_id INTEGER PRIMARY KEY, deleted_at TIMESTAMP NOT NULL);
        CREATE TABLE fraud_labels (transaction_id INTEGER PRIMARY KEY, is_fraud BOOLEAN NOT NULL,
            pattern TEXT);
        """

    /// Writes the whole bank into a new file.
    func create(_ bank: Bank) throws {
        let connection = try Connection(path: path, mode: .writer)
        // The file can be made again from the seed, so it need not survive a power cut.
        try connection.script("PRAGMA synchronous=OFF; BEGIN IMMEDIATE")
        try connection.script(BankSource.schema)
        for customer in bank.customers {
            let region = BankGeography.regions[customer.region]
            _ = try connection.run(
                "INSERT INTO customers VALUES (?,?,?,?,?,?,?)",
                [
                    customer.id, customer.name, customer.email, customer.segment, region.name,
                    region.cities[customer.city].name, CivilFormat.date(Int32(customer.since)),
                ])
        }
        for account in bank.accounts {
            _ = try connection.run(
                "INSERT INTO accounts VALUES (?,?,?,?)",
                [
                    account.id, account.customer + 1, account.kind,
                    CivilFormat.date(Int32(account.openedDay)),
                ])
        }
        for card in bank.cards {
            _ = try connection.run(
                "INSERT INTO cards VALUES (?,?,?,?)",
                [card.id, card.account + 1, card.pan, card.kind])
        }
        for merchant in bank.merchants {
            let region = BankGeography.regions[merchant.region]
            _ = try connection.run(
                "INSERT INTO merchants VALUES (?,?,?,?,?)",
                [
                    merchant.id, merchant.name, BankGeography.categories[merchant.category],
                    region.name, region.cities[merchant.city].name,
                ])
        }
        for booking in bank.transactions {
            try insert(booking, updatedAt: booking.time, into: connection)
        }
        try connection.script("COMMIT")
    }

    private func insert(
        _ booking: BankTransaction, updatedAt: Int64, into connection: Connection,
        table: String = "transactions"
    ) throws {
        let region = BankGeography.regions[booking.region]
        let city = region.cities[booking.city]
        _ = try connection.run(
            "INSERT INTO \(table) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                booking.id, booking.account + 1, booking.card + 1,
                CivilFormat.timestamp(booking.time, precision: 3),
                BankSource.decimal(booking.cents),
                "EUR", region.name, city.name, Double(city.latitude) / 1e6,
                Double(city.longitude) / 1e6, booking.merchant + 1, booking.channel, booking.device,
                booking.memo, CivilFormat.timestamp(updatedAt, precision: 3),
            ])
        guard table == "transactions" else { return }
        _ = try connection.run(
            "INSERT INTO fraud_labels VALUES (?,?,?)",
            [booking.id, booking.pattern != nil, booking.pattern])
    }

    /// What happened at the source after the snapshot: new bookings, corrected amounts, deletions.
    struct LiveChange {
        let inserted: Int
        let corrected: Int
        let deleted: Int
    }

    /// Makes the live change of step 4: `inserted` new bookings on the as-of day, `corrected` amounts
    /// one cent higher, `deleted` bookings gone. Which ones follows from the seed alone.
    func applyLiveChange(
        _ change: LiveChange, bank: Bank, generator: BankGenerator
    ) throws {
        let connection = try Connection(path: path, mode: .writer)
        try connection.script("BEGIN IMMEDIATE")
        var dice = BankDice(seed: generator.seed, stream: 9)
        let start = Int64(generator.asOfDay) * BankGenerator.microsecondsPerDay
        let now = CivilFormat.timestamp(start + 12 * 3_600_000_000, precision: 3)
        var touched: Set<Int> = []
        func untouched() -> Int {
            while true {
                let place = dice.below(bank.transactions.count)
                if touched.insert(place).inserted { return bank.transactions[place].id }
            }
        }
        for _ in 0..<change.corrected {
            _ = try connection.run(
                "UPDATE transactions SET amount = round(amount + 0.01, 2), updated_at = ? WHERE transaction_id = ?",
                [now, untouched()])
        }
        for _ in 0..<change.deleted {
            let id = untouched()
            _ = try connection.run("DELETE FROM transactions WHERE transaction_id = ?", [id])
            _ = try connection.run("DELETE FROM fraud_labels WHERE transaction_id = ?", [id])
            _ = try connection.run("INSERT INTO deletions VALUES (?,?)", [id, now])
        }
        for step in 0..<change.inserted {
            var booking = bank.transactions[dice.below(bank.transactions.count)]
            booking.id = bank.transactions.count + 1 + step
            booking.time = start + Int64(dice.below(43_200_000)) * 1000
            booking.pattern = nil
            try insert(booking, updatedAt: start + 12 * 3_600_000_000, into: connection)
        }
        try connection.script("COMMIT")
    }

    /// Bookings that a partner bank sends late, on the as-of day.
    struct LateBookings {
        let count: Int
        /// How many of them are wrong, each in its own way; at most seven.
        let bad: Int
    }

    /// Puts late bookings into a table of their own, `late_bookings`, some of them wrong.
    func addLateBookings(_ late: LateBookings, bank: Bank, generator: BankGenerator) throws {
        let connection = try Connection(path: path, mode: .writer)
        try connection.script(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE late_bookings (transaction_id INTEGER, account_id INTEGER NOT NULL,
                card_id INTEGER NOT NULL, booked_at TIMESTAMP NOT NULL, amount DECIMAL(12,2) NOT NULL,
                currency TEXT NOT NULL, region TEXT NOT NULL, city TEXT NOT NULL,
                latitude DOUBLE NOT NULL, longitude DOUBLE NOT NULL, merchant_id INTEGER NOT NULL,
                channel TEXT NOT NULL, device TEXT NOT NULL, memo TEXT, updated_at TIMESTAMP NOT NULL);
            """)
        var dice = BankDice(seed: generator.seed, stream: 10)
        let start = Int64(generator.asOfDay) * BankGenerator.microsecondsPerDay
        let first = bank.transactions.count + 10_001
        for step in 0..<late.count {
            var booking = bank.transactions[dice.below(bank.transactions.count)]
            booking.id = first + step
            booking.time = start + Int64(43_200_000 + dice.below(36_000_000)) * 1000
            booking.pattern = nil
            booking.device = "late-\(booking.account)"
            try insert(
                booking, updatedAt: booking.time, into: connection, table: "late_bookings")
        }
        let mistakes = [
            "currency = 'EURO'", "region = 'Atlantis'", "latitude = 123.4", "longitude = 400.0",
            "account_id = 999999", "device = '??'", "transaction_id = \(first + 100)",
        ]
        for (place, mistake) in mistakes.prefix(late.bad).enumerated() {
            try connection.script(
                "UPDATE late_bookings SET \(mistake) WHERE transaction_id = \(first + 10 + place)")
        }
        try connection.script("COMMIT")
    }

    /// Corrects what is wrong in `late_bookings`, but for the last `sparing` mistakes.
    func correctLateBookings(sparing: Int) throws {
        let connection = try Connection(path: path, mode: .writer)
        let corrections = [
            "UPDATE late_bookings SET currency = 'EUR' WHERE currency = 'EURO'",
            "UPDATE late_bookings SET region = 'Baltic' WHERE region = 'Atlantis'",
            "UPDATE late_bookings SET latitude = 48.2 WHERE latitude > 90",
            "UPDATE late_bookings SET longitude = 16.4 WHERE longitude > 180",
            "UPDATE late_bookings SET account_id = 1 WHERE account_id = 999999",
            """
            UPDATE late_bookings SET transaction_id = transaction_id + 100000 WHERE rowid IN
                (SELECT min(rowid) FROM late_bookings GROUP BY transaction_id HAVING count(*) > 1)
            """,
            "UPDATE late_bookings SET device = 'late-1' WHERE device = '??'",
        ]
        for correction in corrections.dropLast(sparing) { try connection.script(correction) }
    }

    /// SHA-256 over every transaction in order of the id: the same on every machine for the same seed,
    /// as-of day and size.
    static func digest(_ bank: Bank) -> String {
        var digest = Digest(.sha256)
        for booking in bank.transactions {
            let line =
                "\(booking.id)|\(booking.account)|\(booking.time)|\(booking.cents)|\(booking.region)|"
                + "\(booking.city)|\(booking.merchant)|\(booking.channel)|\(booking.device)|"
                + "\(booking.memo)|\(booking.pattern ?? "")\n"
            digest.update(line)
        }
        return hexText(digest.value())
    }

    /// Cents as a decimal text: -5 is `-0.05`.
    static func decimal(_ cents: Int) -> String {
        let magnitude = cents.magnitude
        let fraction = magnitude % 100
        return (cents < 0 ? "-" : "") + "\(magnitude / 100)." + (fraction < 10 ? "0" : "")
            + "\(fraction)"
    }
}
