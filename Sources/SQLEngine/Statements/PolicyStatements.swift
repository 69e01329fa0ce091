import Authority
import Diagnostics
import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// Row filters, masks and tags: checked over the table here, kept by the directory of identities, put in
/// by the binder wherever the table is named afterwards.
extension StatementRun {
    func policy(_ statement: PolicyStatement) throws(QueryFault) -> StatementOutcome {
        switch statement {
        case .createRowFilter(let name, let table, let reach, let body, let orReplace):
            return try createPolicy(.rowFilter, name, table, nil, reach, body, orReplace)
        case .createMask(let name, let column, let reach, let body, let orReplace):
            let table = QualifiedName(Array(column.parts.dropLast()), place: column.place)
            return try createPolicy(.mask, name, table, column.parts.last, reach, body, orReplace)
        case .createTagMask(let name, let tag, let reach, let body, let orReplace):
            return try createTagMask(name, tag, reach, body, orReplace)
        case .dropRowFilter(let name, let ifExists):
            return try dropPolicy(.rowFilter, name, ifExists)
        case .dropMask(let name, let ifExists): return try dropPolicy(.mask, name, ifExists)
        case .setTags(let table, let column, let tags): return try setTags(table, column, tags)
        case .showRowFilters(let table): return try showPolicies(.rowFilter, table)
        case .showMasks(let table): return try showPolicies(.mask, table)
        case .showTags(let table): return try showTags(table)
        case .showEffectiveAccess(let table, let user): return try showAccess(table, user)
        }
    }

    // MARK: Declaring

    private func createPolicy(
        _ kind: TablePolicy.Kind, _ name: Identifier, _ reference: QualifiedName,
        _ column: Identifier?, _ reach: PolicyReach, _ body: Expression, _ orReplace: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let table = try governable(reference)
        var target = TablePolicy.Target.table(key(table))
        if let column {
            target = .column(key(table), fieldID: try field(column, table), name: column.canonical)
        }
        try policyBinder.checkPolicy(body, over: table, column: column?.canonical)
        var names: [String: Int] = [:]
        for field in table.fields { names[field.name.lowercased()] = Int(field.id) }
        let policy = TablePolicy(
            name: name.canonical, kind: kind, target: target, subjects: subjects(reach.subjects),
            exceptions: subjects(reach.exceptions), expression: SQLFormatter.format(body),
            columns: names, createdBy: context.principal.name)
        try keep(policy, orReplace, name)
        try cover(table)
        return .done(updateType: "CREATE \(kind.rawValue.uppercased())", count: nil)
    }

    private func createTagMask(
        _ name: Identifier, _ tag: String, _ reach: PolicyReach, _ body: Expression,
        _ orReplace: Bool
    ) throws(QueryFault) -> StatementOutcome {
        // It has to be SQL that fits some type of column; which ones carry the tag may change.
        let types: [LogicalTypeSample] = LogicalTypeSample.all
        var failure: QueryFault?
        let fits = types.contains { sample in
            do throws(QueryFault) {
                try policyBinder.checkPolicy(body, over: sample.table, column: "value")
                return true
            } catch {
                if failure == nil { failure = error }
                return false
            }
        }
        if !fits, let failure { throw failure }
        let policy = TablePolicy(
            name: name.canonical, kind: .mask, target: .tag(tag),
            subjects: subjects(reach.subjects), exceptions: subjects(reach.exceptions),
            expression: SQLFormatter.format(body), columns: [:], createdBy: context.principal.name)
        try keep(policy, orReplace, name)
        return .done(updateType: "CREATE MASK", count: nil)
    }

    private func keep(
        _ policy: TablePolicy, _ orReplace: Bool, _ name: Identifier
    ) throws(QueryFault) {
        let store = try policyStore()
        do { try store.define(context, policy, orReplace: orReplace) } catch {
            throw Self.policyFault(error, name.span)
        }
    }

