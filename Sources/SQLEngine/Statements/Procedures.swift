import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// CALL and ALTER TABLE … EXECUTE.
extension StatementRun {
    func call(
        _ name: QualifiedName, _ arguments: [FunctionCall.Argument]
    ) throws(QueryFault) -> StatementOutcome {
        let parts = name.canonicalParts
        let outcome = StatementOutcome.done(updateType: "CALL", count: nil)
        switch parts.suffix(2).joined(separator: ".") {
        case "runtime.kill_query" where parts.count == 3 ? parts[0] == "system" : true:
            let values = try bound(arguments, ["query_id", "message"], required: 1, name)
            let message =
                values.count > 1 && values[1] != nil ? try text(values[1], "message") : nil
            try engine.kill(
                context, queryID: try text(values[0], "query_id"), message: message)
            return outcome
        case "system.rollback_to_snapshot":
            let catalog = parts.count == 3 ? parts[0] : session.catalog
            guard let catalog else {
                throw QueryFault(
                    .missingCatalogName,
                    "Catalog must be specified when session catalog is not set",
                    span: name.span)
            }
            let values = try bound(
                arguments, ["schema", "table", "snapshot_id"], required: 3, name)
            let table = TableName(
                catalog: catalog, schema: try text(values[0], "schema").lowercased(),
                table: try text(values[1], "table").lowercased())
            if let found = try self.table(table, name) {
                try rollBack(found, to: try number(values[2], "snapshot_id"))
            }
            return outcome
        default:
            if let done = try callSnapshotProcedure(name, arguments) { return done }
            if let done = try callRegistrationProcedure(name, arguments) { return done }
            let known =
                ["system.runtime.kill_query", "system.rollback_to_snapshot"]
                + (Self.snapshotProcedures + Self.registrationProcedures).map { "system.\($0)" }
            throw QueryFault(
                .procedureNotFound, "Procedure not registered: \(name)",
                hint: suggestion(parts.suffix(2).joined(separator: "."), known)
                    ?? "there are \(known.joined(separator: ", "))", span: name.span)
        }
    }

    /// A procedure of a table.
    func execute(
        _ procedure: Identifier, on table: IcebergTable, _ arguments: [FunctionCall.Argument],
        _ filter: Expression?
    ) throws(QueryFault) -> StatementOutcome {
        let place = QualifiedName([procedure], place: procedure.place)
        if let filter, procedure.canonical != "optimize" {
            throw QueryFault(
                .notSupported, "WHERE is not supported by \(procedure.canonical)",
                span: filter.span)
        }
        switch procedure.canonical {
        case "rollback_to_snapshot":
            let values = try bound(arguments, ["snapshot_id"], required: 1, place)
            try rollBack(table, to: try number(values[0], "snapshot_id"))
            return .done(updateType: "ALTER TABLE EXECUTE", count: nil)
        case "add_files", "add_files_from_table", "drop_extended_stats":
            throw QueryFault(
                .notSupported, "ALTER TABLE EXECUTE \(procedure.canonical) is not supported",
                span: procedure.span)
        case let name:
            if let operation = MaintenancePolicy.Operation(rawValue: name) {
                return try maintain(table, operation, arguments, filter)
            }
            let known =
                MaintenancePolicy.Operation.allCases.map(\.rawValue) + ["rollback_to_snapshot"]
            throw QueryFault(
                .procedureNotFound, "Table procedure not registered: \(name)",
                hint: suggestion(name, known), span: procedure.span)
        }
    }

    private func rollBack(_ table: IcebergTable, to snapshotID: Int64) throws(QueryFault) {
        try alter(table) { metadata throws(QueryFault) in
            guard metadata.snapshot(id: snapshotID) != nil else {
                throw QueryFault(
                    .invalidArguments, "Table '\(table.name)' has no snapshot \(snapshotID)",
                    hint: "\"\(table.name.table)$snapshots\" lists those there are")
            }
            var reference =
                metadata.references["main"]
                ?? SnapshotReference(snapshotID: snapshotID, kind: .branch)
            if reference.snapshotID == snapshotID, metadata.references["main"] != nil { return [] }
            reference.snapshotID = snapshotID
            return [.setSnapshotReference("main", reference)]
        }
    }

    // MARK: Arguments

    /// Values by parameter: positional ones first, named ones anywhere.
    func bound(
        _ arguments: [FunctionCall.Argument], _ parameters: [String], required: Int,
        _ name: QualifiedName
    ) throws(QueryFault) -> [LiteralValue?] {
        var values: [LiteralValue?] = Array(repeating: nil, count: parameters.count)
        for (position, argument) in arguments.enumerated() {
            var index = position
            if let named = argument.name {
                guard let found = parameters.firstIndex(of: named.canonical) else {
                    throw QueryFault(
                        .invalidArguments, "Unknown argument name: \(named.canonical)",
                        hint: suggestion(named.canonical, parameters), span: named.span)
                }
                index = found
            }
            guard index < parameters.count else {
                throw QueryFault(
                    .invalidArguments, "Too many arguments for procedure \(name)", span: name.span)
            }
            guard values[index] == nil else {
                throw QueryFault(
                    .invalidArguments, "Duplicate argument: \(parameters[index])",
                    span: argument.value.span)
            }
            values[index] = try evaluate(argument.value).0
        }
        for index in 0..<required where values[index] == nil {
            throw QueryFault(
                .invalidArguments, "Required procedure argument '\(parameters[index])' is missing",
                span: name.span)
        }
        return values
    }

    func text(_ value: LiteralValue?, _ name: String) throws(QueryFault) -> String {
        guard case .bytes(let bytes)? = value else {
            throw QueryFault(.invalidArguments, "Argument '\(name)' takes a varchar")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func number(_ value: LiteralValue?, _ name: String) throws(QueryFault) -> Int64 {
        guard case .integer(let number)? = value else {
            throw QueryFault(.invalidArguments, "Argument '\(name)' takes a bigint")
        }
        return number
    }
}
