/// Training rows in canonical order: features row after row, and the label of each where there is one.
struct TrainingTable {
    let features: [Double]
    let featureCount: Int
    let rowCount: Int
    /// 0 or 1 a row.
    let label: [Double]?

    init(features: [Double], featureCount: Int, label: [Double]? = nil) {
        self.features = features
        self.featureCount = featureCount
        self.label = label
        rowCount = featureCount == 0 ? 0 : features.count / featureCount
    }

    func value(_ row: Int, _ feature: Int) -> Double { features[row * featureCount + feature] }

    /// Mean and standard deviation (of the population) of each feature; a constant one has 1, so that
    /// dividing by it changes nothing.
    func moments() -> (means: [Double], deviations: [Double]) {
        var means = [Double](repeating: 0, count: featureCount)
        for row in 0..<rowCount {
            for feature in 0..<featureCount { means[feature] += value(row, feature) }
        }
        for feature in 0..<featureCount { means[feature] /= Double(rowCount) }
        var deviations = [Double](repeating: 0, count: featureCount)
        for row in 0..<rowCount {
            for feature in 0..<featureCount {
                let distance = value(row, feature) - means[feature]
                deviations[feature] += distance * distance
            }
        }
        for feature in 0..<featureCount {
            let deviation = (deviations[feature] / Double(rowCount)).squareRoot()
            deviations[feature] = deviation > 0 && deviation.isFinite ? deviation : 1
        }
        return (means, deviations)
    }

    /// The features, scaled.
    func standardized(_ scaling: FeatureScaling) -> [Double] {
        var result = features
        for row in 0..<rowCount {
            for feature in 0..<featureCount {
                let at = row * featureCount + feature
                result[at] = scaling.scaled(result[at], feature)
            }
        }
        return result
    }
}
