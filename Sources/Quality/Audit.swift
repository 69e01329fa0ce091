import Authority
import JSON
import Platform
package import SQLEngine
import SQLFunctions
import SQLPlanning
import TableCatalog

/// Runs SQL for an audit.
package typealias QueryRun = (String, QuerySession) throws -> CollectedRows

/// One run of a table's checks over one state of the table.
struct Audit {
    let context: RequestContext
    let reference: CatalogReference
    let schema: String
    let table: String
    let checks: [Check]
    let runID: String
    /// By warehouse: the branch that plain names in people's queries mean.
    let branches: [String: String]
    let clock: any WallClock
    let monotonic: any MonotonicClock
    let query: QueryRun

    /// What a check found, before it is recorded.
    struct Finding {
        var failing: Int64?
        var message = ""
        var samples: [[String?]] = []
        var sampleColumns: [String] = []
        var fault: String?
        var milliseconds: Int64 = 0
        /// The tables that message and sample were found in; nil: others than those of warehouses too.
        var reads: Set<TableRead>? = []

        mutating func note(_ found: CollectedRows) {
            guard let more = found.reads else { return reads = nil }
            reads?.formUnion(more)
        }
    }

    /// The state that is looked at, with what is needed to ask about it.
    struct State {
        var snapshotID: Int64?
        /// The table's snapshot when the audit began, where `snapshotID` cannot be looked at too.
        var present: Int64?
        var sql: CheckSQL
    }

    /// Names are resolved as the table's own neighbours are.
    func session(_ properties: [String: String] = [:]) -> QuerySession {
        var session = QuerySession(catalog: reference.description, schema: schema)
        session.source = "checks"
        session.branches = branches
        session.commitProperties = properties
        return session
    }

    /// Fixes the state: the table's columns and snapshot.
    func state(snapshotID: Int64?, present: Int64?, formatVersion: Int) throws -> State {
        let name = CheckSQL.name(reference, schema, table)
        let columns = try query("SELECT * FROM \(name) LIMIT 0", session()).columns
        return State(
            snapshotID: snapshotID, present: present,
            sql: CheckSQL(
                at: reference, schema: schema, table: table, snapshotID: snapshotID,
                columns: columns, formatVersion: formatVersion))
    }

    /// Runs every check; a check that cannot be run has a fault and holds nobody else up.
    func run(_ state: State) -> (total: Int64?, findings: [Finding]) {
        var findings = [Finding](repeating: Finding(), count: checks.count)
        let total = countTogether(state, &findings)
        for index in checks.indices where findings[index].fault == nil {
            do {
                try alone(checks[index], state, total, &findings[index])
                if findings[index].failing ?? 0 > 0 {
                    try sample(checks[index], state, &findings[index])
                }
            } catch { findings[index].fault = Self.words(error) }
        }
        return (total, findings)
    }

    /// The total, and what one scan tells of all checks.
    private func countTogether(_ state: State, _ findings: inout [Finding]) -> Int64? {
        let together = checks.indices.filter { Self.isCounted(checks[$0].rule) }
        do { return try count(together, state, &findings) } catch {
            // One of them cannot be run: each by itself tells which.
            var total: Int64?
            for index in together {
                do { total = try count([index], state, &findings) } catch {
                    findings[index].fault = Self.words(error)
                }
            }
            if total == nil { total = try? count([], state, &findings) }
            return total
        }
    }

    private static func isCounted(_ rule: CheckRule) -> Bool {
        switch rule {
        case .uniqueness, .rowCountRange, .reconcile, .customQuery, .schema, .volumeAnomaly: false
        default: true
        }
    }

    private func count(
        _ indices: [Int], _ state: State, _ findings: inout [Finding]
    ) throws -> Int64? {
        let began = monotonic.now()
        let rows = try query(state.sql.counting(indices.map { checks[$0] }), session()).rows
        let elapsed = milliseconds(since: began)
        guard let row = rows.first else { return nil }
        for (place, index) in indices.enumerated() where place + 1 < row.count {
            findings[index].failing = row[place + 1].integer
            findings[index].milliseconds = elapsed
        }
        return row.first?.integer
    }

    /// Runs a query for one check, and notes what it read.
    private func ask(_ sql: String, _ finding: inout Finding) throws -> CollectedRows {
        let found = try query(sql, session())
        finding.note(found)
        return found
    }

