import Authority
import Diagnostics
import SQLEngine
import SQLFunctions
import SQLPlanning
import Vectors

/// One CREATE MODEL, from its columns to the recorded version.
final class TrainingRun: ModelTrainer, @unchecked Sendable {
    // Safe because the engine hands over chunks one at a time and finishes after the last.

    private let library: ModelLibrary
    private let context: RequestContext
    private let training: ModelTraining
    private let options: ModelOptions
    private let labelColumn: Int?
    private let rows: TrainingRows

    /// Checks that the columns can be learned from.
    init(
        _ library: ModelLibrary, _ context: RequestContext, _ training: ModelTraining,
        _ options: ModelOptions
    ) throws(QueryFault) {
        self.library = library
        self.context = context
        self.training = training
        self.options = options
        var labelColumn: Int?
        if let label = options.label {
            labelColumn = training.columns.firstIndex { $0.name == label }
            guard labelColumn != nil else {
                throw .analysis(
                    .columnNotFound, "The training query has no column '\(label)' for the label",
                    training.querySpan,
                    hint: nearestName(to: label, among: training.columns.map(\.name)).map {
                        "did you mean \($0)?"
                    })
            }
        }
        self.labelColumn = labelColumn
        for column in training.columns where !column.type.isNumeric && column.type != .boolean {
            throw .analysis(
                .typeMismatch,
                "Column '\(column.name)' is \(column.type): a model learns from numbers and booleans",
                training.querySpan,
                hint: Self.isTemporal(column.type)
                    ? "make it a number, such as with to_unixtime or extract"
                    : "leave it out, or encode it as numbers, such as with CASE")
        }
        let featureCount = training.columns.count - (labelColumn == nil ? 0 : 1)
        guard (1...Limits.features).contains(featureCount) else {
            throw .analysis(
                .invalidArguments,
                "a model has 1 to \(Limits.features) features; the query gives \(featureCount)",
                training.querySpan)
        }
        rows = TrainingRows(columnCount: training.columns.count, budget: training.budget)
    }

    private static func isTemporal(_ type: LogicalType) -> Bool {
        switch type {
        case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone: true
        default: false
        }
    }

    func take(_ chunk: Chunk) throws(QueryFault) { try rows.append(chunk) }

    func finish() throws(QueryFault) -> ModelRecord {
        try check()
        guard rows.count >= 2 else {
            throw QueryFault(
                .invalidFunctionArgument,
                "a model needs at least two whole training rows: \(rows.count) rows, "
                    + "\(rows.skippedCount) left out for a NULL or a value that is not finite")
        }
        rows.order()
        try check()
        let table = try self.table()
        let features = training.columns.indices.filter { $0 != labelColumn }.map {
            training.columns[$0]
        }
        let outcome = try ModelBody.train(options, table, features: features) {
            () throws(QueryFault) in try self.check()
        }
        let bytes = outcome.body.canonical(options, features, rowCount: table.rowCount)
        return try library.record(
            context, training,
            ModelDraft(
                options: options, features: features,
                parameters: options.parameters + outcome.learned, metrics: outcome.metrics,
                rowCount: table.rowCount, skippedCount: rows.skippedCount, bytes: bytes,
                digest: ModelBody.digest(of: bytes)))
    }

    private func table() throws(QueryFault) -> TrainingTable {
        guard let labelColumn else {
            return TrainingTable(features: rows.values, featureCount: rows.columnCount)
        }
        let (features, label) = rows.removeColumn(labelColumn)
        if let other = label.first(where: { $0 != 0 && $0 != 1 }) {
            throw QueryFault(
                .invalidFunctionArgument,
                "label '\(options.label ?? "")' has the value \(other): a label is a boolean, or 0 "
                    + "and 1", hint: "write a condition in the query, such as amount > 100 AS big")
        }
        let truths = label.count { $0 == 1 }
        if options.algorithm == .logisticRegression, truths == 0 || truths == label.count {
            throw QueryFault(
                .invalidFunctionArgument,
                "label '\(options.label ?? "")' has the same value in all \(label.count) rows",
                hint: "train on rows of both kinds")
        }
        return TrainingTable(
            features: features, featureCount: rows.columnCount - 1, label: label)
    }

    private func check() throws(QueryFault) {
        guard context.cancellation.isCancelled else { return }
        throw QueryFault(.userCanceled, "Query was canceled")
    }
}
