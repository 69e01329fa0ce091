import Bytes
import CivilTime
import Cryptography
import DemoBank

/// An order as the shop exports it.
struct SalesOrder: Sendable, Equatable {
    var id: Int
    /// A number from 1; `C007`.
    var customer: Int
    var customerName: String
    var country: String
    var product: String
    var quantity: Int
    var cents: Int
    /// Days since 1970.
    var orderDay: Int
    /// The day of the export that first had the order as it is.
    var ingestionDay: Int
}

/// The shop's orders: 200 of 50 customers in 10 countries on 26 days, 307,719.99 in all; in integers, so that
/// they are the same on every machine.
struct SalesData: Sendable {
    var orders: [SalesOrder]

    /// 2024-01-01.
    static let firstDay = 19_723
    static let dayCount = 26
    static let orderCount = 200

    /// The countries with their orders, customers and revenue in cents.
    static let countries: [(name: String, orders: Int, customers: Int, cents: Int)] = [
        ("USA", 60, 15, 11_000_000), ("Germany", 25, 6, 4_125_050),
        ("United Kingdom", 22, 5, 3_348_025), ("France", 20, 5, 2_891_075),
        ("Canada", 18, 4, 2_464_000), ("Japan", 15, 4, 2_011_540),
        ("Australia", 13, 4, 1_723_060), ("Spain", 11, 3, 1_390_529),
        ("Brazil", 9, 2, 1_042_745), ("India", 7, 2, 775_975),
    ]

    static let products = [
        "Laptop", "Monitor", "Keyboard", "Headset", "Desk", "Chair", "Phone", "Tablet",
    ]

    private static let givenNames = [
        "Ada", "Bela", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Ines", "Jonas",
    ]
    private static let familyNames = ["Adler", "Berger", "Costa", "Dubois", "Evans"]

    /// SHA-256 of the export.
    static let publishedDigest =
        "525450aaa10f16e867cc169627f3a078b3f80990a3b83b8b1e18db5ba311f7e5"

    static func generate() -> SalesData {
        var dice = BankDice(seed: 42, stream: 77)
        var deck: [Int] = []
        for (index, country) in countries.enumerated() {
            deck += [Int](repeating: index, count: country.orders)
        }
        for last in stride(from: deck.count - 1, to: 0, by: -1) {
            deck.swapAt(last, dice.below(last + 1))
        }
        let weights = deck.map { _ in dice.within(40...160) }
        var sums = [Int](repeating: 0, count: countries.count)
        for (country, weight) in zip(deck, weights) { sums[country] += weight }
        var firstCustomer: [Int] = []
        var next = 1
        for country in countries {
            firstCustomer.append(next)
            next += country.customers
        }
        var seen = [Int](repeating: 0, count: countries.count)
        var spent = seen
        var orders: [SalesOrder] = []
        for (index, place) in deck.enumerated() {
            let country = countries[place]
            let customer = firstCustomer[place] + seen[place] % country.customers
            seen[place] += 1
            // The last order of a country has what is left, so that the sums are exact.
            let cents =
                seen[place] == country.orders
                ? country.cents - spent[place] : country.cents * weights[index] / sums[place]
            spent[place] += cents
            let day = firstDay + index * dayCount / deck.count
            orders.append(
                SalesOrder(
                    id: 1001 + index, customer: customer, customerName: name(of: customer),
                    country: country.name, product: dice.pick(products),
                    quantity: dice.within(1...5), cents: cents, orderDay: day, ingestionDay: day))
        }
        return SalesData(orders: orders)
    }

    private static func name(of customer: Int) -> String {
        "\(givenNames[customer % givenNames.count]) "
            + familyNames[customer / givenNames.count % familyNames.count]
    }

    // MARK: Figures

    var cents: Int { orders.reduce(0) { $0 + $1.cents } }
    var lastIngestionDay: Int { orders.map(\.ingestionDay).max() ?? Self.firstDay }

    /// Revenue by country in cents, the highest first.
    var byCountry: [(country: String, cents: Int)] {
        var sums: [String: Int] = [:]
        for order in orders { sums[order.country, default: 0] += order.cents }
        return sums.map { ($0.key, $0.value) }.sorted { $0.1 > $1.1 }
    }

    // MARK: Text

    static let header =
        "order_id,customer_id,customer_name,country,product,quantity,amount,order_date,ingestion_date"

    /// The export as CSV.
    var csv: String {
        orders.reduce(into: Self.header + "\n") { text, order in
            let fields = [
                "\(order.id)", Self.customerID(order.customer), order.customerName, order.country,
                order.product, "\(order.quantity)", BankSource.decimal(order.cents),
                Self.date(order.orderDay), Self.date(order.ingestionDay),
            ]
            text += fields.joined(separator: ",") + "\n"
        }
    }

    var digest: String { hexText(Digest.sha256(csv)) }

    /// `C007`.
    static func customerID(_ number: Int) -> String {
        let digits = "\(number)"
        return "C" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// `2024-01-01`.
    static func date(_ day: Int) -> String {
        String(
            CivilFormat.rfc3339(utc: Int64(day) * 86_400_000_000, precision: 0).prefix(10))
    }
}
