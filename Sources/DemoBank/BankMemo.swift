/// Free texts of known polarity, with negations and emphasis, for the memo of a booking.
enum BankMemo {
    private static let friendly = [
        "great service, thanks", "very happy with the delivery", "love this shop",
        "excellent as always",
        "nice lunch with colleagues", "really good price", "perfect, will come again",
        "not bad at all", "wonderful evening", "thank you for the quick help",
    ]
    private static let plain = [
        "invoice", "monthly rent", "order", "ticket", "subscription", "weekly shopping", "fuel",
        "standing order", "payment reference", "instalment",
    ]
    private static let cross = [
        "terrible quality", "not happy with this", "very late again", "never again",
        "wrong amount!!",
        "awful support", "this is not what I ordered", "really disappointed", "broken on arrival",
        "refund still missing",
    ]
    private static let suspicious = [
        "urgent!!! verify now", "gift cards", "crypto top-up", "test", "final notice, pay today",
        "refund correction", "account locked, urgent", "wire immediately",
    ]

    static func honest(_ dice: inout BankDice) -> String {
        switch dice.below(10) {
        case 0...1: dice.pick(friendly)
        case 2: dice.pick(cross)
        default: "\(dice.pick(plain)) \(dice.within(1000...9999))"
        }
    }

    static func fraudulent(_ dice: inout BankDice) -> String {
        dice.chance(perMille: 600) ? dice.pick(suspicious) : honest(&dice)
    }
}
