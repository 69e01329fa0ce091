import CivilTime

/// One cell of a result, independent of the engine's vectors.
package enum ChartValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    /// Digits as SQL writes them, exact.
    case decimal(String)
    case text(String)
    /// Days since 1970.
    case date(Int32)
    /// Microseconds since 1970, without zone.
    case timestamp(Int64)

    package var isNull: Bool { self == .null }

    /// The value as SQL shows it; empty for NULL.
    package var text: String {
        switch self {
        case .null: ""
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): plainText(number)
        case .decimal(let digits): digits
        case .text(let text): text
        case .date(let days): CivilFormat.date(days)
        case .timestamp(let microseconds):
            CivilFormat.timestamp(microseconds, precision: microseconds % 1_000_000 == 0 ? 0 : 3)
        }
    }

    /// The value as a finite number, if it is one. Charts hold values beyond ±1e300 at that edge.
    var number: Double? {
        let value: Double? =
            switch self {
            case .integer(let number): Double(number)
            case .number(let number): number
            case .decimal(let digits): Double(digits)
            case .boolean(let flag): flag ? 1 : 0
            case .null, .text, .date, .timestamp: nil
            }
        guard let value, !value.isNaN else { return nil }
        return min(max(value, -1e300), 1e300)
    }

    /// Seconds since 1970 of a date or a timestamp.
    var seconds: Double? {
        switch self {
        case .date(let days): Double(days) * 86_400
        case .timestamp(let microseconds): Double(microseconds) / 1e6
        default: nil
        }
    }
}

/// A column's name and its type as SQL writes it.
package struct ChartColumn: Sendable, Hashable {
    package var name: String
    package var type: String

    package init(_ name: String, _ type: String) {
        self.name = name
        self.type = type
    }

    /// Whether values line up at the right.
    package var isNumeric: Bool {
        let head = type.prefix { $0 != "(" }.lowercased()
        return ["bigint", "integer", "smallint", "tinyint", "double", "real", "decimal"].contains(
            head)
    }
}

/// A small result: what charts are drawn from and tables show.
package struct ChartData: Sendable, Hashable {
    package var columns: [ChartColumn]
    /// Each row has one value a column; missing ones count as NULL.
    package var rows: [[ChartValue]]
    /// Whether the result had more rows than were taken.
    package var isTruncated: Bool

    package init(columns: [ChartColumn], rows: [[ChartValue]], isTruncated: Bool = false) {
        self.columns = columns
        self.rows = rows
        self.isTruncated = isTruncated
    }

    /// The value in a row and column; NULL where there is none.
    package func value(_ row: Int, _ column: Int) -> ChartValue {
        guard rows.indices.contains(row), rows[row].indices.contains(column) else { return .null }
        return rows[row][column]
    }

    func index(of name: String) -> Int? {
        columns.firstIndex { $0.name == name }
            ?? columns.firstIndex { $0.name.lowercased() == name.lowercased() }
    }

    /// The first numeric column that is not one of those.
    func firstNumericColumn(except: [Int] = []) -> Int? {
        columns.indices.first { !except.contains($0) && columns[$0].isNumeric }
            ?? columns.indices.first { column in
                !except.contains(column) && rows.contains { value($0, column) != nil }
            }
    }

    private func value(_ row: [ChartValue], _ column: Int) -> Double? {
        row.indices.contains(column) ? row[column].number : nil
    }
}
