/// What a bank hides of its customers: card numbers, names, e-mail addresses; found again in what was sent.
package struct BankSecrets: Sendable {
    private let values: Set<String>

    /// Everything that the bank has of them.
    package init(_ bank: Bank) {
        var values = Set(bank.cards.map(\.pan))
        for customer in bank.customers {
            values.insert(customer.name)
            values.insert(customer.email)
        }
        self.values = values
    }

    /// Those that occur in a text, in their order: as a cell of JSON, CSV or HTML, and those without a space
    /// as a word too. O(n).
    package func found(in text: String) -> [String] {
        var found: Set<String> = []
        for cell in text.utf8.split(whereSeparator: Self.endsCell) {
            let words = cell.split(separator: UInt8(ascii: " "))
            for part in words.count > 1 ? words + [cell] : words {
                let value = String(Substring(part))
                if values.contains(value) { found.insert(value) }
            }
        }
        return found.sorted()
    }

    private static func endsCell(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: "\r"),
            UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }
}