    private func dropPolicy(
        _ kind: TablePolicy.Kind, _ name: Identifier, _ ifExists: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let store = try policyStore()
        let wasThere: Bool
        do { wasThere = try store.drop(context, kind, name.canonical) } catch {
            throw Self.policyFault(error, name.span)
        }
        guard wasThere || ifExists else {
            let known = ((try? store.policies(context)) ?? []).filter { $0.kind == kind }
            throw QueryFault(
                .notFound, "\(kind.rawValue) not found: \(name)",
                hint: suggestion(name.canonical, known.map(\.name)), span: name.span)
        }
        return .done(updateType: "DROP \(kind.rawValue.uppercased())", count: nil)
    }

    private func setTags(
        _ reference: QualifiedName, _ column: Identifier?, _ tags: [String]
    ) throws(QueryFault) -> StatementOutcome {
        let table = try governable(reference)
        let fieldID: Int? = try column.map { name throws(QueryFault) in try field(name, table) }
        let store = try policyStore()
        do {
            try store.setTags(
                context, key(table), fieldID: fieldID, columnName: column?.canonical, tags: tags)
        } catch { throw Self.policyFault(error, reference.span) }
        try cover(table)
        return .done(updateType: "SET TAGS", count: nil)
    }

    // MARK: Looking

    private func showPolicies(
        _ kind: TablePolicy.Kind, _ reference: QualifiedName?
    ) throws(QueryFault) -> StatementOutcome {
        let store = try policyStore()
        let wanted: TableKey? = try reference.map { name throws(QueryFault) in
            key(try governable(name))
        }
        let all: [TablePolicy]
        let tags: [TagAssignment]
        do {
            all = try store.policies(context).filter { $0.kind == kind }
            tags = try wanted.map { try store.tags(context, $0) } ?? []
        } catch { throw Self.policyFault(error, nil) }
        let shown = all.filter { policy in
            guard let wanted else { return true }
            switch policy.target {
            case .table(let table), .column(let table, _, _): return table.overlaps(wanted)
            case .tag(let tag): return tags.contains { $0.tag == tag }
            }
        }
        return .rows(
            ["Name", "On", "For", "Expression", "Created By"].map {
                QueryColumn(name: $0, type: .text)
            },
            shown.map { policy in
                let on =
                    switch policy.target {
                    case .table(let table): table.name
                    case .column(let table, _, let name): "\(table.name).\(name)"
                    case .tag(let tag): "tag \(tag)"
                    }
                return [
                    .text(policy.name), .text(on), .text(policy.audience),
                    .text(policy.expression), .text(policy.createdBy),
                ]
            })
    }

    private func showTags(_ reference: QualifiedName?) throws(QueryFault) -> StatementOutcome {
        let store = try policyStore()
        let table: IcebergTable? = try reference.map { name throws(QueryFault) in
            try governable(name)
        }
        let tags: [TagAssignment]
        do { tags = try store.tags(context, table.map(key)) } catch {
            throw Self.policyFault(error, nil)
        }
        return .rows(
            ["Table", "Column", "Tag"].map { QueryColumn(name: $0, type: .text) },
            tags.map { tag in
                [
                    .text(tag.table.name),
                    .optional(presentName(tag.fieldID, tag.columnName, table)), .text(tag.tag),
                ]
            })
    }

    private func showAccess(
        _ reference: QualifiedName, _ user: String?
    ) throws(QueryFault) -> StatementOutcome {
        let store = try policyStore()
        if let view = try viewToExplain(reference) {
            return try showViewAccess(view, reference, user, store)
        }
        let table = try governable(reference)
        let facts: [AccessFact]
        do { facts = try store.explainAccess(context, user: user, key(table)) } catch {
            throw Self.policyFault(error, reference.span)
        }
        return .rows(
            ["Kind", "Name", "Column", "Through", "Detail"].map {
                QueryColumn(name: $0, type: .text)
            },
            facts.map { fact in
                [
                    .text(fact.kind), .text(fact.name),
                    .optional(presentName(fact.fieldID, fact.column, table)), .text(fact.through),
                    .text(fact.detail),
                ]
            })
    }

