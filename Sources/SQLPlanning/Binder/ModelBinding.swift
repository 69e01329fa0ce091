import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

// Calls of models: `ai_anomaly('silver.bank.fraud', amount, kmh)`.
//
// The model is found while binding, so that a wrong name, a missing right or a wrong feature is an error
// of analysis with its place, and so that the kernel holds the model itself: a query loads it once,
// whatever number of threads and chunks it has.

extension ExpressionBinder {
    /// Functions whose first argument names a model.
    static let modelFunctions: Set<String> = ["ai_anomaly", "ai_anomaly_explain", "ai_predict"]

    func modelCall(
        _ function: String, _ arguments: [Expression], _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard let first = arguments.first else {
            throw .analysis(
                .invalidArguments, "\(function) needs a model and its features", span,
                hint: "write \(function)('schema.model', feature, …); SHOW MODELS lists models")
        }
        let (name, version) = try modelName(first, function)
        let model = try binder.context.catalog.model(
            environment.context, name, version: version, span: first.span)
        guard let chosen = model.functions[function] else {
            let others = model.functions.keys.sorted().joined(separator: " or ")
            throw .analysis(
                .invalidFunctionArgument,
                "\(function) does not take \(model.algorithm) models such as \(model.title)",
                first.span, hint: "use \(others)")
        }
        let given = arguments.dropFirst()
        guard given.count == model.features.count else {
            let wanted = model.features.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
            throw .analysis(
                .invalidArguments,
                "\(function): model \(model.title) has \(model.features.count) features, "
                    + "and \(given.count) were given", span,
                hint: "give them in this order: \(wanted)")
        }
        var bound: [BoundExpression] = [
            .literal(.bytes(Array(model.title.utf8)), .text)
        ]
        for (argument, feature) in zip(given, model.features) {
            bound.append(try self.feature(argument, feature, model, function))
        }
        let types = [LogicalType.text] + model.features.map { _ in .double }
        let result: LogicalType =
            if case .fixed(_, let result) = chosen.signature { result } else { .unknown }
        return .call(
            ResolvedScalar(
                function: chosen, parameters: types.map { .value($0) }, result: result), bound)
    }

    /// A feature's value as a double.
    private func feature(
        _ argument: Expression, _ feature: ModelFeature, _ model: any PlannedModel,
        _ function: String
    ) throws(QueryFault) -> BoundExpression {
        let value = try bind(argument)
        if value.type.isNumeric || value.type == .unknown { return value.coerced(to: .double) }
        if value.type == .boolean { return .cast(value, to: .double, isSafe: false) }
        throw .analysis(
            .typeMismatch,
            "\(function): feature \(feature.name) of model \(model.title) is \(feature.type), "
                + "and the argument is \(value.type)", argument.span,
            hint: value.type.isTemporal
                ? "make it a number, such as with to_unixtime or extract"
                : "cast it to a number")
    }

    /// The model that the first argument names: a constant text, or the bare name.
    private func modelName(
        _ argument: Expression, _ function: String
    ) throws(QueryFault) -> (name: TableName, version: Int64?) {
        if let identifiers = argument.qualifiedName {
            return (try modelName(identifiers.map(\.canonical), argument.span), nil)
        }
        var bound = try bind(argument)
        if bound.literalValue == nil {
            // Constant expressions, such as a concatenation; columns stay what they are.
            bound = ExpressionFolding(evaluator: binder.context.evaluator).folded(bound)
        }
        guard case .literal(.bytes(let bytes), let type) = bound, type.isText else {
            throw .analysis(
                .typeMismatch, "\(function): the model must be a constant name", argument.span,
                hint: "write its name as text, such as 'schema.model' or 'schema.model@2'")
        }
        var text = String(decoding: bytes, as: UTF8.self).lowercased()
        var version: Int64?
        if let mark = text.lastIndex(of: "@"), let number = Int64(text[text.index(after: mark)...])
        {
            version = number
            text = String(text[..<mark])
        }
        var parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains(""), version ?? 1 > 0 else {
            throw .analysis(
                .invalidFunctionArgument, "\(function): not a model's name: \(text)", argument.span)
        }
        // Levels of nested schemas stand between catalog and model.
        if parts.count > 3 {
            parts = [
                parts[0], parts[1..<(parts.count - 1)].joined(separator: "."), parts.last ?? "",
            ]
        }
        return (try modelName(parts, argument.span), version)
    }

    private func modelName(
        _ parts: [String], _ span: SourceSpan
    ) throws(QueryFault) -> TableName {
        guard parts.count <= 3 else {
            throw .analysis(
                .syntaxError, "Too many dots in model name: \(parts.joined(separator: "."))", span)
        }
        guard let schema = parts.count > 1 ? parts[parts.count - 2] : environment.schema else {
            throw .analysis(
                .missingSchemaName, "Schema must be specified when session schema is not set", span)
        }
        guard let catalog = parts.count > 2 ? parts[0] : environment.catalog else {
            throw .analysis(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                span)
        }
        return TableName(catalog: catalog, schema: schema, table: parts[parts.count - 1])
    }
}
