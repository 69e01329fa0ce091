import Bytes
import CivilTime
import Cryptography
import SQLite

/// The bank's operational database, as a core-banking system would keep it: an SQLite file, or a schema of a
/// PostgreSQL server.
///
/// Every table has an `updated_at` that moves with every change of a row, and `deletions` remembers which
/// bookings were removed, which is what replication reads. The truth about fraud is kept apart in `fraud_labels`.
package struct BankSource {
    private let database: any BankDatabase
    /// Where the embedded database is; nil for a server.
    package let file: String?

    /// An SQLite file, made when the bank is written into it.
    package init(file: String) {
        self.file = file
        database = SQLiteBank(path: file)
    }

    /// A schema of a PostgreSQL server.
    package init(server: PostgresBank) {
        file = nil
        database = server
    }

    private var bookings: String {
        let words = database.words
        return """
            account_id \(words.integer) NOT NULL, card_id \(words.integer) NOT NULL,
            booked_at \(words.timestamp) NOT NULL, amount DECIMAL(12,2) NOT NULL, currency TEXT NOT NULL,
            region TEXT NOT NULL, city TEXT NOT NULL, latitude \(words.double) NOT NULL,
            longitude \(words.double) NOT NULL, merchant_id \(words.integer) NOT NULL,
            channel TEXT NOT NULL, device TEXT NOT NULL, memo TEXT, updated_at \(words.timestamp) NOT NULL
            """
    }

    private var schema: [String] {
        let integer = database.words.integer
        let stamp = "updated_at \(database.words.timestamp) NOT NULL"
        return [
            """
            CREATE TABLE customers (customer_id \(integer) PRIMARY KEY, name TEXT NOT NULL,
                email TEXT NOT NULL, segment TEXT NOT NULL, region TEXT NOT NULL, city TEXT NOT NULL,
                customer_since DATE NOT NULL, \(stamp))
            """,
            """
            CREATE TABLE accounts (account_id \(integer) PRIMARY KEY, customer_id \(integer) NOT NULL,
                kind TEXT NOT NULL, opened DATE NOT NULL, \(stamp))
            """,
            """
            CREATE TABLE cards (card_id \(integer) PRIMARY KEY, account_id \(integer) NOT NULL,
                card_pan TEXT NOT NULL, kind TEXT NOT NULL, \(stamp))
            """,
            """
            CREATE TABLE merchants (merchant_id \(integer) PRIMARY KEY, name TEXT NOT NULL,
                category TEXT NOT NULL, region TEXT NOT NULL, city TEXT NOT NULL, \(stamp))
            """,
            "CREATE TABLE transactions (transaction_id \(integer) PRIMARY KEY, \(bookings))",
            "CREATE INDEX transactions_updated ON transactions (updated_at)",
            """
            CREATE TABLE deletions (transaction_id \(integer) PRIMARY KEY,
                deleted_at \(database.words.timestamp) NOT NULL)
            """,
            """
            CREATE TABLE fraud_labels (transaction_id \(integer) PRIMARY KEY, is_fraud BOOLEAN NOT NULL,
                pattern TEXT, \(stamp))
            """,
        ]
    }

    /// The first value of a query at the source, as text.
    package func value(_ sql: String) throws -> String { try database.value(sql) }

    /// Changes something at the source.
    package func change(_ sql: String) throws { try database.transaction { try $0.run(sql) } }

    /// Writes the whole bank into new tables.
    package func create(_ bank: Bank) throws {
        try (database as? PostgresBank)?.makeSchema()
        try database.transaction { session in
            for statement in schema { try session.run(statement) }
            for customer in bank.customers {
                let region = BankGeography.regions[customer.region]
                try session.insert(
                    into: "customers",
                    [
                        customer.id, customer.name, customer.email, customer.segment, region.name,
                        region.cities[customer.city].name, CivilFormat.date(Int32(customer.since)),
                        Self.midnight(customer.since),
                    ])
            }
            for account in bank.accounts {
                try session.insert(
                    into: "accounts",
                    [
                        account.id, account.customer + 1, account.kind,
                        CivilFormat.date(Int32(account.openedDay)),
                        Self.midnight(account.openedDay),
                    ])
            }
            for card in bank.cards {
                let opened = bank.accounts[card.account].openedDay
                try session.insert(
                    into: "cards",
                    [card.id, card.account + 1, card.pan, card.kind, Self.midnight(opened)])
            }
            for merchant in bank.merchants {
                let region = BankGeography.regions[merchant.region]
                try session.insert(
                    into: "merchants",
                    [
                        merchant.id, merchant.name, BankGeography.categories[merchant.category],
                        region.name, region.cities[merchant.city].name,
                        Self.midnight(Self.firstMerchantDay),
                    ])
            }
            for booking in bank.transactions {
                try insert(booking, updatedAt: booking.time, session, "transactions")
            }
            for booking in bank.transactions {
                try label(booking, updatedAt: booking.time, session)
            }
        }
    }

    private func insert(
        _ booking: BankTransaction, updatedAt: Int64, _ session: any BankSession, _ table: String
    ) throws {
        let region = BankGeography.regions[booking.region]
        let city = region.cities[booking.city]
        try session.insert(
            into: table,
            [
                booking.id, booking.account + 1, booking.card + 1,
                CivilFormat.timestamp(booking.time, precision: 3),
                BankSource.decimal(booking.cents),
                "EUR", region.name, city.name, Double(city.latitude) / 1e6,
                Double(city.longitude) / 1e6, booking.merchant + 1, booking.channel, booking.device,
                booking.memo, CivilFormat.timestamp(updatedAt, precision: 3),
            ])
    }

    private func label(
        _ booking: BankTransaction, updatedAt: Int64, _ session: any BankSession
    ) throws {
        try session.insert(
            into: "fraud_labels",
            [
                booking.id, booking.pattern != nil, booking.pattern,
                CivilFormat.timestamp(updatedAt, precision: 3),
            ])
    }

    /// 2020-01-01, when the bank's merchants were entered.
    private static let firstMerchantDay = 18_262

    /// The beginning of a day, as rows have it that have not changed since.
    private static func midnight(_ day: Int) -> String {
        CivilFormat.timestamp(Int64(day) * BankGenerator.microsecondsPerDay, precision: 3)
    }

    /// What happened at the source after the snapshot: new bookings, corrected amounts, deletions.
    package struct LiveChange: Sendable {
        let inserted: Int
        let corrected: Int
        let deleted: Int

        /// Numbers of bookings.
        package init(inserted: Int, corrected: Int, deleted: Int) {
            self.inserted = inserted
            self.corrected = corrected
            self.deleted = deleted
        }
    }

    /// Makes the live change of step 4: `inserted` new bookings on the as-of day, `corrected` amounts
    /// one cent higher, `deleted` bookings gone. Which ones follows from the seed alone.
    package func applyLiveChange(
        _ change: LiveChange, bank: Bank, generator: BankGenerator
    ) throws {
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
        try database.transaction { session in
            for _ in 0..<change.corrected {
                try session.run(
                    "UPDATE transactions SET amount = round(amount + 0.01, 2), updated_at = '\(now)' "
                        + "WHERE transaction_id = \(untouched())")
            }
            for _ in 0..<change.deleted {
                let id = untouched()
                try session.run("DELETE FROM transactions WHERE transaction_id = \(id)")
                try session.run("DELETE FROM fraud_labels WHERE transaction_id = \(id)")
                try session.insert(into: "deletions", [id, now])
            }
            for step in 0..<change.inserted {
                var booking = bank.transactions[dice.below(bank.transactions.count)]
                booking.id = bank.transactions.count + 1 + step
                booking.time = start + Int64(dice.below(43_200_000)) * 1000
                booking.pattern = nil
                try insert(
                    booking, updatedAt: start + 12 * 3_600_000_000, session, "transactions")
                try label(booking, updatedAt: start + 12 * 3_600_000_000, session)
            }
        }
    }

    /// Bookings that a partner bank sends late, on the as-of day.
    package struct LateBookings: Sendable {
        /// How many in all.
        package let count: Int
        /// How many of them are wrong, each in its own way; at most seven.
        package let bad: Int

        /// At most seven of them can be bad.
        package init(count: Int, bad: Int) {
            self.count = count
            self.bad = bad
        }
    }

    /// Puts late bookings into a table of their own, `late_bookings`, some of them wrong.
    package func addLateBookings(_ late: LateBookings, bank: Bank, generator: BankGenerator) throws
    {
        var dice = BankDice(seed: generator.seed, stream: 10)
        let start = Int64(generator.asOfDay) * BankGenerator.microsecondsPerDay
        let first = bank.transactions.count + 10_001
        let mistakes = [
            "currency = 'EURO'", "region = 'Atlantis'", "latitude = 123.4", "longitude = 400.0",
            "account_id = 999999", "device = '??'", "transaction_id = \(first + 100)",
        ]
        try database.transaction { session in
            try session.run(
                "CREATE TABLE late_bookings (transaction_id \(database.words.integer), \(bookings))"
            )
            for step in 0..<late.count {
                var booking = bank.transactions[dice.below(bank.transactions.count)]
                booking.id = first + step
                booking.time = start + Int64(43_200_000 + dice.below(36_000_000)) * 1000
                booking.pattern = nil
                booking.device = "late-\(booking.account)"
                try insert(booking, updatedAt: booking.time, session, "late_bookings")
            }
            for (place, mistake) in mistakes.prefix(late.bad).enumerated() {
                try session.run(
                    "UPDATE late_bookings SET \(mistake) WHERE transaction_id = \(first + 10 + place)"
                )
            }
        }
    }

    /// Corrects what is wrong in `late_bookings`, but for the last `sparing` mistakes.
    package func correctLateBookings(sparing: Int) throws {
        let row = database.words.rowKey
        let corrections = [
            "UPDATE late_bookings SET currency = 'EUR' WHERE currency = 'EURO'",
            "UPDATE late_bookings SET region = 'Baltic' WHERE region = 'Atlantis'",
            "UPDATE late_bookings SET latitude = 48.2 WHERE latitude > 90",
            "UPDATE late_bookings SET longitude = 16.4 WHERE longitude > 180",
            "UPDATE late_bookings SET account_id = 1 WHERE account_id = 999999",
            """
            UPDATE late_bookings SET transaction_id = transaction_id + 100000 WHERE \(row) IN
                (SELECT min(\(row)) FROM late_bookings GROUP BY transaction_id HAVING count(*) > 1)
            """,
            "UPDATE late_bookings SET device = 'late-1' WHERE device = '??'",
        ]
        try database.transaction { session in
            for correction in corrections.dropLast(sparing) { try session.run(correction) }
        }
    }

    /// SHA-256 over every transaction in order of the id: the same on every machine for the same seed,
    /// as-of day and size.
    package static func digest(_ bank: Bank) -> String {
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
    package static func decimal(_ cents: Int) -> String {
        let magnitude = cents.magnitude
        let fraction = magnitude % 100
        return (cents < 0 ? "-" : "") + "\(magnitude / 100)." + (fraction < 10 ? "0" : "")
            + "\(fraction)"
    }
}