    /// What a column is called now.
    func presentName(_ fieldID: Int?, _ name: String?, _ table: IcebergTable?) -> String? {
        guard let fieldID, let table else { return name }
        return table.fields.first { Int($0.id) == fieldID }?.name.lowercased() ?? name
    }

    // MARK: Pieces

    private func policyStore() throws(QueryFault) -> any PolicyAdministration {
        guard let store = try catalog().governance as? any PolicyAdministration else {
            throw QueryFault(
                .notSupported, "this engine keeps no policies",
                hint: "start a server with `lakehouse serve`")
        }
        return store
    }

    var policyBinder: Binder {
        Binder(
            BindingContext(
                request: context, session: session, catalog: catalogs, registry: engine.registry,
                evaluator: ExpressionEvaluator(session: session)))
    }

    /// The table that a policy is on.
    private func governable(_ name: QualifiedName) throws(QueryFault) -> IcebergTable {
        guard let table = try table(try tableName(name), name) else {
            throw QueryFault(.tableNotFound, "Table '\(name)' does not exist", span: name.span)
        }
        return table
    }

    func key(_ table: IcebergTable) -> TableKey {
        TableKey(
            uuid: table.metadata.tableUUID,
            path: [table.reference.warehouse] + table.identifier.namespace
                + [table.identifier.name])
    }

    private func field(_ column: Identifier, _ table: IcebergTable) throws(QueryFault) -> Int {
        guard let field = table.fields.first(where: { $0.name.lowercased() == column.canonical })
        else {
            throw QueryFault(
                .columnNotFound, "Column '\(column.canonical)' does not exist in \(table.name)",
                hint: suggestion(column.canonical, table.fields.map { $0.name.lowercased() }),
                span: column.span)
        }
        return Int(field.id)
    }

    /// Closes the table's places, also those of files that lie elsewhere.
    private func cover(_ table: IcebergTable) throws(QueryFault) {
        let catalog = try self.catalog()
        do {
            let loaded = try catalog.loadTable(
                RequestContext(
                    principal: .system, requestID: context.requestID, door: context.door,
                    tenant: context.tenant), table.reference, table.identifier)
            let strays = try LiveFiles(table, catalog.manifests).tasks.keys.filter { path in
                !loaded.places.contains { path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
            }
            try catalog.governance?.cover(
                tenant: context.tenant, key(table), places: loaded.places + strays)
        } catch { throw Self.policyFault(error, nil) }
        catalogs.coverStorages(context)
    }

    private func subjects(_ grantees: [PolicyGrantee]) -> [PolicySubject] {
        grantees.map { grantee in
            let kind: PolicySubject.Kind =
                switch grantee.kind {
                case "ROLE": .role
                case "USER": .user
                default: .group
                }
            return PolicySubject(kind, grantee.name)
        }
    }

    static func policyFault(_ error: any Error, _ span: SourceSpan?) -> QueryFault {
        var fault: QueryFault
        if let other = error as? any Fault, !(other is QueryFault), !(other is AccessDenied),
            !(other is CatalogError)
        {
            let code: QueryFault.Code =
                if other.codeText.hasSuffix("not_found") {
                    .notFound
                } else if other.codeText.hasSuffix("already_exists") {
                    .alreadyExists
                } else if other.codeText.contains("invalid") {
                    .invalidArguments
                } else {
                    .genericInternalError
                }
            fault = QueryFault(code, other.message, hint: other.hint, cause: other)
        } else {
            fault = EngineCatalogs.fault(error, about: "policy")
        }
        if fault.span == nil { fault.span = span }
        return fault
    }
}

/// A table of one column `value` of some type, over which masks by tag are tried.
private struct LogicalTypeSample {
    let table: MemoryTable

    static var all: [LogicalTypeSample] {
        [
            .text, .bigint, .double, .decimal(precision: 18, scale: 2), .date, .boolean,
            .timestamp(precision: 6),
        ].map { type in
            LogicalTypeSample(
                table: MemoryTable(
                    name: TableName(catalog: "system", schema: "policies", table: "tagged"),
                    columns: [TableColumn(name: "value", type: type)], rows: []))
        }
    }
}
