import CivilTime

/// The SQL condition that chosen values make of a filter. Only literals are made of what visitors send;
/// the expression that they are compared with is the document's.
struct FilterCondition {
    private let filter: DashboardFilter
    private let values: [String?]
    private var bounds: (lower: String?, upper: String?) = (nil, nil)

    /// Throws `.invalidFilter` for a value that the filter cannot take.
    init(_ filter: DashboardFilter, _ values: [String?]) throws(DashboardError) {
        self.filter = filter
        self.values = values
        for case let value? in values {
            switch filter.kind {
            case .select, .multiple: _ = try literal(value)
            case .text: break
            case .dateRange:
                bounds = try Self.range(value, filter, what: "dates, as 2026-01-01..2026-01-31") {
                    (CivilParse.date($0) ?? nil) != nil
                }
            case .numberRange:
                bounds = try Self.range(value, filter, what: "numbers, as 10..99.5", Self.isNumber)
            }
        }
    }

    /// The condition over `column`, in parentheses where it has parts.
    func sql(over column: String) throws(DashboardError) -> String {
        switch filter.kind {
        case .select, .multiple:
            var literals: [String] = []
            for case let value? in values { literals.append(try literal(value)) }
            var parts: [String] = []
            if literals.count == 1 { parts.append("(\(column)) = \(literals[0])") }
            if literals.count > 1 {
                parts.append("(\(column)) IN (\(literals.joined(separator: ", ")))")
            }
            if values.contains(nil) { parts.append("(\(column)) IS NULL") }
            return parts.count == 1 ? parts[0] : "(" + parts.joined(separator: " OR ") + ")"
        case .text:
            guard case let needle?? = values.first else { return "(\(column)) IS NULL" }
            return "strpos(lower(CAST((\(column)) AS varchar)), lower(\(quoted(needle)))) > 0"
        case .dateRange:
            // The upper day belongs to the range, also where the column has a time.
            return between(
                column, bounds.lower.map { "DATE '\($0)'" },
                bounds.upper.map { "< DATE '\($0)' + INTERVAL '1' DAY" })
        case .numberRange:
            return between(column, bounds.lower, bounds.upper.map { "<= \($0)" })
        }
    }

    private func between(_ column: String, _ lower: String?, _ upper: String?) -> String {
        let parts = [lower.map { "(\(column)) >= \($0)" }, upper.map { "(\(column)) \($0)" }]
            .compactMap { $0 }
        return parts.isEmpty
            ? "(\(column)) IS NULL" : "(" + parts.joined(separator: " AND ") + ")"
    }

    private func literal(_ value: String) throws(DashboardError) -> String {
        switch filter.type {
        case .text: return quoted(value)
        case .number where Self.isNumber(value): return value
        case .boolean where value == "true" || value == "false": return value
        case .date:
            if let days = CivilParse.date(value) { return "DATE '\(CivilFormat.date(days))'" }
        case .number, .boolean: break
        }
        throw DashboardError(
            code: .invalidFilter,
            message: "the filter \(filter.id) takes a \(filter.type.rawValue), found: "
                + "\(value.prefix(60))", hint: nil)
    }

    private func quoted(_ value: String) -> String {
        var text = "'"
        for scalar in value.unicodeScalars {
            text.unicodeScalars.append(scalar)
            if scalar == "'" { text.unicodeScalars.append(scalar) }
        }
        return text + "'"
    }

    private static func range(
        _ value: String, _ filter: DashboardFilter, what: String, _ isEnd: (String) -> Bool
    ) throws(DashboardError) -> (String?, String?) {
        let invalid = DashboardError(
            code: .invalidFilter,
            message: "the filter \(filter.id) takes a range of \(what), found: "
                + "\(value.prefix(60))", hint: nil)
        guard let dots = value.firstRange(of: "..") else { throw invalid }
        let ends = [value[..<dots.lowerBound], value[dots.upperBound...]].map {
            $0.isEmpty ? nil : String($0)
        }
        guard ends.contains(where: { $0 != nil }),
            ends.allSatisfy({ $0.map(isEnd) ?? true })
        else { throw invalid }
        return (ends[0], ends[1])
    }

    /// Digits with an optional sign, point and exponent: what SQL reads as one literal.
    private static func isNumber(_ text: String) -> Bool {
        guard text.utf8.count <= 60, let value = Double(text), value.isFinite else { return false }
        return text.utf8.allSatisfy {
            ($0 >= 0x30 && $0 <= 0x39) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0)
        } && !text.hasPrefix("+")
    }
}
