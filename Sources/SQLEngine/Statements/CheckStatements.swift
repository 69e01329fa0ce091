package import Authority
import Diagnostics
package import JSON
package import SQLFunctions
package import SQLPlanning
import SQLSyntax
package import TableCatalog
import Vectors

/// The checks of tables, as the engine wants them: `Quality` supplies them.
package protocol CheckDoor: Sendable {
    /// Declares a check; `replaces` one of the name, or leaves it where it `mayExist`. `query` runs SQL
    /// for it.
    func create(
        _ context: RequestContext, table: TableName, name: String, kind: String,
        options: JSONObject, replaces: Bool, mayExist: Bool,
        query: @escaping (String, QuerySession) throws -> CollectedRows
    ) throws

    /// Removes a check; whether there was one. Throws a `CheckRefusal` for the check of another table, which
    /// had the name before.
    func drop(_ context: RequestContext, table: TableName, name: String) throws -> Bool

    /// The declared checks, of one table or of all that the caller may see.
    func list(_ context: RequestContext, table: TableName?) throws -> [DeclaredCheck]

    /// Runs a table's checks; an empty list of names means all. `query` runs SQL for it.
    func run(
        _ context: RequestContext, table: TableName, at reference: CatalogReference,
        names: [String], query: @escaping (String, QuerySession) throws -> CollectedRows
    ) throws -> [CheckOutcome]

    /// Results of runs for the system table, newest first, those that the caller may see.
    func results(_ context: RequestContext) throws -> [CheckOutcome]
}

/// Why a check is not taken, or not run: a mistake of whoever wrote it, with its place.
package struct CheckRefusal: Error, Sendable {
    /// What of the statement is wrong.
    package enum Place: Sendable, Hashable {
        case name, kind
        case option(String)
    }

    package let code: QueryFault.Code
    package let message: String
    package let hint: String?
    package let place: Place

    /// A refusal in words for whoever wrote the check.
    package init(_ code: QueryFault.Code, _ message: String, hint: String?, place: Place) {
        self.code = code
        self.message = message
        self.hint = hint
        self.place = place
    }
}

/// A check as it is declared.
package struct DeclaredCheck: Sendable, Hashable {
    package var table: String
    package var name: String
    package var kind: String
    package var severity: String
    /// The options as JSON.
    package var options: String
    /// Where it was declared: a file, or `sql`.
    package var source: String

    package init(
        table: String, name: String, kind: String, severity: String, options: String,
        source: String
    ) {
        self.table = table
        self.name = name
        self.kind = kind
        self.severity = severity
        self.options = options
        self.source = source
    }
}

/// What one check found in one run.
package struct CheckOutcome: Sendable, Hashable {
    package var runID: String
    package var atMicroseconds: Int64
    package var warehouse: String
    package var reference: String
    package var schema: String
    package var table: String
    package var snapshotID: Int64?
    package var check: String
    package var kind: String
    /// `warn` or `fail`.
    package var severity: String
    /// `passed`, `warned`, `failed` or `error`.
    package var status: String
    package var failingRows: Int64?
    package var totalRows: Int64?
    /// What was found, in words.
    package var message: String
    /// A JSON array with some of the failing rows.
    package var samples: String
    package var elapsedMilliseconds: Int64
    package var requestedBy: String

    package init(
        runID: String, atMicroseconds: Int64, warehouse: String, reference: String,
        schema: String, table: String, snapshotID: Int64?, check: String, kind: String,
        severity: String, status: String, failingRows: Int64?, totalRows: Int64?,
        message: String, samples: String, elapsedMilliseconds: Int64, requestedBy: String
    ) {
        self.runID = runID
        self.atMicroseconds = atMicroseconds
        self.warehouse = warehouse
        self.reference = reference
        self.schema = schema
        self.table = table
        self.snapshotID = snapshotID
        self.check = check
        self.kind = kind
        self.severity = severity
        self.status = status
        self.failingRows = failingRows
        self.totalRows = totalRows
        self.message = message
        self.samples = samples
        self.elapsedMilliseconds = elapsedMilliseconds
        self.requestedBy = requestedBy
    }
}

