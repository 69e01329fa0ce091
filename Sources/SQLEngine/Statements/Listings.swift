import Authority
import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

/// SHOW …: names of catalogs, schemas, tables, columns, functions, with LIKE.
extension StatementRun {
    func showCatalogs(_ pattern: LikePattern?) throws(QueryFault) -> StatementOutcome {
        try names("Catalog", catalogs.catalogNames(context), pattern)
    }

    func showSchemas(
        _ catalog: Identifier?, _ pattern: LikePattern?
    ) throws(QueryFault) -> StatementOutcome {
        guard let name = catalog?.canonical ?? session.catalog else {
            throw QueryFault(
                .missingCatalogName, "Catalog must be specified when session catalog is not set")
        }
        return try names("Schema", catalogs.schemaNames(context, name), pattern)
    }

    func showTables(
        _ schema: QualifiedName?, _ pattern: LikePattern?
    ) throws(QueryFault) -> StatementOutcome {
        let place: (catalog: String, schema: String)
        if let schema {
            place = try schemaName(schema)
        } else {
            guard let catalog = session.catalog else {
                throw QueryFault(
                    .missingCatalogName, "Catalog must be specified when session catalog is not set"
                )
            }
            guard let own = session.schema else {
                throw QueryFault(
                    .missingSchemaName, "Schema must be specified when session schema is not set")
            }
            place = (catalog, own)
        }
        let schemas = try catalogs.schemaNames(context, place.catalog)
        guard schemas.contains(place.schema) else {
            throw QueryFault(
                .schemaNotFound, "Schema '\(place.schema)' does not exist",
                hint: suggestion(place.schema, schemas), span: schema?.span)
        }
        let found = try catalogs.relations(context, place.catalog, place.schema)
        return try names("Table", found.map(\.name), pattern)
    }

    private func names(
        _ label: String, _ names: [String], _ pattern: LikePattern?
    ) throws(QueryFault) -> StatementOutcome {
        let matcher = try NameMatcher(pattern)
        return .rows(
            [QueryColumn(name: label, type: .text)],
            names.filter(matcher.matches).map { [.text($0)] })
    }

    /// SHOW COLUMNS, DESCRIBE.
    func showColumns(
        _ name: QualifiedName, _ pattern: LikePattern?
    ) throws(QueryFault) -> StatementOutcome {
        let matcher = try NameMatcher(pattern)
        let columns: [TableColumn]
        switch try catalogs.resolve(
            context, tableName(name), version: .current, span: name.span)
        {
        case .table(let table, _): columns = table.columns.filter { !$0.isHidden }
        case .view(let view): columns = view.columns
        }
        return .rows(
            ["Column", "Type", "Extra", "Comment"].map { QueryColumn(name: $0, type: .text) },
            columns.filter { matcher.matches($0.name) }.map {
                [.text($0.name), .text("\($0.type)"), .text(""), .text($0.comment ?? "")]
            })
    }

    /// The functions of the product, which are in `system.builtin`, or the routines of a schema.
    func showFunctions(
        _ schema: QualifiedName?, _ pattern: LikePattern?
    ) throws(QueryFault) -> StatementOutcome {
        let columns =
            ["Function", "Return Type", "Argument Types", "Function Type"].map {
                QueryColumn(name: $0, type: .text)
            } + [
                QueryColumn(name: "Deterministic", type: .boolean),
                QueryColumn(name: "Description", type: .text),
            ]
        if let schema {
            let place = try schemaName(schema)
            if place.catalog != "system" || place.schema != "builtin" {
                return .rows(columns, try routineRows(place, schema, NameMatcher(pattern)))
            }
        }
        let matcher = try NameMatcher(pattern)
        var rows: [(name: String, row: [LiteralValue])] = []
        func add(
            _ names: [String], _ signature: Signature, _ kind: String, _ isDeterministic: Bool,
            _ summary: String
        ) {
            let (parameters, result): (String, String) =
                switch signature {
                case .fixed(let types, let result):
                    (types.map { "\($0)" }.joined(separator: ", "), "\(result)")
                case .rule(let parameters, let result, _): (parameters, result)
                }
            // Names that begin with $ are the planner's own.
            for name in names where !name.hasPrefix("$") && matcher.matches(name) {
                rows.append(
                    (
                        name,
                        [
                            .text(name), .text(result), .text(parameters), .text(kind),
                            .boolean(isDeterministic), .text(summary),
                        ]
                    ))
            }
        }
        for function in engine.registry.allScalars {
            add(
                [function.name] + function.aliases, function.signature, "scalar",
                function.isDeterministic, function.summary)
        }
        for function in engine.registry.allAggregates {
            add(
                [function.name] + function.aliases, function.signature,
                function.isWindowOnly ? "window" : "aggregate", true, function.summary)
        }
        return .rows(columns, rows.sorted { $0.name < $1.name }.map(\.row))
    }

