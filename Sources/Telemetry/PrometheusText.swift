extension MetricsRegistry {
    /// The media type of `prometheusText`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Everything in the Prometheus text format, version 0.0.4.
    package func prometheusText() -> String {
        var text = ""
        for entry in all {
            switch entry.instrument {
            case .counter(let family):
                head(entry, "counter", &text)
                for (labels, member) in family.all {
                    line(entry.name, labels, "\(member.current)", &text)
                }
            case .gauge(let family):
                head(entry, "gauge", &text)
                for (labels, member) in family.all {
                    line(entry.name, labels, number(member.current), &text)
                }
            case .computedGauge(let read):
                guard let value = read() else { continue }
                head(entry, "gauge", &text)
                line(entry.name, [], number(value), &text)
            case .computedCounter(let read):
                guard let value = read() else { continue }
                head(entry, "counter", &text)
                line(entry.name, [], number(value), &text)
            case .histogram(let family):
                head(entry, "histogram", &text)
                for (labels, member) in family.all { histogram(entry.name, labels, member, &text) }
            }
        }
        return text
    }

    private func histogram(
        _ name: String, _ labels: [(String, String)], _ member: Histogram, _ text: inout String
    ) {
        let (counts, sum) = member.snapshot
        var total: Int64 = 0
        for (bucket, count) in counts.enumerated() {
            total += count
            let bound = bucket < member.bounds.count ? number(member.bounds[bucket]) : "+Inf"
            line(name + "_bucket", labels + [("le", bound)], "\(total)", &text)
        }
        line(name + "_sum", labels, number(sum), &text)
        line(name + "_count", labels, "\(total)", &text)
    }

    private func head(_ entry: Entry, _ kind: String, _ text: inout String) {
        text +=
            "# HELP \(entry.name) \(escaped(entry.help, quotes: false))\n# TYPE \(entry.name) \(kind)\n"
    }

    private func line(
        _ name: String, _ labels: [(String, String)], _ value: String, _ text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(escaped($0.1, quotes: true))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    private func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return "\(whole)" }
        return "\(value)"
    }
}
