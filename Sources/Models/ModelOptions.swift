import Diagnostics
import SQLEngine
import SQLFunctions
import SQLPlanning
import Vectors

/// Algorithms of CREATE MODEL.
enum Algorithm: String, CaseIterable, Sendable {
    case isolationForest = "isolation_forest"
    case logisticRegression = "logistic_regression"
    case kmeans

    /// The options that each takes.
    var optionNames: [String] {
        switch self {
        case .isolationForest: ["trees", "samples", "seed", "label", "contamination"]
        case .logisticRegression: ["label", "l2", "max_iterations", "standardize", "seed"]
        case .kmeans: ["clusters", "k", "seed", "max_iterations", "restarts", "standardize"]
        }
    }
}

/// The options of a training, checked.
struct ModelOptions: Sendable {
    var algorithm: Algorithm
    var label: String?
    var seed: Int64 = 42
    var trees = 100
    var samples = 256
    /// The share of training rows that are called anomalies; nil: scores above 0.5.
    var contamination: Double?
    var l2 = 1.0
    var iterations = 300
    var standardize = true
    var clusters = 8
    var restarts = 4

    /// Reads what WITH says. Throws with the nearest name for an unknown one.
    init(_ training: ModelTraining) throws(QueryFault) {
        guard let algorithm = Algorithm(rawValue: training.algorithm) else {
            let names = Algorithm.allCases.map(\.rawValue)
            throw .analysis(
                .invalidFunctionArgument, "Unknown algorithm: \(training.algorithm)",
                training.algorithmSpan,
                hint: nearestName(to: training.algorithm, among: names).map {
                    "did you mean \($0)?"
                }
                    ?? "the algorithms are \(names.joined(separator: ", "))")
        }
        self.algorithm = algorithm
        if let twice = training.options.first(where: { $0.name == "k" }),
            training.options.contains(where: { $0.name == "clusters" })
        {
            throw .analysis(
                .invalidArguments, "k and clusters are the same option", twice.span,
                hint: "give one of them")
        }
        for (index, option) in training.options.enumerated() {
            guard !training.options[..<index].contains(where: { $0.name == option.name }) else {
                throw .analysis(
                    .invalidArguments, "\(option.name) is given twice", option.span,
                    hint: "give it once")
            }
            guard algorithm.optionNames.contains(option.name) else {
                let names = algorithm.optionNames
                throw .analysis(
                    .invalidFunctionArgument,
                    "\(algorithm.rawValue) has no option '\(option.name)'", option.span,
                    hint: nearestName(to: option.name, among: names).map { "did you mean \($0)?" }
                        ?? "its options are \(names.joined(separator: ", "))")
            }
            try set(option)
        }
        if algorithm == .isolationForest, trees * samples > Limits.forestNodes {
            throw QueryFault(
                .invalidFunctionArgument,
                "trees times samples is at most \(Limits.forestNodes): \(trees * samples)")
        }
        if algorithm == .logisticRegression, label == nil {
            throw .analysis(
                .invalidFunctionArgument, "logistic_regression needs a label",
                training.algorithmSpan, hint: "name its column: WITH (label = 'is_fraud')")
        }
    }

    private mutating func set(_ option: ModelOption) throws(QueryFault) {
        switch option.name {
        case "label": label = try option.text().lowercased()
        case "seed": seed = try option.integer(in: Int64.min...Int64.max)
        case "trees": trees = Int(try option.integer(in: 1...Int64(Limits.trees)))
        case "samples": samples = Int(try option.integer(in: 2...Int64(Limits.samples)))
        case "contamination":
            contamination = try option.number("above 0 and at most 0.5") { $0 > 0 && $0 <= 0.5 }
        case "l2": l2 = try option.number("0 or more") { $0 >= 0 && $0.isFinite }
        case "max_iterations":
            iterations = Int(try option.integer(in: 1...Int64(Limits.iterations)))
        case "restarts": restarts = Int(try option.integer(in: 1...Int64(Limits.restarts)))
        // The letter that every book has for it.
        case "clusters", "k": clusters = Int(try option.integer(in: 1...Int64(Limits.clusters)))
        default: standardize = try option.flag()
        }
    }

    /// What was chosen, for listings and the canonical form, by name.
    var parameters: [(name: String, value: String)] {
        switch algorithm {
        case .isolationForest:
            [("trees", "\(trees)"), ("samples", "\(samples)")]
                + (contamination.map { [("contamination", "\($0)")] } ?? [])
        case .logisticRegression:
            [
                ("l2", "\(l2)"), ("max_iterations", "\(iterations)"),
                ("standardize", "\(standardize)"),
            ]
        case .kmeans:
            [
                ("clusters", "\(clusters)"), ("max_iterations", "\(iterations)"),
                ("restarts", "\(restarts)"), ("standardize", "\(standardize)"),
            ]
        }
    }
}

extension ModelOption {
    private func wrong(_ wanted: String) -> QueryFault {
        .analysis(.invalidFunctionArgument, "option '\(name)' is \(wanted)", span)
    }

    fileprivate func text() throws(QueryFault) -> String {
        guard case .bytes(let bytes) = value, type.isText, !bytes.isEmpty else {
            throw wrong("a text")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate func integer(in range: ClosedRange<Int64>) throws(QueryFault) -> Int64 {
        guard case .integer(let number) = value, type.isInteger, range.contains(number) else {
            throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    fileprivate func number(
        _ wanted: String, _ accepts: (Double) -> Bool
    ) throws(QueryFault) -> Double {
        let number: Double? =
            switch (value, type) {
            case (.integer(let unscaled), .decimal(_, let scale)):
                Double("\(unscaled)e-\(scale)")
            case (.wide(let unscaled), .decimal(_, let scale)): Double("\(unscaled)e-\(scale)")
            case (.integer(let number), _) where type.isInteger: Double(number)
            case (.double(let bits), _): Double(bitPattern: bits)
            default: nil
            }
        guard let number, accepts(number) else { throw wrong("a number \(wanted)") }
        return number
    }

    fileprivate func flag() throws(QueryFault) -> Bool {
        guard case .boolean(let flag) = value else { throw wrong("true or false") }
        return flag
    }
}
