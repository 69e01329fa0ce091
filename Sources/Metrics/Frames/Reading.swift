import CivilTime

/// A frame in words: what was understood, said back.
struct ReadingText {
    let model: MetricModel

    func text(_ frame: Frame) -> String {
        var text = listed(frame.metrics.map { model.metric($0)?.label ?? $0 })
        if let unit = frame.average {
            let name = ReadingText.name(unit)
            text += " per \(name) (the average of the \(name)s that have rows)"
        }
        if frame.hasShare { text += " with the share of the total" }
        if !frame.breakdowns.isEmpty {
            text += " by " + listed(frame.breakdowns.map(label))
        }
        let filters = frame.filters.map(label) + frame.partFilters.map(label)
        if !filters.isEmpty { text += ", where " + filters.joined(separator: " and ") }
        if let period = frame.period {
            text += "; period: \(period.label) (\(model.zone.name))"
        } else {
            text += "; over all time" + (frame.countsTime ? " (\(model.zone.name))" : "")
        }
        if let comparison = frame.comparison { text += ", compared with \(comparison.label)" }
        let thresholds = frame.thresholds.map(label)
        if !thresholds.isEmpty {
            text += "; only rows with " + thresholds.joined(separator: " and ")
            if frame.comparison != nil, let period = frame.period {
                text += " in \(period.label)"
            }
        }
        for metric in frame.metrics.compactMap(model.metric) where frame.compares(metric.name) {
            guard let minimum = metric.minimumRows else { continue }
            text += "; \(metric.label) is compared on \(minimum) rows or more"
        }
        if let ranking = frame.ranking {
            let name = model.metric(ranking.metric)?.label ?? ranking.metric
            let order = ranking.isDescending ? "from high to low" : "from low to high"
            text +=
                ranking.count.map {
                    "; the \($0 == 1 ? "one row" : "\($0) rows") with the "
                        + "\(ranking.isDescending ? "highest" : "lowest") \(name)"
                } ?? "; in the order of \(name) \(order)"
            if !ranking.within.isEmpty {
                text += " in each " + listed(ranking.within.map(label))
            }
        }
        return text
    }

    private static func name(_ unit: DateUnit) -> String {
        unit == .week ? "ISO week" : unit.rawValue
    }

    private func label(_ breakdown: Breakdown) -> String {
        switch breakdown {
        case .dimension(let name): model.dimension(name)?.label ?? name
        case .series(let unit): ReadingText.name(unit)
        case .part(let part): part.label
        }
    }

    private func label(_ filter: ValueFilter) -> String {
        let name = model.dimension(filter.dimension)?.label ?? filter.dimension
        let values = filter.values.joined(separator: " or ")
        return filter.isNegated ? "\(name) is not \(values)" : "\(name) is \(values)"
    }

    private func label(_ filter: PartFilter) -> String {
        let verb = filter.isNegated ? "is not" : "is"
        let values = filter.values
        switch filter.part {
        case .weekday:
            let names = values.compactMap { day in
                CivilFormat.weekdayNames.indices.contains(day - 1)
                    ? CivilFormat.weekdayNames[day - 1] : nil
            }
            return "weekday \(verb) " + names.joined(separator: " or ")
        case .monthOfYear:
            let names = values.compactMap { month in
                CivilFormat.monthNames.indices.contains(month - 1)
                    ? CivilFormat.monthNames[month - 1] : nil
            }
            return "month \(verb) " + names.joined(separator: " or ")
        case .hourOfDay:
            if let first = values.first, let last = values.last, values.count > 1,
                values == Array(min(first, last)...max(first, last))
            {
                return "time of day \(verb) from \(first):00 to before \(last + 1):00"
            }
            return "hour of the day \(verb) " + values.map(String.init).joined(separator: " or ")
        }
    }

    /// `fraud rate above 5 %`.
    func label(_ threshold: Threshold) -> String {
        let metric = model.metric(threshold.metric)
        func number(_ value: ExactNumber) -> String {
            guard metric?.format == .percent else {
                return value.text + (metric?.unit.isEmpty ?? true ? "" : " \(metric?.unit ?? "")")
            }
            return (value.shifted(by: 2)?.text ?? value.text) + " %"
        }
        let name = metric?.label ?? threshold.metric
        let value = number(threshold.value)
        switch threshold.relation {
        case .above: return "\(name) above \(value)"
        case .atLeast: return "\(name) of at least \(value)"
        case .below: return "\(name) below \(value)"
        case .atMost: return "\(name) of at most \(value)"
        case .equal: return "\(name) of exactly \(value)"
        case .between:
            return
                "\(name) between \(value) and \(threshold.upper.map(number) ?? "") (both included)"
        }
    }

    private func listed(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}

extension Frame {
    /// Whether rows are told apart by times, which a zone decides.
    fileprivate var countsTime: Bool {
        !partFilters.isEmpty || average != nil
            || breakdowns.contains { if case .dimension = $0 { false } else { true } }
    }
}
