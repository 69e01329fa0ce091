/// How well scores tell labels apart. Counting is in whole numbers, so that results are exact.
enum Metrics {
    /// The area under the receiver operating characteristic: how often a true row scores above a false
    /// one, ties counting half. nil where only one label occurs.
    static func areaUnderCurve(_ scores: [Double], _ labels: [Double]) -> Double? {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var positives = 0
        var negatives = 0
        // Twice the number of pairs in the right order.
        var pairs: Int128 = 0
        var at = 0
        while at < order.count {
            var end = at
            var truths = 0
            while end < order.count, scores[order[end]] == scores[order[at]] {
                truths += labels[order[end]] > 0.5 ? 1 : 0
                end += 1
            }
            let falses = end - at - truths
            pairs += Int128(truths) * Int128(2 * negatives + falses)
            positives += truths
            negatives += falses
            at = end
        }
        guard positives > 0, negatives > 0 else { return nil }
        return Double(pairs) / (2 * Double(positives) * Double(negatives))
    }

    /// The share of true rows among the hundredth with the highest scores (at least one row); of equal
    /// scores the earlier row in canonical order counts.
    static func precisionAtTop(_ scores: [Double], _ labels: [Double]) -> Double? {
        guard !scores.isEmpty else { return nil }
        let wanted = (scores.count + 99) / 100
        let order = scores.indices.sorted {
            scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1
        }
        let truths = order[..<wanted].count { labels[$0] > 0.5 }
        return Double(truths) / Double(wanted)
    }

    /// The mean logarithmic loss of probabilities, which are kept from 0 and 1 by 1e-15.
    static func logLoss(_ probabilities: [Double], _ labels: [Double]) -> Double {
        var sum = 0.0
        for (probability, label) in zip(probabilities, labels) {
            let clipped = min(max(probability, 1e-15), 1 - 1e-15)
            sum -= label > 0.5 ? StableMath.ln(clipped) : StableMath.ln(1 - clipped)
        }
        return sum / Double(max(labels.count, 1))
    }

    /// The share of rows whose probability is on the label's side of a half.
    static func accuracy(_ probabilities: [Double], _ labels: [Double]) -> Double {
        let right = zip(probabilities, labels).count { ($0 > 0.5) == ($1 > 0.5) }
        return Double(right) / Double(max(labels.count, 1))
    }
}
