/// Numbers as pages print them.
enum Grouping {
    /// `100240` as `100,240`.
    static func thousands(_ digits: String) -> String {
        var text = ""
        for (index, digit) in digits.reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
