import Diagnostics
import SQLFunctions

/// The probability of a true label by a weighted sum of features.
///
/// Features are standardized first; the loss is the sum of logarithmic losses plus half of `l2` times
/// the squared weights (not the intercept), as scikit-learn's with C = 1 / l2. Newton's steps, halved
/// where the loss would rise.
struct LogisticRegression: Sendable {
    var scaling: FeatureScaling
    /// Over standardized features.
    var weights: [Double]
    var intercept: Double

    /// The probability of a row.
    func probability(_ row: UnsafePointer<Double>) -> Double {
        var sum = intercept
        for feature in 0..<weights.count {
            sum += weights[feature] * scaling.scaled(row[feature], feature)
        }
        return StableMath.logistic(sum)
    }

    /// A weight over the feature as it is.
    func plainWeight(_ feature: Int) -> Double {
        weights[feature] / scaling.deviations[feature]
    }

    /// The intercept over features as they are.
    var plainIntercept: Double {
        var sum = intercept
        for feature in 0..<weights.count {
            sum -= plainWeight(feature) * scaling.means[feature]
        }
        return sum
    }

    static func train(
        _ table: TrainingTable, l2: Double, iterations: Int, standardize: Bool,
        check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> (model: LogisticRegression, iterations: Int) {
        let width = table.featureCount
        let scaling = FeatureScaling(table, standardizes: standardize)
        let labels = table.label ?? []
        let problem = NewtonProblem(
            rows: table.standardized(scaling), width: width, labels: labels, l2: l2)
        var weights = [Double](repeating: 0, count: width + 1)
        var loss = problem.loss(weights)
        var used = 0
        while used < iterations {
            try check()
            used += 1
            guard let step = problem.step(at: weights) else {
                throw QueryFault(
                    .invalidFunctionArgument,
                    "logistic_regression cannot tell the weights of these features apart",
                    hint: "set l2 above 0, or leave out features that follow from others")
            }
            var scale = 1.0
            var next = weights
            var nextLoss = Double.infinity
            for _ in 0..<30 {
                for index in weights.indices { next[index] = weights[index] - scale * step[index] }
                nextLoss = problem.loss(next)
                if nextLoss <= loss { break }
                scale *= 0.5
            }
            guard nextLoss <= loss else { break }
            var change = 0.0
            for index in weights.indices { change = max(change, abs(next[index] - weights[index])) }
            weights = next
            loss = nextLoss
            if change < 1e-9 { break }
        }
        let model = LogisticRegression(
            scaling: scaling, weights: Array(weights[..<width]), intercept: weights[width])
        return (model, used)
    }

    // MARK: Form

    func write(_ writer: inout CanonicalWriter) {
        scaling.write(&writer)
        writer.put(weights)
        writer.put(intercept)
    }

    init(_ reader: inout CanonicalReader) throws(ModelError) {
        scaling = try FeatureScaling(&reader)
        weights = try reader.doubles()
        intercept = try reader.double()
        guard scaling.count == weights.count else {
            throw .damaged("weights of another number of features")
        }
    }

    init(scaling: FeatureScaling, weights: [Double], intercept: Double) {
        self.scaling = scaling
        self.weights = weights
        self.intercept = intercept
    }
}

/// Loss, gradient and curvature; weights end with the intercept.
private struct NewtonProblem {
    let rows: [Double]
    let width: Int
    let labels: [Double]
    let l2: Double

    private func score(_ row: Int, _ weights: [Double]) -> Double {
        var sum = weights[width]
        for feature in 0..<width { sum += weights[feature] * rows[row * width + feature] }
        return sum
    }

    func loss(_ weights: [Double]) -> Double {
        var sum = 0.0
        for row in 0..<labels.count {
            let score = score(row, weights)
            // ln(1 + e^-m) of the margin, without overflow.
            let margin = labels[row] > 0.5 ? score : -score
            sum += max(-margin, 0) + StableMath.ln(1 + StableMath.exp(-abs(margin)))
        }
        for feature in 0..<width { sum += 0.5 * l2 * weights[feature] * weights[feature] }
        return sum
    }

    /// Curvature to the minus first times gradient; nil where the curvature is not positive.
    func step(at weights: [Double]) -> [Double]? {
        let size = width + 1
        var gradient = [Double](repeating: 0, count: size)
        var curvature = [Double](repeating: 0, count: size * size)
        var line = [Double](repeating: 1, count: size)
        for row in 0..<labels.count {
            let probability = StableMath.logistic(score(row, weights))
            let error = probability - labels[row]
            let weight = probability * (1 - probability)
            for feature in 0..<width { line[feature] = rows[row * width + feature] }
            for i in 0..<size {
                gradient[i] += error * line[i]
                let weighted = weight * line[i]
                for j in 0...i { curvature[i * size + j] += weighted * line[j] }
            }
        }
        for feature in 0..<width {
            gradient[feature] += l2 * weights[feature]
            curvature[feature * size + feature] += l2
        }
        return Self.solved(curvature, gradient, size)
    }

    /// Solves a symmetric system given by its lower half. Source: Cholesky's decomposition.
    private static func solved(
        _ matrix: [Double], _ right: [Double], _ size: Int
    ) -> [Double]? {
        var lower = matrix
        for i in 0..<size {
            for j in 0...i {
                var sum = lower[i * size + j]
                for k in 0..<j { sum -= lower[i * size + k] * lower[j * size + k] }
                if i == j {
                    guard sum > 1e-12 * max(1, matrix[i * size + i]) else { return nil }
                    lower[i * size + i] = sum.squareRoot()
                } else {
                    lower[i * size + j] = sum / lower[j * size + j]
                }
            }
        }
        var result = right
        for i in 0..<size {
            for k in 0..<i { result[i] -= lower[i * size + k] * result[k] }
            result[i] /= lower[i * size + i]
        }
        for i in (0..<size).reversed() {
            for k in (i + 1)..<max(size, i + 1) { result[i] -= lower[k * size + i] * result[k] }
            result[i] /= lower[i * size + i]
        }
        return result
    }
}
