import CivilTime

/// A frame in words: what was understood, said back.
struct ReadingText {
    let model: MetricModel

    func text(_ frame: Frame) -> String {
        var text = listed(frame.metrics.map { model.metric($0)?.label ?? $0 })
        if !frame.breakdowns.isEmpty {
            text += " by " + listed(frame.breakdowns.map(label))
        }
        let filters = frame.filters.map(label)
        if !filters.isEmpty { text += ", where " + filters.joined(separator: " and ") }
        if let period = frame.period {
            text += "; period: \(period.label) (\(model.zone.name))"
        } else {
            text += "; over all time"
        }
        if let comparison = frame.comparison { text += ", compared with \(comparison.label)" }
        let thresholds = frame.thresholds.map(label)
        if !thresholds.isEmpty {
            text += "; only rows with " + thresholds.joined(separator: " and ")
        }
        if let ranking = frame.ranking {
            let name = model.metric(ranking.metric)?.label ?? ranking.metric
            let order = ranking.isDescending ? "from high to low" : "from low to high"
            text +=
                ranking.count.map {
                    "; the \($0 == 1 ? "one row" : "\($0) rows") with the "
                        + "\(ranking.isDescending ? "highest" : "lowest") \(name)"
                } ?? "; in the order of \(name) \(order)"
        }
        return text
    }

    private func label(_ breakdown: Breakdown) -> String {
        switch breakdown {
        case .dimension(let name): model.dimension(name)?.label ?? name
        case .series(let unit): unit == .week ? "ISO week" : unit.rawValue
        case .part(let part): part.label
        }
    }

    private func label(_ filter: ValueFilter) -> String {
        let name = model.dimension(filter.dimension)?.label ?? filter.dimension
        let values = filter.values.joined(separator: " or ")
        return filter.isNegated ? "\(name) is not \(values)" : "\(name) is \(values)"
    }

    private func label(_ threshold: Threshold) -> String {
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