    /// What needs a query of its own, and the words for what was counted.
    private func alone(
        _ check: Check, _ state: State, _ total: Int64?, _ finding: inout Finding
    ) throws {
        let began = monotonic.now()
        switch check.rule {
        case .uniqueness:
            finding.failing = try ask(state.sql.countingSurplus(check), &finding)
                .rows.first?.first?.integer
        case .rowCountRange(let lower, let upper):
            var count = total
            if let filter = check.filter {
                count = try ask(
                    "SELECT count(*) FROM \(state.sql.source) AS t WHERE \(filter)", &finding
                ).rows.first?.first?.integer
            }
            guard let count else { throw QualityError(.invalidCheck, "the rows cannot be counted") }
            let isInside = count >= lower ?? 0 && count <= upper ?? .max
            finding.failing = isInside ? 0 : 1
            let (low, high) = (lower.map { "\($0)" } ?? "0", upper.map { "\($0)" } ?? "any number")
            finding.message = "\(count) rows, \(low) to \(high) are wanted"
        case .reconcile(let expression, let sql, let tolerance):
            let rows = try ask(state.sql.reconciling(expression, sql, tolerance), &finding).rows
            finding.failing = rows.first?.first?.integer
            if let row = rows.first, row.count == 3 {
                finding.message =
                    "\(expression) is \(row[1].text ?? "NULL"), the other figure "
                    + (row[2].text ?? "NULL")
            }
        case .customQuery(let sql):
            finding.failing = try ask(
                "SELECT count(*) FROM (\(state.sql.filled(sql))) AS q", &finding
            ).rows.first?.first?.integer
        case .schema(let columns, let isExact):
            let problems = state.sql.schemaProblems(columns, isExact: isExact)
            finding.failing = Int64(problems.count)
            finding.message =
                problems.isEmpty
                ? "all \(columns.count) columns are as wanted" : problems.joined(separator: "; ")
        case .volumeAnomaly(let column, let days, let sensitivity):
            let text = try state.sql.volumes(column, days: days, filter: check.filter)
            let row = try ask(text, &finding).rows.first ?? []
            (finding.failing, finding.message) = Self.judge(row, sensitivity)
        default: break
        }
        if finding.milliseconds == 0 { finding.milliseconds = milliseconds(since: began) }
        guard let failing = finding.failing else {
            throw QualityError(.invalidCheck, "the check gave no count")
        }
        if finding.message.isEmpty { finding.message = Self.message(check, failing, total) }
    }

    /// Days of history without which a volume is not judged.
    private static let leastDays: Int64 = 5

    /// Whether the newest day's rows are far from the mean of the days before it.
    private static func judge(
        _ row: [CollectedRows.Value], _ sensitivity: Double
    ) -> (failing: Int64, message: String) {
        guard row.count == 5, let day = row[0].text, let count = row[1].integer else {
            return (0, "there are no rows to count")
        }
        let days = row[4].integer ?? 0
        guard days >= leastDays, let mean = row[2].text.flatMap({ Double($0) }),
            let deviation = row[3].text.flatMap({ Double($0) })
        else {
            return (
                0, "\(count) rows on \(day); \(days) days before it are too few to compare with"
            )
        }
        // Even days that were all alike may differ a little.
        let allowed = max(sensitivity * deviation, mean / 20, 1)
        func short(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        return (
            abs(Double(count) - mean) > allowed ? 1 : 0,
            "\(count) rows on \(day); the \(days) days before had \(short(mean)), "
                + "give or take \(short(allowed))"
        )
    }

    private static func message(_ check: Check, _ failing: Int64, _ total: Int64?) -> String {
        if case .freshness(let column, _) = check.rule {
            return failing == 0
                ? "\(column) is fresh"
                : "\(column) has nothing as new as wanted; "
                    + "what lies in the future does not count"
        }
        if failing == 0 { return "all \(total ?? 0) rows pass" }
        return "\(failing) of \(total ?? 0) rows fail"
    }

    private func sample(_ check: Check, _ state: State, _ finding: inout Finding) throws {
        var columns = state.sql.columns
        if case .customQuery(let sql) = check.rule {
            columns = try ask(state.sql.everything(of: sql), &finding).columns
        }
        guard let text = try state.sql.sample(check, columns: columns) else { return }
        let found = try ask(text, &finding)
        finding.sampleColumns = found.columns.map(\.name)
        finding.samples = found.rows.map { row in row.map(\.text) }
    }

    private func milliseconds(since begin: MonotonicInstant) -> Int64 {
        Int64((monotonic.now() - begin).fractionalSeconds * 1000)
    }

    static func words(_ error: any Error) -> String {
        if let fault = error as? QueryFault { return fault.message }
        if let fault = error as? QualityError { return fault.message }
        return "\(error)"
    }
}

extension Audit.Finding {
    /// The sample as a JSON array of objects, cut to what a result may take.
    var samplesJSON: String {
        var objects: [JSONValue] = []
        var size = 2
        for row in samples {
            let object = JSONValue.object(
                zip(sampleColumns, row).map { ($0, $1.map { .string($0) } ?? .null) })
            size += object.encodedText().utf8.count + 1
            if size > QualityLimits.sampleBytes { break }
            objects.append(object)
        }
        return JSONValue.array(objects).encodedText()
    }
}
