import JSON
import SQLEngine
import SQLFunctions
import SQLPlanning
import Vectors

/// A version before it is recorded.
struct ModelDraft {
    var options: ModelOptions
    var features: [ModelFeature]
    var parameters: [(name: String, value: String)]
    var metrics: [(name: String, value: Double)]
    var rowCount: Int
    var skippedCount: Int
    var bytes: [UInt8]
    var digest: String
}

/// The lists of a record as the JSON that the database keeps, and back.
struct ModelTexts {
    let sources: String
    let features: String
    let parameters: String
    let metrics: String

    init(_ training: ModelTraining, _ draft: ModelDraft) {
        func pairs(_ list: [(String, JSONValue)]) -> String {
            JSONValue.array(list.map { .array([.string($0.0), $0.1]) }).encodedText()
        }
        sources = pairs(
            training.sources.map { ($0.table, $0.snapshotID.map { .int($0) } ?? .null) })
        features = pairs(draft.features.map { ($0.name, .string("\($0.type)")) })
        parameters = pairs(draft.parameters.map { ($0.name, .string($0.value)) })
        metrics = pairs(draft.metrics.map { ($0.name, .double($0.value)) })
    }

    private static func pairs(_ text: String) throws -> [(String, JSONValue)] {
        guard case .array(let pairs) = try JSONValue(parsing: text) else {
            throw ModelError.damaged("a list is not JSON")
        }
        return try pairs.map { pair in
            guard case .array(let parts) = pair, parts.count == 2, case .string(let name) = parts[0]
            else { throw ModelError.damaged("a list has no names") }
            return (name, parts[1])
        }
    }

    static func sources(_ text: String) throws -> [ModelSource] {
        try pairs(text).map { name, value in
            if case .number(let number) = value {
                return ModelSource(table: name, snapshotID: number.int64)
            }
            return ModelSource(table: name, snapshotID: nil)
        }
    }

    static func features(_ text: String) throws -> [ModelFeature] {
        try pairs(text).map { name, value in
            guard case .string(let text) = value, let type = LogicalType(parsing: text) else {
                throw ModelError.damaged("a feature has no type")
            }
            return ModelFeature(name: name, type: type)
        }
    }

    static func parameters(_ text: String) throws -> [(name: String, value: String)] {
        try pairs(text).map { name, value in
            guard case .string(let text) = value else {
                throw ModelError.damaged("a parameter is not a text")
            }
            return (name, text)
        }
    }

    static func metrics(_ text: String) throws -> [(name: String, value: Double)] {
        try pairs(text).map { name, value in
            guard case .number(let number) = value, let double = number.double else {
                throw ModelError.damaged("a metric is not a number")
            }
            return (name, double)
        }
    }
}
