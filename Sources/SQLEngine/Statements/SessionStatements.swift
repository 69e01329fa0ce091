import Authority
import CivilTime
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// Statements that change the client's session. Nothing is kept here: the answer tells the client.
extension StatementRun {
    func use(_ catalog: Identifier?, _ schema: Identifier) throws(QueryFault) -> StatementOutcome {
        guard let name = catalog?.canonical ?? session.catalog else {
            throw QueryFault(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                span: schema.span)
        }
        let warehouse = CatalogReference(parsing: name).warehouse
        guard catalogs.catalogNames(context).contains(warehouse) else {
            throw catalogs.unknownCatalog(context, name, span: catalog?.span)
        }
        let schemas = try catalogs.schemaNames(context, name)
        guard schemas.contains(schema.canonical) else {
            throw QueryFault(
                .schemaNotFound, "Schema does not exist: \(name).\(schema.canonical)",
                hint: suggestion(schema.canonical, schemas), span: schema.span)
        }
        if catalog != nil { changes.catalog = name }
        changes.schema = schema.canonical
        return .done(updateType: "USE", count: nil)
    }

    func setSession(
        _ name: QualifiedName, _ value: Expression
    ) throws(QueryFault) -> StatementOutcome {
        let property = try SessionProperties.find(name, catalogs.catalogNames(context))
        let (literal, type) = try evaluate(value)
        let text = try sessionText(literal, type)
        do throws(QueryFault) {
            try property.check(text, type)
        } catch {
            throw QueryFault(error.code, error.message, hint: error.hint, span: value.span)
        }
        changes.setProperties[name.description] = text
        return .done(updateType: "SET SESSION", count: nil)
    }

    /// A value as the client sends it along.
    private func sessionText(
        _ value: LiteralValue, _ type: LogicalType
    ) throws(QueryFault) -> String {
        switch value {
        case .null:
            throw QueryFault(.invalidSessionProperty, "Session property value must not be null")
        case .boolean(let flag): return flag ? "true" : "false"
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        default: return try self.text(of: value, type) ?? ""
        }
    }

    func resetSession(_ name: QualifiedName) throws(QueryFault) -> StatementOutcome {
        _ = try SessionProperties.find(name, catalogs.catalogNames(context))
        changes.resetProperties.append(name.description)
        return .done(updateType: "RESET SESSION", count: nil)
    }

