import Testing
import Vectors

@testable import Models

struct TrainingTests {
    /// Rows around zero and some far away, in an order given by a seed.
    private func rows(_ count: Int, seed: UInt64) -> TrainingRows {
        var numbers = SeededNumbers(seed: 1, stream: 0)
        var rows: [[Double]] = []
        for row in 0..<count {
            let scale = row % 50 == 0 ? 9.0 : 1.0
            rows.append((0..<4).map { _ in (numbers.fraction() + numbers.fraction() - 1) * scale })
        }
        var shuffle = SeededNumbers(seed: seed, stream: 1)
        for at in stride(from: count - 1, to: 0, by: -1) {
            rows.swapAt(at, shuffle.below(at + 1))
        }
        let training = TrainingRows(columnCount: 4, budget: MemoryBudget(limitBytes: 1 << 30))
        training.append(rows)
        training.order()
        return training
    }

    private func forest(_ rows: TrainingRows, seed: Int64 = 42) -> IsolationForest {
        IsolationForest.train(
            TrainingTable(features: rows.values, featureCount: 4), trees: 50, samples: 128,
            seed: seed)
    }

    private func bytes(_ forest: IsolationForest) -> [UInt8] {
        var writer = CanonicalWriter()
        forest.write(&writer)
        return writer.bytes
    }

    @Test func `the order of rows changes nothing`() {
        let one = bytes(forest(rows(3000, seed: 1)))
        #expect(one == bytes(forest(rows(3000, seed: 2))))
        #expect(one != bytes(forest(rows(3000, seed: 1), seed: 43)))
        #expect(one != bytes(forest(rows(2999, seed: 1))))
    }

    @Test func `rows far away score higher, and the parts add up to the score`() throws {
        let trained = forest(rows(3000, seed: 1))
        let scorer = try ForestScorer(trained)
        let given: [Double] = [0, 0, 0, 0, 8, 0.1, -0.1, 0.2, 0.3, -7, 7, 0]
        var scores = [Double](repeating: 0, count: 3)
        scorer.score(rows: given, count: 3, into: &scores)
        #expect(scores[0] < 0.5 && scores[1] > scores[0] + 0.05 && scores[2] > scores[0] + 0.05)
        for row in 0..<3 {
            var parts = [Double](repeating: 0, count: 4)
            var block = [Double](repeating: 0, count: 4 * ForestScorer.blockRows)
            for feature in 0..<4 {
                block[feature * ForestScorer.blockRows] = given[row * 4 + feature]
            }
            scorer.explain(block, row: 0, into: &parts)
            let sum = StableMath.exp2(scorer.baseline + parts.reduce(0, +))
            #expect(abs(sum - scores[row]) < 1e-9)
            if row == 1 { #expect(parts[0] == parts.max()) }
        }
    }

    @Test(arguments: [1, 3, 50, 100, 333, 1000])
    func `rows that are all the same are no anomalies, whatever sums round to`(trees: Int) throws {
        for (rows, samples) in [(500, 256), (500, 100), (40, 256), (3, 2)] {
            let trained = IsolationForest.train(
                TrainingTable(features: Array(repeating: 5, count: rows), featureCount: 1),
                trees: trees, samples: samples, seed: 42)
            let scorer = try ForestScorer(trained)
            var scores = [0.0]
            scorer.score(rows: [5], count: 1, into: &scores)
            #expect(scores[0] == 0.5)
            #expect(!(scores[0] > scorer.threshold))
        }
    }

    @Test func `a forest is read back as it was written, and damage is noticed`() throws {
        let trained = forest(rows(500, seed: 1))
        let written = bytes(trained)
        var reader = CanonicalReader(written)
        let back = try IsolationForest(&reader)
        #expect(reader.isAtEnd)
        #expect(bytes(back) == written)
        for end in [0, 7, 40, written.count - 1] {
            #expect(throws: ModelError.self) {
                var short = CanonicalReader(Array(written[..<end]))
                _ = try IsolationForest(&short)
            }
        }
    }

    @Test func `rows with a value that is not finite are left out`() {
        let training = TrainingRows(columnCount: 2, budget: MemoryBudget(limitBytes: 1 << 20))
        training.append([[1, 2], [.nan, 1], [1, .infinity], [-0.0, 3]])
        #expect(training.count == 2)
        #expect(training.skippedCount == 2)
        #expect(training.values[2].sign == .plus)
    }

    @Test func `metrics are those of their definitions`() throws {
        let scores = [0.1, 0.4, 0.35, 0.8]
        #expect(Metrics.areaUnderCurve(scores, [0, 0, 1, 1]) == 0.75)
        #expect(Metrics.areaUnderCurve([1, 1, 1, 1], [0, 1, 0, 1]) == 0.5)
        #expect(Metrics.areaUnderCurve(scores, [1, 1, 1, 1]) == nil)
        #expect(Metrics.precisionAtTop(scores, [0, 0, 0, 1]) == 1)
        #expect(Metrics.accuracy([0.2, 0.7, 0.6], [0, 1, 0]) == 2.0 / 3)
    }

    @Test func `clusters that lie apart are found`() throws {
        var numbers = SeededNumbers(seed: 5, stream: 0)
        var features: [Double] = []
        for row in 0..<300 {
            let center = Double(row % 3 == 0 ? 0 : row % 6 < 3 ? 10 : 30)
            features += [center + numbers.fraction(), center - numbers.fraction()]
        }
        let (model, outcome) = try KMeans.train(
            TrainingTable(features: features, featureCount: 2), clusters: 3, iterations: 100,
            restarts: 4, standardize: true, seed: 1, check: {})
        #expect(outcome.sizes == outcome.sizes.sorted(by: >))
        #expect(outcome.sizes.reduce(0, +) == 300)
        var scratch = [0.0, 0.0]
        let places: [[Double]] = [[0.5, -0.5], [10.5, 9.5], [30.5, 29.5]]
        let owners = places.map { place in
            place.withUnsafeBufferPointer { $0.baseAddress.map { model.cluster($0, &scratch) } }
        }
        #expect(Set(owners).count == 3)
    }

    @Test func `logistic regression finds the weights that made the labels`() throws {
        var numbers = SeededNumbers(seed: 9, stream: 0)
        var features: [Double] = []
        var labels: [Double] = []
        for _ in 0..<4000 {
            let (x, y) = (numbers.fraction() * 4 - 2, numbers.fraction() * 100)
            features += [x, y]
            let probability = StableMath.logistic(2 * x - 0.05 * y + 2.5)
            labels.append(numbers.fraction() < probability ? 1 : 0)
        }
        let (model, iterations) = try LogisticRegression.train(
            TrainingTable(features: features, featureCount: 2, label: labels), l2: 1,
            iterations: 100, standardize: true, check: {})
        #expect(iterations < 20)
        #expect(abs(model.plainWeight(0) - 2) < 0.2)
        #expect(abs(model.plainWeight(1) + 0.05) < 0.01)
        #expect(abs(model.plainIntercept - 2.5) < 0.3)
    }

    @Test func `features that follow from others need a penalty`() {
        let features = (0..<40).flatMap { [Double($0), Double($0) * 2] }
        let labels = (0..<40).map { $0 % 3 == 0 ? 1.0 : 0.0 }
        #expect(throws: (any Error).self) {
            _ = try LogisticRegression.train(
                TrainingTable(features: features, featureCount: 2, label: labels), l2: 0,
                iterations: 100, standardize: true, check: {})
        }
    }
}