    private func routineRows(
        _ place: (catalog: String, schema: String), _ schema: QualifiedName,
        _ matcher: NameMatcher
    ) throws(QueryFault) -> [[LiteralValue]] {
        let schemas = try catalogs.schemaNames(context, place.catalog)
        guard schemas.contains(place.schema) else {
            throw QueryFault(
                .schemaNotFound, "Schema '\(place.schema)' does not exist",
                hint: suggestion(place.schema, schemas), span: schema.span)
        }
        let all = TableName(catalog: place.catalog, schema: place.schema, table: "")
        var rows: [[LiteralValue]] = []
        for text in try catalogs.allRoutines(context, all) {
            guard
                case .createFunction(let function, _) = try Self.parse("CREATE " + text).kind,
                let name = function.name.parts.last?.text, matcher.matches(name)
            else { continue }
            var types: [String] = []
            for parameter in function.parameters {
                types.append(try LogicalType(parameter.type).description)
            }
            rows.append([
                .text(name), .text(try LogicalType(function.returns).description),
                .text(types.joined(separator: ", ")), .text("scalar"),
                .boolean(function.characteristics.isDeterministic ?? true),
                .text(function.characteristics.comment ?? ""),
            ])
        }
        return rows
    }

    func showSession(_ pattern: LikePattern?) throws(QueryFault) -> StatementOutcome {
        let matcher = try NameMatcher(pattern)
        let set = query.session.properties
        var rows: [[LiteralValue]] = []
        func add(_ property: SessionProperty, _ name: String) {
            guard matcher.matches(name) else { return }
            rows.append([
                .text(name), .text(set[name] ?? property.initial), .text(property.initial),
                .text(property.typeName), .text(property.summary),
            ])
        }
        for property in SessionProperties.system.sorted(by: { $0.name < $1.name }) {
            add(property, property.name)
        }
        for catalog in catalogs.catalogNames(context)
        where catalogs.isWarehouse(context, catalog) {
            for property in SessionProperties.catalog.sorted(by: { $0.name < $1.name }) {
                add(property, "\(catalog).\(property.name)")
            }
        }
        return .rows(
            ["Name", "Value", "Default", "Type", "Description"].map {
                QueryColumn(name: $0, type: .text)
            }, rows)
    }

    // MARK: Statistics