    func setTimeZone(_ zone: Expression?) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "SET TIME ZONE", count: nil)
        guard let zone else {
            changes.resetProperties.append("time_zone_id")
            return outcome
        }
        let (value, type) = try evaluate(zone)
        let name: String
        switch (value, type) {
        case (.bytes(let bytes), _): name = String(decoding: bytes, as: UTF8.self)
        case (.integer(let milliseconds), .intervalDayToSecond):
            guard milliseconds % 60_000 == 0,
                let key = TimeZoneKey(offsetMinutes: Int(milliseconds / 60_000))
            else {
                throw QueryFault(
                    .invalidArguments, "Invalid TIME ZONE offset interval: not in whole minutes",
                    span: zone.span)
            }
            name = key.name
        default:
            throw QueryFault(
                .typeMismatch,
                "Expected expression of varchar or interval day-time type, but '\(type)'",
                span: zone.span)
        }
        changes.setProperties["time_zone_id"] = try SessionProperties.zone(name, zone)
        return outcome
    }

    func setPath(_ path: [QualifiedName]) -> StatementOutcome {
        changes.path = path.map { SQLFormatter.format($0) }.joined(separator: ", ")
        return .done(updateType: "SET PATH", count: nil)
    }

    /// Roles come with the principal and hold for all catalogs: SET ROLE may name one that the caller has.
    func setRole(
        _ choice: RoleChoice, _ catalog: Identifier?
    ) throws(QueryFault) -> StatementOutcome {
        let text: String
        switch choice {
        case .all: text = "ALL"
        case .none: text = "NONE"
        case .role(let name):
            guard
                let own = context.principal.roles.first(where: {
                    $0.lowercased() == name.canonical
                })
            else {
                throw QueryFault(
                    .permissionDenied, "Access Denied: Cannot set role \(name.text)",
                    hint: suggestion(name.text, context.principal.roles), span: name.span)
            }
            text = "ROLE{\(own)}"
        }
        changes.roles[catalog?.canonical ?? "system"] = text
        return .done(updateType: "SET ROLE", count: nil)
    }

    /// The client acts as another user from here on; the user who signed in needs the right to.
    func setSessionAuthorization(
        _ user: String, _ place: Statement
    ) throws(QueryFault) -> StatementOutcome {
        try requireNoTransaction(place)
        guard let mayActAs = query.session.mayActAs else {
            throw QueryFault(
                .notSupported, "SET SESSION AUTHORIZATION not supported: there are no users here",
                hint: "sign in to a server", span: place.span)
        }
        guard mayActAs(user) else {
            throw QueryFault(
                .permissionDenied,
                "Access Denied: User \(context.principal.name) cannot impersonate user \(user)",
                hint: "a role must allow the action impersonate on that user", span: place.span)
        }
        changes.authorizationUser = user
        return .done(updateType: "SET SESSION AUTHORIZATION", count: nil)
    }

    func resetSessionAuthorization(_ place: Statement) throws(QueryFault) -> StatementOutcome {
        try requireNoTransaction(place)
        changes.resetsAuthorization = true
        return .done(updateType: "RESET SESSION AUTHORIZATION", count: nil)
    }

    private func requireNoTransaction(_ place: Statement) throws(QueryFault) {
        guard query.session.transactionID != nil else { return }
        throw QueryFault(
            .notSupported, "Can't set authorization user in the middle of a transaction",
            hint: "COMMIT or ROLLBACK first", span: place.span)
    }

    // MARK: Prepared statements

    func prepare(_ name: Identifier, _ statement: Statement) throws(QueryFault) -> StatementOutcome
    {
        switch statement.kind {
        case .prepare, .execute, .executeImmediate, .deallocate:
            throw QueryFault(
                .notSupported, "Invalid statement type for prepared statement",
                hint: "PREPARE takes a query or a statement that changes something",
                span: statement.span)
        default: break
        }
        changes.addedPrepared[name.text] = SQLFormatter.format(statement)
        return .done(updateType: "PREPARE", count: nil)
    }

    func deallocate(_ name: Identifier) throws(QueryFault) -> StatementOutcome {
        _ = try prepared(name)
        changes.deallocatedPrepared.append(name.text)
        return .done(updateType: "DEALLOCATE", count: nil)
    }

    private func prepared(_ name: Identifier) throws(QueryFault) -> String {
        let known = query.session.prepared
        guard let text = known[name.text] ?? known[name.canonical] else {
            throw QueryFault(
                .notFound, "Prepared statement not found: \(name.text)",
                hint: suggestion(name.text, known.keys.sorted())
                    ?? "PREPARE it in this session first",
                span: name.span)
        }
        return text
    }

    /// The parameters of a prepared statement. Their types follow from the values that are passed.
    func describeInput(_ name: Identifier) throws(QueryFault) -> StatementOutcome {
        let text = try prepared(name)
        let count: Int
        do throws(SQLSyntaxError) { count = try SQLParser.parameterCount(of: text) } catch {
            throw QueryFault(.syntaxError, error.message, hint: error.hint, cause: error)
        }
        return .rows(
            [
                QueryColumn(name: "Position", type: .bigint),
                QueryColumn(name: "Type", type: .text),
            ], (0..<count).map { [.integer(Int64($0)), .text("unknown")] })
    }

    func describeOutput(_ name: Identifier) throws(QueryFault) -> StatementOutcome {
        let text = try prepared(name)
        let statement = try StatementRun.parse(text)
        var count = 0
        do throws(SQLSyntaxError) { count = try SQLParser.parameterCount(of: text) } catch {
            throw QueryFault(.syntaxError, error.message, hint: error.hint, cause: error)
        }
        // Nothing is passed yet: a NULL stands in for each parameter.
        let saved = parameters
        parameters = Array(repeating: Expression(.null, place: statement.place), count: count)
        defer { parameters = saved }
        return try describeOutput(of: statement)
    }

    func describeOutput(of statement: Statement) throws(QueryFault) -> StatementOutcome {
        let columns = [
            QueryColumn(name: "Column Name", type: .text),
            QueryColumn(name: "Catalog", type: .text),
            QueryColumn(name: "Schema", type: .text), QueryColumn(name: "Table", type: .text),
            QueryColumn(name: "Type", type: .text), QueryColumn(name: "Type Size", type: .bigint),
            QueryColumn(name: "Aliased", type: .boolean),
        ]
        switch try bindOnly(statement) {
        case .query(let bound):
            return .rows(
                columns,
                bound.columns.map { column in
                    [
                        .text(column.label), .text(column.origin?.catalog ?? ""),
                        .text(column.origin?.schema ?? ""), .text(column.origin?.table ?? ""),
                        .text("\(column.type)"), .integer(Self.fixedSize(column.type)),
                        .boolean(column.isAliased),
                    ]
                })
        case .utility: return .rows(columns, [])
        default:
            return .rows(
                columns,
                [
                    [
                        .text("rows"), .text(""), .text(""), .text(""), .text("bigint"),
                        .integer(8), .boolean(false),
                    ]
                ])
        }
    }

    /// Bytes of a value; 0 where they vary.
    private static func fixedSize(_ type: LogicalType) -> Int64 {
        switch type {
        case .unknown, .boolean, .tinyint: 1
        case .smallint: 2
        case .integer, .date, .real, .intervalYearToMonth: 4
        default: Int64([.string, .list, .row].contains(type.physical) ? 0 : type.physical.width)
        }
    }
}
