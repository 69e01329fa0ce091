/// A person with accounts and habits.
package struct BankCustomer: Sendable {
    let id: Int
    /// Given and family name.
    package let name: String
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

/// An account of a customer.
package struct BankAccount: Sendable {
    let id: Int
    /// The place of its owner among the customers.
    package let customer: Int
    let kind: String
    let openedDay: Int
}

/// A card of an account.
package struct BankCard: Sendable {
    let id: Int
    /// The place of its account among the accounts.
    package let account: Int
    /// Sixteen digits of a test range, with a valid check digit.
    package let pan: String
    let kind: String
}

/// A shop that takes cards.
package struct BankMerchant: Sendable {
    let id: Int
    let name: String
    let category: Int
    let region: Int
    let city: Int
}

/// One booking.
package struct BankTransaction: Sendable {
    var id = 0
    var account: Int
    var card: Int
    /// Microseconds since 1970 UTC, whole milliseconds.
    package var time: Int64
    /// The amount.
    package var cents: Int
    /// A place among the regions.
    package var region: Int
    var city: Int
    var merchant: Int
    var channel: String
    var device: String
    var memo: String
    /// Nil for an honest one; otherwise the planted pattern's name.
    package var pattern: String?
}

/// The whole bank as generated.
package struct Bank: Sendable {
    /// In order of their ids, which count from 1, like all but the transactions.
    package var customers: [BankCustomer]
    /// Every customer has one; some have two.
    package var accounts: [BankAccount]
    /// One of each account.
    package var cards: [BankCard]
    /// Where cards pay.
    package var merchants: [BankMerchant]
    /// In order of time; ids count from 1.
    package var transactions: [BankTransaction]

    /// A bank without anybody.
    package init() {
        (customers, accounts, cards, merchants, transactions) = ([], [], [], [], [])
    }
}