    /// SHOW STATS: what planning knows, a row a column, and the number of rows in the last.
    func showStats(_ target: StatsTarget, _ place: Place) throws(QueryFault) -> StatementOutcome {
        let columns =
            [QueryColumn(name: "column_name", type: .text)]
            + ["data_size", "distinct_values_count", "nulls_fraction", "row_count"].map {
                QueryColumn(name: $0, type: .double)
            }
            + ["low_value", "high_value"].map { QueryColumn(name: $0, type: .text) }
        var rows: [[LiteralValue]] = []
        func number(_ value: Double?) -> LiteralValue {
            value.map { .double(bits: $0.bitPattern) } ?? .null
        }
        switch target {
        case .table(let name):
            let table: any PlannedTable
            switch try catalogs.resolve(
                context, tableName(name), version: .current, span: name.span)
            {
            case .table(let found, let decision):
                guard !decision.isRestricted else {
                    throw QueryFault(
                        .permissionDenied,
                        "Access Denied: Cannot show statistics of a table with a policy",
                        hint: decision.restriction, span: name.span)
                }
                table = found
            case .view:
                throw QueryFault(
                    .notSupported, "SHOW STATS FOR a view is not supported",
                    hint: "write SHOW STATS FOR (SELECT * FROM \(name))", span: name.span)
            }
            let statistics = table.statistics
            for (index, column) in table.columns.enumerated() where !column.isHidden {
                let known = statistics?.columns[index]
                let size = known?.averageBytes.flatMap { bytes in
                    statistics.map { bytes * $0.rowCount }
                }
                rows.append([
                    .text(column.name), number(size), number(known?.distinctCount),
                    number(known?.nullFraction), .null,
                    .optional(
                        try known?.minimum.flatMap { value throws(QueryFault) in
                            try self.text(of: value, column.type)
                        }),
                    .optional(
                        try known?.maximum.flatMap { value throws(QueryFault) in
                            try self.text(of: value, column.type)
                        }),
                ])
            }
            rows.append([.null, .null, .null, .null, number(statistics?.rowCount), .null, .null])
        case .query(let query):
            guard case .query(let bound) = try bind(Statement(kind: .query(query), place: place))
            else { break }
            for column in bound.columns {
                rows.append([.text(column.label)] + Array(repeating: .null, count: 6))
            }
            rows.append([
                .null, .null, .null, .null, number(bound.plan.estimate.rows), .null, .null,
            ])
        }
        return .rows(columns, rows)
    }

    /// A value as a cast to varchar writes it; nil for NULL.
    func text(of value: LiteralValue, _ type: LogicalType) throws(QueryFault) -> String? {
        if value == .null { return nil }
        let cast = BoundExpression.cast(.literal(value, type), to: .text, isSafe: false)
        guard case .bytes(let bytes) = try ExpressionEvaluator(session: session).evaluate(cast)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// LIKE over names: `%` any text, `_` one character, the escape character takes the next as it is.
struct NameMatcher {
    private enum Piece { case any, one, letter(Character) }
    private let pieces: [Piece]?

    /// nil matches every name.
    init(_ pattern: LikePattern?) throws(QueryFault) {
        guard let pattern else {
            pieces = nil
            return
        }
        if let escape = pattern.escape, escape.count != 1 {
            throw QueryFault(
                .invalidFunctionArgument, "Escape string must be a single character")
        }
        let escape = pattern.escape?.first
        var pieces: [Piece] = []
        var isEscaped = false
        for letter in pattern.pattern {
            if isEscaped {
                guard letter == "%" || letter == "_" || letter == escape else { break }
                pieces.append(.letter(letter))
                isEscaped = false
            } else if letter == escape {
                isEscaped = true
            } else {
                pieces.append(letter == "%" ? .any : letter == "_" ? .one : .letter(letter))
            }
        }
        guard !isEscaped else {
            throw QueryFault(
                .invalidFunctionArgument,
                "Escape character must be followed by '%', '_' or the escape character itself")
        }
        self.pieces = pieces
    }

    func matches(_ name: String) -> Bool {
        guard let pieces else { return true }
        let letters = Array(name)
        var (piece, letter) = (0, 0)
        // Where to go on when what follows the last % does not fit: one letter more for it.
        var back: (piece: Int, letter: Int)?
        while letter < letters.count {
            if piece < pieces.count {
                switch pieces[piece] {
                case .any:
                    back = (piece, letter)
                    piece += 1
                    continue
                case .one:
                    piece += 1
                    letter += 1
                    continue
                case .letter(let wanted):
                    if wanted == letters[letter] {
                        piece += 1
                        letter += 1
                        continue
                    }
                }
            }
            guard let last = back else { return false }
            back = (last.piece, last.letter + 1)
            piece = last.piece + 1
            letter = last.letter + 1
        }
        return pieces[piece...].allSatisfy { if case .any = $0 { true } else { false } }
    }
}
