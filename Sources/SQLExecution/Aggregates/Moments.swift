import SQLFunctions
import Vectors

/// Variance, standard deviation, skewness and kurtosis by central moments that merge.
///
///     [count][mean][m2][m3][m4]. Source: Pébay, "Formulas for robust, one-pass parallel computation of
///     covariances and arbitrary-order statistical moments", 2008.
final class MomentsAccumulator: Accumulator {
    enum Result {
        case variance, populationVariance, deviation, populationDeviation, skewness, kurtosis
    }
    private let result: Result

    init(_ result: Result) {
        self.result = result
        super.init(size: 40)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let values = arguments[0].pointer(as: Double.self)
        let valid = arguments[0].valid
        for index in 0..<count where isPresent(valid, index) {
            let state = (groups[index] + offset).assumingMemoryBound(to: Double.self)
            let before = state[0]
            let n = before + 1
            let delta = values[index] - state[1]
            let step = delta / n
            let squared = step * step
            let term = delta * step * before
            state[0] = n
            state[1] += step
            state[4] +=
                term * squared * (n * n - 3 * n + 3) + 6 * squared * state[2] - 4 * step * state[3]
            state[3] += term * step * (n - 2) - 3 * step * state[2]
            state[2] += term
        }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let a = (target + offset).assumingMemoryBound(to: Double.self)
        let b = (source + offset).assumingMemoryBound(to: Double.self)
        guard b[0] > 0 else { return }
        let n = a[0] + b[0]
        let delta = b[1] - a[1]
        let d2 = delta * delta
        let m2 = a[2] + b[2] + d2 * a[0] * b[0] / n
        let m3 =
            a[3] + b[3] + d2 * delta * a[0] * b[0] * (a[0] - b[0]) / (n * n)
            + 3 * delta * (a[0] * b[2] - b[0] * a[2]) / n
        let cross = a[0] * a[0] - a[0] * b[0] + b[0] * b[0]
        let first = a[4] + b[4] + d2 * d2 * a[0] * b[0] * cross / (n * n * n)
        let second = 6 * d2 * (a[0] * a[0] * b[2] + b[0] * b[0] * a[2]) / (n * n)
        let third = 4 * delta * (a[0] * b[3] - b[0] * a[3]) / n
        a[1] += delta * b[0] / n
        a[0] = n
        a[2] = m2
        a[3] = m3
        a[4] = first + second + third
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let state = (groups[index] + offset).assumingMemoryBound(to: Double.self)
            let n = state[0]
            let m2 = state[2]
            let value: Double?
            switch result {
            case .variance: value = n < 2 ? nil : m2 / (n - 1)
            case .deviation: value = n < 2 ? nil : (m2 / (n - 1)).squareRoot()
            case .populationVariance: value = n < 1 ? nil : m2 / n
            case .populationDeviation: value = n < 1 ? nil : (m2 / n).squareRoot()
            case .skewness: value = n < 3 ? nil : n.squareRoot() * state[3] / power(m2, 1.5)
            case .kurtosis:
                let factor = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3))
                let excess = 3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3))
                value = n < 4 ? nil : factor * state[4] / (m2 / (n - 1)) / (m2 / (n - 1)) - excess
            }
            if let value { buffer.store(value, index) } else { buffer.setNull(index) }
        }
    }
}

/// Aggregates of pairs `(y, x)`: correlation, covariance, regression.
///
///     [count][mean x][mean y][m2 x][m2 y][co-moment]
final class PairsAccumulator: Accumulator {
    private let name: String

    init(_ name: String) {
        self.name = name
        super.init(size: 48)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let ys = arguments[0].pointer(as: Double.self)
        let xs = arguments[1].pointer(as: Double.self)
        for index in 0..<count
        where isPresent(arguments[0].valid, index) && isPresent(arguments[1].valid, index) {
            let state = (groups[index] + offset).assumingMemoryBound(to: Double.self)
            state[0] += 1
            let dx = xs[index] - state[1]
            let dy = ys[index] - state[2]
            state[1] += dx / state[0]
            state[2] += dy / state[0]
            state[3] += dx * (xs[index] - state[1])
            state[4] += dy * (ys[index] - state[2])
            state[5] += dx * (ys[index] - state[2])
        }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let a = (target + offset).assumingMemoryBound(to: Double.self)
        let b = (source + offset).assumingMemoryBound(to: Double.self)
        guard b[0] > 0 else { return }
        let n = a[0] + b[0]
        let dx = b[1] - a[1]
        let dy = b[2] - a[2]
        let weight = a[0] * b[0] / n
        a[3] += b[3] + dx * dx * weight
        a[4] += b[4] + dy * dy * weight
        a[5] += b[5] + dx * dy * weight
        a[1] += dx * b[0] / n
        a[2] += dy * b[0] / n
        a[0] = n
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let state = (groups[index] + offset).assumingMemoryBound(to: Double.self)
            if name == "regr_count" {
                buffer.store(Int64(state[0]), index)
            } else if let value = value(state), !value.isNaN {
                buffer.store(value, index)
            } else {
                buffer.setNull(index)
            }
        }
    }

    private func value(_ state: UnsafeMutablePointer<Double>) -> Double? {
        let n = state[0]
        guard n > 0 else { return nil }
        let (sxx, syy, sxy) = (state[3], state[4], state[5])
        switch name {
        case "corr": return n < 2 || sxx == 0 || syy == 0 ? nil : sxy / (sxx * syy).squareRoot()
        case "covar_pop": return sxy / n
        case "covar_samp": return n < 2 ? nil : sxy / (n - 1)
        case "regr_slope": return sxx == 0 ? nil : sxy / sxx
        case "regr_intercept": return sxx == 0 ? nil : state[2] - sxy / sxx * state[1]
        case "regr_r2": return sxx == 0 ? nil : syy == 0 ? 1 : sxy * sxy / (sxx * syy)
        case "regr_avgx": return state[1]
        case "regr_avgy": return state[2]
        case "regr_sxx": return sxx
        case "regr_syy": return syy
        default: return sxy
        }
    }
}
