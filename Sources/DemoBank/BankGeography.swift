/// A city with its place on the globe in millionths of a degree.
struct BankCity: Sendable {
    let name: String
    let latitude: Int
    let longitude: Int
}

/// A region of the bank's country: its cities, its share of the people and of the business, and the fraud
/// that the generator plants, in hundredths of a percent of a week's transactions.
package struct BankRegion: Sendable {
    /// As the column `region` has it.
    package let name: String
    let cities: [BankCity]
    /// Share of people and merchants, and of the transactions unless `weeklyBookings` says how many, in
    /// thousandths; the regions add up to 1,000.
    let shareMilli: Int
    /// In the last full ISO week before the as-of date.
    let lastWeekRate: Int
    /// In the week before that.
    let weekBeforeRate: Int
    /// In all other weeks.
    let usualRate: Int
    /// Bookings of a full week, however large the bank is; nil: the region's share.
    var weeklyBookings: Int?
    /// Whether the fraud of the week before happens in the last hour of its Sunday (UTC): clocks that are
    /// ahead of it count it to last week.
    var isSundayNight = false
}

/// The country. The rates set the traps that keep "above 5 % last week" honest: two regions are truly
/// above (Coastal, Danube), one only the week before (Baltic), one only over the 60 days (Capital), one is
/// at 4.97 % (Midlands), one is high on a handful of rows (Islands), and one is above nowhere in UTC but last
/// week in Central Europe, where the Sunday night of the week before is Monday (Highlands).
package enum BankGeography {
    /// All regions, in the order that records count them.
    package static let regions: [BankRegion] = [
        BankRegion(
            name: "Baltic",
            cities: [
                BankCity(name: "Rostock", latitude: 54_092_400, longitude: 12_099_100),
                BankCity(name: "Gdansk", latitude: 54_352_000, longitude: 18_646_600),
                BankCity(name: "Riga", latitude: 56_949_600, longitude: 24_105_200),
                BankCity(name: "Tallinn", latitude: 59_437_000, longitude: 24_753_600),
            ], shareMilli: 130, lastWeekRate: 310, weekBeforeRate: 690, usualRate: 240),
        BankRegion(
            name: "Capital",
            cities: [
                BankCity(name: "Berlin", latitude: 52_520_000, longitude: 13_405_000),
                BankCity(name: "Potsdam", latitude: 52_390_600, longitude: 13_064_500),
                BankCity(name: "Cottbus", latitude: 51_756_300, longitude: 14_332_900),
            ], shareMilli: 170, lastWeekRate: 350, weekBeforeRate: 380, usualRate: 590),
        BankRegion(
            name: "Coastal",
            cities: [
                BankCity(name: "Hamburg", latitude: 53_551_100, longitude: 9_993_700),
                BankCity(name: "Bremen", latitude: 53_079_300, longitude: 8_801_700),
                BankCity(name: "Rotterdam", latitude: 51_924_400, longitude: 4_477_700),
                BankCity(name: "Antwerp", latitude: 51_219_400, longitude: 4_402_500),
            ], shareMilli: 150, lastWeekRate: 720, weekBeforeRate: 260, usualRate: 200),
        BankRegion(
            name: "Danube",
            cities: [
                BankCity(name: "Vienna", latitude: 48_208_200, longitude: 16_373_800),
                BankCity(name: "Bratislava", latitude: 48_148_600, longitude: 17_107_700),
                BankCity(name: "Budapest", latitude: 47_497_900, longitude: 19_040_200),
                BankCity(name: "Linz", latitude: 48_306_900, longitude: 14_285_800),
            ], shareMilli: 180, lastWeekRate: 610, weekBeforeRate: 290, usualRate: 220),
        BankRegion(
            name: "Highlands",
            cities: [
                BankCity(name: "Salzburg", latitude: 47_809_500, longitude: 13_055_000),
                BankCity(name: "Innsbruck", latitude: 47_269_200, longitude: 11_404_100),
                BankCity(name: "Zurich", latitude: 47_376_900, longitude: 8_541_700),
            ], shareMilli: 110, lastWeekRate: 270, weekBeforeRate: 470, usualRate: 180,
            isSundayNight: true),
        BankRegion(
            name: "Islands",
            cities: [
                BankCity(name: "Palma", latitude: 39_569_600, longitude: 2_650_200),
                BankCity(name: "Valletta", latitude: 35_898_900, longitude: 14_514_600),
            ], shareMilli: 3, lastWeekRate: 1_250, weekBeforeRate: 1_250, usualRate: 850,
            weeklyBookings: 24),
        BankRegion(
            name: "Midlands",
            cities: [
                BankCity(name: "Frankfurt", latitude: 50_110_900, longitude: 8_682_100),
                BankCity(name: "Leipzig", latitude: 51_339_700, longitude: 12_373_100),
                BankCity(name: "Prague", latitude: 50_075_500, longitude: 14_437_800),
                BankCity(name: "Nuremberg", latitude: 49_452_100, longitude: 11_076_700),
            ], shareMilli: 167, lastWeekRate: 497, weekBeforeRate: 320, usualRate: 230),
        BankRegion(
            name: "Riviera",
            cities: [
                BankCity(name: "Nice", latitude: 43_710_200, longitude: 7_262_000),
                BankCity(name: "Genoa", latitude: 44_405_600, longitude: 8_946_300),
                BankCity(name: "Marseille", latitude: 43_296_500, longitude: 5_369_800),
            ], shareMilli: 90, lastWeekRate: 220, weekBeforeRate: 250, usualRate: 210),
    ]

    static let categories = [
        "groceries", "fuel", "restaurants", "travel", "electronics", "fashion", "pharmacy",
        "utilities",
        "entertainment", "furniture", "jewellery", "transfer",
    ]
}
