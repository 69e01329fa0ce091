import Authority
import Platform
import SQLFunctions
import SQLPlanning
import Synchronization
import Testing
import Vectors

@testable import SQLExecution

/// The configurations under which every plan gives the same rows.
enum Configuration: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case plain, oneThread, smallChunks, dictionaries, constants, spilling

    var testDescription: String { rawValue }

    var settings: ExecutionSettings {
        var settings = ExecutionSettings()
        switch self {
        case .plain: break
        case .oneThread: settings.threadCount = 1
        case .smallChunks:
            settings.verification.chunkRows = 7
            settings.verification.poisonsChunks = true
        case .dictionaries:
            settings.verification.forcesDictionaries = true
            settings.verification.poisonsChunks = true
        case .constants:
            settings.verification.forcesConstants = true
            settings.verification.poisonsChunks = true
        case .spilling:
            settings.verification.forcesSpill = true
            settings.verification.chunkRows = 100
            settings.spillDirectory = "/tmp"
        }
        return settings
    }
}

/// Collects rows as text, a field between blanks.
final class RowCollectorSink: ResultSink {
    private let types: [LogicalType]
    private let rows = Mutex<[String]>([])

    init(_ types: [LogicalType]) { self.types = types }

    func take(_ chunk: Chunk) throws(QueryFault) {
        let active = ActiveRows(chunk)
        var texts: [String] = []
        active.forEach { row in
            texts.append(
                types.indices.map {
                    show(literal(of: chunk.columns[$0], row: row, type: types[$0]))
                }
                .joined(separator: " "))
        }
        rows.withLock { $0 += texts }
    }

    var collected: [String] { rows.withLock { $0 } }
}

/// Makes plans over tables in memory and runs them.
final class Plans {
    private var lastID: Int32 = 0
    var settings = ExecutionSettings()

    init(_ configuration: Configuration = .plain) { settings = configuration.settings }

    func id() -> ColumnID {
        lastID += 1
        return ColumnID(lastID)
    }

    func column(_ type: LogicalType, _ name: String = "x") -> PlanColumn {
        PlanColumn(id: id(), type: type, name: name)
    }

    func table(_ types: [LogicalType], _ rows: [[LiteralValue]]) -> (
        plan: LogicalPlan, columns: [PlanColumn]
    ) {
        let table = MemoryTable(
            name: TableName(catalog: "memory", schema: "test", table: "t"),
            columns: types.enumerated().map {
                TableColumn(name: "c\($0.offset)", type: $0.element)
            },
            rows: rows)
        let columns = types.map { column($0) }
        let node = ScanNode(table: table, columns: columns, tableColumns: Array(types.indices))
        return (.scan(node), columns)
    }

    func call(
        _ name: String, _ arguments: [PlanColumn], _ result: LogicalType, distinct: Bool = false,
        filter: PlanColumn? = nil, order: [SortKey] = []
    ) -> AggregateCall {
        AggregateCall(
            output: column(result, name), function: aggregate(name, arguments.map(\.type), result),
            arguments: arguments.map(\.id), isDistinct: distinct, filter: filter?.id, order: order)
    }

    func window(
        _ name: String, _ arguments: [PlanColumn], _ result: LogicalType, _ frame: WindowFrame
    ) -> WindowCall {
        WindowCall(
            output: column(result, name), function: aggregate(name, arguments.map(\.type), result),
            arguments: arguments.map(\.id), frame: frame)
    }

    func aggregate(_ name: String, _ types: [LogicalType], _ result: LogicalType)
        -> ResolvedAggregate
    {
        let function = AggregateFunction(
            name: name, signature: .fixed(types, result: result), summary: "", example: "",
            isOrderSensitive: name == "array_agg" || name == "listagg")
        return ResolvedAggregate(function: function, parameters: types, result: result)
    }

    /// The rows in the order they came, or the fault.
    func rows(_ plan: LogicalPlan) -> Result<[String], QueryFault> {
        let sink = RowCollectorSink(plan.outputs.map(\.type))
        let execution = QueryExecution(
            plan, columns: plan.outputs, settings: settings,
            session: SessionValues(startMicroseconds: 0))
        do throws(QueryFault) {
            try execution.run(into: sink)
            return .success(sink.collected)
        } catch { return .failure(error) }
    }

    /// The rows sorted as text; a fault gives its code.
    func sorted(_ plan: LogicalPlan) -> [String] {
        switch rows(plan) {
        case .success(let rows): rows.sorted()
        case .failure(let fault): [fault.code.rawValue]
        }
    }

    func ordered(_ plan: LogicalPlan) -> [String] {
        switch rows(plan) {
        case .success(let rows): rows
        case .failure(let fault): [fault.code.rawValue]
        }
    }
}

func reference(_ column: PlanColumn) -> BoundExpression { .column(column.id, column.type) }
func number(_ value: Int64) -> BoundExpression { .literal(.integer(value), .bigint) }
func text(_ value: String) -> LiteralValue { .bytes(Array(value.utf8)) }

/// A value as the tests write it.
func show(_ value: LiteralValue) -> String {
    switch value {
    case .null: "NULL"
    case .integer(let value): "\(value)"
    case .wide(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    case .double(let bits): "\(Double(bitPattern: bits))"
    case .list(let values): "[" + values.map(show).joined(separator: ",") + "]"
    case .map(let keys, let values):
        "{" + zip(keys, values).map { show($0) + ":" + show($1) }.joined(separator: ",") + "}"
    case .row(let values): "(" + values.map(show).joined(separator: ",") + ")"
    }
}

func line(_ row: [LiteralValue]) -> String { row.map(show).joined(separator: " ") }

/// Rows with NULL keys, long strings, integers, doubles and decimals, the same at every run.
struct Sample {
    static let types: [LogicalType] = [
        .bigint, .text, .bigint, .double, .decimal(precision: 12, scale: 2),
    ]
    static let otherTypes: [LogicalType] = [.bigint, .text, .bigint]
    var rows: [[LiteralValue]] = []
    var others: [[LiteralValue]] = []

    init(_ count: Int, others otherCount: Int = 0) {
        var seed: UInt64 = 42
        func next(_ limit: UInt64) -> Int64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64((seed >> 33) % limit)
        }
        for index in 0..<count {
            let key = next(700)
            rows.append([
                index % 97 == 0 ? .null : .integer(key),
                text("name-of-a-longer-string-\(key % 13)"), .integer(next(1000)),
                .double(bits: Double(next(100)).bitPattern), .integer(next(100_000)),
            ])
        }
        for index in 0..<otherCount {
            others.append([
                index % 50 == 0 ? .null : .integer(next(1400)),
                text("payload string number \(index)"),
                .integer(next(1000)),
            ])
        }
    }
}

func integer(_ value: LiteralValue) -> Int64? {
    if case .integer(let value) = value { return value }
    return nil
}

func double(_ value: LiteralValue) -> Double {
    if case .double(let bits) = value { return Double(bitPattern: bits) }
    return 0
}
