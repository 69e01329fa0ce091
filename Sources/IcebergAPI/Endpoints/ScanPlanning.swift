import Authority
import HTTPMessages
import Iceberg
import JSON
import Platform
import TableCatalog

private let table = "/v1/{prefix}/namespaces/{namespace}/tables/{table}"

extension IcebergEndpoint {
    /// Plans a scan for a client: at once where that is quick, else the client comes back for it.
    static let planTableScan = IcebergEndpoint(.post, table + "/plan") { call in
        let wanted = try call.body()
        let table = try call.catalog.loadTable(call.context, call.warehouse, call.table)
        try call.requireUnrestricted(table)
        let work = try ScanRequest(wanted, table)
        let plan = PlannedScan(
            id: call.catalog.newID(), owner: call.planOwner(table), filter: work.filter,
            statisticsFields: work.statisticsFields, table: table,
            startedMilliseconds: call.service.clock.now().milliseconds)
        // The client is told of no manifest that it could not read itself.
        let manifests = call.catalog.manifests(call.context, of: table)
        call.service.plans.start(plan) { try work.plan(manifests) }
        if case .failed(let error)? = plan.outcome.current { throw error }
        return call.json(try call.status(of: plan, withID: true))
    }

    static let fetchPlanningResult = IcebergEndpoint(.get, table + "/plan/{plan-id}") { call in
        call.json(try call.status(of: try call.plan, withID: false))
    }

    static let cancelPlanning = IcebergEndpoint(.delete, table + "/plan/{plan-id}") { call in
        call.service.plans.cancel(try call.plan)
        return IcebergCall.noContent
    }

    static let fetchScanTasks = IcebergEndpoint(.post, table + "/tasks") { call in
        let name = try call.body()["plan-task"].string()
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let missing = PlanFault(code: .noSuchTask, message: "there is no plan task \(name)")
        guard parts.count == 2, let page = Int(parts[1]), page > 0 else { throw missing }
        let plan: PlannedScan
        do { plan = try call.plan(String(parts[0])) } catch is PlanFault { throw missing }
        guard case .planned(let tasks)? = plan.outcome.current,
            page < PlannedScan.pageCount(tasks)
        else { throw missing }
        return call.json(.object(call.tasks(of: plan, tasks, page: page)))
    }
}

extension IcebergCall {
    fileprivate var plan: PlannedScan {
        get throws { try plan(parameters.required("plan-id")) }
    }

    fileprivate func plan(_ id: String) throws -> PlannedScan {
        // The table has to be there still, and to be the caller's to read.
        let table = try catalog.loadTable(context, warehouse, self.table)
        try requireUnrestricted(table)
        return try service.plans.plan(
            id, owner: planOwner(table), nowMilliseconds: service.clock.now().milliseconds)
    }

    fileprivate func planOwner(_ table: LoadedTable) -> String {
        "\(context.tenant) \(context.principal.id) \(table.metadata.tableUUID)"
    }

    /// A `PlanTableScanResult` or `FetchPlanningResult`.
    fileprivate func status(of plan: PlannedScan, withID: Bool) throws -> JSONValue {
        var members: [(String, JSONValue)] = []
        switch plan.outcome.current {
        case nil: members.append(("status", "submitted"))
        case .cancelled?: return ["status": "cancelled"]
        case .failed(let error)?:
            let body = ErrorBody(error)
            return ["status": "failed", "error": body.json]
        case .planned(let tasks)?:
            members.append(("status", "completed"))
            members += self.tasks(of: plan, tasks, page: 0)
            let later = (1..<max(1, PlannedScan.pageCount(tasks))).map {
                JSONValue.string("\(plan.id).\($0)")
            }
            members.append(("plan-tasks", .array(later)))
            if let credentials = try vend(plan.table) {
                members.append(("storage-credentials", storageCredentials(plan.table, credentials)))
            }
        }
        if withID { members.append(("plan-id", .string(plan.id))) }
        return .object(members)
    }

    /// The tasks of one answer, with the deletes that they refer to.
    fileprivate func tasks(
        of plan: PlannedScan, _ tasks: [FileScanTask], page: Int
    ) -> [(String, JSONValue)] {
        var writer = ScanTaskWriter(plan)
        let first = page * Limits.tasksPerAnswer
        for task in tasks.dropFirst(first).prefix(Limits.tasksPerAnswer) { writer.add(task) }
        return writer.members
    }
}

/// What a client wants planned.
private struct ScanRequest: Sendable {
    let filter: SentFilter
    let statisticsFields: Set<Int32>
    private let metadata: TableMetadata
    private let snapshot: Snapshot?
    /// The snapshot after which an incremental scan begins.
    private let start: Int64?

    init(_ at: JSONCursor, _ table: LoadedTable) throws {
        let metadata = table.metadata
        self.metadata = metadata
        let start = try at["start-snapshot-id"].optionalInt64()
        let end = try at["end-snapshot-id"].optionalInt64()
        let point = try at["snapshot-id"].optionalInt64()
        guard point == nil || (start == nil && end == nil) else {
            throw RequestFault("a scan is of one snapshot or of a range of them, not of both")
        }
        guard start == nil || end != nil else {
            throw RequestFault("end-snapshot-id is missing")
        }
        if let start, metadata.snapshot(id: start) == nil {
            throw IcebergError(
                code: .noSuchSnapshot, message: "the table has no snapshot \(start)")
        }
        self.start = start
        let wanted = try (end ?? point).map { try metadata.select(.id($0)) }
        let found = wanted ?? metadata.currentSnapshot
        snapshot = found
        let isOld = try at["use-snapshot-schema"].optionalBool() ?? false
        let columns =
            isOld
            ? found.map { metadata.schema(of: $0) } ?? metadata.currentSchema
            : metadata.currentSchema
        let isExactCase = try at["case-sensitive"].optionalBool() ?? true
        filter =
            at["filter"].isPresent
            ? try SentFilter(at["filter"], schema: columns, caseSensitive: isExactCase) : .none
        func ids(_ names: JSONCursor) throws -> Set<Int32> {
            guard names.isPresent else { return [] }
            return Set(
                try names.strings().map { name in
                    guard let field = columns.field(named: name),
                        !isExactCase || columns.name(of: field.id) == name
                    else { throw RequestFault("the table has no column \(name)") }
                    return field.id
                })
        }
        _ = try ids(at["select"])
        statisticsFields = try ids(at["stats-fields"])
    }

    func plan(_ manifests: ManifestSource) throws -> [FileScanTask] {
        guard let snapshot else { return [] }
        if let start {
            return try AppendScan(
                metadata: metadata, startExclusive: start, end: snapshot,
                predicate: filter.predicate
            ).plan(manifests).tasks
        }
        return try TableScan(
            metadata: metadata, snapshot: snapshot, predicate: filter.predicate
        ).plan(manifests).tasks
    }
}
