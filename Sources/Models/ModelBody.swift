import Cryptography
import SQLFunctions
import SQLPlanning

/// What a model learned.
enum ModelBody: Sendable {
    case forest(IsolationForest)
    case logistic(LogisticRegression)
    case kmeans(KMeans)

    /// What training gives beside the body.
    struct Outcome {
        var body: ModelBody
        /// Learned values that people may want to see.
        var learned: [(name: String, value: String)] = []
        var metrics: [(name: String, value: Double)] = []
    }

    static func train(
        _ options: ModelOptions, _ table: TrainingTable, features: [ModelFeature],
        check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> Outcome {
        switch options.algorithm {
        case .isolationForest: try forest(options, table, check: check)
        case .logisticRegression: try logistic(options, table, features: features, check: check)
        case .kmeans: try kmeans(options, table, check: check)
        }
    }

    private static func forest(
        _ options: ModelOptions, _ table: TrainingTable, check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> Outcome {
        var forest = IsolationForest.train(
            table, trees: options.trees, samples: options.samples, seed: options.seed)
        try check()
        var metrics: [(name: String, value: Double)] = []
        if table.label != nil || options.contamination != nil {
            let scores = try scores(forest, table, check: check)
            if let share = options.contamination {
                let sorted = scores.sorted(by: >)
                forest.threshold = sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
            }
            if let label = table.label {
                if let area = Metrics.areaUnderCurve(scores, label) {
                    metrics.append(("auc", area))
                }
                if let precision = Metrics.precisionAtTop(scores, label) {
                    metrics.append(("precision_top_1_percent", precision))
                }
            }
        }
        return Outcome(
            body: .forest(forest), learned: [("threshold", "\(forest.threshold)")],
            metrics: metrics)
    }

    private static func scores(
        _ forest: IsolationForest, _ table: TrainingTable, check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> [Double] {
        let scorer: ForestScorer
        do { scorer = try ForestScorer(forest) } catch {
            throw QueryFault(.genericInternalError, error.message, hint: error.hint, cause: error)
        }
        var scores = [Double](repeating: 0, count: table.rowCount)
        var start = 0
        while start < table.rowCount {
            try check()
            let count = min(ForestScorer.blockRows * 64, table.rowCount - start)
            table.features.withUnsafeBufferPointer { features in
                scores.withUnsafeMutableBufferPointer { scores in
                    guard let rows = features.baseAddress, let target = scores.baseAddress else {
                        return
                    }
                    scorer.score(
                        rows: rows + start * table.featureCount, count: count, into: target + start)
                }
            }
            start += count
        }
        return scores
    }

    private static func logistic(
        _ options: ModelOptions, _ table: TrainingTable, features: [ModelFeature],
        check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> Outcome {
        let (model, iterations) = try LogisticRegression.train(
            table, l2: options.l2, iterations: options.iterations,
            standardize: options.standardize, check: check)
        let labels = table.label ?? []
        let probabilities = table.features.withUnsafeBufferPointer { rows in
            (0..<table.rowCount).map { row in
                rows.baseAddress.map { model.probability($0 + row * table.featureCount) } ?? 0
            }
        }
        var metrics: [(name: String, value: Double)] = []
        if let area = Metrics.areaUnderCurve(probabilities, labels) {
            metrics.append(("auc", area))
        }
        metrics.append(("log_loss", Metrics.logLoss(probabilities, labels)))
        metrics.append(("accuracy", Metrics.accuracy(probabilities, labels)))
        if let precision = Metrics.precisionAtTop(probabilities, labels) {
            metrics.append(("precision_top_1_percent", precision))
        }
        metrics.append(("iterations", Double(iterations)))
        return Outcome(
            body: .logistic(model),
            learned: [("intercept", "\(model.plainIntercept)")]
                + features.indices.map {
                    ("weight \(features[$0].name)", "\(model.plainWeight($0))")
                }, metrics: metrics)
    }

    private static func kmeans(
        _ options: ModelOptions, _ table: TrainingTable, check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> Outcome {
        guard table.rowCount >= options.clusters else {
            throw QueryFault(
                .invalidFunctionArgument,
                "kmeans needs at least as many rows as clusters: "
                    + "\(table.rowCount) rows, \(options.clusters) clusters")
        }
        let (model, outcome) = try KMeans.train(
            table, clusters: options.clusters, iterations: options.iterations,
            restarts: options.restarts, standardize: options.standardize, seed: options.seed,
            check: check)
        return Outcome(
            body: .kmeans(model),
            learned: outcome.sizes.enumerated().map { ("rows of cluster \($0)", "\($1)") },
            metrics: [("inertia", outcome.inertia), ("iterations", Double(outcome.iterations))])
    }

    // MARK: Form

    /// The serialization that is kept, and that the digest covers.
    func canonical(
        _ options: ModelOptions, _ features: [ModelFeature], rowCount: Int
    ) -> [UInt8] {
        var writer = CanonicalWriter()
        writer.put("lakehouse model 1")
        writer.put(options.algorithm.rawValue)
        writer.put(Int(options.seed))
        let parameters = options.parameters
        writer.put(parameters.count)
        for parameter in parameters {
            writer.put(parameter.name)
            writer.put(parameter.value)
        }
        writer.put(options.label ?? "")
        writer.put(features.count)
        for feature in features {
            writer.put(feature.name)
            writer.put("\(feature.type)")
        }
        writer.put(rowCount)
        switch self {
        case .forest(let forest): forest.write(&writer)
        case .logistic(let model): model.write(&writer)
        case .kmeans(let model): model.write(&writer)
        }
        return writer.bytes
    }

    /// Reads what `canonical` wrote; checks that the bytes are those of the digest.
    init(_ bytes: [UInt8], digest: String) throws(ModelError) {
        guard Self.digest(of: bytes) == digest else {
            throw .damaged("its bytes do not have the digest that was recorded")
        }
        var reader = CanonicalReader(bytes)
        guard try reader.text() == "lakehouse model 1" else {
            throw .damaged("its form is not known to this version")
        }
        let algorithm = Algorithm(rawValue: try reader.text())
        _ = try reader.int()
        for _ in 0..<(try reader.count(bytesEach: 16)) {
            _ = try reader.text()
            _ = try reader.text()
        }
        _ = try reader.text()
        for _ in 0..<(try reader.count(bytesEach: 16)) {
            _ = try reader.text()
            _ = try reader.text()
        }
        _ = try reader.int()
        switch algorithm {
        case .isolationForest?: self = .forest(try IsolationForest(&reader))
        case .logisticRegression?: self = .logistic(try LogisticRegression(&reader))
        case .kmeans?: self = .kmeans(try KMeans(&reader))
        case nil: throw .damaged("its algorithm is not known to this version")
        }
        guard reader.isAtEnd else { throw .damaged("bytes are left over") }
    }

    /// SHA-256 in hexadecimal.
    static func digest(of bytes: [UInt8]) -> String {
        var digest = Digest(.sha256)
        digest.update(bytes)
        let digits = Array("0123456789abcdef")
        return String(digest.value().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
