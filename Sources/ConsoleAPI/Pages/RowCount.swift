/// How many rows a snapshot has, by its summary.
///
/// `total-records` counts the rows of the data files, with those that deletes hide. A position delete hides
/// one row; how many an equality delete hides nobody knows without reading.
struct RowCount: Equatable {
    let count: Int64
    /// Whether it is the number itself; otherwise there are no more than that.
    let isExact: Bool

    /// nil for a summary without the number.
    init?(_ summary: [String: String]) {
        func number(_ key: String) -> Int64? { summary[key].flatMap { Int64($0) } }
        guard let records = number("total-records") else { return nil }
        let hidden = number("total-position-deletes") ?? 0
        guard hidden >= 0, hidden <= records else { return nil }
        count = records - hidden
        isExact = (number("total-equality-deletes") ?? 0) == 0
    }
}
