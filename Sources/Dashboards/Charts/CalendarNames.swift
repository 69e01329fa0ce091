/// English names of weekdays and months, whole or by their first three letters, and their order.
///
/// A week begins on Monday, whichever hour a query brings first.
enum CalendarNames {
    private static let weekdays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]
    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]

    /// The place of each text among the weekdays, or among the months; nil when one is neither, or when
    /// some are the one and some the other.
    static func places(_ texts: [String]) -> [Double]? {
        for names in [weekdays, months] {
            let places = texts.compactMap { place($0.lowercased(), names) }
            if !texts.isEmpty, places.count == texts.count { return places }
        }
        return nil
    }

    private static func place(_ text: String, _ names: [String]) -> Double? {
        names.firstIndex { $0 == text || (text.count == 3 && $0.hasPrefix(text)) }.map {
            Double($0)
        }
    }
}