extension StatementRun {
    func check(_ statement: CheckStatement) throws(QueryFault) -> StatementOutcome {
        guard let door = engine.checks else {
            throw QueryFault(
                .notSupported, "this needs a server with a catalog",
                hint: "start one with `lakehouse serve`; files can only be queried")
        }
        let query = { (sql: String, session: QuerySession) throws in
            try self.engine.collect(sql, session: session, context: self.context)
        }
        switch statement {
        case .create(let check):
            let name = try checkedTable(check.table)
            var options = JSONObject()
            for property in check.properties {
                guard let value = property.value else { continue }
                let option = property.name.description
                guard options[option] == nil else {
                    throw .analysis(
                        .invalidArguments, "\(option) is given twice", property.name.span)
                }
                options.append(option, try json(evaluate(value)))
            }
            try refusable("\(name)", check) {
                try door.create(
                    context, table: name, name: check.name.canonical, kind: check.kind.canonical,
                    options: options, replaces: check.mode == .replace,
                    mayExist: check.mode == .ignore, query: query)
            }
            return .done(updateType: "CREATE CHECK", count: nil)
        case .drop(let check, let table, let ifExists):
            let name = try tableName(table)
            let wasThere = try refusable("\(name)", nil) {
                try door.drop(context, table: name, name: check.canonical)
            }
            guard wasThere || ifExists else {
                throw QueryFault(
                    .notFound, "Table '\(name)' has no check '\(check.canonical)'",
                    span: check.span)
            }
            return .done(updateType: "DROP CHECK", count: nil)
        case .list(let table):
            let name = try table.map { name throws(QueryFault) in try tableName(name) }
            return checks(try changing("checks") { try door.list(context, table: name) })
        case .run(let table, let names):
            let name = try checkedTable(table)
            let outcomes = try refusable("\(name)", nil) {
                try door.run(
                    context, table: name, at: catalogs.reference(name.catalog),
                    names: names.map(\.canonical), query: query)
            }
            return .rows(Self.outcomeColumns, outcomes.map(Self.row))
        }
    }

    /// Runs a verb of the checks, with what it refuses as the query's fault at the place that is wrong.
    private func refusable<Result>(
        _ subject: String, _ check: CreateCheck?, _ body: () throws -> Result
    ) throws(QueryFault) -> Result {
        do { return try body() } catch let refusal as CheckRefusal {
            let place = check.flatMap { check -> SourceSpan? in
                switch refusal.place {
                case .name: check.name.span
                case .kind: check.kind.span
                case .option(let name):
                    check.properties.first { $0.name.description == name }.map {
                        $0.value?.span ?? $0.name.span
                    } ?? check.kind.span
                }
            }
            throw .analysis(refusal.code, refusal.message, place, hint: refusal.hint)
        } catch { throw Self.fault(error, about: subject, exists: .alreadyExists) }
    }

    /// The name of a table that is there.
    private func checkedTable(_ name: QualifiedName) throws(QueryFault) -> TableName {
        let full = try tableName(name)
        _ = try table(full, name)
        return full
    }

    private func checks(_ checks: [DeclaredCheck]) -> StatementOutcome {
        .rows(
            ["Table", "Check", "Kind", "Severity", "Options", "Source"].map {
                QueryColumn(name: $0, type: .text)
            },
            checks.map {
                [
                    .text($0.table), .text($0.name), .text($0.kind), .text($0.severity),
                    .text($0.options), .text($0.source),
                ]
            })
    }

    /// A constant as JSON: text, number, flag, or an array of them.
    private func json(
        _ value: (LiteralValue, LogicalType)
    ) throws(QueryFault) -> JSONValue {
        try LiteralJSON.json(value.0, value.1)
    }

    static let outcomeColumns = [
        QueryColumn(name: "Check", type: .text), QueryColumn(name: "Kind", type: .text),
        QueryColumn(name: "Severity", type: .text), QueryColumn(name: "Status", type: .text),
        QueryColumn(name: "Failing Rows", type: .bigint),
        QueryColumn(name: "Total Rows", type: .bigint),
        QueryColumn(name: "Message", type: .text), QueryColumn(name: "Samples", type: .text),
    ]

    private static func row(_ outcome: CheckOutcome) -> [LiteralValue] {
        [
            .text(outcome.check), .text(outcome.kind), .text(outcome.severity),
            .text(outcome.status), outcome.failingRows.map { .integer($0) } ?? .null,
            outcome.totalRows.map { .integer($0) } ?? .null, .text(outcome.message),
            .text(outcome.samples),
        ]
    }
}
