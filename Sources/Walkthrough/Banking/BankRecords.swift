/// A person with accounts and habits.
struct BankCustomer: Sendable {
    let id: Int
    let name: String
    let email: String
    let segment: String
    let region: Int
    let city: Int
    /// Days since 1970.
    let since: Int
    /// What a purchase usually costs, in cents.
    let usualCents: Int
    /// The hour around which the customer buys.
    let usualHour: Int
}

struct BankAccount: Sendable {
    let id: Int
    let customer: Int
    let kind: String
    let openedDay: Int
}

struct BankCard: Sendable {
    let id: Int
    let account: Int
    /// Sixteen digits of a test range, with a valid check digit.
    let pan: String
    let kind: String
}

struct BankMerchant: Sendable {
    let id: Int
    let name: String
    let category: Int
    let region: Int
    let city: Int
}

/// One booking.
struct BankTransaction: Sendable {
    var id = 0
    var account: Int
    var card: Int
    /// Microseconds since 1970 UTC, whole milliseconds.
    var time: Int64
    var cents: Int
    var region: Int
    var city: Int
    var merchant: Int
    var channel: String
    var device: String
    var memo: String
    /// Nil for an honest one; otherwise the planted pattern's name.
    var pattern: String?
}

/// The whole bank as generated.
struct Bank: Sendable {
    var customers: [BankCustomer]
    var accounts: [BankAccount]
    var cards: [BankCard]
    var merchants: [BankMerchant]
    /// In order of time; ids count from 1.
    var transactions: [BankTransaction]
}
