package import Authority
import Diagnostics
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Synchronization
import TableCatalog
import Vectors

/// Who may name a view, as the engine wants to know it: the directory of identities supplies it.
package protocol ViewGovernance: Sendable {
    /// Why somebody (nil: the caller) may name a view. Others than oneself: for those who administer
    /// policies or look at identities.
    func explainViewAccess(
        _ context: RequestContext, user: String?, _ path: [String]
    ) throws -> [AccessFact]
}

/// What somebody sees through a view: the right to name it, whose rights read its tables, and the policies
/// of these tables, which follow whoever looks.
extension StatementRun {
    /// The view of a name; nil: it is none, or not to be found.
    func viewToExplain(_ reference: QualifiedName) throws(QueryFault) -> ViewDefinition? {
        let name = try tableName(reference)
        let relation = try catalogs.resolve(
            context, name, version: .current, span: reference.span)
        guard case .view(let view) = relation else { return nil }
        return view
    }

    func showViewAccess(
        _ view: ViewDefinition, _ reference: QualifiedName, _ user: String?,
        _ store: any PolicyAdministration
    ) throws(QueryFault) -> StatementOutcome {
        let who = user ?? context.principal.name
        var facts: [AccessFact] = []
        do {
            let at = CatalogReference(parsing: view.name.catalog)
            if let views = store as? any ViewGovernance {
                facts = try views.explainViewAccess(
                    context, user: user,
                    [at.warehouse] + view.name.identifier.namespace + [view.name.table])
            }
        } catch { throw Self.policyFault(error, reference.span) }
        facts.append(fact(of: view, who: who))
        let readings = Readings(catalogs)
        // Names alone are wanted, whoever may see them: the caller may look at the view.
        var reader = context
        reader.principal = .system
        reader.viewer = nil
        var failure: QueryFault?
        do throws(QueryFault) {
            let statement: Statement
            do {
                let name = [view.name.catalog, view.name.schema, view.name.table]
                    .map { SQLFormatter.quoted(name: $0) }.joined(separator: ".")
                statement = try SQLParser.statement("SELECT * FROM \(name)")
            } catch { throw QueryFault(error) }
            _ = try Binder(
                BindingContext(
                    request: reader, session: session, catalog: readings,
                    registry: engine.registry, evaluator: ExpressionEvaluator(session: session))
            ).bind(statement)
        } catch { failure = error }
        for reading in readings.found {
            switch reading.relation {
            case .view(let inner) where inner.name != view.name:
                facts.append(fact(of: inner, who: who))
            case .table(let table as IcebergTable, _):
                do { facts += try self.facts(of: table, reading.owner, user, store) } catch {
                    throw Self.policyFault(error, reference.span)
                }
            default: break
            }
        }
        if let failure {
            facts.append(
                AccessFact(
                    kind: "denial", name: "\(view.name)", through: "its query",
                    detail: failure.message))
        }
        return .rows(
            ["Kind", "Name", "Column", "Through", "Detail"].map {
                QueryColumn(name: $0, type: .text)
            },
            facts.map { fact in
                [
                    .text(fact.kind), .text(fact.name), .optional(fact.column),
                    .text(fact.through), .text(fact.detail),
                ]
            })
    }

    private func fact(of view: ViewDefinition, who: String) -> AccessFact {
        view.runsAsInvoker
            ? AccessFact(
                kind: "view", name: "\(view.name)", through: "invoker",
                detail: "reads its tables with the rights of \(who)")
            : AccessFact(
                kind: "view", name: "\(view.name)", through: "definer \(view.owner.name)",
                detail: "reads its tables with the rights of \(view.owner.name); "
                    + "policies are those of \(who)")
    }

    /// What holds for a table below a view: the rights of whoever reads it (nil: the person asked about),
    /// and the policies of the person.
    private func facts(
        of table: IcebergTable, _ owner: Principal?, _ user: String?,
        _ store: any PolicyAdministration
    ) throws -> [AccessFact] {
        let own = try store.explainAccess(context, user: user, key(table))
        var facts: [AccessFact]
        if let owner {
            // The grants of the owner are told to those who may ask about the owner.
            let lent = (try? store.explainAccess(context, user: owner.name, key(table))) ?? []
            facts = lent.filter { isGranted($0) }.map { fact in
                var fact = fact
                fact.through = "definer \(owner.name), \(fact.through)"
                return fact
            }
            facts += own.filter { !isGranted($0) && $0.kind != "files" }
        } else {
            facts = own.filter { $0.kind != "files" }
        }
        return facts.map { fact in
            var fact = fact
            fact.column = presentName(fact.fieldID, fact.column, table)
            fact.through += ", on \(table.name)"
            return fact
        }
    }

    /// Whether a fact belongs to the rights of whoever reads, and not to the policies of whoever looks.
    private func isGranted(_ fact: AccessFact) -> Bool {
        fact.kind == "grant" || fact.kind == "denial" || fact.through.hasPrefix("grant of ")
    }
}

/// Notes what a view's query names, and with whose rights.
private final class Readings: CatalogView {
    struct Reading {
        var relation: ResolvedRelation
        /// Who lends the rights; nil: the person asked about.
        var owner: Principal?
    }

    private let catalogs: EngineCatalogs
    private let noted = Mutex<[Reading]>([])

    init(_ catalogs: EngineCatalogs) { self.catalogs = catalogs }

    /// Each relation once for each reader, in the order of the query.
    var found: [Reading] {
        var seen: Set<String> = []
        return noted.withLock { $0 }.filter { reading in
            let name =
                switch reading.relation {
                case .table(let table, _): "\(table.name)"
                case .view(let view): "\(view.name)"
                }
            return seen.insert("\(reading.owner?.id ?? "") \(name)").inserted
        }
    }

    var catalogNames: [String] { catalogs.catalogNames }

    func resolve(
        _ context: RequestContext, _ name: TableName, version: SQLPlanning.TableVersion,
        span: SourceSpan?
    ) throws(QueryFault) -> ResolvedRelation {
        let relation = try catalogs.resolve(context, name, version: version, span: span)
        let owner = context.principal.kind == .system ? nil : context.principal
        noted.withLock { $0.append(Reading(relation: relation, owner: owner)) }
        return relation
    }

    func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel {
        try catalogs.model(context, name, version: version, span: span)
    }

    func routines(
        _ context: RequestContext, _ name: TableName
    ) throws(QueryFault) -> [String] { try catalogs.routines(context, name) }
}
