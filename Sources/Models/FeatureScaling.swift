/// What makes features comparable: each less its mean, in its standard deviations.
struct FeatureScaling: Sendable {
    let means: [Double]
    /// Never 0.
    let deviations: [Double]

    var count: Int { means.count }

    /// That of the table's rows; or one that changes nothing.
    init(_ table: TrainingTable, standardizes: Bool) {
        if standardizes {
            (means, deviations) = table.moments()
        } else {
            means = [Double](repeating: 0, count: table.featureCount)
            deviations = [Double](repeating: 1, count: table.featureCount)
        }
    }

    /// A value of a feature, scaled.
    @inline(__always) func scaled(_ value: Double, _ feature: Int) -> Double {
        (value - means[feature]) / deviations[feature]
    }

    // MARK: Form

    func write(_ writer: inout CanonicalWriter) {
        writer.put(means)
        writer.put(deviations)
    }

    init(_ reader: inout CanonicalReader) throws(ModelError) {
        means = try reader.doubles()
        deviations = try reader.doubles()
        guard deviations.count == means.count else {
            throw .damaged("means and deviations of another number of features")
        }
    }
}
